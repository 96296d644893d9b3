// The demonstration's backend service that has a key instead of a secret, with a client library of
// others and the key file that the demonstration wrote.

import assert from 'node:assert/strict';
import { createPrivateKey, webcrypto } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import test, { after, before } from 'node:test';
import * as client from 'openid-client';
import { Demo } from './support/demo.mjs';

let demo;
before(async () => {
  demo = await Demo.start();
});
after(async () => {
  await demo?.stop();
  const { keyFile } = demo?.keyedService ?? {};
  if (keyFile) await assert.rejects(stat(dirname(keyFile)), { code: 'ENOENT' }, 'the key is gone with the demo');
});

const CURVE = { name: 'ECDSA', namedCurve: 'P-384' };

async function connect(key, kid) {
  const { clientId } = demo.keyedService;
  return client.discovery(new URL(demo.issuer), clientId, undefined, client.PrivateKeyJwt({ key, kid }), { execute: [client.allowInsecureRequests] });
}

test('openid-client: a backend service gets a token with its key, reads what it may, and is refused the rest', async () => {
  const { keyFile, keyId } = demo.keyedService;
  const der = createPrivateKey(await readFile(keyFile, 'utf8')).export({ format: 'der', type: 'pkcs8' });
  const config = await connect(await webcrypto.subtle.importKey('pkcs8', der, CURVE, false, ['sign']), keyId);
  const tokens = await client.clientCredentialsGrant(config, { scope: 'system/Patient.rs system/Observation.rs', resource: demo.fhirBase });
  assert.equal(tokens.scope, 'system/Patient.rs');
  assert.ok(tokens.expires_in <= 300);
  assert.equal(tokens.refresh_token, undefined);
  const get = (path) => fetch(`${demo.fhirBase}/${path}`, { headers: { authorization: `Bearer ${tokens.access_token}` } });
  assert.equal((await (await get('Patient?_summary=count')).json()).total, 100);
  assert.equal((await get('Condition')).status, 403, 'registered for, but not asked for');
});

test('openid-client: a key of somebody else’s under the same name is refused', async () => {
  const { privateKey } = await webcrypto.subtle.generateKey(CURVE, false, ['sign']);
  const config = await connect(privateKey, demo.keyedService.keyId);
  await assert.rejects(client.clientCredentialsGrant(config, { scope: 'system/Patient.rs' }), { error: 'invalid_client' });
});
