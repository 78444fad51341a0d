import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ClusterView } from '../../src/admin/cluster-view.ts';
import type { SiblingAnswer, Siblings } from '../../src/admin/siblings.ts';
import { ownProcess } from './fixtures/own-process.ts';

const warnings: unknown[] = [];
const log = { warn: (fields: unknown) => void warnings.push(fields) };

type Heard = Extract<SiblingAnswer, { body: string }>;

function answer(changes: Partial<Heard> = {}): Heard {
  const slot = changes.slot ?? '0';
  const pid = changes.pid ?? 1000;
  const body = `# TYPE served_total counter\nserved_total{worker="${slot}"} ${pid}\n`;
  return { slot, pid, state: 'ready', uptimeSeconds: 10, body, ...changes };
}

function saying(answers: readonly SiblingAnswer[]): Pick<Siblings, 'ask'> {
  return { ask: async (_subject, read) => answers.map(read) };
}

function view(answers: SiblingAnswer[], expected: number | null = 2): ClusterView {
  return new ClusterView({ siblings: saying(answers), expectedWorkers: () => expected, log });
}

async function samples(answers: SiblingAnswer[], expected?: number | null): Promise<string[]> {
  const text = await view(answers, expected).metrics();
  return text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
}

describe('ClusterView.metrics', () => {
  it('says who is up and how many are expected, and merges the rest', async () => {
    const text = await view([
      answer({ slot: '10', pid: 1010 }),
      answer({ slot: '2', pid: 1002 }),
    ]).metrics();
    assert.equal(
      text,
      `# HELP plugind_worker_up Whether the worker of this slot answered this scrape.
# TYPE plugind_worker_up gauge
plugind_worker_up{worker="2"} 1
plugind_worker_up{worker="10"} 1

# HELP plugind_workers_expected Workers that the primary means to keep.
# TYPE plugind_workers_expected gauge
plugind_workers_expected 2

# TYPE served_total counter
served_total{worker="2"} 1002
served_total{worker="10"} 1010
`,
    );
  });

  it('leaves out how many are expected when nobody said', async () => {
    assert.ok(!(await view([answer()], null).metrics()).includes('expected'));
  });

  it('marks a silent sibling', async () => {
    const found = await samples([answer(), { slot: '1', pid: 1001, state: 'silent' }]);
    assert.ok(found.includes('plugind_worker_up{worker="1"} 0'));
    assert.ok(found.includes('served_total{worker="0"} 1000'));
  });

  for (const body of [
    '',
    '\n',
    'garbage\n',
    'fine 1\nserved_total{worker="1"} 1',
    '# TYPE fine 1\nfine 1\n',
  ]) {
    it(`takes ${JSON.stringify(body)} for no answer and lets nothing of it through`, async () => {
      const found = await samples([answer(), answer({ slot: '1', pid: 1001, body })]);
      assert.deepEqual(found, [
        'plugind_worker_up{worker="0"} 1',
        'plugind_worker_up{worker="1"} 0',
        'plugind_workers_expected 2',
        'served_total{worker="0"} 1000',
      ]);
    });
  }

  const silent: SiblingAnswer = { slot: '1', pid: 9, state: 'silent' };
  for (const [name, better, worse] of [
    [
      'ready before draining',
      answer({ slot: '1', pid: 2 }),
      answer({ slot: '1', pid: 3, state: 'draining', uptimeSeconds: 99 }),
    ],
    [
      'ready before starting',
      answer({ slot: '1', pid: 2 }),
      answer({ slot: '1', pid: 3, state: 'starting', uptimeSeconds: 99 }),
    ],
    [
      'starting before draining',
      answer({ slot: '1', pid: 2, state: 'starting' }),
      answer({ slot: '1', pid: 3, state: 'draining' }),
    ],
    ['draining before silent', answer({ slot: '1', pid: 2, state: 'draining' }), silent],
    [
      'draining before garbage',
      answer({ slot: '1', pid: 2, state: 'draining' }),
      answer({ slot: '1', pid: 3, body: 'no\n' }),
    ],
    [
      'the older of two that are ready',
      answer({ slot: '1', pid: 2, uptimeSeconds: 11 }),
      answer({ slot: '1', pid: 1 }),
    ],
  ] as const) {
    it(`of two in one slot takes ${name}, whoever is asked`, async () => {
      for (const answers of [
        [better, worse],
        [worse, better],
      ]) {
        assert.deepEqual(await samples(answers), [
          'plugind_worker_up{worker="1"} 1',
          'plugind_workers_expected 2',
          'served_total{worker="1"} 2',
        ]);
      }
    });
  }

  it('warns when two versions disagree on a type', async () => {
    warnings.length = 0;
    await samples([
      answer(),
      answer({ slot: '1', body: '# TYPE served_total gauge\nserved_total 1\n' }),
    ]);
    assert.deepEqual(warnings, [{ conflicts: ['served_total'] }]);
  });
});

