import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  formatBytes,
  formatDuration,
  formatRate,
  formatShare,
  formatUptime,
} from '../../../src/admin/page/format.js';

describe('figures as text', () => {
  it('have three digits at the most, and a unit', () => {
    assert.deepEqual([0, 0.0000025, 0.000_999_9, 0.0123, 0.9996, 12.3].map(formatDuration), [
      '0 s',
      '2.5 µs',
      '1 ms',
      '12 ms',
      '1 s',
      '12 s',
    ]);
    assert.deepEqual([0, 1023, 2_162_688, 3e12].map(formatBytes), [
      '0 B',
      '1,023 B',
      '2.1 MiB',
      '2.7 TiB',
    ]);
    assert.deepEqual([0, 0.25, 2.26, 12345.6].map(formatRate), ['0', '0.25', '2.3', '12,346']);
    assert.deepEqual([0, 0.0123, 0.5, 1.5].map(formatShare), ['0 %', '1.2 %', '50 %', '150 %']);
    assert.deepEqual([5, 65, 3725, 90_000].map(formatUptime), [
      '5 s',
      '1 min 5 s',
      '1 h 2 min',
      '1 d 1 h',
    ]);
  });

  it('are a dash where there are none', () => {
    for (const format of [formatBytes, formatDuration, formatRate, formatShare, formatUptime]) {
      for (const none of [null, undefined, Number.NaN]) assert.equal(format(none), '–');
    }
  });
});
