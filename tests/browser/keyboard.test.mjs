// The server's pages without a mouse: everything can be reached, the focus is always to be seen,
// and no key does by accident what should be decided.

import assert from 'node:assert/strict';
import test from 'node:test';
import { freshPage, withAndWithoutScripts } from './support/browser.mjs';
import { OwnApp } from './support/own-app.mjs';
import { category, heading, pathOf, reachConsent } from './support/pages.mjs';
import { stage } from './support/stage.mjs';

const set = stage();

/** What has the focus, how that shows, and whether something lies over it. */
const focus = (page) => page.evaluate(() => {
  const node = document.activeElement;
  const style = getComputedStyle(node);
  const { left, top, right, bottom, width, height } = node.getBoundingClientRect();
  const seen = document.elementFromPoint((left + right) / 2, (top + bottom) / 2);
  const own = (each) => each === node || node.contains(each) || [...node.labels ?? []].some((label) => label.contains(each));
  return {
    tag: node.tagName,
    name: node.id || node.name || node.textContent.trim(),
    value: node.value,
    hasRing: (style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2) || style.boxShadow !== 'none',
    isInSight: width > 0 && height > 0 && seen !== null && own(seen),
  };
});

/** Presses Tab until that has the focus which is looked for; whatever has it on the way must show it. */
async function tabTo(page, isIt, key = 'Tab') {
  const way = [];
  for (let presses = 0; presses < 80; presses += 1) {
    await page.keyboard.press(key);
    const at = await focus(page);
    if (at.tag === 'BODY') continue;
    way.push(at.name);
    assert.ok(at.hasRing, `${pathOf(page)}: the focus on ${at.name} is not to be seen`);
    assert.ok(at.isInSight, `${pathOf(page)}: ${at.name} has the focus and is hidden`);
    if (isIt(at)) return at;
  }
  return assert.fail(`${pathOf(page)}: the keyboard does not reach it; it reaches ${way.join(', ')}`);
}

const named = (name) => (at) => at.name === name;

/** From the login page to the app, by keyboard alone. */
async function wholeJourney(page, username) {
  // It has the focus from the start: as soon as the browser has drawn the page.
  await page.locator('#username:focus').waitFor();
  await page.keyboard.type(username);
  await tabTo(page, named('password'));
  await page.keyboard.type(set.demo.password);
  await page.keyboard.press('Enter');

  await heading(page, 'Choose a patient');
  await tabTo(page, named('patient-search'));
  await page.keyboard.type('Keiko');
  await page.keyboard.press('Enter');
  await page.locator('.count', { hasText: 'Keiko' }).waitFor();
  await tabTo(page, ({ name, value }) => name === 'patient' && value === 'p001');
  await page.keyboard.press('Enter');

  await page.locator('#approve').waitFor();
  const box = await tabTo(page, ({ value }) => value === 'patient/Observation.rs');
  await page.keyboard.press('Space');
  assert.equal(await page.locator(`#${box.name}`).isChecked(), false);
  await page.keyboard.press('Space');
  assert.equal(await page.locator(`#${box.name}`).isChecked(), true);
  await tabTo(page, ({ tag }) => tag === 'SUMMARY');
  await page.keyboard.press('Enter');
  await page.locator('details li code').first().waitFor();
  await tabTo(page, named('deny'));
  await tabTo(page, named('approve'), 'Shift+Tab');
  await page.keyboard.press('Enter');
}

withAndWithoutScripts(test, 'the keyboard alone leads from the login page to the app, and the focus shows at every step', async (t, options) => {
  const app = await OwnApp.start(t, set.demo);
  const page = await freshPage(set.browser, t, options);
  const request = app.request();
  await page.goto(request.url);
  await wholeJourney(page, set.demo.who('clinician', 'largest panel'));
  await heading(page, 'Back in your app');
  assert.equal((await app.tokensFor(request)).patient, 'p001');
});

withAndWithoutScripts(test, 'in a small window the focus is never under the bar with the buttons', async (t, options) => {
  const app = await OwnApp.start(t, set.demo);
  const page = await freshPage(set.browser, t, { ...options, viewport: { width: 320, height: 480 } });
  const request = app.request();
  await page.goto(request.url);
  await wholeJourney(page, set.demo.who('clinician', 'largest panel'));
  await heading(page, 'Back in your app');
  assert.equal((await app.tokensFor(request)).patient, 'p001');
});

withAndWithoutScripts(test, 'the keyboard alone opens the parts of a permission, and allows one of them', async (t, options) => {
  const app = await OwnApp.start(t, set.demo);
  const page = await freshPage(set.browser, t, options);
  const request = app.request({ scope: 'launch/patient patient/Condition.rs patient/Observation.rs' });
  await page.goto(request.url);
  await reachConsent(page, set.demo, set.demo.who('patient'));
  await tabTo(page, ({ value }) => value === 'patient/Observation.rs');
  await page.keyboard.press('Space');
  const laboratory = `patient/Observation.rs?${category('laboratory')}`;
  await tabTo(page, ({ value }) => value === laboratory);
  await page.keyboard.press('Space');
  await tabTo(page, named('approve'));
  await page.keyboard.press('Enter');
  await heading(page, 'Back in your app');
  assert.equal((await app.tokensFor(request)).scope, `launch/patient patient/Condition.rs ${laboratory}`);
});

