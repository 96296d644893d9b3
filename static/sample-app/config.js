// What this app is told about itself and its surroundings: config.json beside its pages. All apps of
// the demonstration share these modules; each has a folder of its own, named by its client_id.

import { Problem } from './problem.js';

/** A FHIR base without the slash at its end, so that two spellings of one address compare equal. */
export const trimmed = (base) => base.trim().replace(/\/+$/, '');

/**
 * Is this an address that a token may travel to? TLS, or a machine talking to itself. It also
 * keeps `javascript:` and its like out of the places where a server names its own addresses.
 */
export function isSafeAddress(text) {
  let url;
  try {
    url = new URL(text);
  } catch {
    return false;
  }
  if (url.username || url.password) return false;
  const loopback = /^(localhost|.+\.localhost|127(\.\d+){3}|\[::1\])$/.test(url.hostname);
  return url.protocol === 'https:' || (url.protocol === 'http:' && loopback);
}

export async function loadConfig() {
  let config;
  try {
    const response = await fetch(new URL('config.json', location.href), { cache: 'no-store', credentials: 'omit' });
    if (!response.ok) throw new Error('no config');
    config = await response.json();
  } catch {
    throw new Problem('This app has not been set up', 'It could not read its own config.json.');
  }
  if (typeof config.fhirBase !== 'string' || typeof config.clientId !== 'string' || typeof config.scope !== 'string') {
    throw new Problem('This app has not been set up', 'Its config.json needs fhirBase, clientId and scope.');
  }
  return {
    fhirBase: trimmed(config.fhirBase),
    clientId: config.clientId,
    scope: config.scope,
    synthetic: config.synthetic === true,
  };
}
