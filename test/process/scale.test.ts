import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseSamples, sumOf } from '../helpers/exposition.ts';
import { fetchSoon } from '../helpers/fetch-soon.ts';
import { IS_LONG } from '../helpers/long-form.ts';
import { startSite } from '../helpers/site.ts';

describe('another number of workers', () => {
  // Seen failing with superfluous slots killed instead of stopped.
  it('takes effect by a roll, up and down, without losing a request', async (t) => {
    const site = await startSite(t, { workers: 2 });
    const load = site.load();
    for (const workers of IS_LONG ? [4, 1, 2] : [3, 1]) {
      await load.sent(300);
      site.configure({ workers });
      const { code, stderr } = await site.reload();
      assert.equal(code, 0, stderr);
      const ready = await site.ready(workers);
      assert.deepEqual(
        ready.map(({ slot }) => slot),
        Array.from({ length: workers }, (_, slot) => String(slot)),
      );
      const text = await (await fetchSoon(`${site.server.adminUrl}/metrics`)).text();
      const samples = parseSamples(text);
      assert.equal(sumOf(samples, 'plugind_workers', 'state="ready"'), workers);
      assert.equal(sumOf(samples, 'plugind_worker_up'), workers);
      assert.match(text, new RegExp(`^plugind_workers_expected ${workers}$`, 'm'));
    }
    await load.sent(300);
    const result = await load.stop();
    t.diagnostic(JSON.stringify(result));
    assert.deepEqual([result.failed, result.wrong], [0, 0], JSON.stringify(result.reasons));
    assert.equal(await site.stop(), 0);
  });
});
