// SMART App Launch: finding the server, asking for access, and the life of the tokens.
// A public client in a browser: authorization code with PKCE (S256), and no client secret.

import { isSafeAddress, trimmed } from './config.js';
import { checkedClaims } from './idtoken.js';
import { Problem, SessionEnded, fromAuthorization, fromToken } from './problem.js';
import { scopeList } from './scope.js';
import { Session, rememberPending, takePending } from './session.js';

const TIMEOUT_MS = 20_000;

const redirectUri = () => new URL('callback.html', location.href).href;

function base64url(bytes) {
  return btoa(String.fromCharCode(...bytes)).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '');
}

// 256 bits each for state, nonce and verifier: twice what SMART asks of the state.
const unguessable = () => base64url(crypto.getRandomValues(new Uint8Array(32)));

async function challengeOf(verifier) {
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(verifier));
  return base64url(new Uint8Array(digest));
}

/** A request that carries no cookie, leaves no referrer and is cached nowhere. */
async function request(url, what, init = {}) {
  try {
    return await fetch(url, {
      cache: 'no-store',
      credentials: 'omit',
      referrerPolicy: 'no-referrer',
      signal: AbortSignal.timeout(TIMEOUT_MS),
      ...init,
    });
  } catch {
    throw new Problem(
      `${what} could not be reached`,
      'Check that the server is running and lets this app ask it (CORS).',
      `no answer from ${new URL(url).origin}`,
    );
  }
}

const jsonOf = (response) => response.json().catch(() => null);

async function metadata(url, what) {
  const response = await request(url, what, { headers: { accept: 'application/json' } });
  const document = response.ok ? await jsonOf(response) : null;
  if (!document || typeof document !== 'object') {
    throw new Problem(`${what} did not answer as expected`, 'Check the address of the FHIR server.', `HTTP ${response.status} from ${url}`);
  }
  return document;
}

/** What the FHIR server says about its authorization server. */
export async function discover(fhirBase) {
  const found = await metadata(`${fhirBase}/.well-known/smart-configuration`, 'The record’s server');
  for (const name of ['authorization_endpoint', 'token_endpoint']) {
    if (!isSafeAddress(found[name])) {
      throw new Problem('The record’s server does not say where to sign in', 'It may not be a SMART on FHIR server.', `${name} is missing or not safe to use`);
    }
  }
  if (!found.code_challenge_methods_supported?.includes('S256')) {
    throw new Problem('The record’s server is too old for this app', 'SMART App Launch 2 asks for PKCE with S256.', 'code_challenge_methods_supported lacks S256');
  }
  return {
    issuer: found.issuer,
    authorizationEndpoint: found.authorization_endpoint,
    tokenEndpoint: found.token_endpoint,
    revocationEndpoint: isSafeAddress(found.revocation_endpoint) ? found.revocation_endpoint : null,
    sendsIssuer: found.authorization_response_iss_parameter_supported === true,
  };
}

/**
 * Prepares a sign-in and returns the address to send the browser to.
 *
 * @param {{fhirBase: string, clientId: string, scope: string, launch?: string}} wish
 *   `launch` is the handle of an EHR launch; without it the app launches on its own.
 */
export async function beginSignIn({ fhirBase, clientId, scope, launch }) {
  if (!isSafeAddress(fhirBase)) {
    throw new Problem('That is not the address of a FHIR server', 'It begins with https://, or with http:// for a server on this machine.');
  }
  const base = trimmed(fhirBase);
  const server = await discover(base);
  const [state, nonce, verifier] = [unguessable(), unguessable(), unguessable()];

  // In an EHR launch the context is already chosen: `launch` stands where `launch/patient` would.
  const scopes = scopeList(scope).map((each) => (launch && each === 'launch/patient' ? 'launch' : each)).join(' ');

  const address = new URL(server.authorizationEndpoint);
  const parameters = {
    response_type: 'code',
    client_id: clientId,
    redirect_uri: redirectUri(),
    scope: scopes,
    state,
    nonce,
    aud: base,
    code_challenge: await challengeOf(verifier),
    code_challenge_method: 'S256',
    ...(launch ? { launch } : {}),
  };
  for (const [name, value] of Object.entries(parameters)) address.searchParams.set(name, value);

  // The server is remembered with the sign-in: the answer is judged by, and the code goes to, the
  // server that was asked, whatever the configuration says by then.
  rememberPending(state, { fhirBase: base, clientId, scope: scopes, nonce, verifier, server });
  return address.href;
}

/** Is this the address of a page that the authorization server sent the browser back to? */
export const isAnswer = (parameters) => ['code', 'error', 'state'].some((name) => parameters.has(name));

