// The requests of docs/try against the demo, as newman and httpyac send them: all are sent, each is
// checked, a run with a wrong secret fails, and nothing secret comes into the server's log.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { copyFile, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { after, before } from 'node:test';
import { fileURLToPath } from 'node:url';
import newman from 'newman';
import { Demo } from '../browser/support/demo.mjs';

const REQUESTS = fileURLToPath(new URL('../../docs/try/', import.meta.url));
const COLLECTION = join(REQUESTS, 'admit.postman_collection.json');
const HTTPYAC = fileURLToPath(new URL('node_modules/httpyac/bin/httpyac.js', import.meta.url));
const PATIENCE_MS = 30_000;

let demo;
let folder;
/** What went over the wire in both clients. */
let exchanges = '';

before(async () => {
  demo = await Demo.start(['--log', 'debug', '--log-format', 'json']);
  // As README.md has it: the requests, and the demo's values beside them.
  folder = await mkdtemp(join(tmpdir(), 'admit-try-'));
  await copyFile(join(REQUESTS, 'admit.http'), join(folder, 'admit.http'));
  await copyFile(demo.dotenv, join(folder, '.env'));
});
after(async () => {
  if (folder) await rm(folder, { recursive: true });
  await demo?.stop();
});

/** Runs the collection, with other values than the demo's for some variables. */
function runNewman(others = {}) {
  const envVar = Object.entries(others).map(([key, value]) => ({ key, value }));
  return new Promise((resolve, reject) => {
    newman.run({ collection: COLLECTION, environment: demo.postmanEnvironment, envVar, reporters: [], timeout: PATIENCE_MS }, (fault, summary) => {
      if (fault) reject(fault);
      else resolve(summary.run);
    });
  });
}

/** Runs admit.http, likewise; its exit code, and what it says of each request. */
function runHttpyac(others = {}) {
  const values = Object.entries(others).flatMap(([name, value]) => ['--var', `${name}=${value}`]);
  const command = [HTTPYAC, 'send', join(folder, 'admit.http'), '--all', '--json', '--output', 'exchange', ...values];
  return new Promise((resolve, reject) => {
    execFile(process.execPath, command, { cwd: folder, timeout: PATIENCE_MS, maxBuffer: 1 << 24 }, (fault, stdout, stderr) => {
      if (fault && typeof fault.code !== 'number') reject(fault);
      // The last part of the file is scripts: httpyac lists it too, but there is nothing to send or to check in it.
      else resolve({ code: fault?.code ?? 0, stderr, requests: JSON.parse(stdout).requests.filter(({ summary }) => summary.totalTests > 0) });
    });
  });
}

/** The names of all requests of a collection, in order. */
const namesOf = (items) => items.flatMap((item) => (item.item ? namesOf(item.item) : [item.name]));

/** The names of those requests that came out other than they should have. */
const failuresOf = (executions) => executions.filter(({ assertions }) => assertions.some(({ error }) => error)).map(({ item }) => item.name);
const failuresIn = (requests) => requests.filter(({ testResults }) => testResults.some(({ status }) => status !== 'SUCCESS')).map(({ name }) => name);

test('newman sends every request of the collection, and every check passes', async () => {
  const { executions, failures } = await runNewman();
  assert.deepEqual(failures.map(({ source, error }) => `${source?.name}: ${error.message}`), []);
  const { item: items } = JSON.parse(await readFile(COLLECTION, 'utf8'));
  assert.deepEqual(executions.map(({ item }) => item.name), namesOf(items));
  for (const { item, assertions = [] } of executions) assert.ok(assertions.length > 0, `"${item.name}" checks nothing`);
  exchanges += executions.map(({ request, response }) => `${request.body} ${response.headers} ${response.text()}`).join('\n');
});

test('newman fails where the service’s secret is wrong', async () => {
  const { executions } = await runNewman({ service_secret: 'wrong' });
  assert.deepEqual(failuresOf(executions), ['Get a token', 'Count the patients']);
});

test('httpyac sends every request of the file, and every check passes', async () => {
  const { code, stderr, requests } = await runHttpyac();
  assert.deepEqual(failuresIn(requests), []);
  assert.deepEqual({ code, stderr }, { code: 0, stderr: '' });
  const names = [...(await readFile(join(REQUESTS, 'admit.http'), 'utf8')).matchAll(/^# @name (\w+)$/gm)].map(([, name]) => name);
  assert.deepEqual(requests.map(({ name }) => name), names);
  for (const { name, response } of requests) assert.ok(response?.statusCode, `${name} was not answered`);
  exchanges += JSON.stringify(requests);
});

test('httpyac fails where the service’s secret is wrong', async () => {
  const { code, requests } = await runHttpyac({ service_secret: 'wrong' });
  assert.notEqual(code, 0);
  assert.deepEqual(failuresIn(requests), ['service', 'service_count']);
});

test('no token, code, cookie, assertion, secret or password of these runs is in the server’s log', async () => {
  // JWTs, and whatever has one of the server's own prefixes.
  const found = new Set(exchanges.match(/eyJ[\w-]+\.[\w-]+\.[\w-]+|\b(?:sb|sc|sr|ss)_[\w-]{43}/g));
  const kinds = new Set([...found].map((secret) => secret.slice(0, 3)));
  assert.deepEqual([...kinds].sort(), ['eyJ', 'sb_', 'sc_', 'sr_', 'ss_']);
  assert.ok(demo.log.split('\n').some((line) => line.includes('"path":"/token"')), 'the requests are in the log');
  const { values } = JSON.parse(await readFile(demo.postmanEnvironment, 'utf8'));
  const hidden = values.filter(({ type }) => type === 'secret');
  assert.deepEqual(hidden.map(({ key }) => key), ['service_secret', 'gateway_secret', 'private_key']);
  for (const secret of [...found, ...hidden.map(({ value }) => value), demo.password]) assert.ok(!demo.log.includes(secret), `${secret.slice(0, 12)}… is in the log`);
});
