// The server's pages, as a person uses them.

import assert from 'node:assert/strict';

/** Signs in on the page that is open. */
export async function signIn(page, demo, username, password = demo.password) {
  await page.locator('#username').fill(username);
  await page.locator('#password').fill(password);
  await page.locator('#sign-in').click();
}

/** Chooses a patient from the list, or by a search first. */
export async function choosePatient(page, id, search) {
  await heading(page, 'Choose a patient');
  if (search) {
    await page.locator('#patient-search').fill(search);
    await page.getByRole('button', { name: 'Search', exact: true }).click();
    await page.locator('.count', { hasText: search }).waitFor();
  }
  await page.locator(`button[name=patient][value=${id}]`).first().click();
}

/** From wherever the browser is: signs a clinician in at the launch pad, and chooses a patient. */
export async function openLaunchPad(page, demo, patient, username) {
  await page.goto(`${demo.issuer}/launch-pad`);
  if (username) await signIn(page, demo, username);
  await heading(page, 'Launch pad');
  if (!patient) return;
  await page.locator(`button[name=patient][value=${patient}]`).first().click();
  await heading(page, 'Open an app');
}

/** Waits for the page with that heading. */
export async function heading(page, text) {
  await page.getByRole('heading', { level: 1, name: text }).waitFor();
}

const box = (page, scope) => page.locator(`input[name=scope][value="${scope}"]`);

async function press(page, scope, isTicked) {
  // The label lies over its whole row, box and all: it is what gets the click.
  await page.locator('.item:has(> input[value="' + scope + '"]) > label').click();
  assert.equal(await box(page, scope).isChecked(), isTicked);
}

/** Allows a scope on the consent page. */
export const tick = (page, scope) => press(page, scope, true);
/** Leaves a scope out. */
export const untick = (page, scope) => press(page, scope, false);

/** Opens the parts of a scope that was ticked as a whole. */
export async function takeApart(page, scope) {
  await untick(page, scope);
  await page.locator('.item:has(> input[value="' + scope + '"]) > .parts').waitFor();
}

/** A category of US Core, as a scope says it. */
export const category = (code) => `category=http://terminology.hl7.org/CodeSystem/observation-category|${code}`;

export const approve = (page) => page.locator('#approve').click();

/** From the consent page, whoever it takes to get there. */
export async function reachConsent(page, demo, username, patient) {
  await signIn(page, demo, username);
  if (patient) await choosePatient(page, patient);
  await page.locator('#approve').waitFor();
}

/** The path of the page, without what is in the query. */
export const pathOf = (page) => new URL(page.url()).pathname;

/** Nothing that a person could need is out of sight to the right. */
export async function assertNoSidewaysScrolling(page) {
  const [wide, seen] = await page.evaluate(() => [document.documentElement.scrollWidth, document.documentElement.clientWidth]);
  assert.ok(wide <= seen, `${pathOf(page)} is ${wide} px wide in a window of ${seen} px`);
}
