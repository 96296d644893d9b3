// The server's pages, from an app's request to its answer: as a browser with scripts shows them,
// and as one without.

import assert from 'node:assert/strict';
import test from 'node:test';
import { freshPage, withAndWithoutScripts } from './support/browser.mjs';
import { OwnApp } from './support/own-app.mjs';
import { approve, choosePatient, heading, pathOf, reachConsent, signIn, tick, untick } from './support/pages.mjs';
import { stage } from './support/stage.mjs';

const set = stage();

/** An app, its request, and a browser that has followed it to the server. */
async function begin(t, options, more) {
  const app = await OwnApp.start(t, set.demo);
  const page = await freshPage(set.browser, t, options);
  const request = app.request(more);
  await page.goto(request.url);
  return { app, page, request };
}

const landed = (page) => heading(page, 'Back in your app');

withAndWithoutScripts(test, 'a clinician searches for a patient, and the app gets that patient and what was allowed', async (t, options) => {
  const { app, page, request } = await begin(t, options, { scope: 'openid fhirUser offline_access launch/patient patient/Patient.rs' });
  await signIn(page, set.demo, set.demo.who('clinician', 'largest panel'));
  await heading(page, 'Choose a patient');
  const everybody = await page.locator('button[name=patient]').count();
  assert.ok(everybody > 20, `${everybody} patients`);
  await choosePatient(page, 'p001', 'Keiko');
  await approve(page);
  await landed(page);
  const tokens = await app.tokensFor(request);
  assert.equal(tokens.patient, 'p001');
  assert.deepEqual(tokens.scope.split(' ').sort(), ['fhirUser', 'launch/patient', 'offline_access', 'openid', 'patient/Patient.rs']);
  assert.ok(tokens.refresh_token && tokens.id_token);
  const { status, resource } = await app.read(tokens, 'Patient/p001');
  assert.equal(status, 200);
  assert.equal(resource.name[0].family, 'Briarley');
});

withAndWithoutScripts(test, 'a search that finds nobody says so, and can be cleared', async (t, options) => {
  const { page } = await begin(t, options);
  await signIn(page, set.demo, set.demo.who('clinician', 'largest panel'));
  await heading(page, 'Choose a patient');
  await page.locator('#patient-search').fill('Nobody <b>&');
  await page.locator('#patient-search').press('Enter');
  await page.getByText('None of your patients matches').waitFor();
  assert.equal(await page.locator('#patient-search').inputValue(), 'Nobody <b>&');
  await page.getByRole('button', { name: 'Clear the search' }).click();
  await page.locator('button[name=patient]').first().waitFor();
});

withAndWithoutScripts(test, 'a patient is never asked for a patient: it is the own record', async (t, options) => {
  const { app, page, request } = await begin(t, options);
  await signIn(page, set.demo, set.demo.who('patient'));
  await page.getByRole('heading', { name: 'Your own record' }).waitFor();
  await approve(page);
  await landed(page);
  const tokens = await app.tokensFor(request);
  assert.equal(tokens.patient, 'p001');
  assert.equal((await app.read(tokens, 'Patient/p002')).status, 403, 'nobody else’s record');
});

withAndWithoutScripts(test, 'a parent of two chooses between exactly the two', async (t, options) => {
  const { app, page, request } = await begin(t, options);
  await signIn(page, set.demo, set.demo.who('parent'));
  await heading(page, 'Choose a patient');
  const children = page.locator('button[name=patient]');
  const ids = await children.evaluateAll((buttons) => buttons.map((button) => button.value));
  assert.equal(ids.length, 2);
  await children.first().click();
  await approve(page);
  await landed(page);
  const tokens = await app.tokensFor(request);
  assert.equal(tokens.patient, ids[0]);
});

withAndWithoutScripts(test, 'a clinician without patients is told so in words, and can go back to the app', async (t, options) => {
  const { app, page, request } = await begin(t, options);
  await signIn(page, set.demo, set.demo.who('clinician', 'without a single patient'));
  await heading(page, 'Choose a patient');
  await page.getByText('There are no patients that you may open').waitFor();
  await page.getByText('Ask your administrator').waitFor();
  await page.getByRole('button', { name: 'Cancel and go back to the app' }).click();
  await landed(page);
  assert.equal((await app.answerTo(request)).error, 'access_denied');
});

