// What a file of tests needs: one demonstration and one browser, from its first test to its last.

import { after, before } from 'node:test';
import { openBrowser } from './browser.mjs';
import { Demo } from './demo.mjs';

/**
 * The members are there as soon as a test runs. That the demo ends in good order is a test too.
 * `flags` gives further ones of `admit demo`.
 */
export function stage(flags = async () => []) {
  const stage = {};
  before(async () => {
    stage.demo = await Demo.start(await flags());
    stage.browser = await openBrowser();
  });
  after(async () => {
    await stage.browser?.close();
    await stage.demo?.stop();
  });
  return stage;
}