test('the keyboard alone leads through the launch pad to a patient’s visit in an app', async (t) => {
  const page = await freshPage(set.browser, t);
  await page.goto(`${set.demo.issuer}/launch-pad`);
  await page.locator('#username:focus').waitFor();
  await page.keyboard.type(set.demo.who('clinician', 'largest panel'));
  await tabTo(page, named('password'));
  await page.keyboard.type(set.demo.password);
  await page.keyboard.press('Enter');
  await heading(page, 'Launch pad');
  await tabTo(page, ({ name, value }) => name === 'patient' && value === 'p001');
  await page.keyboard.press('Enter');
  await heading(page, 'Open an app');
  await tabTo(page, named('encounter'));
  await page.keyboard.press('ArrowDown');
  const visit = await page.locator('#encounter').inputValue();
  assert.notEqual(visit, '');
  await tabTo(page, ({ name, value }) => name === 'app' && value === 'vitals-viewer');
  await page.keyboard.press('Enter');
  await page.locator('body[data-state=ready]').waitFor();
  const { facts } = await page.evaluate(() => JSON.parse(sessionStorage.getItem('vitals-viewer.session')));
  assert.deepEqual([facts.patient, facts.encounter], ['p001', visit]);
});

withAndWithoutScripts(test, 'the keyboard alone removes an app', async (t, options) => {
  const app = await OwnApp.start(t, set.demo);
  const page = await freshPage(set.browser, t, options);
  const request = app.request({ scope: 'launch/patient patient/Patient.rs offline_access' });
  await page.goto(request.url);
  await reachConsent(page, set.demo, set.demo.who('patient'));
  await page.locator('#approve').click();
  const { refresh_token } = await app.tokensFor(request);
  await page.goto(`${set.demo.issuer}/account/apps`);
  await tabTo(page, ({ tag, name }) => tag === 'SUMMARY' && name.startsWith('Remove access'));
  await page.keyboard.press('Enter');
  await tabTo(page, named('Yes, remove access'));
  await page.keyboard.press('Enter');
  await page.getByRole('status').filter({ hasText: 'was removed' }).waitFor();
  assert.equal((await app.token({ grant_type: 'refresh_token', refresh_token })).error, 'invalid_grant');
});

test('the keyboard alone leads from the sample app’s start to the record', async (t) => {
  const page = await freshPage(set.browser, t);
  await page.goto(set.demo.app('health-diary'));
  await page.locator('body[data-state=start]').waitFor();
  await tabTo(page, named('connect'));
  await page.keyboard.press('Enter');
  await wholeJourney(page, set.demo.who('clinician', 'largest panel'));
  await page.locator('body[data-state=ready]').waitFor();
  await tabTo(page, named('reload'));
  await page.keyboard.press('Space');
  await page.locator('body[data-state=ready]').waitFor();
  await tabTo(page, named('sign-out'));
  await page.keyboard.press('Enter');
  await heading(page, 'You are signed out');
});

withAndWithoutScripts(test, 'Enter on a tick box decides nothing', async (t, options) => {
  const app = await OwnApp.start(t, set.demo);
  const page = await freshPage(set.browser, t, options);
  await page.goto(app.request().url);
  await reachConsent(page, set.demo, set.demo.who('patient'));
  const requests = [];
  page.on('request', (request) => requests.push(request.url()));
  const before = page.url();
  await page.locator('input[name=scope]').first().focus();
  await page.keyboard.press('Enter');
  // A form that was sent would be on its way before the browser takes the next key.
  await page.keyboard.press('Space');
  assert.equal(await page.locator('input[name=scope]').first().isChecked(), false);
  assert.equal(page.url(), before);
  assert.deepEqual(requests, []);
  assert.deepEqual(app.answers, []);
});

withAndWithoutScripts(test, 'Enter in the search field searches, and neither chooses nor cancels', async (t, options) => {
  const app = await OwnApp.start(t, set.demo);
  const page = await freshPage(set.browser, t, options);
  await page.goto(app.request().url);
  await page.locator('#username').fill(set.demo.who('parent'));
  await page.locator('#password').fill(set.demo.password);
  await page.keyboard.press('Enter');
  await heading(page, 'Choose a patient');
  await page.locator('#patient-search').press('Enter');
  await page.waitForURL((url) => url.searchParams.has('q'));
  await heading(page, 'Choose a patient');
  assert.equal(await page.locator('button[name=patient]').count(), 2);
  assert.deepEqual(app.answers, []);
});
