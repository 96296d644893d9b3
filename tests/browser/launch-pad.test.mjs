// The launch pad: a clinician opens an app for a patient, and it is that patient, whatever else is open.

import assert from 'node:assert/strict';
import test from 'node:test';
import { freshPage, withAndWithoutScripts } from './support/browser.mjs';
import { OwnApp } from './support/own-app.mjs';
import { approve, assertNoSidewaysScrolling, heading, openLaunchPad, pathOf, signIn } from './support/pages.mjs';
import { stage } from './support/stage.mjs';

const set = stage();

/** Opens the viewer from the page of apps. */
const openViewer = (page) => page.locator('button[name=app][value=vitals-viewer]').click();

const sessionOf = (page) => page.evaluate(() => JSON.parse(sessionStorage.getItem('vitals-viewer.session')));

test('an app that the hospital approved opens with no page in between, and says whose record it is', async (t) => {
  const page = await freshPage(set.browser, t);
  await openLaunchPad(page, set.demo, 'p002', set.demo.who('clinician', 'largest panel'));
  const name = await page.locator('.band .name').textContent();
  const pages = [];
  page.on('response', (response) => {
    const isOurs = response.url().startsWith(set.demo.issuer) && response.request().resourceType() === 'document';
    if (isOurs && response.status() === 200) pages.push(pathOf({ url: () => response.url() }));
  });
  await openViewer(page);
  await page.locator('body[data-state=ready]').waitFor();
  assert.deepEqual(pages, [], 'neither the login page, nor the picker, nor consent');
  assert.equal(await page.locator('#patient-name').textContent(), name);
  assert.ok(await page.locator('#patient').isVisible(), 'the app’s own banner: the launch pad has none beside it');
  const { facts } = await sessionOf(page);
  assert.deepEqual([facts.patient, facts.encounter], ['p002', undefined]);
});

test('two launches for two patients, in two tabs of one browser, each open their own patient', async (t) => {
  const first = await freshPage(set.browser, t);
  await openLaunchPad(first, set.demo, 'p001', set.demo.who('clinician', 'largest panel'));
  const second = await first.context().newPage();
  await openLaunchPad(second, set.demo, 'p002');
  const names = [await first.locator('.band .name').textContent(), await second.locator('.band .name').textContent()];
  assert.notEqual(names[0], names[1]);
  // Both at once, and the one that was begun last is not the one that wins.
  await Promise.all([openViewer(first), openViewer(second)]);
  for (const [place, page] of [first, second].entries()) {
    await page.locator('body[data-state=ready]').waitFor();
    assert.equal(await page.locator('#patient-name').textContent(), names[place]);
    assert.equal((await sessionOf(page)).facts.patient, ['p001', 'p002'][place]);
  }
  // A new token later on is still for the patient of its own tab.
  for (const [place, page] of [first, second].entries()) {
    await page.getByText('For developers').click();
    await page.locator('#refresh').click();
    await page.locator('#refreshed', { hasText: 'A new access token is here' }).waitFor();
    await page.locator('#reload').click();
    await page.locator('body[data-state=ready]').waitFor();
    assert.equal(await page.locator('#patient-name').textContent(), names[place]);
  }
});

test('a visit that was chosen comes along', async (t) => {
  const page = await freshPage(set.browser, t);
  await openLaunchPad(page, set.demo, 'p001', set.demo.who('clinician', 'largest panel'));
  const id = await page.locator('#encounter option').nth(1).getAttribute('value');
  await page.locator('#encounter').selectOption(id);
  await openViewer(page);
  await page.locator('body[data-state=ready]').waitFor();
  assert.equal((await sessionOf(page)).facts.encounter, id);
  assert.match(await page.locator('#context').textContent(), /^Visit: /);
});

withAndWithoutScripts(test, 'the launch pad is searched, narrows to one patient, and can be left for another', async (t, options) => {
  const page = await freshPage(set.browser, t, options);
  await openLaunchPad(page, set.demo, null, set.demo.who('clinician', 'largest panel'));
  await page.locator('#patient-search').fill('Keiko');
  await page.locator('#patient-search').press('Enter');
  await page.locator('.count', { hasText: 'Keiko' }).waitFor();
  await page.locator('button[name=patient][value=p001]').click();
  await heading(page, 'Open an app');
  await page.getByText('Keiko Briarley').waitFor();
  await page.getByRole('button', { name: 'Choose another patient' }).click();
  await heading(page, 'Launch pad');
  await page.setViewportSize({ width: 320, height: 800 });
  await assertNoSidewaysScrolling(page);
});

withAndWithoutScripts(test, 'a patient has no business at the launch pad, and is told where to go', async (t, options) => {
  const page = await freshPage(set.browser, t, options);
  await page.goto(`${set.demo.issuer}/launch-pad`);
  await signIn(page, set.demo, set.demo.who('patient'));
  await heading(page, 'The launch pad is for clinicians');
});

withAndWithoutScripts(test, 'an app asks for a visit: the one that was chosen is in its token', async (t, options) => {
  const app = await OwnApp.start(t, set.demo);
  const page = await freshPage(set.browser, t, options);
  const request = app.request({ scope: 'openid launch/patient launch/encounter patient/Encounter.rs' });
  await page.goto(request.url);
  await signIn(page, set.demo, set.demo.who('patient'));
  await heading(page, 'Choose a visit');
  const visit = page.locator('button[name=encounter]').nth(1);
  const id = await visit.getAttribute('value');
  await visit.click();
  await approve(page);
  await heading(page, 'Back in your app');
  const tokens = await app.tokensFor(request);
  assert.deepEqual([tokens.patient, tokens.encounter], ['p001', id]);
});
