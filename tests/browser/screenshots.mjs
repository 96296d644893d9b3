// Pictures of the main pages: `node screenshots.mjs FOLDER [NAME…]` writes all of them, or those
// whose names begin so.

import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { openBrowser } from './support/browser.mjs';
import { Demo } from './support/demo.mjs';
import { approve, category, choosePatient, heading, openLaunchPad, signIn, takeApart, tick, untick } from './support/pages.mjs';

const LOOKS = {
  desktop: { viewport: { width: 1280, height: 800 }, colorScheme: 'light' },
  dark: { viewport: { width: 1280, height: 800 }, colorScheme: 'dark' },
  phone: { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, colorScheme: 'light' },
};
/** The picture of the README: as wide as a page of text. */
const README = { viewport: { width: 900, height: 930 }, colorScheme: 'light' };

const [folder, ...names] = process.argv.slice(2);
assert.ok(folder, 'which folder? node screenshots.mjs FOLDER [NAME…]');
await mkdir(folder, { recursive: true });
const demo = await Demo.start();
const browser = await openBrowser();

async function take(page, name, options) {
  if (names.length > 0 && !names.some((wanted) => name.startsWith(wanted))) return;
  await page.mouse.move(0, 0);
  const path = join(folder, `${name}.png`);
  await page.screenshot({ path, animations: 'disabled', caret: 'hide', ...options });
  console.log(path);
}

/** Puts the first element that the selector finds under the top of the window. */
const scrollTo = (page, selector) => page.locator(selector).first().evaluate((node) => {
  window.scrollTo(0, node.getBoundingClientRect().top + window.scrollY - 12);
});

async function connect(page, app) {
  await page.goto(demo.app(app));
  await page.locator('body[data-state=start]').waitFor();
  await page.locator('#connect').click();
}

/** A clinician: the sample app, the picker, consent, and the launch pad. */
async function clinician(page, look) {
  await page.goto(demo.appUrl);
  await page.locator('body[data-state=ready]').waitFor();
  await take(page, `demo-${look}`);
  await page.goto(demo.app('health-diary'));
  await page.locator('body[data-state=start]').waitFor();
  await take(page, `app-start-${look}`);
  await page.locator('#connect').click();
  await page.locator('#sign-in').waitFor();
  await take(page, `login-${look}`);
  await signIn(page, demo, demo.who('clinician', 'largest panel'));
  await heading(page, 'Choose a patient');
  await take(page, `picker-${look}`);
  await choosePatient(page, 'p001');
  await page.locator('#approve').waitFor();
  await take(page, `consent-clinician-${look}`);
  await approve(page);
  await page.locator('body[data-state=ready]').waitFor();
  await take(page, `app-record-${look}`, { fullPage: true });
  await openLaunchPad(page, demo);
  await take(page, `launch-pad-patients-${look}`);
  await page.locator('button[name=patient][value=p001]').first().click();
  await heading(page, 'Open an app');
  await take(page, `launch-pad-apps-${look}`);
  await page.goto(`${demo.issuer}/consent?flow=none`);
  await heading(page, 'This sign-in has ended');
  await take(page, `error-${look}`);
}

/** A patient: consent in parts, and taking it back. */
async function patient(page, look) {
  await connect(page, 'health-diary');
  await signIn(page, demo, demo.who('patient'));
  await page.locator('#approve').waitFor();
  await take(page, `consent-patient-${look}`);
  await takeApart(page, 'patient/Observation.rs');
  await tick(page, `patient/Observation.rs?${category('laboratory')}`);
  await tick(page, `patient/Observation.rs?${category('vital-signs')}`);
  await scrollTo(page, '.item:has(> input[value="patient/Condition.rs"])');
  await take(page, `consent-categories-${look}`);
  await approve(page);
  await page.locator('body[data-state=ready]').waitFor();
  await connect(page, 'lab-results');
  await page.locator('#approve').waitFor();
  await approve(page);
  await page.locator('body[data-state=ready]').waitFor();
  await page.goto(`${demo.issuer}/account/apps`);
  await take(page, `apps-${look}`);
  await page.locator('.remove > summary').first().click();
  await take(page, `apps-remove-${look}`);
  await page.goto(`${demo.issuer}/logout`);
  await heading(page, 'Sign out?');
  await take(page, `sign-out-${look}`);
}

/** What is seen less often: everything taken apart, a visit to choose, emergency access, in Spanish. */
async function seldom(page, look) {
  const app = new URLSearchParams({
    response_type: 'code', client_id: 'my-app', redirect_uri: 'http://127.0.0.1:9/callback', aud: demo.fhirBase, state: 'a-picture-is-taken',
    code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM', code_challenge_method: 'S256', ui_locales: 'en',
  });
  const ask = (scope, more) => page.goto(`${demo.issuer}/authorize?${new URLSearchParams({ ...Object.fromEntries(app), scope, ...more })}`);
  await ask('launch/patient patient/*.cruds');
  await signIn(page, demo, demo.who('patient'));
  await takeApart(page, 'patient/*.cruds');
  await take(page, `consent-everything-${look}`, { fullPage: true });
  await ask('openid launch/patient patient/*.rs offline_access', { ui_locales: 'es' });
  await take(page, `consent-spanish-${look}`);
  await ask('launch/patient launch/encounter patient/Encounter.rs');
  await heading(page, 'Choose a visit');
  await take(page, `visits-${look}`);
  await ask('launch/patient patient/Patient.rs', { prompt: 'login' });
  await signIn(page, demo, demo.who('clinician', 'without a single patient'));
  await page.getByRole('link', { name: 'Emergency' }).click();
  await take(page, `emergency-${look}`, { fullPage: true });
  await page.locator('#mrn').fill('MRN-20007');
  await page.locator('#reason').fill('Found unconscious in the waiting room');
  await page.locator('#find').click();
  await page.locator('button[name=patient]').waitFor();
  await take(page, `emergency-found-${look}`);
  await page.locator('button[name=patient]').click();
  await page.locator('#approve').waitFor();
  await take(page, `emergency-consent-${look}`);
}

async function each(look, settings, stories) {
  for (const story of stories) {
    const context = await browser.newContext({ locale: 'en-GB', timezoneId: 'UTC', ...settings });
    await story(await context.newPage(), look);
    await context.close();
  }
}

/** The page that the README shows. */
async function readme(page, look) {
  await connect(page, 'health-diary');
  await signIn(page, demo, demo.who('patient'));
  await page.locator('#approve').waitFor();
  await takeApart(page, 'patient/Observation.rs');
  await tick(page, `patient/Observation.rs?${category('laboratory')}`);
  await untick(page, 'patient/Immunization.rs');
  await page.evaluate(() => window.scrollTo(0, 0));
  await take(page, `consent-${look}`);
}

try {
  for (const [look, settings] of Object.entries(LOOKS)) await each(look, settings, [clinician, patient, seldom]);
  await each('readme', README, [readme]);
} finally {
  await browser.close();
  await demo.stop();
}
