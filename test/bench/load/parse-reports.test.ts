/** Reports that hey 0.1.4 and wrk 4.1.0 really wrote. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, it } from 'node:test';
import { parseHey } from '../../../bench/load/parse-hey.ts';
import { parseWrk } from '../../../bench/load/parse-wrk.ts';

const report = (name: string): string =>
  readFileSync(path.join(import.meta.dirname, 'fixtures', `${name}.txt`), 'utf8');

describe('parseHey', () => {
  it('reads the article’s run', () => {
    const result = parseHey(report('hey-ok'));
    const { sent, ok, wrong, refused, failed, byStatus, seconds, latency, total } = result;
    assert.deepEqual(
      { sent, ok, wrong, refused, failed, seconds },
      {
        sent: 300,
        ok: 300,
        wrong: 0,
        refused: 0,
        failed: 0,
        seconds: 0.1664,
      },
    );
    assert.deepEqual(byStatus, { 200: 300 });
    assert.ok(Math.abs(result.requestsPerSecond - 1802.44) < 1);
    assert.deepEqual(
      { ...latency, percentiles: [] },
      {
        unit: 'us',
        p50: 2300,
        p90: 107_100,
        p99: 148_800,
        p999: 154_300,
        max: 154_300,
        mean: 28_800,
        percentiles: [],
      },
    );
    assert.deepEqual(latency.percentiles.slice(0, 3), [
      [0, 500],
      [10, 1100],
      [25, 1300],
    ]);
    assert.deepEqual(total, { sent: 300, answered: 300 });
  });

  it('counts another status as failed', () => {
    const { sent, ok, failed, byStatus, requestsPerSecond } = parseHey(report('hey-404'));
    assert.deepEqual(
      { sent, ok, failed, byStatus },
      {
        sent: 3343,
        ok: 0,
        failed: 3343,
        byStatus: { 404: 3343 },
      },
    );
    assert.equal(requestsPerSecond, 0);
  });

  it('tells refusals and time-outs apart', () => {
    const { sent, ok, refused, failed, failures, total } = parseHey(report('hey-mixed'));
    assert.deepEqual(
      { sent, ok, refused, failed, failures },
      {
        sent: 400,
        ok: 329,
        refused: 55,
        failed: 16,
        failures: { TIMEOUT: 16 },
      },
    );
    assert.equal(total.answered, 384);
  });

  it('reads a report of nothing but errors, whose figures are NaN', () => {
    const { sent, ok, failed, failures, latency } = parseHey(report('hey-refused'));
    assert.deepEqual(
      { sent, ok, failed, failures },
      {
        sent: 40,
        ok: 0,
        failed: 40,
        failures: { ECONNREFUSED: 40 },
      },
    );
    assert.deepEqual([latency.p50, latency.max, latency.mean, latency.percentiles], [0, 0, 0, []]);
  });

  it('refuses what is no report', () => assert.throws(() => parseHey('Usage: hey'), /no/));
});

describe('parseWrk', () => {
  it('reads a run whose times have different units', () => {
    const { ok, failed, seconds, requestsPerSecond, latency } = parseWrk(report('wrk-404'));
    assert.deepEqual(
      { ok, failed, seconds, requestsPerSecond },
      {
        ok: 0,
        failed: 5755,
        seconds: 1,
        requestsPerSecond: 0,
      },
    );
    assert.deepEqual(
      [latency.p50, latency.p90, latency.p99, latency.max, latency.mean],
      [628, 1100, 4490, 7250, 822.6],
    );
  });

  it('reads a run in which all went well', () => {
    const { sent, ok, failed, failures, requestsPerSecond, seconds } = parseWrk(report('wrk-ok'));
    assert.equal(ok, sent);
    assert.ok(ok > 0);
    assert.equal(failed, 0);
    assert.deepEqual(failures, {});
    assert.equal(requestsPerSecond, ok / seconds);
  });

  it('reads socket errors and other statuses', () => {
    const { sent, ok, failed, failures, byStatus, total } = parseWrk(report('wrk-mixed'));
    assert.deepEqual({ sent, ok, failed }, { sent: 980, ok: 809, failed: 171 });
    assert.deepEqual(failures, { CUT: 19, TIMEOUT: 20 });
    assert.deepEqual(byStatus, { '2xx or 3xx': 809, other: 132 });
    assert.equal(total.answered, 941);
  });

  it('refuses what is no report', () => {
    assert.throws(() => parseWrk(report('wrk-refused')), /Connection refused/);
  });
});
