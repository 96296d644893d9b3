// The demonstration's sample app, from its start page to the record and back.

import assert from 'node:assert/strict';
import test from 'node:test';
import { freshPage } from './support/browser.mjs';
import { approve, choosePatient, heading, pathOf, reachConsent, signIn, untick } from './support/pages.mjs';
import { stage } from './support/stage.mjs';

const set = stage();

/** From the app's start page to the login page of the server. */
async function connect(page) {
  await page.goto(set.demo.appUrl);
  await page.getByRole('button', { name: 'Connect to the record' }).click();
  await page.locator('#sign-in').waitFor();
}

const inState = (page, state) => page.locator(`body[data-state=${state}]`).waitFor();

/** What the app says of a scope: shared or not. */
const outcomeOf = (page, words) => page.locator('#sharing li', { hasText: words }).locator('.outcome').textContent();

test('a clinician connects, chooses a patient, allows access, and reads the record', async (t) => {
  const page = await freshPage(set.browser, t);
  await connect(page);
  await heading(page, 'Vitals viewer');
  await signIn(page, set.demo, set.demo.who('clinician', 'largest panel'));
  await choosePatient(page, 'p001', 'Keiko');
  assert.match(await page.locator('.band').textContent(), /Keiko Briarley/);
  await approve(page);

  await inState(page, 'ready');
  assert.equal(page.url(), `${set.demo.appUrl}/callback.html`, 'the code does not stay in the address bar');
  assert.match(await page.locator('#patient-name').textContent(), /Keiko Briarley/);
  assert.match(await page.locator('#user').textContent(), /^Signed in as Practitioner\/prac-larkspur$/);
  assert.ok(await page.locator('#vitals article').count() >= 3, 'several vital signs');
  for (const vital of await page.locator('#vitals article').all()) {
    const line = await vital.locator('.chart path.line').first().getAttribute('d');
    assert.match(line, /^M\d[^L]+L/, 'a line through more than one point');
  }
  assert.ok(await page.locator('#conditions li').count() >= 1, 'conditions');
  assert.ok(await page.locator('#medications li').count() >= 1, 'medications');
  assert.deepEqual(new Set(await page.locator('#sharing .outcome').allTextContents()), new Set(['Shared']));
});

test('the app gets a new token on request, reads again with it, and gives everything back on signing out', async (t) => {
  const { demo } = set;
  const page = await freshPage(set.browser, t);
  await connect(page);
  await reachConsent(page, demo, demo.who('patient'));
  await approve(page);
  await inState(page, 'ready');
  const session = () => page.evaluate(() => JSON.parse(sessionStorage.getItem('vitals-viewer.session')));
  const { secrets: first } = await session();

  await page.getByText('For developers').click();
  await page.locator('#refresh').click();
  await page.locator('#refreshed', { hasText: 'A new access token is here' }).waitFor();
  const { secrets: second } = await session();
  assert.notEqual(second.access_token, first.access_token);
  await page.locator('#reload').click();
  await inState(page, 'ready');
  assert.match(await page.locator('#patient-name').textContent(), /Keiko Briarley/);

  await page.locator('#sign-out').click();
  await heading(page, 'You are signed out');
  await page.getByText('This app has given its access back to the server').waitFor();
  const token = await fetch(`${demo.issuer}/token`, {
    method: 'POST',
    body: new URLSearchParams({ grant_type: 'refresh_token', client_id: 'vitals-viewer', refresh_token: second.refresh_token }),
  });
  assert.equal((await token.json()).error, 'invalid_grant');
  const userinfo = await fetch(`${demo.issuer}/userinfo`, { headers: { authorization: `Bearer ${second.access_token}` } });
  assert.equal(userinfo.status, 401, 'the access token is revoked with the refresh token');

  await page.locator('#end-session').click();
  await heading(page, 'Sign out?');
  await page.locator('#sign-out').click();
  await heading(page, 'You are signed out');
  assert.equal(new URL(page.url()).origin, demo.issuer);
});

test('a reload of the app shows the record again', async (t) => {
  const page = await freshPage(set.browser, t);
  await connect(page);
  await reachConsent(page, set.demo, set.demo.who('patient'));
  await approve(page);
  await inState(page, 'ready');
  await page.reload();
  await inState(page, 'ready');
  assert.match(await page.locator('#patient-name').textContent(), /Keiko Briarley/);
});

test('a patient goes straight to the consent page, for the own record', async (t) => {
  const page = await freshPage(set.browser, t);
  await connect(page);
  await signIn(page, set.demo, set.demo.who('patient'));
  await page.getByRole('heading', { name: 'Your own record' }).waitFor();
  await approve(page);
  await inState(page, 'ready');
  assert.match(await page.locator('#user').textContent(), /\(the patient\)/);
});

test('a parent chooses between two children', async (t) => {
  const page = await freshPage(set.browser, t);
  await connect(page);
  await signIn(page, set.demo, set.demo.who('parent'));
  await heading(page, 'Choose a patient');
  const children = page.locator('button[name=patient]');
  assert.equal(await children.count(), 2);
  const name = await children.nth(1).locator('.name').textContent();
  await children.nth(1).click();
  await approve(page);
  await inState(page, 'ready');
  assert.equal(await page.locator('#patient-name').textContent(), name);
});

test('a denial comes to the app, which takes it kindly and can begin anew', async (t) => {
  const page = await freshPage(set.browser, t);
  await connect(page);
  await reachConsent(page, set.demo, set.demo.who('patient'));
  await page.locator('#deny').click();
  await inState(page, 'error');
  await page.getByRole('heading', { name: 'You did not share your record' }).waitFor();
  await page.getByText('That is your choice to make').waitFor();
  await page.getByRole('link', { name: 'Back to the start' }).click();
  await page.getByRole('button', { name: 'Connect to the record' }).click();
  await approve(page);
  await inState(page, 'ready');
});

test('whoever cancels at the login page is back in the app', async (t) => {
  const page = await freshPage(set.browser, t);
  await connect(page);
  await page.getByRole('button', { name: 'Cancel and go back to the app' }).click();
  await page.getByRole('heading', { name: 'You did not share your record' }).waitFor();
  assert.equal(pathOf(page), '/callback.html');
});

test('what was unticked is not in the token, and the app says that it was not shared', async (t) => {
  const page = await freshPage(set.browser, t);
  await connect(page);
  await reachConsent(page, set.demo, set.demo.who('patient'));
  await untick(page, 'patient/Condition.rs');
  await approve(page);
  await inState(page, 'ready');
  assert.equal(await page.locator('#conditions').textContent(), 'Not shared with this app');
  assert.ok(await page.locator('#medications li').count() >= 1, 'the rest is there');
  assert.equal(await outcomeOf(page, 'Conditions and diagnoses'), 'Not shared');
  assert.equal(await outcomeOf(page, 'Prescribed medications'), 'Shared');
  const { facts, secrets, patient } = await page.evaluate(() => {
    const session = JSON.parse(sessionStorage.getItem('vitals-viewer.session'));
    return { ...session, patient: session.facts.patient };
  });
  assert.ok(!facts.scope.includes('Condition'), facts.scope);
  const headers = { authorization: `Bearer ${secrets.access_token}` };
  const refused = await fetch(`${set.demo.fhirBase}/Condition?patient=${patient}`, { headers });
  assert.equal(refused.status, 403);
});
