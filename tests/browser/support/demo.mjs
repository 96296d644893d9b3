// The demonstration itself, as whoever tries it out starts it: the binary, its three servers, and
// what it prints.

import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const HERE = fileURLToPath(new URL('..', import.meta.url));
const BINARY = process.env.BIN ?? '../../target/debug/admit';
const START_MS = 60_000;
const STOP_MS = 5_000;

/** A demonstration that is running: where its servers are, and who can sign in. */
export class Demo {
  /** What it said to its log so far. Without `--log`, that is nothing but complaints. */
  log = '';
  #process;

  /** Starts the binary with these flags as well; resolves when it has printed everything there is to know. */
  static async start(flags = []) {
    const demo = new Demo();
    const [server, fhir, app] = await freePorts(3);
    await demo.#run(['demo', '--port', server, '--fhir-port', fhir, '--app-port', app, ...flags].map(String));
    return demo;
  }

  async #run(flags) {
    const child = spawn(BINARY, flags, { cwd: HERE, stdio: ['ignore', 'pipe', 'pipe'] });
    this.#process = child;
    // Should the tests break off, nothing is left running.
    process.once('exit', () => child.kill('SIGKILL'));
    child.stderr.setEncoding('utf8').on('data', (text) => {
      this.log += text;
    });
    const failure = new Promise((_, reject) => {
      child.once('error', (cause) => reject(new Error(`${BINARY} cannot be started: set BIN to the admit binary`, { cause })));
      child.once('exit', (code) => reject(new Error(`the demo ended at once (${code}): ${this.log}`)));
    });
    failure.catch(() => {});
    await Promise.race([this.#read(child.stdout), failure, timeout(START_MS, 'the demo did not say that it is ready')]);
    child.stdout.resume();
  }

  /** Reads what it prints, up to the last line. */
  async #read(stdout) {
    this.people = [];
    for await (const line of createInterface({ input: stdout })) {
      const take = (pattern, ...names) => {
        const found = pattern.exec(line);
        if (found) names.forEach((name, place) => { this[name] = found[place + 1]; });
      };
      take(/^ {2}Open {4}(\S+)\//, 'appUrl');
      take(/^ {2}Server {2}(\S+) +FHIR stand-in {2}(\S+)$/, 'issuer', 'fhirBase');
      take(/^Sign in with the password "(.+)" as$/, 'password');
      take(/-u ([\w-]+):(\S+) -d grant_type=client_credentials/, 'serviceId', 'serviceSecret');
      const keyed = /^ {2}FHIR_BASE=\S+ CLIENT_ID=(\S+) KEY_ID=(\S+) KEY_FILE=(\S+) /.exec(line);
      if (keyed) this.keyedService = { clientId: keyed[1], keyId: keyed[2], keyFile: keyed[3] };
      take(/^ {2}(\S+\.postman_environment\.json)$/, 'postmanEnvironment');
      take(/^ {2}cp (\S+) docs\/try\/\.env$/, 'dotenv');
      const person = /^ {2}(\S+) +(clinician|patient|parent) +(.+)$/.exec(line);
      if (person) this.people.push({ username: person[1], kind: person[2], note: person[3] });
      if (line.startsWith('Ctrl-C')) break;
    }
    for (const name of ['appUrl', 'issuer', 'fhirBase', 'password', 'serviceId', 'serviceSecret', 'keyedService', 'postmanEnvironment', 'dotenv']) {
      assert.ok(this[name], `the demo did not print its ${name}`);
    }
  }

  /** The start page of one of the sample apps, by its client_id. */
  app(id = 'vitals-viewer') {
    return `${this.appUrl}/${id}/`;
  }

  /** The user name of the first person of that kind, or of the one whose note says so. */
  who(kind, note = '') {
    const person = this.people.find((each) => each.kind === kind && each.note.includes(note));
    assert.ok(person, `the demo has no ${kind} ${note}`);
    return person.username;
  }

  /** A command of an administrator, on the database of this demonstration; what it printed. */
  async admit(...command) {
    // The demonstration keeps everything in one folder, and says of one file where that is.
    const database = join(dirname(this.keyedService.keyFile), 'demo.db');
    const { stdout } = await promisify(execFile)(BINARY, [...command, '--database', database], { cwd: HERE });
    return stdout;
  }

  /** Asks it to end, as an init system would; it has to do so soon and in good order. */
  async stop() {
    const child = this.#process;
    assert.equal(child.exitCode, null, `the demo ended by itself: ${this.log}`);
    const exit = once(child, 'exit');
    child.kill('SIGTERM');
    try {
      const [code, signal] = await Promise.race([exit, timeout(STOP_MS, 'the demo did not end')]);
      assert.deepEqual({ code, signal }, { code: 0, signal: null }, this.log);
    } finally {
      child.kill('SIGKILL');
    }
    const expected = /^Stopping; nothing is kept\.$|^Port \d+ is taken|^\{"timestamp":"[^"]+","level":"(?:DEBUG|INFO)"/;
    const noise = this.log.split('\n').filter((line) => line && !expected.test(line));
    assert.deepEqual(noise, [], 'the demo complained');
  }
}

function timeout(ms, message) {
  return new Promise((_, reject) => {
    setTimeout(() => reject(new Error(`${message} within ${ms / 1000} s`)), ms).unref();
  });
}

/** Ports that nobody has at this moment. */
async function freePorts(count) {
  const servers = await Promise.all(Array.from({ length: count }, async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    return server;
  }));
  const ports = servers.map((server) => server.address().port);
  await Promise.all(servers.map(async (server) => {
    server.close();
    await once(server, 'close');
  }));
  return ports;
}
