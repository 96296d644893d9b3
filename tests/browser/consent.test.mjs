// What a person can decide on the consent page and take back at /account/apps, and what their apps
// make of it.

import assert from 'node:assert/strict';
import test from 'node:test';
import { freshPage, withAndWithoutScripts } from './support/browser.mjs';
import { OwnApp } from './support/own-app.mjs';
import { approve, category, heading, pathOf, reachConsent, signIn, takeApart, tick, untick } from './support/pages.mjs';
import { stage } from './support/stage.mjs';

const set = stage();
const LABORATORY = `patient/Observation.rs?${category('laboratory')}`;

async function begin(t, options, more) {
  const app = await OwnApp.start(t, set.demo);
  const page = await freshPage(set.browser, t, options);
  const request = app.request(more);
  await page.goto(request.url);
  return { app, page, request };
}

/** The diary, connected to the patient's own record; `decide` does something to the consent page first. */
async function openDiary(t, decide = async () => {}) {
  const page = await freshPage(set.browser, t);
  await page.goto(set.demo.app('health-diary'));
  await page.getByRole('button', { name: 'Connect to the record' }).click();
  await signIn(page, set.demo, set.demo.who('patient'));
  await page.locator('#approve').waitFor();
  await decide(page);
  await approve(page);
  await page.locator('body[data-state=ready]').waitFor();
  return page;
}

/** The card of an app on the page of a person's apps. */
const cardOf = (page, name) => page.locator('.app', { has: page.getByRole('heading', { name, exact: true }) });

async function remove(page, name) {
  await cardOf(page, name).locator('summary', { hasText: 'Remove access' }).click();
  await cardOf(page, name).getByRole('button', { name: 'Yes, remove access' }).click();
  await page.getByRole('status').filter({ hasText: `${name} was removed` }).waitFor();
}

test('a patient shares lab results out of all measurements: the app shows those, and no vital signs', async (t) => {
  const page = await openDiary(t, async (consent) => {
    await takeApart(consent, 'patient/Observation.rs');
    await tick(consent, LABORATORY);
  });
  assert.match(await page.locator('#laboratory').textContent(), /HbA1c/);
  assert.equal(await page.locator('#vitals').textContent(), 'Not shared with this app');
  assert.equal(await page.locator('#life').textContent(), 'Not shared with this app');
  assert.ok(await page.locator('#conditions li').count() >= 1, 'the rest is there');
  const { facts, secrets } = await page.evaluate(() => JSON.parse(sessionStorage.getItem('health-diary.session')));
  assert.ok(facts.scope.split(' ').includes(LABORATORY), facts.scope);
  assert.ok(!facts.scope.split(' ').includes('patient/Observation.rs'), facts.scope);
  const search = `${set.demo.fhirBase}/Observation?patient=p001&_count=200`;
  const found = await (await fetch(search, { headers: { authorization: `Bearer ${secrets.access_token}` } })).json();
  const categories = new Set((found.entry ?? []).map(({ resource }) => resource?.category?.[0].coding[0].code).filter(Boolean));
  assert.deepEqual([...categories], ['laboratory'], 'the FHIR server itself gives nothing else');
});

withAndWithoutScripts(test, 'everything that an app asks for can be taken apart, down to a category', async (t, options) => {
  const { app, page, request } = await begin(t, options, { scope: 'openid launch/patient patient/*.rs' });
  await reachConsent(page, set.demo, set.demo.who('patient'));
  assert.equal(await page.locator('.parts').first().isVisible(), false, 'the whole is ticked, so there is nothing to choose');
  await takeApart(page, 'patient/*.rs');
  await tick(page, 'patient/Immunization.rs');
  await tick(page, LABORATORY);
  await approve(page);
  await heading(page, 'Back in your app');
  const tokens = await app.tokensFor(request);
  assert.deepEqual(tokens.scope.split(' ').sort(), ['launch/patient', 'openid', 'patient/Immunization.rs', LABORATORY]);
  assert.equal((await app.read(tokens, 'Immunization?patient=p001')).status, 200);
  assert.equal((await app.read(tokens, 'Condition?patient=p001')).status, 403);
});

withAndWithoutScripts(test, 'that an app can change the record is said once, and not of every part', async (t, options) => {
  const { page } = await begin(t, options, { scope: 'launch/patient patient/*.cruds' });
  await reachConsent(page, set.demo, set.demo.who('patient'));
  await takeApart(page, 'patient/*.cruds');
  assert.ok(await page.locator('.parts input').count() > 30);
  assert.equal(await page.getByText('The app can change the record itself.').count(), 1);
});

withAndWithoutScripts(test, 'the whole of something and a part of it is no answer: the page asks again', async (t, options) => {
  const { app, page, request } = await begin(t, options, { scope: 'launch/patient patient/Patient.rs patient/Observation.rs' });
  await reachConsent(page, set.demo, set.demo.who('patient'));
  await takeApart(page, 'patient/Observation.rs');
  await tick(page, LABORATORY);
  await tick(page, 'patient/Observation.rs');
  await approve(page);
  await page.getByRole('alert').filter({ hasText: 'You ticked the whole of something' }).waitFor();
  assert.deepEqual(app.answers, []);
  await takeApart(page, 'patient/Observation.rs');
  assert.equal(await page.locator(`input[name=scope][value="${LABORATORY}"]`).isChecked(), false, 'what was ticked in the dark is not kept');
  await tick(page, LABORATORY);
  await approve(page);
  await heading(page, 'Back in your app');
  assert.equal((await app.tokensFor(request)).scope, `launch/patient patient/Patient.rs ${LABORATORY}`);
});

