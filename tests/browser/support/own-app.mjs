// An app of somebody's own: the demo's public client `my-app`, as plain as can be. It has its own
// PKCE, listens for the browser's return on a loopback port, and exchanges the code by itself.

import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';

const unguessable = () => randomBytes(32).toString('base64url');
const PATIENCE_MS = 15_000;

/** A web server on a loopback port; `respond` gets the request with its body. */
export async function listen(t, respond) {
  const server = createServer(async (request, response) => {
    request.setEncoding('utf8');
    let body = '';
    for await (const chunk of request) body += chunk;
    respond({ request, body, response });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${server.address().port}`;
}

export class OwnApp {
  static CLIENT_ID = 'my-app';

  /** Every answer that a browser has brought, in order: `{ state, code, … }` and how it came. */
  answers = [];
  /** How the redirect target answers; 204 leaves the browser on the page where it was. */
  status = 200;
  #waiting = [];

  static async start(t, demo) {
    const app = new OwnApp();
    app.demo = demo;
    app.url = await listen(t, (exchange) => app.#receive(exchange));
    app.redirectUri = `${app.url}/callback`;
    return app;
  }

  #receive({ request, body, response }) {
    const url = new URL(request.url, this.url);
    if (url.pathname !== '/callback') {
      response.writeHead(404).end();
      return;
    }
    const form = request.method === 'POST' ? body : url.search;
    this.answers.push({ ...Object.fromEntries(new URLSearchParams(form)), method: request.method, url });
    response.writeHead(this.status, { 'content-type': 'text/html; charset=utf-8' });
    response.end(this.status === 204 ? undefined : '<!doctype html><title>Your app</title><link rel="icon" href="data:,"><h1>Back in your app</h1>');
    for (const wake of this.#waiting.splice(0)) wake();
  }

  /** A request for authorization: where to send the browser, and what to remember of it. */
  request(more = {}) {
    const [state, nonce, verifier] = [unguessable(), unguessable(), unguessable()];
    const parameters = {
      response_type: 'code',
      client_id: OwnApp.CLIENT_ID,
      redirect_uri: this.redirectUri,
      scope: 'openid fhirUser launch/patient patient/Patient.rs patient/Observation.rs patient/Condition.rs',
      state,
      nonce,
      aud: this.demo.fhirBase,
      code_challenge: createHash('sha256').update(verifier).digest('base64url'),
      code_challenge_method: 'S256',
      ...more,
    };
    return { state, nonce, verifier, url: `${this.demo.issuer}/authorize?${new URLSearchParams(parameters)}` };
  }

  /** The browser's answer to that request, as soon as it is there. */
  async answerTo({ state }) {
    const deadline = AbortSignal.timeout(PATIENCE_MS);
    for (;;) {
      const answer = this.answers.find((each) => each.state === state);
      if (answer) return answer;
      await new Promise((resolve, reject) => {
        this.#waiting.push(resolve);
        deadline.addEventListener('abort', () => reject(new Error('the browser did not come back to the app')), { once: true });
      });
    }
  }

  /** Exchanges the answer's code. */
  async exchange({ verifier }, { code }) {
    return this.token({ grant_type: 'authorization_code', code, redirect_uri: this.redirectUri, code_verifier: verifier });
  }

  /** Asks the token endpoint. */
  async token(form) {
    const body = new URLSearchParams({ client_id: OwnApp.CLIENT_ID, ...form });
    const response = await fetch(`${this.demo.issuer}/token`, { method: 'POST', body });
    return { status: response.status, ...await response.json() };
  }

  /** The tokens at the end of a request that was approved; anything else fails. */
  async tokensFor(request) {
    const answer = await this.answerTo(request);
    assert.equal(answer.error, undefined, answer.error_description);
    assert.equal(answer.iss, this.demo.issuer);
    const tokens = await this.exchange(request, answer);
    assert.equal(tokens.status, 200, tokens.error_description);
    return tokens;
  }

  /** Asks the FHIR stand-in for something, and returns the status and the resource. */
  async read(tokens, address) {
    const response = await fetch(`${this.demo.fhirBase}/${address}`, { headers: { authorization: `Bearer ${tokens.access_token}` } });
    return { status: response.status, resource: await response.json() };
  }
}
