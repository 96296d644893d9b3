// The pages' Content-Security-Policy: as strict as it says, and in nobody's way. (That no page
// breaks it is watched over in every test: see `freshPage`.)

import assert from 'node:assert/strict';
import test from 'node:test';
import { freshPage } from './support/browser.mjs';
import { OwnApp } from './support/own-app.mjs';
import { approve, heading, reachConsent } from './support/pages.mjs';
import { stage } from './support/stage.mjs';

const set = stage();

/** The policy of a response, by directive. */
async function policyOf(response) {
  const { 'content-security-policy': policy } = await response.allHeaders();
  return Object.fromEntries(policy.split(';').map((directive) => {
    const [name, ...values] = directive.trim().split(/\s+/);
    return [name, values.join(' ')];
  }));
}

test('no page may run a script, be framed, or send a form anywhere but here and to the app', async (t) => {
  const app = await OwnApp.start(t, set.demo);
  const page = await freshPage(set.browser, t);
  const documents = [];
  page.on('response', (response) => {
    const isOurs = response.url().startsWith(set.demo.issuer) && response.request().resourceType() === 'document';
    if (isOurs && response.status() !== 303) documents.push(response);
  });
  await page.goto(app.request().url);
  await reachConsent(page, set.demo, set.demo.who('clinician', 'largest panel'), 'p001');
  await page.goto(`${set.demo.issuer}/logout`);
  await page.goto(`${set.demo.issuer}/login`);
  await page.goto(`${set.demo.issuer}/consent?flow=made-up`);
  assert.equal(documents.length, 6, 'login, picker, consent, sign-out, message, error');
  for (const [place, document] of documents.entries()) {
    const policy = await policyOf(document);
    assert.equal(policy['default-src'], "'none'");
    assert.equal(policy['script-src'], "'none'");
    assert.equal(policy['frame-ancestors'], "'none'");
    assert.equal(policy['base-uri'], "'none'");
    assert.equal(policy['form-action'], place < 3 ? `'self' ${app.url}` : "'self'", document.url());
    const headers = await document.allHeaders();
    assert.equal(headers['cache-control'], 'no-store');
    assert.equal(headers['x-frame-options'], 'DENY');
    assert.equal(headers['x-content-type-options'], 'nosniff');
  }
});

test('whoever could change the consent page could not send its form to an app of theirs', async (t) => {
  const [app, other] = [await OwnApp.start(t, set.demo), await OwnApp.start(t, set.demo)];
  const page = await freshPage(set.browser, t, {}, /form-action/);
  await page.goto(app.request().url);
  await reachConsent(page, set.demo, set.demo.who('patient'));
  const refusal = page.evaluate(() => new Promise((resolve) => {
    document.addEventListener('securitypolicyviolation', ({ effectiveDirective, blockedURI }) => resolve({ effectiveDirective, blockedURI }));
  }));
  await page.evaluate((elsewhere) => {
    const form = document.createElement('form');
    Object.assign(form, { method: 'post', action: elsewhere });
    document.body.append(form);
    form.submit();
  }, other.redirectUri);
  const { effectiveDirective, blockedURI } = await refusal;
  assert.deepEqual([effectiveDirective, blockedURI], ['form-action', other.redirectUri]);
  assert.deepEqual(other.answers, []);
});

test('the one script of the form_post page is named in its policy by a nonce, and runs', async (t) => {
  const app = await OwnApp.start(t, set.demo);
  const page = await freshPage(set.browser, t);
  const request = app.request({ response_mode: 'form_post' });
  const nonces = [];
  page.on('response', async (response) => {
    if (response.url().startsWith(`${set.demo.issuer}/consent`) && response.request().method() === 'POST') {
      nonces.push((await policyOf(response))['script-src']);
    }
  });
  await page.goto(request.url);
  await reachConsent(page, set.demo, set.demo.who('patient'));
  await approve(page);
  await heading(page, 'Back in your app');
  assert.match(nonces[0], /^'nonce-[\w-]{20,}'$/);
  assert.equal((await app.answerTo(request)).method, 'POST');
});
