/** The committed dashboards: what their sources make, of Grafana's own shape, and within the rules. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  cpSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { describe, it } from 'node:test';
import { ROOT } from '../helpers/paths.ts';
import { DASHBOARD_DIR, type Dashboard, readDashboards } from './dashboard-files.ts';
import { lintDashboard } from './lint-dashboard.ts';

const dashboards = readDashboards();

function build(root: string, ...args: string[]): { status: number | null; stderr: string } {
  const file = path.join(root, 'grafana/src/build.ts');
  const run = spawnSync(process.execPath, ['--import', 'tsx', file, ...args], {
    cwd: ROOT,
    encoding: 'utf8',
  });
  return { status: run.status, stderr: run.stderr };
}

const read = (file: string): string => readFileSync(file, 'utf8');

/** As JSON, without what is Prometheus' own in marks: the schema does not know it. */
function plain(dashboard: Dashboard): string {
  const marks = dashboard.annotations.list.map(
    ({ titleFormat, textFormat, useValueForTime, target: { refId }, ...mark }) => ({
      ...mark,
      target: { refId },
    }),
  );
  return JSON.stringify({ ...dashboard, annotations: { list: marks } });
}

describe('the dashboards', () => {
  it('are what their sources make', () => {
    assert.deepEqual(build(ROOT, '--check'), { status: 0, stderr: '' });
  });

  it('are seen to be stale when one is changed or left over', () => {
    const root = mkdtempSync(path.join(os.tmpdir(), 'dashboards-'));
    try {
      cpSync(path.join(ROOT, 'grafana'), path.join(root, 'grafana'), { recursive: true });
      cpSync(path.join(ROOT, 'package.json'), path.join(root, 'package.json'));
      symlinkSync(path.join(ROOT, 'node_modules'), path.join(root, 'node_modules'));
      const dir = path.join(root, 'grafana/dashboards');
      writeFileSync(path.join(dir, 'plugind-lock.json'), '{}\n');
      writeFileSync(path.join(dir, 'left-over.json'), '{}\n');
      const { status, stderr } = build(root, '--check');
      assert.equal(status, 1);
      assert.deepEqual(stderr.match(/[\w-]+\.json/g), ['left-over.json', 'plugind-lock.json']);
      assert.equal(build(root).status, 0);
      assert.deepEqual(readdirSync(dir).sort(), readdirSync(DASHBOARD_DIR).sort());
      assert.equal(
        read(path.join(dir, 'plugind-lock.json')),
        read(path.join(DASHBOARD_DIR, 'plugind-lock.json')),
      );
    } finally {
      rmSync(root, { recursive: true });
    }
  });

  it("have the shape of Grafana's own schema", () => {
    const lines = [
      "import type { Dashboard } from '@grafana/schema';",
      // Enums are only met by their own members, which JSON cannot name: their values do.
      `type Text<T> = T extends string ? \`\${T}\` : T extends number ? number : never;`,
      'type Plain<T> = T extends string | number ? Text<T> : { [K in keyof T]: Plain<T[K]> };',
      ...dashboards.map(
        (one, index) => `export const d${index} = ${plain(one)} satisfies Plain<Dashboard>;`,
      ),
    ];
    // Inside the project, for its node_modules.
    const dir = mkdtempSync(path.join(ROOT, 'node_modules/.dashboards-'));
    try {
      const file = path.join(dir, 'dashboards.ts');
      writeFileSync(file, lines.join('\n'));
      const args = [
        '--noEmit',
        '--strict',
        '--skipLibCheck',
        '--module',
        'nodenext',
        '--ignoreConfig',
        file,
      ];
      const tsc = path.join(ROOT, 'node_modules/.bin/tsc');
      const { status, stdout } = spawnSync(tsc, args, { cwd: dir, encoding: 'utf8' });
      assert.equal(status, 0, stdout);
    } finally {
      rmSync(dir, { recursive: true });
    }
  });

  for (const dashboard of dashboards) {
    it(`keep to the rules: ${dashboard.title}`, () => {
      assert.deepEqual(lintDashboard(dashboard), []);
    });
  }

  it('have different uids, and files named after them', () => {
    assert.equal(new Set(dashboards.map(({ uid }) => uid)).size, dashboards.length);
    for (const { uid } of dashboards) assert.ok(uid.startsWith('plugind-'), DASHBOARD_DIR);
  });
});

