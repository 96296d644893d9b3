// Every page, looked at by axe-core (WCAG 2.2 A and AA, and its best practices): in light and dark,
// on a phone and on a desk. Nothing needs scrolling to the side, and no page breaks its own policy.

import assert from 'node:assert/strict';
import { fileURLToPath } from 'node:url';
import test from 'node:test';
import { freshPage } from './support/browser.mjs';
import { OwnApp } from './support/own-app.mjs';
import {
  approve, assertNoSidewaysScrolling, category, heading, openLaunchPad, pathOf, reachConsent, signIn, takeApart, tick, untick,
} from './support/pages.mjs';
import { stage } from './support/stage.mjs';

const set = stage();
const AXE = fileURLToPath(new URL('./node_modules/axe-core/axe.min.js', import.meta.url));
const RULES = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
const LOOKS = ['light', 'dark'].flatMap((colorScheme) => [320, 1280].map((width) => ({ colorScheme, width })));

/** A page that can be looked at. */
async function observedPage(t, options) {
  const page = await freshPage(set.browser, t, options);
  await page.addInitScript({ path: AXE });
  return page;
}

/** Looks at the page that is open, in every look. */
async function inspect(page) {
  const faults = [];
  for (const { colorScheme, width } of LOOKS) {
    await page.emulateMedia({ colorScheme });
    await page.setViewportSize({ width, height: 800 });
    // A colour that is still on its way is neither the one nor the other. (Waiting for it to arrive takes frames, and a busy
    // machine's browser may draw none.)
    await page.evaluate(() => document.getAnimations().forEach((animation) => animation.finish()));
    await assertNoSidewaysScrolling(page);
    const found = await page.evaluate((values) => globalThis.axe.run(document, {
      runOnly: { type: 'tag', values },
      // WCAG 2.2's target size is off by default.
      rules: { 'target-size': { enabled: true } },
      resultTypes: ['violations'],
    }), RULES);
    assert.ok(found.passes.length > 10, 'axe has looked');
    for (const { id, help, nodes } of found.violations) {
      faults.push(`${pathOf(page)} ${colorScheme} ${width} px: ${id}: ${help}: ${nodes.slice(0, 3).map(({ html }) => html).join(' ')} (${nodes.length})`);
    }
  }
  await page.setViewportSize({ width: 1280, height: 900 });
  assert.deepEqual(faults, []);
}

async function begin(t, more, options) {
  const app = await OwnApp.start(t, set.demo);
  const page = await observedPage(t, options);
  const request = app.request(more);
  await page.goto(request.url);
  return { app, page, request };
}

test('the login page, also with its error', async (t) => {
  const { page } = await begin(t);
  await page.locator('#sign-in').waitFor();
  await inspect(page);
  await signIn(page, set.demo, 'nobody', 'at all');
  await page.getByRole('alert').waitFor();
  await inspect(page);
});

test('the picker: full, searched, and with nobody found', async (t) => {
  const { page } = await begin(t);
  await signIn(page, set.demo, set.demo.who('clinician', 'largest panel'));
  await heading(page, 'Choose a patient');
  await inspect(page);
  await page.locator('#patient-search').fill('Keiko');
  await page.keyboard.press('Enter');
  await page.locator('.count', { hasText: 'Keiko' }).waitFor();
  await inspect(page);
  await page.locator('#patient-search').fill('Nobody');
  await page.keyboard.press('Enter');
  await page.getByText('None of your patients matches').waitFor();
  await inspect(page);
});

test('the picker of somebody who has no patients', async (t) => {
  const { page } = await begin(t);
  await signIn(page, set.demo, set.demo.who('clinician', 'without a single patient'));
  await page.getByText('There are no patients that you may open').waitFor();
  await inspect(page);
});

test('the consent page: a clinician’s, a patient’s with its error, and one about signing in alone', async (t) => {
  const { app, page } = await begin(t, { scope: 'openid fhirUser profile offline_access launch/patient patient/*.cruds user/Patient.rs' });
  await reachConsent(page, set.demo, set.demo.who('clinician', 'largest panel'), 'p001');
  await page.locator('summary').click();
  await inspect(page);
  await page.goto(app.request({ scope: 'launch/patient patient/Patient.rs', prompt: 'login' }).url);
  await reachConsent(page, set.demo, set.demo.who('patient'));
  await untick(page, 'patient/Patient.rs');
  await approve(page);
  await page.getByRole('alert').waitFor();
  await inspect(page);
  await page.goto(app.request({ scope: 'openid fhirUser' }).url);
  await page.locator('#approve').waitFor();
  await inspect(page);
});