describe('ClusterView with a primary of ours', () => {
  function withPrimary(bodies: Record<'metrics' | 'status', string>): ClusterView {
    return new ClusterView({
      siblings: saying([answer()]),
      expectedWorkers: () => 2,
      askPrimary: (subject) => Promise.resolve({ status: 200, body: bodies[subject] }),
      log,
    });
  }

  it('takes from it what it expects, which may have changed since this worker started', async () => {
    const metrics = '# TYPE plugind_workers_expected gauge\nplugind_workers_expected 4\n';
    const status = { pid: 7, expectedWorkers: 4, slots: [] };
    const both = withPrimary({ metrics, status: JSON.stringify(status) });
    const lines = (await both.metrics()).split('\n');
    assert.deepEqual(
      lines.filter((line) => line.startsWith('plugind_workers_expected')),
      ['plugind_workers_expected 4'],
    );
    const seen = await both.status();
    assert.deepEqual([seen.expectedWorkers, seen.primary], [4, status]);
  });

  for (const body of ['', '{', 'null', '{"pid":1}', 'x 1 2 3\n']) {
    it(`goes without it when it says ${JSON.stringify(body)}`, async () => {
      const silent = withPrimary({ metrics: `garbage ${body}`, status: body });
      assert.match(await silent.metrics(), /^plugind_workers_expected 2$/m);
      const seen = await silent.status();
      assert.deepEqual([seen.expectedWorkers, seen.primary], [2, null]);
    });
  }
});

describe('ClusterView.status', () => {
  function statusAnswer(slot: string, pid: number, changes: Record<string, unknown> = {}): Heard {
    const status = { ...ownProcess({ slot, pid }).status(), ...changes };
    return answer({ slot, pid, body: JSON.stringify(status) });
  }

  it('lists every process by slot, the silent ones too', async () => {
    const silent: SiblingAnswer = { slot: '1', pid: 1001, state: 'silent' };
    const status = await view([statusAnswer('10', 5), silent, statusAnswer('1', 1000)], 3).status();
    assert.equal(status.expectedWorkers, 3);
    assert.deepEqual(
      status.workers.map(({ slot, pid, state }) => [slot, pid, state]),
      [
        ['1', 1000, 'ready'],
        ['1', 1001, 'silent'],
        ['10', 5, 'ready'],
      ],
    );
  });

  for (const [name, changes] of Object.entries({
    'of another slot': { slot: '2' },
    'of another process': { pid: 7 },
    'with a state there is not': { state: 'fine' },
    'without plugins': { plugins: undefined },
    'with plugins that are none': { plugins: ['x'] },
    'with an uptime in words': { uptimeSeconds: 'long' },
  })) {
    it(`takes a status ${name} for no answer`, async () => {
      const { workers } = await view([statusAnswer('1', 1001, changes)]).status();
      assert.deepEqual(workers, [{ slot: '1', pid: 1001, state: 'silent' }]);
    });
  }

  for (const body of ['', 'null', '[]', '7', '{', '"x"']) {
    it(`takes ${JSON.stringify(body)} for no answer`, async () => {
      const { workers } = await view([answer({ body })]).status();
      assert.deepEqual(workers, [{ slot: '0', pid: 1000, state: 'silent' }]);
    });
  }
});
