import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { it } from 'node:test';
import { ROOT } from '../helpers/paths.ts';
import { unlessInstalled } from '../helpers/programs.ts';

it('Prometheus accepts the configuration that is shipped', {
  skip: unlessInstalled('promtool'),
}, () => {
  const file = path.join(ROOT, 'grafana/prometheus.yml');
  const checked = spawnSync('promtool', ['check', 'config', file]);
  assert.equal(checked.status, 0, checked.stderr.toString());
});