test('the consent page with its parts open: categories, a wildcard, and its errors', async (t) => {
  const { app, page } = await begin(t, { scope: 'launch/patient patient/Condition.rs patient/Observation.rs' });
  await reachConsent(page, set.demo, set.demo.who('patient'));
  await takeApart(page, 'patient/Condition.rs');
  await takeApart(page, 'patient/Observation.rs');
  await page.locator('summary').click();
  await inspect(page);
  await approve(page);
  await page.getByRole('alert').filter({ hasText: 'Tick at least one' }).waitFor();
  await inspect(page);
  await tick(page, `patient/Observation.rs?${category('laboratory')}`);
  await tick(page, 'patient/Observation.rs');
  await approve(page);
  await page.getByRole('alert').filter({ hasText: 'the whole of something' }).waitFor();
  await inspect(page);
  await page.goto(app.request({ scope: 'openid launch/patient patient/*.rs' }).url);
  await takeApart(page, 'patient/*.rs');
  await inspect(page);
});

test('the consent page in Spanish, and the page of a person’s apps', async (t) => {
  const { page } = await begin(t, { scope: 'openid launch/patient patient/*.cruds offline_access' }, { locale: 'es-ES' });
  await reachConsent(page, set.demo, set.demo.who('patient'));
  await takeApart(page, 'patient/*.cruds');
  await inspect(page);
  await page.locator('#deny').click();
  await heading(page, 'Back in your app');
  await page.goto(`${set.demo.issuer}/account/apps`);
  await inspect(page);
});

test('the consent page of somebody who answered before, with something new', async (t) => {
  await set.demo.admit('client', 'create', 'remembered', '--name', 'Remembered diary', '--auth', 'client_secret_basic',
    '--redirect-uri', 'http://127.0.0.1/callback', '--consent-patients', 'remembered', '--scope', 'openid launch/patient patient/*.rs');
  const ask = { client_id: 'remembered', scope: 'openid launch/patient patient/Observation.rs' };
  const { app, page } = await begin(t, ask);
  await reachConsent(page, set.demo, set.demo.who('patient'));
  await takeApart(page, 'patient/Observation.rs');
  await tick(page, `patient/Observation.rs?${category('laboratory')}`);
  await approve(page);
  await heading(page, 'Back in your app');
  await page.goto(app.request({ ...ask, scope: `${ask.scope} patient/Condition.rs` }).url);
  await page.locator('.badge').waitFor();
  await inspect(page);
});

test('the page of a person’s apps: none, several, about to remove one, removed', async (t) => {
  const { app, page, request } = await begin(t, { scope: 'openid launch/patient patient/*.rs offline_access' });
  await signIn(page, set.demo, set.demo.who('parent'));
  await heading(page, 'Choose a patient');
  await page.goto(`${set.demo.issuer}/account/apps`);
  await page.getByText('No app has access at the moment.').waitFor();
  await inspect(page);
  await page.goto(request.url);
  for (const [place, asked] of [request, app.request({ scope: 'openid launch/patient patient/Observation.rs' })].entries()) {
    await page.goto(asked.url);
    await page.locator('button[name=patient]').nth(place).click();
    await approve(page);
    await heading(page, 'Back in your app');
    await app.tokensFor(asked);
  }
  await page.goto(`${set.demo.issuer}/account/apps`);
  assert.equal(await page.locator('.app').count(), 2);
  await inspect(page);
  for (const summary of await page.locator('summary').all()) await summary.click();
  await inspect(page);
  await page.getByRole('button', { name: 'Yes, remove access' }).first().click();
  await page.getByRole('status').waitFor();
  await inspect(page);
});

test('the launch pad: patients, nobody found, apps and visits, and not for patients', async (t) => {
  const page = await observedPage(t);
  await openLaunchPad(page, set.demo, null, set.demo.who('clinician', 'largest panel'));
  await inspect(page);
  await page.locator('#patient-search').fill('Nobody');
  await page.keyboard.press('Enter');
  await page.getByText('None of your patients matches').waitFor();
  await inspect(page);
  await openLaunchPad(page, set.demo, 'p001');
  await inspect(page);
  await page.getByRole('button', { name: 'Not you? Switch user' }).click();
  await signIn(page, set.demo, set.demo.who('patient'));
  await heading(page, 'The launch pad is for clinicians');
  await inspect(page);
});

test('the visits to choose from', async (t) => {
  const { page } = await begin(t, { scope: 'openid launch/patient launch/encounter patient/Encounter.rs' });
  await signIn(page, set.demo, set.demo.who('patient'));
  await heading(page, 'Choose a visit');
  await inspect(page);
});