withAndWithoutScripts(test, 'a denial is an answer: the app gets access_denied and no code', async (t, options) => {
  const { app, page, request } = await begin(t, options);
  await reachConsent(page, set.demo, set.demo.who('patient'));
  await page.locator('#deny').click();
  await landed(page);
  const { error, code, state, iss } = await app.answerTo(request);
  assert.deepEqual({ error, code, state, iss }, { error: 'access_denied', code: undefined, state: request.state, iss: set.demo.issuer });
});

withAndWithoutScripts(test, 'what was unticked is not in the token, and the FHIR server refuses it', async (t, options) => {
  const { app, page, request } = await begin(t, options);
  await reachConsent(page, set.demo, set.demo.who('patient'));
  await untick(page, 'patient/Condition.rs');
  await approve(page);
  await landed(page);
  const tokens = await app.tokensFor(request);
  assert.ok(tokens.scope.includes('patient/Observation.rs') && !tokens.scope.includes('Condition'), tokens.scope);
  assert.equal((await app.read(tokens, 'Observation?patient=p001')).status, 200);
  const { status, resource } = await app.read(tokens, 'Condition?patient=p001');
  assert.deepEqual({ status, is: resource.resourceType }, { status: 403, is: 'OperationOutcome' });
});

withAndWithoutScripts(test, 'approving with every box cleared asks for one, unless signing in is all that is left', async (t, options) => {
  const { app, page, request } = await begin(t, options, { scope: 'launch/patient patient/Patient.rs patient/Condition.rs' });
  await reachConsent(page, set.demo, set.demo.who('patient'));
  await untick(page, 'patient/Patient.rs');
  await untick(page, 'patient/Condition.rs');
  await approve(page);
  await page.getByRole('alert').filter({ hasText: 'Tick at least one of the boxes' }).waitFor();
  assert.deepEqual(app.answers, []);
  assert.equal(await page.locator('input[name=scope]:checked').count(), 0, 'the boxes are as they were left');
  await tick(page, 'patient/Patient.rs');
  await approve(page);
  await landed(page);
  assert.equal((await app.tokensFor(request)).scope, 'launch/patient patient/Patient.rs');
});

withAndWithoutScripts(test, 'a wrong password is said to be wrong; the right one goes on from there', async (t, options) => {
  const { app, page, request } = await begin(t, options);
  const username = set.demo.who('patient');
  await signIn(page, set.demo, username, 'not the password');
  await page.getByRole('alert').filter({ hasText: 'is not right' }).waitFor();
  assert.equal(pathOf(page), '/login');
  assert.match(await page.title(), /^Error: /);
  assert.equal(await page.locator('#username').inputValue(), username, 'the user name need not be typed again');
  assert.equal(await page.locator('#password').inputValue(), '');
  await page.locator('#password').fill(set.demo.password);
  await page.locator('#sign-in').click();
  await approve(page);
  await landed(page);
  assert.equal((await app.tokensFor(request)).patient, 'p001');
});

withAndWithoutScripts(test, 'a flow that has ended, or that nobody began, leads to a page that says what to do', async (t, options) => {
  const { page } = await begin(t, options);
  const url = page.url();
  await page.context().clearCookies();
  const places = ['authorize', 'login', 'patient', 'consent'].map((path) => `${set.demo.issuer}/${path}?flow=made-up`);
  for (const address of [url, ...places]) {
    const response = await page.goto(address);
    assert.equal(response.status(), 400, address);
    await heading(page, 'This sign-in has ended');
    await page.getByText('Go back to the app and start again from there.').waitFor();
    await page.getByText('Reference for support').waitFor();
  }
});

withAndWithoutScripts(test, 'a flow does not go on in another browser that got hold of its address', async (t, options) => {
  const { app, page } = await begin(t, options);
  await reachConsent(page, set.demo, set.demo.who('patient'));
  const other = await freshPage(set.browser, t, options);
  await other.goto(page.url());
  await heading(other, 'This sign-in has ended');
  assert.deepEqual(app.answers, []);
});

