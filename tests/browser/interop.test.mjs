// Client libraries that others wrote, unchanged, against the server as it is.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import test, { after } from 'node:test';
import * as oauth from 'oauth4webapi';
import * as client from 'openid-client';
import { freshPage } from './support/browser.mjs';
import { OwnApp, listen } from './support/own-app.mjs';
import { approve, heading, reachConsent, signIn } from './support/pages.mjs';
import { stage } from './support/stage.mjs';

let fhirApp;
const closing = [];
after(() => closing.forEach((close) => close()));
// The launch pad is told of the app when the demonstration starts.
const set = stage(async () => {
  fhirApp = await startFhirApp();
  return ['--launch-url', `${fhirApp}/launch`];
});
const SCOPE = 'openid fhirUser profile offline_access launch/patient patient/Patient.rs';

/** An app around fhirclient: it is launched with `iss`, and with `launch` where an EHR opened it. */
async function startFhirApp() {
  const library = await readFile(new URL('./node_modules/fhirclient/build/fhir-client.min.js', import.meta.url));
  const html = (script) => `<!doctype html><html lang="en"><title>fhirclient</title><link rel="icon" href="data:,">
    <script src="/fhir-client.js"></script><h1></h1><script>${script}</script>`;
  const settings = { clientId: OwnApp.CLIENT_ID, redirectUri: '/callback' };
  const pages = {
    '/launch': html(`
      const scope = new URLSearchParams(location.search).has('launch') ? 'launch ${SCOPE.replace('launch/patient ', '')}' : '${SCOPE}';
      FHIR.oauth2.authorize({ ...${JSON.stringify(settings)}, scope });`),
    '/callback': html(`
      const say = (text) => { document.querySelector('h1').textContent = text; };
      FHIR.oauth2.ready().then(async (client) => {
        const patient = await client.patient.read();
        const observations = await client.request('Observation?patient=' + client.patient.id).then(() => 'allowed', (problem) => problem.status);
        await client.refresh();
        const again = await client.patient.read();
        say([patient.name[0].family, client.patient.id, client.user.fhirUser, observations, again.id].join(' '));
      }).catch((problem) => say('failed: ' + problem));`),
  };
  return listen({ after: (close) => closing.push(close) }, ({ request, response }) => {
    const { pathname } = new URL(request.url, 'http://127.0.0.1');
    const isLibrary = pathname === '/fhir-client.js';
    const body = isLibrary ? library : pages[pathname];
    response.writeHead(body ? 200 : 404, { 'content-type': isLibrary ? 'text/javascript' : 'text/html; charset=utf-8' }).end(body);
  });
}

/** What that app says in the end. */
async function said(page) {
  await page.waitForURL(`${fhirApp}/callback**`);
  await page.getByRole('heading', { name: /./ }).waitFor();
  return page.locator('h1').textContent();
}

/** The person's half: sign in and allow. Returns the address that the browser came back to. */
async function allow(t, app, url) {
  const page = await freshPage(set.browser, t);
  await page.goto(String(url));
  await reachConsent(page, set.demo, set.demo.who('patient'));
  await approve(page);
  await heading(page, 'Back in your app');
  return app.answers.at(-1).url;
}

test('openid-client: sign-in with PKCE, userinfo, refresh and revocation', async (t) => {
  const app = await OwnApp.start(t, set.demo);
  const config = await client.discovery(new URL(set.demo.issuer), OwnApp.CLIENT_ID, undefined, client.None(), {
    execute: [client.allowInsecureRequests],
  });
  const verifier = client.randomPKCECodeVerifier();
  const [state, nonce] = [client.randomState(), client.randomNonce()];
  const back = await allow(t, app, client.buildAuthorizationUrl(config, {
    redirect_uri: app.redirectUri,
    scope: SCOPE,
    aud: set.demo.fhirBase,
    code_challenge: await client.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
    state,
    nonce,
  }));
  const checks = { pkceCodeVerifier: verifier, expectedState: state, expectedNonce: nonce, idTokenExpected: true };
  const tokens = await client.authorizationCodeGrant(config, back, checks);
  const claims = tokens.claims();
  assert.equal(claims.fhirUser, `${set.demo.fhirBase}/Patient/p001`);
  assert.equal(tokens.patient, 'p001');
  assert.deepEqual(tokens.scope.split(' ').sort(), SCOPE.split(' ').sort());

  const person = await client.fetchUserInfo(config, tokens.access_token, claims.sub);
  assert.equal(person.name, 'Keiko Briarley');
  const renewed = await client.refreshTokenGrant(config, tokens.refresh_token);
  assert.equal(renewed.patient, 'p001');
  assert.notEqual(renewed.access_token, tokens.access_token);

  await client.tokenRevocation(config, renewed.refresh_token, { token_type_hint: 'refresh_token' });
  await assert.rejects(client.refreshTokenGrant(config, renewed.refresh_token), { error: 'invalid_grant', status: 400 });
  await assert.rejects(client.fetchUserInfo(config, renewed.access_token, claims.sub), { status: 401 });
});

test('openid-client: the code that was used once is refused, and takes its tokens with it', async (t) => {
  const app = await OwnApp.start(t, set.demo);
  const config = await client.discovery(new URL(set.demo.issuer), OwnApp.CLIENT_ID, undefined, client.None(), {
    execute: [client.allowInsecureRequests],
  });
  const verifier = client.randomPKCECodeVerifier();
  const back = await allow(t, app, client.buildAuthorizationUrl(config, {
    redirect_uri: app.redirectUri,
    scope: SCOPE,
    aud: set.demo.fhirBase,
    code_challenge: await client.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
  }));
  const checks = { pkceCodeVerifier: verifier, idTokenExpected: true };
  const tokens = await client.authorizationCodeGrant(config, back, checks);
  await assert.rejects(client.authorizationCodeGrant(config, back, checks), { error: 'invalid_grant' });
  await assert.rejects(client.refreshTokenGrant(config, tokens.refresh_token), { error: 'invalid_grant' });
});