type Mutable<T> = { -readonly [K in keyof T]: T[K] extends object ? Mutable<T[K]> : T[K] };

/** A mistake in a copy of the lock dashboard -> the rule that must name it. */
const MISTAKES: Readonly<Record<string, (dashboard: Mutable<Dashboard>) => void>> = {
  uneditable: (one) => Object.assign(one, { editable: true }),
  'template-datasource': (one) => one.templating.list.shift(),
  'template-job': (one) => Object.assign(variable(one, 'job'), { allValue: '.*' }),
  'template-instance': (one) => Object.assign(variable(one, 'instance'), { multi: false }),
  'template-query': (one) => Object.assign(variable(one, 'plugin'), { datasource: { uid: 'x' } }),
  'template-on-time-change-reload': (one) => Object.assign(variable(one, 'job'), { refresh: 1 }),
  'template-label-promql': (one) =>
    Object.assign(variable(one, 'job'), { query: 'label_values(up{, job)' }),
  'panel-title-description': (one) => Object.assign(graph(one), { description: '' }),
  'panel-datasource': (one) => Object.assign(graph(one), { datasource: { uid: 'x' } }),
  'panel-units': (one) => Object.assign(graph(one).fieldConfig?.defaults ?? {}, { unit: 'foo' }),
  'panel-no-targets': (one) => Object.assign(graph(one), { targets: [] }),
  'panel-ref-ids': (one) => Object.assign(target(one, 1), { refId: 'A' }),
  'panel-legend': (one) => Object.assign(graph(one), { options: {} }),
  'target-promql': (one) => Object.assign(target(one), { expr: 'sum(' }),
  'target-job': (one) => replace(one, 'job=~"$job", ', ''),
  'target-instance': (one) => replace(one, 'instance=~"$instance"', 'instance="a"'),
  'target-rate-interval': (one) => replace(one, '$__rate_interval', '5m'),
  'target-counter-agg': (one) =>
    replace(one, /^.*$/, 'a_total{job=~"$job", instance=~"$instance"}'),
  'target-legend': (one) => Object.assign(target(one), { legendFormat: 'worker {{worker}}' }),
  'layout-ids': (one) => Object.assign(graph(one), { id: 1 }),
  'layout-rows': (one) => one.panels.shift(),
  'layout-grid': (one) => Object.assign(graph(one).gridPos, { x: 20 }),
  'layout-overlap': (one) => Object.assign(graph(one).gridPos, { y: graph(one).gridPos.y + 1 }),
};

function variable(one: Mutable<Dashboard>, name: string): object {
  return one.templating.list.find((other) => other.name === name) ?? {};
}
/** The first graph of the lock dashboard with several queries. */
function graph(one: Mutable<Dashboard>): Mutable<Dashboard>['panels'][number] {
  const found = one.panels.find(
    ({ type, targets }) => type === 'timeseries' && (targets?.length ?? 0) > 1,
  );
  assert.ok(found);
  return found;
}
function target(one: Mutable<Dashboard>, index = 0): { expr: string } {
  return graph(one).targets?.[index] ?? { expr: '' };
}
function replace(one: Mutable<Dashboard>, from: string | RegExp, to: string): void {
  Object.assign(target(one), { expr: target(one).expr.replace(from, to) });
}

describe('the rules', () => {
  for (const [rule, plant] of Object.entries(MISTAKES)) {
    it(`fire: ${rule}`, () => {
      const planted = structuredClone(dashboards.find(({ uid }) => uid === 'plugind-lock'));
      assert.ok(planted);
      plant(planted as Mutable<Dashboard>);
      const rules = lintDashboard(planted).map((problem) => problem.split(':')[0]);
      assert.ok(rules.includes(rule), rules.join(', '));
    });
  }
});