test('emergency access: the form, with its error, whom it found, and what consent says of it', async (t) => {
  const { page } = await begin(t);
  await signIn(page, set.demo, set.demo.who('clinician', 'without a single patient'));
  await page.getByRole('link', { name: 'Emergency: open a patient outside of your list' }).click();
  await heading(page, 'Emergency access');
  await inspect(page);
  const find = async (mrn) => {
    await page.locator('#mrn').fill(mrn);
    await page.locator('#reason').fill('Found unconscious in the waiting room');
    await page.locator('#find').click();
  };
  await find('MRN-0');
  await page.getByRole('alert').waitFor();
  await inspect(page);
  await find('MRN-20007');
  await page.locator('button[name=patient]').waitFor();
  await inspect(page);
  await page.locator('button[name=patient]').click();
  await page.getByText('Found unconscious in the waiting room').waitFor();
  await inspect(page);
});

test('errors and messages', async (t) => {
  const { app, page } = await begin(t, { redirect_uri: 'http://127.0.0.1:9/elsewhere' });
  await heading(page, 'This app cannot sign you in');
  await inspect(page);
  await page.goto(`${set.demo.issuer}/consent?flow=made-up`);
  await heading(page, 'This sign-in has ended');
  await inspect(page);
  await page.goto(`${set.demo.issuer}/login`);
  await heading(page, 'Nothing is waiting for you here');
  await inspect(page);
  await page.goto(`${set.demo.issuer}/no-such-page`);
  await page.getByRole('heading', { level: 1 }).waitFor();
  await inspect(page);
  await page.goto(app.request().url);
  await reachConsent(page, set.demo, set.demo.who('patient'));
  await approve(page);
  await heading(page, 'Back in your app');
  await page.goBack();
  await heading(page, 'This sign-in is already completed');
  await inspect(page);
});

test('signing out, and signed out', async (t) => {
  const { page } = await begin(t);
  await reachConsent(page, set.demo, set.demo.who('patient'));
  await page.goto(`${set.demo.issuer}/logout`);
  await heading(page, 'Sign out?');
  await inspect(page);
  await page.locator('#sign-out').click();
  await heading(page, 'You are signed out');
  await inspect(page);
});

test('the page that posts its form, while it waits', async (t) => {
  const { app, page, request } = await begin(t, { response_mode: 'form_post' });
  await reachConsent(page, set.demo, set.demo.who('patient'));
  app.status = 204;
  await approve(page);
  await heading(page, 'Taking you back to the app');
  await app.answerTo(request);
  await inspect(page);
});

test('the sample app: start, record, part of a record, signed out', async (t) => {
  const page = await observedPage(t);
  await page.goto(set.demo.app());
  await page.locator('body[data-state=start]').waitFor();
  await page.getByText('Which server?').click();
  await inspect(page);
  await page.locator('#connect').click();
  await signIn(page, set.demo, set.demo.who('patient'));
  await untick(page, 'patient/Condition.rs');
  await approve(page);
  await page.locator('body[data-state=ready]').waitFor();
  for (const details of await page.locator('details > summary').all()) await details.click();
  await inspect(page);
  await page.locator('#sign-out').click();
  await heading(page, 'You are signed out');
  await inspect(page);
});

test('the first page of the demonstration, and what the sample apps promise', async (t) => {
  const page = await observedPage(t);
  await page.goto(set.demo.appUrl);
  await page.locator('body[data-state=ready]').waitFor();
  await inspect(page);
  await page.goto(`${set.demo.appUrl}/policy.html`);
  await inspect(page);
});

for (const app of ['health-diary', 'lab-results']) {
  test(`another sample app: ${app}`, async (t) => {
    const page = await observedPage(t);
    await page.goto(set.demo.app(app));
    await page.locator('body[data-state=start]').waitFor();
    await inspect(page);
    await page.locator('#connect').click();
    await signIn(page, set.demo, set.demo.who('patient'));
    await approve(page);
    await page.locator('body[data-state=ready]').waitFor();
    await inspect(page);
  });
}

test('the sample app: what it says when something is amiss', async (t) => {
  const page = await observedPage(t);
  for (const address of ['callback.html', 'callback.html?state=made-up&code=x', 'launch.html', 'launch.html?iss=http://127.0.0.1:9/fhir&launch=1']) {
    await page.goto(`${set.demo.app()}${address}`);
    await page.locator('body[data-state=error]').waitFor();
    await inspect(page);
  }
});
