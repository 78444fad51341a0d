import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { describe, it } from 'node:test';
import { type LoadMetrics, startLoadMetrics } from '../../../bench/load/load-metrics.ts';
import { runLoad } from '../../../bench/load/run-load.ts';
import { unlessInstalled } from '../../helpers/programs.ts';
import { hello, loadOptions, startTestServer } from './servers.ts';

/** A load with each outcome, then the text of /metrics. */
async function scrapeAfterLoad(t: { after(end: () => unknown): void }): Promise<string> {
  const server = await startTestServer(t, (body, response, request, count) => {
    if (count % 10 === 1) response.writeHead(503).end();
    else if (count % 10 === 2) response.end('other');
    else if (count % 10 === 3) request.socket.destroy();
    else response.end(hello(body));
  });
  const metrics: LoadMetrics = await startLoadMetrics({ port: 0, testid: 'one' });
  t.after(() => metrics.close());
  for (const requests of [100, 100]) {
    const options = loadOptions(server.url, { requests, connections: 1 });
    await runLoad(options, undefined, undefined, (live) => metrics.watch(live, 'all kinds'));
  }
  return (await fetch(metrics.url)).text();
}

describe('the metrics of the load client', () => {
  it('count every outcome and the time of right answers, over all loads of a scenario', async (t) => {
    const text = await scrapeAfterLoad(t);
    const labels = 'testid="one",scenario="all kinds"';
    const outcome = (name: string): number =>
      Number(
        new RegExp(
          `^plugind_load_requests_total\\{${labels},outcome="${name}"\\} (\\d+)$`,
          'm',
        ).exec(text)?.[1],
      );
    assert.deepEqual(['ok', 'wrong', 'refused', 'failed'].map(outcome), [140, 20, 20, 20], text);
    const value = (series: string): number =>
      Number(
        text
          .split('\n')
          .find((line) => line.startsWith(`${series} `))
          ?.split(' ')
          .at(-1),
      );
    const name = 'plugind_load_request_duration_seconds';
    assert.equal(value(`${name}_count{${labels}}`), 140);
    assert.ok(text.includes(`${name}_bucket{${labels},le="+Inf"} 140`), text);
    assert.equal(value('plugind_load_connections{testid="one",scenario="all'), 0);
    assert.ok(text.includes(`plugind_load_target_rate{${labels}} 0`));
  });

  it('pass promtool', { skip: unlessInstalled('promtool') }, async (t) => {
    const input = await scrapeAfterLoad(t);
    const { status, stderr } = spawnSync('promtool', ['check', 'metrics'], {
      input,
      encoding: 'utf8',
    });
    assert.equal(status, 0, stderr);
  });
});
