/** `log.requests` in a real server: a JSON line a request on standard output, or none. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { exampleWasm } from '../helpers/paths.ts';
import { pipeline } from '../helpers/pipelined-client.ts';
import { startServer } from '../helpers/server-process.ts';
import { writeConfig } from '../helpers/write-config.ts';

const REQUESTS = 5;

/** Serves some requests, stops, and returns every line of the log that has a route. */
async function requestLines(log: unknown): Promise<Record<string, unknown>[]> {
  const config = writeConfig({
    log,
    plugins: { trap: { wasm: exampleWasm('trap') } },
    routes: [
      { path: '/ok', plugin: 'trap', function: 'ok' },
      { path: '/trap', plugin: 'trap', function: 'trap' },
    ],
  });
  const server = await startServer({ args: ['--config', config, '--workers', '1'] });
  const paths = [...Array<string>(REQUESTS).fill('/ok'), '/trap'];
  await pipeline(
    server.port,
    paths.map((path) => ({ path, body: 'secret' })),
  );
  assert.equal(await server.stop(), 0);
  assert.doesNotMatch(server.output.stdout, /secret/);
  return server.output.stdout
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as Record<string, unknown>)
    .filter((line) => 'route' in line);
}

it('writes a line for each request where log.requests is true', async () => {
  const lines = await requestLines({ requests: true });
  assert.equal(lines.length, REQUESTS + 1);
  for (const { level, worker, method, requestId, durationMs } of lines) {
    assert.equal(level, 30);
    assert.equal(worker, '0');
    assert.equal(method, 'POST');
    assert.equal(typeof requestId, 'string');
    assert.equal(typeof durationMs, 'number');
  }
  const trapped = lines.filter(({ route }) => route === '/trap');
  assert.deepEqual(
    trapped.map(({ status, code }) => [status, code]),
    [[502, 'PLUGIN_TRAPPED']],
  );
  assert.ok(lines.every((line) => line.route === '/trap' || !('code' in line)));
});

it('writes none by default', async () => {
  assert.deepEqual(await requestLines({}), []);
});
