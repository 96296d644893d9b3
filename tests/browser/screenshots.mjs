// Pictures of the main pages: `node screenshots.mjs FOLDER [NAME…]` writes all of them, or those
// that are named, such as the README's: `node screenshots.mjs ../../docs consent`.

import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { openBrowser } from './support/browser.mjs';
import { Demo } from './support/demo.mjs';
import { approve, choosePatient, heading, signIn } from './support/pages.mjs';

const LOOKS = {
  light: { viewport: { width: 1280, height: 800 }, colorScheme: 'light' },
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
  if (names.length > 0 && !names.includes(name)) return;
  await page.mouse.move(0, 0);
  const path = join(folder, `${name}.png`);
  await page.screenshot({ path, animations: 'disabled', caret: 'hide', ...options });
  console.log(path);
}

/** One journey through the sample app, with a picture of every page on the way. */
async function journey(look, settings) {
  const context = await browser.newContext({ locale: 'en-GB', timezoneId: 'UTC', ...settings });
  const page = await context.newPage();
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
  await take(page, look === 'readme' ? 'consent' : `consent-${look}`);
  await approve(page);
  await page.locator('body[data-state=ready]').waitFor();
  await take(page, `app-record-${look}`, { fullPage: true });
  await page.goto(`${demo.issuer}/logout`);
  await heading(page, 'Sign out?');
  await take(page, `sign-out-${look}`);
  await page.goto(`${demo.issuer}/consent?flow=none`);
  await heading(page, 'This sign-in has ended');
  await take(page, `error-${look}`);
  await context.close();
}

try {
  for (const [look, settings] of Object.entries(LOOKS)) await journey(look, settings);
  await journey('readme', README);
} finally {
  await browser.close();
  await demo.stop();
}