test('openid-client: a denial is the error that the person’s decision was', async (t) => {
  const app = await OwnApp.start(t, set.demo);
  const config = await client.discovery(new URL(set.demo.issuer), OwnApp.CLIENT_ID, undefined, client.None(), {
    execute: [client.allowInsecureRequests],
  });
  const request = app.request();
  const page = await freshPage(set.browser, t);
  await page.goto(request.url);
  await page.getByRole('button', { name: 'Cancel and go back to the app' }).click();
  const { url } = await app.answerTo(request);
  const checks = { pkceCodeVerifier: request.verifier, expectedState: request.state, expectedNonce: request.nonce };
  await assert.rejects(client.authorizationCodeGrant(config, url, checks), { error: 'access_denied' });
});

test('openid-client: a backend service gets a token with its secret, and no refresh token', async () => {
  const { issuer, serviceId, serviceSecret, fhirBase } = set.demo;
  const config = await client.discovery(new URL(issuer), serviceId, undefined, client.ClientSecretBasic(serviceSecret), {
    execute: [client.allowInsecureRequests],
  });
  const tokens = await client.clientCredentialsGrant(config, { scope: 'system/*.rs' });
  assert.equal(tokens.refresh_token, undefined);
  const found = await client.fetchProtectedResource(config, tokens.access_token, new URL(`${fhirBase}/Patient?_summary=count`), 'GET');
  assert.ok((await found.json()).total >= 100);
});

test('oauth4webapi: sign-in with PKCE, the answer’s issuer, the ID token’s signature, userinfo, refresh and revocation', async (t) => {
  const app = await OwnApp.start(t, set.demo);
  const insecure = { [oauth.allowInsecureRequests]: true };
  const issuer = new URL(set.demo.issuer);
  const server = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, insecure));
  assert.equal(server.authorization_response_iss_parameter_supported, true);
  const own = { client_id: OwnApp.CLIENT_ID };
  const request = app.request({ scope: SCOPE });
  const back = await allow(t, app, request.url);

  // RFC 9207: without the issuer, or with another's, the answer is not believed.
  for (const iss of [null, 'https://elsewhere.example']) {
    const forged = new URL(back);
    forged.searchParams.delete('iss');
    if (iss) forged.searchParams.set('iss', iss);
    assert.throws(() => oauth.validateAuthResponse(server, own, forged, request.state), { code: oauth.INVALID_RESPONSE });
  }
  const answer = oauth.validateAuthResponse(server, own, back, request.state);
  const response = await oauth.authorizationCodeGrantRequest(server, own, oauth.None(), answer, app.redirectUri, request.verifier, insecure);
  const tokens = await oauth.processAuthorizationCodeResponse(server, own, response, { expectedNonce: request.nonce, requireIdToken: true });
  await oauth.validateApplicationLevelSignature(server, response, insecure);
  const { sub } = oauth.getValidatedIdTokenClaims(tokens);

  const asked = await oauth.userInfoRequest(server, own, tokens.access_token, insecure);
  const person = await oauth.processUserInfoResponse(server, own, sub, asked);
  assert.equal(person.fhirUser, `${set.demo.fhirBase}/Patient/p001`);

  const refresh = (token) => oauth.refreshTokenGrantRequest(server, own, oauth.None(), token, insecure);
  const renewed = await oauth.processRefreshTokenResponse(server, own, await refresh(tokens.refresh_token));
  assert.equal(renewed.patient, 'p001');
  await oauth.processRevocationResponse(await oauth.revocationRequest(server, own, oauth.None(), renewed.refresh_token, insecure));
  const refused = await refresh(renewed.refresh_token);
  await assert.rejects(oauth.processRefreshTokenResponse(server, own, refused), { error: 'invalid_grant' });
});

test('fhirclient: a launch in the browser, from its authorize() to the patient’s record', async (t) => {
  const page = await freshPage(set.browser, t);
  await page.goto(`${fhirApp}/launch?iss=${encodeURIComponent(set.demo.fhirBase)}`);
  await reachConsent(page, set.demo, set.demo.who('patient'));
  await approve(page);
  assert.equal(await said(page), 'Briarley p001 Patient/p001 403 p001');
});

test('fhirclient: opened from the launch pad, for the patient who was chosen there', async (t) => {
  const page = await freshPage(set.browser, t);
  await page.goto(`${set.demo.issuer}/launch-pad`);
  await signIn(page, set.demo, set.demo.who('clinician', 'largest panel'));
  await heading(page, 'Launch pad');
  await page.locator('button[name=patient][value=p001]').click();
  await heading(page, 'Open an app');
  await page.locator(`button[name=app][value=${OwnApp.CLIENT_ID}]`).click();
  await page.locator('#approve').waitFor();
  assert.match(await page.locator('.band').textContent(), /Keiko Briarley/);
  await approve(page);
  assert.equal(await said(page), 'Briarley p001 Practitioner/prac-larkspur 403 p001');
  const state = await page.evaluate(() => JSON.parse(sessionStorage.getItem(JSON.parse(sessionStorage.SMART_KEY))));
  assert.equal(state.tokenResponse.need_patient_banner, true);
  const style = await fetch(state.tokenResponse.smart_style_url);
  assert.equal(style.headers.get('access-control-allow-origin'), '*');
  assert.ok((await style.json()).color_background);
});
