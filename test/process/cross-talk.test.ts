/**
 * One client's answer must never hold another's data, with many requests on many connections and
 * with a batch released in one turn of the event loop.
 */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { exampleWasm } from '../helpers/paths.ts';
import { pipeline } from '../helpers/pipelined-client.ts';
import { createPm2Home, freePort, type Pm2Home, writeEcosystem } from '../helpers/pm2-process.ts';
import { type ServerProcess, startServer } from '../helpers/server-process.ts';
import { writeConfig } from '../helpers/write-config.ts';

const CONNECTIONS = 50;
const REQUESTS = 200;

/** Nobody is refused, however busy the machine is: a refusal is no wrong body, and no proof of a right one. */
const PATIENT = { queue: { max: 20_000, waitMs: 60_000 } };

const CONFIG = {
  shutdown: { drainMs: 70_000 },
  plugins: {
    echo: { wasm: exampleWasm('echo'), ...PATIENT },
    hello: { wasm: exampleWasm('hello'), ...PATIENT },
  },
  routes: [
    { path: '/echo', plugin: 'echo', function: 'echo' },
    { path: '/hello', plugin: 'hello', function: 'hello', contentType: 'application/json' },
  ],
};

/** Sends every request with its own id and counts the answers that are not its own. */
async function countWrong(
  port: number,
  path: string,
  expected: (id: string) => string,
): Promise<number> {
  const connections = Array.from({ length: CONNECTIONS }, async (_, connection) => {
    const ids = Array.from({ length: REQUESTS }, (_unused, request) => `${connection}-${request}`);
    const replies = await pipeline(
      port,
      ids.map((body) => ({ path, body })),
    );
    return replies.filter(
      ({ status, body }, index) => status !== 200 || body !== expected(ids[index] ?? ''),
    ).length;
  });
  return (await Promise.all(connections)).reduce((sum, wrong) => sum + wrong, 0);
}

const ANSWERS: readonly [path: string, expected: (id: string) => string][] = [
  ['/echo', (id) => id],
  ['/hello', (id) => `{"message":"🦀 Hello ${id}"}`],
];

describe('under our own primary', () => {
  let server: ServerProcess;
  before(async () => {
    server = await startServer({ args: ['--config', writeConfig(CONFIG), '--workers', '2'] });
  });
  after(() => server.stop());
  for (const [path, expected] of ANSWERS) {
    it(`answers ${CONNECTIONS * REQUESTS} pipelined requests to ${path} with their own data`, async () => {
      assert.equal(await countWrong(server.port, path, expected), 0);
    });
  }
});

describe('under pm2', () => {
  let pm2: Pm2Home;
  let port: number;
  before(async () => {
    pm2 = createPm2Home();
    port = await freePort();
    const started = await pm2.run(['start', writeEcosystem({ instances: 2 })], {
      PLUGIND_CONFIG: writeConfig(CONFIG),
      PLUGIND_PORT: String(port),
      PLUGIND_ADMIN_PORT: String(await freePort()),
    });
    assert.equal(started.code, 0, started.output);
  });
  after(() => pm2.close());
  for (const [path, expected] of ANSWERS) {
    it(`answers ${CONNECTIONS * REQUESTS} pipelined requests to ${path} with their own data`, async () => {
      assert.equal(await countWrong(port, path, expected), 0, pm2.logs());
    });
  }
});
