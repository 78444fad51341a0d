/** What hangs a worker otherwise ends at its deadline where it has a thread of its own, and nobody else notices. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { readWorkers } from '../helpers/cluster-status.ts';
import { parseSamples, sumOf } from '../helpers/exposition.ts';
import { writeHangingConfig } from '../helpers/hanging-plugin.ts';
import { startServer } from '../helpers/server-process.ts';

const WATCHDOG_MS = 2000;
const TIMEOUT_MS = 100;
const HANGS = 10;
/** While one call hangs, this worker serves others one after the other. */
const OTHERS = 20;

// Seen failing with "inline": the watchdog kills the worker and its requests with it.
it('ends a host function that blocks for ever, in a worker that goes on serving', async () => {
  const config = await writeHangingConfig(WATCHDOG_MS, {
    execution: 'thread',
    timeoutMs: TIMEOUT_MS,
  });
  const server = await startServer({ args: ['--config', config, '--workers', '1'] });
  const post = (path: string, body: string): Promise<Response> =>
    fetch(server.url + path, { method: 'POST', body });
  try {
    const before = await readWorkers(server.adminUrl);
    for (let round = 0; round < HANGS; round++) {
      const hanging = post('/hang', '');
      for (let other = 0; other < OTHERS; other++) {
        const reply = await post('/', `${other}`);
        assert.equal(await reply.text(), `{"message":"🦀 Hello ${other}"}`);
      }
      const reply = await hanging;
      assert.equal(reply.status, 504);
      assert.equal(((await reply.json()) as { code: string }).code, 'CALL_DEADLINE');
    }
    const pids = (workers: typeof before): number[] => workers.map(({ pid }) => pid);
    assert.deepEqual(pids(await readWorkers(server.adminUrl)), pids(before));
    const samples = parseSamples(await (await fetch(`${server.adminUrl}/metrics`)).text());
    const outcome = 'outcome="CALL_DEADLINE"';
    assert.equal(sumOf(samples, 'plugind_plugin_calls_total', outcome), HANGS);
  } finally {
    assert.equal(await server.stop(), 0);
  }
});
