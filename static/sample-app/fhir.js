// Reading the record: FHIR requests with the session's token, page by page.

import { Problem, SessionEnded } from './problem.js';
import { refresh } from './smart.js';

const TIMEOUT_MS = 20_000;
const MOST_PAGES = 40;

/** The server holds the record but will not let this app see that part of it. */
export class Refused extends Problem {}

export class FhirClient {
  constructor(session) {
    this.session = session;
  }

  /** One resource. */
  read(type, id) {
    return this.#get(this.#address(`${type}/${encodeURIComponent(id)}`));
  }

  /** All resources that a search finds, across pages. `complete` is false if some were left. */
  async search(type, parameters) {
    const resources = [];
    const seen = new Set();
    let address = this.#address(`${type}?${new URLSearchParams(parameters)}`);
    while (address && !seen.has(address) && seen.size < MOST_PAGES) {
      seen.add(address);
      const bundle = await this.#get(address);
      for (const { resource, search } of bundle.entry ?? []) {
        // A Bundle may also carry an OperationOutcome or included resources; they are not matches.
        if (resource?.resourceType === type && search?.mode !== 'outcome') resources.push(resource);
      }
      const next = bundle.link?.find(({ relation }) => relation === 'next')?.url;
      if (!next) return { resources, complete: true };
      address = this.#address(next);
    }
    return { resources, complete: false };
  }

  /**
   * An absolute address under the FHIR base, or null. A `next` link is chosen by whoever answers,
   * and the token must not follow it to another place.
   */
  #address(reference) {
    const base = `${this.session.fhirBase}/`;
    const url = new URL(reference, base);
    const root = new URL(base);
    // `base?…` without a slash is how some servers spell the links of their pages.
    const within = url.pathname.startsWith(root.pathname) || `${url.pathname}/` === root.pathname;
    return url.origin === root.origin && within ? url.href : null;
  }

  async #get(address) {
    const token = this.session.secrets.access_token;
    let response = await this.#send(address, token);
    if (response.status === 401) {
      // Another request may have met its 401 earlier and refreshed meanwhile.
      if (this.session.secrets.access_token === token) await refresh(this.session);
      response = await this.#send(address, this.session.secrets.access_token);
      if (response.status === 401) throw new SessionEnded('HTTP 401 with a fresh token');
    }
    if (response.status === 403) throw new Refused('Not shared with this app', 'The server refused to give it.', 'HTTP 403');
    const body = await response.json().catch(() => null);
    if (!response.ok || !body) {
      const issue = body?.issue?.[0];
      throw new Problem('The server could not give this part', 'Try again in a little while.', `HTTP ${response.status}${issue ? `, ${issue.code}` : ''}`);
    }
    return body;
  }

  async #send(address, token) {
    try {
      return await fetch(address, {
        headers: { authorization: `Bearer ${token}`, accept: 'application/fhir+json' },
        cache: 'no-store',
        credentials: 'omit',
        redirect: 'error',
        referrerPolicy: 'no-referrer',
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
    } catch {
      throw new Problem('The record’s server could not be reached', 'Check that it is running, and try again.');
    }
  }
}