withAndWithoutScripts(test, 'going back after approval finds the sign-in completed, and there is no second code', async (t, options) => {
  const { app, page, request } = await begin(t, options);
  await reachConsent(page, set.demo, set.demo.who('patient'));
  await approve(page);
  await landed(page);
  await page.goBack();
  await heading(page, 'This sign-in is already completed');
  await page.getByText('Go back to the app. To sign in again, start from there.').waitFor();
  assert.equal(app.answers.length, 1);
  assert.equal((await app.tokensFor(request)).patient, 'p001');
});

withAndWithoutScripts(test, 'a double click on the button that allows makes one code', async (t, options) => {
  const { app, page, request } = await begin(t, options);
  await reachConsent(page, set.demo, set.demo.who('patient'));
  await page.locator('#approve').dblclick();
  // Either the app is back before the second click counts, or the second click is told of the first.
  const [inApp, completed] = ['Back in your app', 'This sign-in is already completed'].map((name) => page.getByRole('heading', { level: 1, name }));
  await inApp.or(completed).waitFor();
  assert.ok(new Set(app.answers.map(({ code }) => code)).size <= 1);
  if (await inApp.isVisible()) assert.equal((await app.tokensFor(request)).patient, 'p001');
});

withAndWithoutScripts(test, 'two flows in two tabs of one browser both come to their end', async (t, options) => {
  const { app, page: first, request } = await begin(t, options);
  const second = await first.context().newPage();
  const another = app.request({ scope: 'openid launch/patient patient/Condition.rs' });
  await second.goto(another.url);
  await second.locator('#sign-in').waitFor();
  // Both have their login page open: each signs in by itself.
  await signIn(first, set.demo, set.demo.who('clinician', 'largest panel'));
  await choosePatient(first, 'p001');
  await first.locator('#approve').waitFor();
  await signIn(second, set.demo, set.demo.who('clinician', 'largest panel'));
  await choosePatient(second, 'p002');
  await approve(second);
  await landed(second);
  await approve(first);
  await landed(first);
  const [one, two] = [await app.tokensFor(request), await app.tokensFor(another)];
  assert.deepEqual([one.patient, two.patient], ['p001', 'p002']);
  assert.equal(two.scope, 'openid launch/patient patient/Condition.rs');
});

withAndWithoutScripts(test, 'when somebody else signs in in another tab, nothing is given in their name without their consent', async (t, options) => {
  const { app, page: first, request } = await begin(t, options);
  await reachConsent(first, set.demo, set.demo.who('patient'));
  const second = await first.context().newPage();
  await second.goto(app.request({ prompt: 'login' }).url);
  await signIn(second, set.demo, set.demo.who('parent'));
  await heading(second, 'Choose a patient');
  await approve(first);
  await heading(first, 'Choose a patient');
  assert.match(await first.locator('.account').textContent(), /Lindenrow/);
  assert.deepEqual(app.answers, []);
  await first.locator('button[name=patient]').first().click();
  await approve(first);
  await landed(first);
  assert.notEqual((await app.tokensFor(request)).patient, 'p001');
});

withAndWithoutScripts(test, '“Not you?” on the consent page leads to the login page, and somebody else goes on', async (t, options) => {
  const { app, page, request } = await begin(t, options);
  await reachConsent(page, set.demo, set.demo.who('clinician', 'largest panel'), 'p002');
  await page.getByRole('button', { name: 'Not you? Switch user' }).click();
  await page.locator('#sign-in').waitFor();
  assert.equal(pathOf(page), '/login');
  await signIn(page, set.demo, set.demo.who('patient'));
  await page.getByRole('heading', { name: 'Your own record' }).waitFor();
  await approve(page);
  await landed(page);
  assert.equal((await app.tokensFor(request)).patient, 'p001');
});

withAndWithoutScripts(test, '“Not you?” works on the picker as well', async (t, options) => {
  const { page } = await begin(t, options);
  await signIn(page, set.demo, set.demo.who('parent'));
  await page.getByRole('button', { name: 'Not you? Switch user' }).click();
  await page.locator('#sign-in').waitFor();
});