/** Takes the authorization server's answer and exchanges its code for a session. */
export async function finishSignIn(parameters) {
  const one = (name) => {
    const values = parameters.getAll(name);
    if (values.length > 1) throw new Problem('The answer is not one that this app can trust', 'Connect again.', `${name} came more than once`);
    return values[0] ?? null;
  };

  // First of all: is this the answer to a question of ours? Until that is known nothing in the
  // address is believed, or even repeated on the page: anyone can make up an address.
  const pending = takePending(one('state') ?? '');
  if (!pending) {
    throw new Problem(
      'This answer does not belong to a sign-in of this tab',
      'It may be an old one, or one that was begun in another tab. Connect again from here.',
    );
  }
  // RFC 9207: an answer by another server than the one asked is a mix-up, by accident or not.
  const { server } = pending;
  const issuer = one('iss');
  if (issuer === null ? server.sendsIssuer : issuer !== server.issuer) {
    throw new Problem(
      'The answer came from another server than the one that was asked',
      'To be on the safe side the app has ignored it. Connect again.',
      'iss not as expected',
    );
  }
  const error = one('error');
  if (error) throw fromAuthorization(error, one('error_description'));
  const code = one('code');
  if (!code) throw new Problem('The server’s answer holds nothing to go on', 'Connect again.', 'code is missing');

  const response = await tokenRequest(pending, {
    grant_type: 'authorization_code',
    code,
    redirect_uri: redirectUri(),
    code_verifier: pending.verifier,
  });
  const claims = response.id_token
    ? checkedClaims(response.id_token, { issuer: server.issuer, clientId: pending.clientId, nonce: pending.nonce })
    : null;
  const session = Session.begin({ pending, response, claims });
  await session.claimRefreshToken();
  return session;
}

async function tokenRequest({ server, clientId }, form) {
  const response = await request(server.tokenEndpoint, 'The token endpoint', {
    method: 'POST',
    // A token request that is sent elsewhere carries the code, or the refresh token, with it.
    redirect: 'error',
    headers: { accept: 'application/json' },
    body: new URLSearchParams({ ...form, client_id: clientId }),
  });
  const body = await jsonOf(response);
  if (!response.ok) {
    const problem = fromToken(body?.error ?? `HTTP ${response.status}`, body?.error_description);
    problem.code = body?.error;
    throw problem;
  }
  if (typeof body?.access_token !== 'string' || String(body.token_type).toLowerCase() !== 'bearer') {
    throw new Problem('The server gave no token that this app can use', 'Connect again.', 'no bearer access_token in the answer');
  }
  return body;
}

let refreshing = null;

/**
 * Gets a new access token. Several requests may meet a 401 at the same moment; they share one
 * refresh, since the second use of a rotated refresh token would end the session.
 */
export function refresh(session) {
  refreshing ??= refreshOnce(session).finally(() => {
    refreshing = null;
  });
  return refreshing;
}

async function refreshOnce(session) {
  if (!session.canRefresh) throw new SessionEnded();
  const before = session.secrets.refresh_token;
  let response;
  try {
    response = await tokenRequest(session, { grant_type: 'refresh_token', refresh_token: before });
  } catch (problem) {
    if (problem.code === 'invalid_grant' || problem.code === 'invalid_client') throw new SessionEnded(problem.technical);
    throw problem;
  }
  // The new refresh token is kept before anything else can fail: the old one is spent.
  const claims = session.claims;
  session.accept(response, null);
  if (response.id_token) {
    session.claims = checkedClaims(response.id_token, {
      issuer: session.server.issuer,
      clientId: session.clientId,
      nonce: session.nonce,
      subject: claims?.sub,
    });
    session.save();
  }
  return { rotated: session.secrets.refresh_token !== before };
}

/** Gives the tokens back. True if the server confirmed it. */
export async function revoke(session) {
  const { revocationEndpoint } = session.server;
  if (!revocationEndpoint) return false;
  let confirmed = true;
  // The refresh token first: it is the one that could make more.
  for (const kind of ['refresh_token', 'access_token']) {
    const token = session.secrets[kind];
    if (!token) continue;
    try {
      const response = await request(revocationEndpoint, 'The revocation endpoint', {
        method: 'POST',
        redirect: 'error',
        body: new URLSearchParams({ token, token_type_hint: kind, client_id: session.clientId }),
      });
      confirmed &&= response.ok;
    } catch {
      confirmed = false;
    }
  }
  return confirmed;
}

/**
 * Where the person can also sign out of the server itself, if it has such a place. Only the
 * client's name goes along: an id_token_hint would put a token into the address bar.
 */
export async function endSessionAddress(session) {
  if (!isSafeAddress(session.server.issuer)) return null;
  try {
    const found = await metadata(`${trimmed(session.server.issuer)}/.well-known/openid-configuration`, 'The sign-in server');
    if (!isSafeAddress(found.end_session_endpoint)) return null;
    const address = new URL(found.end_session_endpoint);
    address.searchParams.set('client_id', session.clientId);
    return address.href;
  } catch {
    return null;
  }
}