withAndWithoutScripts(test, 'an app that may not stay gets no refresh token', async (t, options) => {
  const { app, page, request } = await begin(t, options, { scope: 'launch/patient patient/Patient.rs offline_access' });
  await reachConsent(page, set.demo, set.demo.who('patient'));
  await untick(page, 'offline_access');
  await approve(page);
  await heading(page, 'Back in your app');
  const tokens = await app.tokensFor(request);
  assert.deepEqual([tokens.scope, tokens.refresh_token], ['launch/patient patient/Patient.rs', undefined]);
});

test('a patient removes the diary: its refresh fails at once, and it takes the record off the screen', async (t) => {
  const page = await openDiary(t);
  const apps = await page.context().newPage();
  await apps.goto(`${set.demo.issuer}/account/apps`);
  await heading(apps, 'Your apps');
  await cardOf(apps, 'Health diary').getByText('Your own record').first().waitFor();
  await remove(apps, 'Health diary');
  assert.equal(await cardOf(apps, 'Health diary').count(), 0);

  await page.getByText('For developers').click();
  await page.locator('#refresh').click();
  await page.getByRole('heading', { name: 'This app no longer has access to the record' }).waitFor();
  await page.getByText('The access has run out, or it was withdrawn.').waitFor();
  assert.equal(await page.locator('#record').isVisible(), false);
  assert.equal(await page.evaluate(() => sessionStorage.getItem('health-diary.session')), null, 'nothing is kept');
});

withAndWithoutScripts(test, 'a parent removes an app from one child’s record, and it stays with the other’s', async (t, options) => {
  const scope = 'openid launch/patient patient/Patient.rs offline_access';
  const { app, page, request } = await begin(t, options, { scope });
  await signIn(page, set.demo, set.demo.who('parent'));
  const tokens = [];
  for (const [place, asked] of [request, app.request({ scope })].entries()) {
    if (place > 0) await page.goto(asked.url);
    await heading(page, 'Choose a patient');
    await page.locator('button[name=patient]').nth(place).click();
    await approve(page);
    await heading(page, 'Back in your app');
    tokens.push(await app.tokensFor(asked));
  }
  const [one, other] = tokens;
  assert.notEqual(one.patient, other.patient);

  await page.goto(`${set.demo.issuer}/account/apps`);
  assert.equal(await cardOf(page, 'Your app').count(), 2, 'one for each child');
  const card = page.locator('.app', { has: page.locator(`input[name=patient][value="${one.patient}"]`) });
  await card.locator('summary', { hasText: 'Remove access' }).click();
  await card.getByRole('button', { name: 'Yes, remove access' }).click();
  await page.getByRole('status').filter({ hasText: 'Your app was removed' }).waitFor();
  assert.equal(await cardOf(page, 'Your app').count(), 1);
  const refresh = ({ refresh_token }) => app.token({ grant_type: 'refresh_token', refresh_token });
  assert.equal((await refresh(one)).error, 'invalid_grant');
  assert.equal((await refresh(other)).status, 200);
});

withAndWithoutScripts(test, 'an answer that is remembered is asked for again only when the app wants more, which is marked as new', async (t, options) => {
  const { demo } = set;
  // The decision is one person's about one app: each run has an app of its own.
  const id = options.javaScriptEnabled === false ? 'diary-without-scripts' : 'diary-with-scripts';
  await demo.admit('client', 'create', id, '--name', 'Remembered diary', '--auth', 'client_secret_basic', '--redirect-uri', 'http://127.0.0.1/callback',
    '--consent-patients', 'remembered', '--scope', 'openid launch/patient patient/*.rs', '--fhir-base', 'demo');
  const ask = { client_id: id, scope: 'openid launch/patient patient/Observation.rs' };
  const { app, page, request } = await begin(t, options, ask);
  await reachConsent(page, demo, demo.who('patient'));
  await page.getByText('Your answer is kept for 365 days').waitFor();
  await takeApart(page, 'patient/Observation.rs');
  await tick(page, LABORATORY);
  await approve(page);
  await heading(page, 'Back in your app');
  assert.ok((await app.answerTo(request)).code);

  const silent = app.request({ ...ask, prompt: 'none' });
  await page.goto(silent.url);
  await heading(page, 'Back in your app');
  assert.ok((await app.answerTo(silent)).code, 'no page at all');

  await page.goto(app.request({ ...ask, scope: `${ask.scope} patient/Condition.rs` }).url);
  await page.getByText('You have answered this app before.').waitFor();
  assert.equal(await page.locator(`input[value="${LABORATORY}"]`).isChecked(), true, 'as it was answered');
  assert.equal(await page.locator('.badge').count(), 1);
  await page.locator('.item:has(> input[value="patient/Condition.rs"]) > label .badge').waitFor();

  await page.goto(`${demo.issuer}/account/apps`);
  await remove(page, 'Remembered diary');
  const after = app.request({ ...ask, prompt: 'none' });
  await page.goto(after.url);
  await heading(page, 'Back in your app');
  assert.equal((await app.answerTo(after)).error, 'consent_required');
});

withAndWithoutScripts(test, 'a person who reads Spanish is asked in Spanish, whatever the app’s language', async (t, options) => {
  const { page } = await begin(t, { ...options, locale: 'es-MX' });
  await signIn(page, set.demo, set.demo.who('patient'));
  await page.getByRole('button', { name: 'Dar acceso' }).waitFor();
  assert.equal(await page.locator('html').getAttribute('lang'), 'es');
  assert.equal(pathOf(page), '/consent');
  await page.goto(`${set.demo.issuer}/account/apps`);
  assert.equal(await page.locator('html').getAttribute('lang'), 'es');
});
