/** Rules, their tests and runbooks, and what Prometheus, Grafana and compose are given. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, it } from 'node:test';
import { ROOT } from '../helpers/paths.ts';
import { unlessInstalled } from '../helpers/programs.ts';
import { readDashboards } from './dashboard-files.ts';
import { parsePromql } from './promql.ts';
import {
  GRAFANA_DIR,
  RULE_FILES,
  RULE_TEST_FILES,
  readRules,
  readRuleTests,
  readYaml,
} from './rule-files.ts';

const rules = readRules();
const alerts = rules.flatMap((rule) =>
  rule.alert === undefined ? [] : [{ ...rule, name: rule.alert }],
);
const RUNBOOKS = readFileSync(path.join(ROOT, 'docs/operations.md'), 'utf8');

function promtool(...args: readonly string[]): void {
  const { status, stdout, stderr } = spawnSync('promtool', args, { encoding: 'utf8' });
  assert.equal(status, 0, stdout + stderr);
}

describe('promtool', { skip: unlessInstalled('promtool') }, () => {
  it('accepts the rules', () => promtool('check', 'rules', ...RULE_FILES));
  it('accepts the configuration', () =>
    promtool('check', 'config', path.join(GRAFANA_DIR, 'prometheus.yml')));
  it('sees every alert fire and not fire', () => promtool('test', 'rules', ...RULE_TEST_FILES));
});

describe('the alerts', () => {
  it('are each tested for firing and for not firing', () => {
    const fires = new Set<string>();
    const doesNot = new Set<string>();
    for (const { alert_rule_test } of readRuleTests()) {
      for (const { alertname, exp_alerts } of alert_rule_test) {
        (exp_alerts.length > 0 ? fires : doesNot).add(alertname);
      }
    }
    const names = alerts.map(({ name }) => name).sort();
    assert.deepEqual([...fires].sort(), names);
    assert.deepEqual([...doesNot].sort(), names);
  });

  it('have a runbook each, and no runbook is of none', () => {
    const headings = [...RUNBOOKS.matchAll(/^### (Plugind\w+)$/gm)].map(([, name]) => name);
    assert.deepEqual(headings.toSorted(), alerts.map(({ name }) => name).sort());
    for (const { name, annotations } of alerts) {
      assert.equal(annotations?.runbook_url, `docs/operations.md#${name.toLowerCase()}`);
    }
  });

  it('say how bad it is, and what, in words', () => {
    for (const { name, labels, annotations } of alerts) {
      assert.match(labels?.severity ?? '', /^(warning|critical)$/, name);
      assert.ok(annotations?.summary && annotations.description, name);
    }
  });
});

it('recorded series are recorded, and every recorded one is used or documented', () => {
  const recorded = rules.flatMap(({ record }) => record ?? []);
  const used = rules.flatMap(({ expr }) =>
    parsePromql(expr).selectors.flatMap(({ metrics }) =>
      metrics.filter((name) => name.includes(':')),
    ),
  );
  for (const name of used) assert.ok(recorded.includes(name), name);
  for (const name of recorded) {
    assert.ok(used.includes(name) || RUNBOOKS.includes(`\`${name}\``), name);
  }
});

describe('the runbooks', () => {
  it('link to what is there', () => {
    const anchors = [...RUNBOOKS.matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
      heading
        .toLowerCase()
        .replaceAll(/[^\w -]/g, '')
        .replaceAll(' ', '-'),
    );
    for (const [, link = '', anchor] of RUNBOOKS.matchAll(/\]\((?!http)([^)#]*)(?:#([^)]+))?\)/g)) {
      if (link !== '') assert.ok(existsSync(path.join(ROOT, 'docs', link)), link);
      else assert.ok(anchors.includes(anchor ?? ''), anchor);
    }
  });

  it('name panels that there are', () => {
    const titles = new Set(
      readDashboards().flatMap(({ panels }) => panels.map(({ title = '' }) => title)),
    );
    const named = [...RUNBOOKS.matchAll(/(?<!\w)_([A-Z][^_`]+)_(?!\w)/g)].map(([, title = '']) =>
      title.replaceAll(/\s+/g, ' '),
    );
    assert.ok(named.length > 0);
    for (const title of named) assert.ok(titles.has(title), title);
  });
});

describe('what compose starts', () => {
  const compose = readYaml(path.join(GRAFANA_DIR, 'compose.yaml')) as {
    services: Record<
      string,
      {
        image: string;
        network_mode: string;
        command?: string[];
        environment?: Record<string, string>;
        volumes: string[];
      }
    >;
    volumes: Record<string, null>;
  };
  /** Service -> path inside -> path in grafana/. */
  const mounts = Object.entries(compose.services).flatMap(([service, { volumes }]) =>
    volumes.flatMap((volume) => {
      const [from = '', to = ''] = volume.split(':');
      return from.startsWith('./') ? [{ service, to, from: path.join(GRAFANA_DIR, from) }] : [];
    }),
  );
  const outside = (service: string, inside: string): string => {
    const mount = mounts.find((one) => one.service === service && inside.startsWith(one.to));
    assert.ok(mount, `${inside} is not mounted`);
    return mount.from + inside.slice(mount.to.length);
  };

  it('is pinned, and on the host network', () => {
    for (const { image, network_mode } of Object.values(compose.services)) {
      assert.match(image, /^docker\.io\/[\w/]+:v?\d+\.\d+\.\d+$/);
      assert.equal(network_mode, 'host');
    }
    const { devDependencies } = JSON.parse(readFileSync(path.join(ROOT, 'package.json'), 'utf8'));
    const [, version] = compose.services.grafana?.image.split(':') ?? [];
    assert.equal(version, devDependencies['@grafana/schema'], 'the schema is that of the image');
  });

  it('gets files that are there', () => {
    for (const { from } of mounts) assert.ok(existsSync(from), from);
    for (const volume of Object.values(compose.services).flatMap((one) => one.volumes)) {
      const [name = ''] = volume.split(':');
      assert.ok(name.startsWith('./') || name in compose.volumes, name);
    }
    const config = compose.services.prometheus?.command?.find((one) => one.includes('config.file'));
    assert.ok(existsSync(outside('prometheus', config?.split('=')[1] ?? '')));
    const home = compose.services.grafana?.environment?.GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH;
    assert.ok(existsSync(outside('grafana', home ?? '')));
  });

  it('provisions the data source and the dashboards', () => {
    const dir = outside('grafana', '/etc/grafana/provisioning');
    const { datasources } = readYaml(path.join(dir, 'datasources/prometheus.yaml')) as {
      datasources: { type: string; url: string; jsonData: { timeInterval: string } }[];
    };
    const { providers } = readYaml(path.join(dir, 'dashboards/plugind.yaml')) as {
      providers: { options: { path: string } }[];
    };
    const { global } = readYaml(path.join(GRAFANA_DIR, 'prometheus.yml')) as {
      global: { scrape_interval: string };
    };
    const address = new URL(datasources[0]?.url ?? '').host;
    assert.ok(compose.services.prometheus?.command?.includes(`--web.listen-address=${address}`));
    assert.equal(datasources[0]?.jsonData.timeInterval, global.scrape_interval);
    const files = readdirSync(outside('grafana', providers[0]?.options.path ?? ''));
    assert.equal(files.length, readDashboards().length);
  });

  it('loads every rule file, and no test', () => {
    const { rule_files } = readYaml(path.join(GRAFANA_DIR, 'prometheus.yml')) as {
      rule_files: string[];
    };
    assert.deepEqual(rule_files, ['rules/*.yml']);
    assert.ok(RULE_TEST_FILES.every((file) => path.dirname(file).endsWith('tests')));
  });
});
