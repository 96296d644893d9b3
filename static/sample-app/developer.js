// For developers: what the token response said, without the tokens.

import { asClock } from './date.js';
import { byId, element } from './page.js';

// Any member that is named like a token stays out, not just the three that the app knows.
const isSecret = (name) => /token/i.test(name) && name !== 'token_type';

export function showDeveloperFacts(session) {
  const { facts, claims } = session;
  byId('scope').textContent = session.scope;
  const others = Object.entries(facts).filter(([name]) => name !== 'scope' && !isSecret(name));
  byId('token-response').replaceChildren(...others.flatMap(([name, value]) => [
    element('dt', {}, name),
    element('dd', {}, element('code', {}, typeof value === 'string' ? value : JSON.stringify(value))),
  ]));
  const { tokenCount } = session;
  byId('token-age').textContent = `Access token no. ${tokenCount} of this session, received at ${asClock(session.receivedAt)}. `
    + (session.canRefresh ? 'A refresh token came with it.' : whyNoRefresh(session));
  byId('claims').textContent = claims ? JSON.stringify(claims, null, 2) : 'No id_token came with the access token.';
  byId('refresh').disabled = !session.canRefresh;
}

const whyNoRefresh = (session) => (session.isCopy
  ? 'This tab is a copy of another one, which keeps the refresh token.'
  : 'No refresh token came with it: staying connected was not shared.');

/** Who signed in, as far as the id_token tells. */
export function userText({ claims, patient }) {
  if (!claims) return 'Signed in';
  const reference = typeof claims.fhirUser === 'string' ? claims.fhirUser.split('/').slice(-2).join('/') : null;
  const who = claims.name ?? claims.preferred_username ?? reference ?? claims.sub;
  return `Signed in as ${who}${reference && reference === `Patient/${patient}` ? ' (the patient)' : ''}`;
}
