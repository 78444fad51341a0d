/** Every dashboard, as Grafana imports it. Its file is named after its uid. */
import type { Dashboard } from '@grafana/grafana-foundation-sdk/dashboard';
import { loadTest } from './load-test.ts';
import { lock } from './lock.ts';
import { overview } from './overview.ts';

export function dashboards(): Dashboard[] {
  return [overview(), lock(), loadTest()];
}
