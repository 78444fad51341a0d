/** One scrape shows every worker, counts nothing twice, and does not hang with a stopped sibling. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { after, before, describe, it } from 'node:test';
import { parseSamples, sumOf } from '../helpers/exposition.ts';
import { fetchSoon } from '../helpers/fetch-soon.ts';
import { pipeline } from '../helpers/pipelined-client.ts';
import { unlessInstalled } from '../helpers/programs.ts';
import { type ServerProcess, startServer } from '../helpers/server-process.ts';
import { waitFor } from '../helpers/wait-for.ts';

const WORKERS = 3;
const SCRAPES = 50;
const BATCH = 40;

describe('a scrape', () => {
  let server: ServerProcess;
  let sent = 0;
  before(async () => {
    server = await startServer({ args: ['--workers', String(WORKERS)] });
  });
  after(() => server.stop());

  const scrape = async (): Promise<string> => {
    const reply = await fetchSoon(`${server.adminUrl}/metrics`);
    assert.equal(reply.status, 200);
    assert.equal(reply.headers.get('connection'), 'close');
    return reply.text();
  };
  const load = async (): Promise<void> => {
    const batch = Array.from({ length: BATCH }, () => ({ body: 'x' }));
    await Promise.all(Array.from({ length: WORKERS }, () => pipeline(server.port, batch)));
    sent += BATCH * WORKERS;
  };

  it('shows every worker every time, and no counter ever falls', async () => {
    const highest = new Map<string, number>();
    for (let count = 0; count < SCRAPES; count++) {
      const [text] = await Promise.all([scrape(), load()]);
      const samples = parseSamples(text);
      assert.equal(
        samples.filter(({ series }) => series.startsWith('plugind_worker_up{')).length,
        WORKERS,
      );
      assert.equal(sumOf(samples, 'plugind_worker_up'), WORKERS);
      for (const { series, value } of samples) {
        if (!/_(total|count|sum|bucket)[{ ]/.test(`${series} `)) continue;
        assert.ok(value >= (highest.get(series) ?? 0), `${series} fell to ${value}`);
        highest.set(series, value);
      }
    }
  });

  it('counts exactly the requests that were sent', async () => {
    const samples = parseSamples(await scrape());
    const calls = 'plugind_plugin_calls_total';
    assert.equal(sumOf(samples, calls, 'outcome="ok"'), sent);
    assert.equal(sumOf(samples, calls), sent);
    assert.equal(sumOf(samples, 'plugind_plugin_lock_wait_seconds_count'), sent);
    assert.equal(sumOf(samples, 'http_request_duration_seconds_count'), sent);
  });

  it('passes promtool check metrics', { skip: unlessInstalled('promtool') }, async () => {
    const checked = spawnSync('promtool', ['check', 'metrics'], { input: await scrape() });
    assert.equal(checked.status, 0, checked.stderr.toString());
    assert.equal(checked.stderr.toString() + checked.stdout.toString(), '');
  });

  it('answers within a second and marks a stopped worker', async () => {
    const status = (await (await fetchSoon(`${server.adminUrl}/status`)).json()) as {
      workers: { slot: string; pid: number }[];
    };
    const stopped = status.workers.find(({ slot }) => slot === '1');
    assert.ok(stopped);
    process.kill(stopped.pid, 'SIGSTOP');
    try {
      // The scrape that is handed to the stopped worker itself may wait; the next one is not.
      const text = await waitFor('a scrape by another worker, in under a second', async () => {
        const signal = AbortSignal.timeout(1000);
        const reply = await fetch(`${server.adminUrl}/metrics`, { signal }).catch(() => null);
        return reply?.text();
      });
      assert.match(text, /plugind_worker_up\{worker="1"\} 0/);
      assert.match(text, /plugind_worker_up\{worker="0"\} 1/);
      assert.match(text, /plugind_worker_up\{worker="2"\} 1/);
    } finally {
      process.kill(stopped.pid, 'SIGCONT');
    }
  });
});
