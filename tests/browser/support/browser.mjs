// Chromium, and what every page that it shows has to put up with: nothing may be refused by a
// Content-Security-Policy, no script may fail, and nothing may leave the loopback interface.

import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { chromium } from 'playwright-core';

const EXECUTABLE = process.env.CHROMIUM ?? '/usr/bin/chromium';
const FLAGS = [
  '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update',
  '--disable-sync', '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1',
];
/** How long a page may take for anything that it does. */
const PATIENCE_MS = 15_000;

const isLoopback = (address) => !/^(?:https?|wss?):/.test(address) || ['localhost', '127.0.0.1'].includes(new URL(address).hostname);

/** The browser; without Chromium there is no test, and so no success either. */
export async function openBrowser() {
  assert.ok(existsSync(EXECUTABLE), `these tests need Chromium: there is none at ${EXECUTABLE} (CHROMIUM names another place)`);
  return chromium.launch({ executablePath: EXECUTABLE, args: FLAGS });
}

/**
 * A browser of somebody who was never here, with one page open. It ends with the test `t`, which
 * fails for whatever the browser complained about meanwhile, but for what the test is about.
 */
export async function freshPage(browser, t, options = {}, expected = null) {
  const context = await browser.newContext({ locale: 'en-GB', viewport: { width: 1280, height: 900 }, ...options });
  context.setDefaultTimeout(PATIENCE_MS);
  const complaints = [];
  context.on('console', (message) => {
    // A page with an error status is news to Chromium, but no fault.
    const isFault = ['error', 'warning'].includes(message.type()) && !message.text().startsWith('Failed to load resource: the server responded with');
    if (isFault && !expected?.test(message.text())) complaints.push(`${message.page()?.url()}: ${message.text()}`);
  });
  context.on('weberror', (fault) => complaints.push(`${fault.page()?.url()}: ${fault.error()}`));
  context.on('request', (request) => {
    if (!isLoopback(request.url())) complaints.push(`went to ${request.url()}`);
  });
  t.after(async () => {
    await context.close();
    assert.deepEqual(complaints, [], 'the browser complained');
  });
  return context.newPage();
}

/** Registers a test twice: pages of the server have to work with scripts and without. */
export function withAndWithoutScripts(test, name, story) {
  test(name, (t) => story(t, {}));
  test(`${name}, without JavaScript`, (t) => story(t, { javaScriptEnabled: false }));
}