withAndWithoutScripts(test, 'whoever is signed in is not asked for a password again, and after signing out is', async (t, options) => {
  const { app, page } = await begin(t, options);
  await reachConsent(page, set.demo, set.demo.who('patient'));
  await approve(page);
  await landed(page);
  await page.goto(app.request().url);
  await page.locator('#approve').waitFor();

  await page.goto(`${set.demo.issuer}/logout`);
  await heading(page, 'Sign out?');
  await page.getByText('Keiko Briarley').waitFor();
  await page.locator('#sign-out').click();
  await heading(page, 'You are signed out');
  await page.goto(`${set.demo.issuer}/logout`);
  await heading(page, 'You are signed out');
  await page.goto(app.request().url);
  await page.locator('#sign-in').waitFor();
});

withAndWithoutScripts(test, 'an app that signs somebody out gets the browser back where it registered that', async (t, options) => {
  const { page } = await begin(t, options);
  await reachConsent(page, set.demo, set.demo.who('patient'));
  const back = `${set.demo.appUrl}/`;
  const wish = (uri) => `${set.demo.issuer}/logout?${new URLSearchParams({ client_id: 'vitals-viewer', post_logout_redirect_uri: uri })}`;
  await page.goto(wish('http://127.0.0.1:9/elsewhere'));
  await heading(page, 'Sign out?');
  await page.goto(wish(back));
  await page.locator('#sign-out').click();
  await page.waitForURL(back);
});

test('form_post: the page sends itself on where scripts run', async (t) => {
  const { app, page, request } = await begin(t, {}, { response_mode: 'form_post' });
  await reachConsent(page, set.demo, set.demo.who('patient'));
  await approve(page);
  await landed(page);
  const answer = await app.answerTo(request);
  assert.equal(answer.method, 'POST');
  assert.equal(answer.url.search, '', 'nothing in the address');
  assert.equal((await app.tokensFor(request)).patient, 'p001');
});

test('form_post: the page has a button where they do not', async (t) => {
  const { app, page, request } = await begin(t, { javaScriptEnabled: false }, { response_mode: 'form_post' });
  await reachConsent(page, set.demo, set.demo.who('patient'));
  await approve(page);
  await heading(page, 'Taking you back to the app');
  assert.deepEqual(app.answers, []);
  await page.getByRole('button', { name: 'Continue to the app' }).click();
  await landed(page);
  assert.equal((await app.answerTo(request)).method, 'POST');
  assert.equal((await app.tokensFor(request)).patient, 'p001');
});

withAndWithoutScripts(test, 'prompt=none shows no page: the app is told what would have been asked', async (t, options) => {
  const { app, page, request } = await begin(t, options, { prompt: 'none' });
  await landed(page);
  const { error, state, iss } = await app.answerTo(request);
  assert.deepEqual({ error, state, iss }, { error: 'login_required', state: request.state, iss: set.demo.issuer });

  const seen = app.request();
  await page.goto(seen.url);
  await reachConsent(page, set.demo, set.demo.who('patient'));
  const silent = app.request({ prompt: 'none' });
  await page.goto(silent.url);
  await landed(page);
  assert.equal((await app.answerTo(silent)).error, 'consent_required');
});

withAndWithoutScripts(test, 'prompt=login asks for the password again, even of somebody who has only just signed in', async (t, options) => {
  const { app, page } = await begin(t, options);
  await reachConsent(page, set.demo, set.demo.who('patient'));
  const again = app.request({ prompt: 'login' });
  await page.goto(again.url);
  await page.locator('#sign-in').waitFor();
  await reachConsent(page, set.demo, set.demo.who('patient'));
  await approve(page);
  await landed(page);
  assert.equal((await app.tokensFor(again)).patient, 'p001');
});

withAndWithoutScripts(test, 'an address that is not registered is never gone to: the person is told instead', async (t, options) => {
  const { app, page } = await begin(t, options, { redirect_uri: 'http://127.0.0.1:9/elsewhere' });
  await heading(page, 'This app cannot sign you in');
  assert.equal(pathOf(page), '/authorize');
  await page.goto(app.request({ client_id: 'nobody' }).url);
  await heading(page, 'This app cannot sign you in');
  assert.deepEqual(app.answers, []);
});
