// The id_token: who signed in. It is read for display and for its checks, and decides nothing else.
//
// Its signature is not checked: the token came straight from the token endpoint, not through the
// address bar, and OpenID Connect Core (3.1.3.7, 6) lets the connection vouch for it then.

import { Problem } from './problem.js';

const LEEWAY_S = 60;

function decoded(token) {
  try {
    const [, body] = token.split('.');
    const binary = atob(body.replaceAll('-', '+').replaceAll('_', '/'));
    const bytes = Uint8Array.from(binary, (character) => character.charCodeAt(0));
    const claims = JSON.parse(new TextDecoder().decode(bytes));
    if (claims && typeof claims === 'object') return claims;
  } catch {
    // Not a token; told below, without quoting it.
  }
  throw new Problem('The server’s word on who signed in cannot be read', 'Connect again.', 'id_token: not a JWT');
}

/**
 * The claims of an id_token, once they are known to be about this sign-in.
 *
 * @param {{issuer: string, clientId: string, nonce: string, subject?: string}} expected
 *   `subject` is given at a refresh, where the person may not change and the nonce may be left out.
 */
export function checkedClaims(token, { issuer, clientId, nonce, subject }) {
  const claims = decoded(token);
  const audience = [claims.aud].flat();
  const faults = [];
  if (typeof claims.iss !== 'string' || claims.iss !== issuer) faults.push('iss');
  if (!audience.includes(clientId) || (audience.length > 1 && claims.azp !== clientId)) faults.push('aud');
  if (!(typeof claims.exp === 'number' && claims.exp > Date.now() / 1000 - LEEWAY_S)) faults.push('exp');
  if (subject === undefined ? claims.nonce !== nonce : claims.nonce !== undefined && claims.nonce !== nonce) faults.push('nonce');
  if (typeof claims.sub !== 'string' || (subject !== undefined && claims.sub !== subject)) faults.push('sub');
  if (faults.length > 0) {
    throw new Problem(
      'The server’s word on who signed in does not fit this sign-in',
      'To be on the safe side the app has not opened the record. Connect again.',
      `id_token: ${faults.join(', ')} not as expected`,
    );
  }
  return claims;
}
