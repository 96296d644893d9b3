// The demonstration's sample app, from its start page to the record and back.

import assert from 'node:assert/strict';
import test from 'node:test';
import { freshPage } from './support/browser.mjs';
import { approve, choosePatient, heading, pathOf, reachConsent, signIn, untick } from './support/pages.mjs';
import { stage } from './support/stage.mjs';

const set = stage();

/** From an app's start page to the login page of the server. */
async function connect(page, app) {
  await page.goto(set.demo.app(app));
  await page.getByRole('button', { name: 'Connect to the record' }).click();
  await page.locator('#sign-in').waitFor();
}

/** Likewise, where the browser is signed in already: to the consent page. */
async function connectSignedIn(page, app) {
  await page.goto(set.demo.app(app));
  await page.getByRole('button', { name: 'Connect to the record' }).click();
  await page.locator('#approve').waitFor();
}

const inState = (page, state) => page.locator(`body[data-state=${state}]`).waitFor();

/** What the app says of a scope: shared or not. */
const outcomeOf = (page, words) => page.locator('#sharing li', { hasText: words }).locator('.outcome').textContent();

test('a clinician connects, chooses a patient, and reads the record: the practice has approved the app', async (t) => {
  const page = await freshPage(set.browser, t);
  await connect(page);
  await heading(page, 'Vitals viewer');
  await signIn(page, set.demo, set.demo.who('clinician', 'largest panel'));
  await choosePatient(page, 'p001', 'Keiko');
  await inState(page, 'ready');
  assert.equal(page.url(), `${set.demo.app()}callback.html`, 'the code does not stay in the address bar');
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
  assert.equal(pathOf(page), '/vitals-viewer/callback.html');
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

test('the first page leads to each of the apps and to the launch pad', async (t) => {
  const { demo } = set;
  const page = await freshPage(set.browser, t);
  await page.goto(demo.appUrl);
  await inState(page, 'ready');
  assert.equal(await page.locator('#launch-pad').getAttribute('href'), `${demo.issuer}/launch-pad`);
  assert.equal(await page.locator('#password').textContent(), demo.password);
  assert.equal(await page.locator('#people li').count(), demo.people.length);
  assert.equal(await page.locator('[data-who=patient]').textContent(), demo.who('patient'));
  for (const [link, app] of [['Open Vitals viewer', 'vitals-viewer'], ['Open Health diary', 'health-diary'], ['Open Lab results', 'lab-results']]) {
    await page.goto(demo.appUrl);
    await page.getByRole('link', { name: link }).click();
    await inState(page, 'start');
    assert.equal(page.url(), demo.app(app));
  }
});

test('a patient shares their record with the diary, which keeps apart from the viewer in the same tab', async (t) => {
  const page = await freshPage(set.browser, t);
  await connect(page);
  await reachConsent(page, set.demo, set.demo.who('patient'));
  await approve(page);
  await inState(page, 'ready');
  await connectSignedIn(page, 'health-diary');
  await approve(page);
  await inState(page, 'ready');
  for (const part of ['conditions', 'laboratory', 'life', 'vaccines']) {
    assert.ok(await page.locator(`#${part} li`).count() >= 1, part);
  }
  await page.goto(`${set.demo.app()}callback.html`);
  await inState(page, 'ready');
  const clients = await page.evaluate(() => Object.values(sessionStorage).map((text) => JSON.parse(text).clientId));
  assert.deepEqual(clients.sort(), ['health-diary', 'vitals-viewer']);
});

test('an app that may see laboratory results sees those, and is refused the rest', async (t) => {
  const page = await freshPage(set.browser, t);
  await connect(page, 'lab-results');
  await reachConsent(page, set.demo, set.demo.who('patient'));
  await approve(page);
  await inState(page, 'ready');
  assert.match(await page.locator('#laboratory').textContent(), /HbA1c/);
  const attempts = await page.locator('#attempts .status').allTextContents();
  assert.deepEqual(attempts, ['Nothing found', 'Refused (HTTP 403)', 'Refused (HTTP 403)']);
  assert.equal(await outcomeOf(page, 'Laboratory results'), 'Shared');
});

const STYLE = { color_background: '#fffaf0', color_text: '#221100', color_highlight: '#7a3300', color_error: 'url(x)' };

/** A sign-in whose token response says more than the server said, as after an EHR launch. */
async function openedByAnEhr(page, more) {
  await page.route('**/style.json', (route) => route.fulfill({ json: STYLE, headers: { 'access-control-allow-origin': '*' } }));
  await page.route('**/token', async (route) => {
    const response = await route.fetch();
    await route.fulfill({ response, json: { ...await response.json(), ...more } });
  });
  await connect(page);
  await reachConsent(page, set.demo, set.demo.who('patient'));
  await approve(page);
  await inState(page, 'ready');
}

test('within a record system the viewer leaves the patient banner to it, names the visit, and wears its colours', async (t) => {
  const page = await freshPage(set.browser, t);
  const encounter = 'p001-enc-1';
  await openedByAnEhr(page, { need_patient_banner: false, encounter, intent: 'review-vitals', smart_style_url: `${set.demo.issuer}/style.json` });
  assert.equal(await page.locator('#patient').isVisible(), false);
  assert.match(await page.locator('#context').textContent(), /^Visit: .+, finished, since .+Opened for: review-vitals$/);
  const paper = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  assert.equal(paper, 'rgb(255, 250, 240)');
  assert.ok(await page.locator('#vitals article').count() >= 3);
});

test('without a word about the banner the viewer says whose record it is', async (t) => {
  const page = await freshPage(set.browser, t);
  await openedByAnEhr(page, { need_patient_banner: undefined, smart_style_url: 'javascript:alert(1)' });
  assert.ok(await page.locator('#patient-name').isVisible());
  assert.equal(await page.locator('#context').isVisible(), false);
  assert.equal(await page.evaluate(() => document.documentElement.dataset.style), undefined);
});

test('a clinician opens the viewer from the launch pad, and it opens that patient’s record with no further page', async (t) => {
  const { demo } = set;
  const page = await freshPage(set.browser, t);
  await page.goto(demo.appUrl);
  await page.getByRole('link', { name: 'Open the launch pad' }).click();
  await signIn(page, demo, demo.who('clinician', 'largest panel'));
  await heading(page, 'Launch pad');
  await page.locator('button[name=patient][value=p001]').first().click();
  await heading(page, 'Open an app');
  await page.locator('button[name=app][value=vitals-viewer]').click();
  await inState(page, 'ready');
  assert.equal(page.url(), `${demo.app()}callback.html`);
  assert.match(await page.locator('#patient-name').textContent(), /Keiko Briarley/);
  const { facts } = await page.evaluate(() => JSON.parse(sessionStorage.getItem('vitals-viewer.session')));
  assert.ok(facts.scope.split(' ').includes('launch'), facts.scope);
  assert.equal(facts.patient, 'p001');
  assert.equal(await page.evaluate(() => document.documentElement.dataset.style), 'theirs', 'the record system’s colours');
  assert.equal(await outcomeOf(page, 'The patient that is open in the record system'), 'Shared');
});

test('a launch by somebody else is refused: another server, no launch, a launch that was made up', async (t) => {
  const { demo } = set;
  const page = await freshPage(set.browser, t);
  const launch = (parameters) => `${demo.app()}launch.html?${new URLSearchParams(parameters)}`;
  await page.goto(launch({ iss: 'http://127.0.0.1:9/fhir', launch: 'x' }));
  await page.getByRole('heading', { name: 'This app does not know that record system' }).waitFor();
  await page.goto(launch({ iss: demo.fhirBase }));
  await page.getByRole('heading', { name: 'This page is opened by a record system' }).waitFor();
  await page.goto(launch({ iss: demo.fhirBase, launch: 'made-up' }));
  await page.getByRole('heading', { name: 'The server did not understand the request' }).waitFor();
  assert.equal(pathOf(page), '/vitals-viewer/callback.html');
});
