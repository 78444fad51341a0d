/** docs/metrics.md against a real scrape, both ways: names, types, labels, and the values of closed labels. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { before, describe, it } from 'node:test';
import { ClusterView } from '../../src/admin/cluster-view.ts';
import { Traffic } from '../../src/http/traffic.ts';
import { createWorkerMetrics } from '../../src/metrics/create-worker-metrics.ts';
import { type Family, parseExposition } from '../../src/metrics/exposition.ts';
import { fetchSoon } from '../helpers/fetch-soon.ts';
import { ROOT } from '../helpers/paths.ts';
import { unlessInstalled } from '../helpers/programs.ts';
import { startServer } from '../helpers/server-process.ts';
import { waitFor } from '../helpers/wait-for.ts';
import { writeConfig } from '../helpers/write-config.ts';

interface Described {
  readonly type: string;
  /** Label -> its values where they are a closed set, else null. */
  readonly labels: ReadonlyMap<string, readonly string[] | null>;
}

/** Name -> what is said of it. */
type Metrics = ReadonlyMap<string, Described>;

const DOC = readFileSync(path.join(ROOT, 'docs/metrics.md'), 'utf8');
const ROW = /^\| `(\w+)` +\| (\w+) +\| ([^|]*)\|[^|]+\|[^|]+\| `([^|]+)` *\|$/gm;

function documented(text: string): Metrics {
  return new Map(
    [...text.matchAll(ROW)].map(([, name = '', type = '', labels = '']) => [
      name,
      {
        type,
        labels: new Map(
          [...labels.matchAll(/`(\w+)`(?: \{([^}]*)\})?/g)].map(([, label = '', values]) => [
            label,
            values === undefined
              ? null
              : [...values.matchAll(/`([^`]+)`/g)].map(([, v]) => v ?? ''),
          ]),
        ),
      },
    ]),
  );
}

/** What a text has: every label of every sample (but `le`), with all its values. */
function exposed(
  families: readonly Family[],
): Map<string, { type: string; labels: Map<string, Set<string>> }> {
  const found = new Map<string, { type: string; labels: Map<string, Set<string>> }>();
  for (const { name, type, samples } of families) {
    const into = found.get(name) ?? { type: type ?? 'untyped', labels: new Map() };
    found.set(name, into);
    for (const [, label = '', value = ''] of samples.join('').matchAll(/[{,](\w+)="([^"]*)"/g)) {
      if (label === 'le') continue;
      into.labels.set(label, (into.labels.get(label) ?? new Set()).add(value));
    }
  }
  return found;
}

/** Every difference, as one line each. */
function differences(doc: Metrics, families: readonly Family[]): string[] {
  const found = exposed(families);
  const lines = [...doc.keys()].filter((name) => !found.has(name)).map((name) => `${name}: gone`);
  for (const [name, { type, labels }] of found) {
    const said = doc.get(name);
    if (said === undefined) {
      lines.push(`${name}: not documented`);
      continue;
    }
    if (said.type !== type) lines.push(`${name}: ${type}, not ${said.type}`);
    // Some families have no series until something happens.
    if (labels.size === 0 && /^nodejs_/.test(name)) continue;
    const [has, wants] = [[...labels.keys()], [...said.labels.keys()]].map((all) =>
      all.sort().join(),
    );
    if (has !== wants) lines.push(`${name}: labels ${has}, not ${wants}`);
    for (const [label, values] of said.labels) {
      if (values === null) continue;
      const [seen, closed] = [[...(labels.get(label) ?? [])], [...values]].map((all) =>
        all.sort().join(),
      );
      if (seen !== closed) lines.push(`${name}: ${label} is ${seen}, not ${closed}`);
    }
  }
  return lines;
}

/** `plugind serve` as it is: two workers, their primary, and who is up. */
async function scrapeOwnCluster(): Promise<Family[]> {
  const server = await startServer({ args: ['--workers', '2'] });
  try {
    await (await fetch(server.url, { method: 'POST', body: 'x' })).text();
    const text = await waitFor('a scrape with the request', async () => {
      const body = await (await fetchSoon(`${server.adminUrl}/metrics`)).text();
      return body.includes('http_request_duration_seconds_count{') && body;
    });
    return parseExposition(text);
  } finally {
    await server.stop();
  }
}

/** What differs under pm2: restarts as the worker knows them, and no primary of ours. */
async function scrapeUnderPm2(): Promise<Family[]> {
  const metrics = createWorkerMetrics({
    worker: '0',
    version: '0.0.0',
    nodeVersion: '20.0.0',
    restarts: 1,
    hangs: 0,
    droppedLogLines: () => 0,
    routes: ['/'],
  });
  metrics.addListener({
    connections: () => 0,
    requestsInFlight: () => 0,
    rejected: () => new Traffic().rejected,
  });
  const view = new ClusterView({
    siblings: {
      ask: async (_subject, read) => {
        const body = await metrics.text();
        return [read({ slot: '0', pid: 1, state: 'ready', uptimeSeconds: 1, body })];
      },
    },
    expectedWorkers: () => 1,
    log: { warn: (line: unknown) => assert.fail(JSON.stringify(line)) },
  });
  try {
    return parseExposition(await view.metrics());
  } finally {
    metrics.close();
  }
}

describe('docs/metrics.md', () => {
  const doc = documented(DOC);
  let families: Family[];
  before(async () => {
    families = [...(await scrapeOwnCluster()), ...(await scrapeUnderPm2())];
  });

  it('has a row for every metric that is exposed, as it is, and for no other', () => {
    assert.ok(families.length > 40);
    assert.deepEqual(differences(doc, families), []);
  });

  it('has only rows that are read here', () => {
    const rows = DOC.split('\n').filter((line) => line.startsWith('| `'));
    assert.equal(rows.length, doc.size);
  });

  it('shows for each a query of that metric', () => {
    for (const [, name = '', , , query = ''] of DOC.matchAll(ROW)) {
      assert.ok(query.includes(name), `${name}: ${query}`);
    }
  });

  it('shows queries that Prometheus can read', { skip: unlessInstalled('promtool') }, () => {
    const rules = [...DOC.matchAll(ROW)].map(([, name, , , expr]) => ({
      record: `a:${name}`,
      expr,
    }));
    const file = writeConfig({ groups: [{ name: 'documented', rules }] });
    const checked = spawnSync('promtool', ['check', 'rules', file]);
    assert.equal(checked.status, 0, checked.stderr.toString() + checked.stdout.toString());
    assert.match(checked.stdout.toString(), new RegExp(`${doc.size} rules found`));
  });

  it('would be found wrong', () => {
    const planted = (text: string): string[] =>
      differences(doc, [...families, ...parseExposition(text)]);
    assert.deepEqual(planted('# TYPE planted_total counter\nplanted_total 1\n'), [
      'planted_total: not documented',
    ]);
    const rejected = 'plugind_http_rejected_total';
    assert.match(
      planted(`# TYPE ${rejected} counter\n${rejected}{reason="new"} 1\n`).join(),
      /reason is/,
    );
    assert.match(
      planted(`# TYPE ${rejected} counter\n${rejected}{client="1"} 1\n`).join(),
      /labels/,
    );
    const [first = ''] = doc.keys();
    const without = families.filter(({ name }) => name !== first);
    assert.deepEqual(differences(doc, without), [`${first}: gone`]);
    const changed = new Map([...doc, [first, { type: 'gauge', labels: new Map() }]]);
    assert.match(differences(changed, families).join(), /histogram, not gauge.*labels/);
  });
});
