/** The runner on real processes: what a round holds, and that figures whose counts disagree are void. */
import assert from 'node:assert/strict';
import path from 'node:path';
import { PassThrough } from 'node:stream';
import { after, before, describe, it } from 'node:test';
import type { Contender } from '../../bench/contenders.ts';
import { buildNode } from '../../bench/runner/build.ts';
import { createProgressLines } from '../../bench/runner/progress-lines.ts';
import { type RunContext, runScenario } from '../../bench/runner/run-scenario.ts';
import { RunningServers } from '../../bench/runner/running-servers.ts';
import { scenarioNamed } from '../../bench/scenarios/all-scenarios.ts';

const FIXTURE = path.join(import.meta.dirname, 'fixtures/miscounting-server.js');
const SCENARIO = {
  ...scenarioNamed('hello-100'),
  ...{ connections: 4, warmLoads: 1, rounds: 2, seconds: 0.2 },
};

function standIn(name: string, ...args: readonly string[]): Contender {
  return {
    ...{ name, title: name, family: 'plugind' },
    command: () => ({ program: process.execPath, args: [FIXTURE, ...args] }),
  };
}

function createContext(): RunContext & { readonly lines: PassThrough } {
  const lines = new PassThrough();
  const progress = createProgressLines(4, lines);
  const { signal } = new AbortController();
  return { servers, progress, signal, skipped: [], faults: [], lines };
}

const servers = new RunningServers();

describe('a scenario', () => {
  before(buildNode);
  after(() => servers.stopAll());

  it('voids a contender that counted something else than the client, and keeps the other', async () => {
    const context = createContext();
    const contenders = [standIn('honest', 'honest'), standIn('miscounting')];
    const report = await runScenario(SCENARIO, contenders, context);
    const [honest, miscounting] = report.contenders;
    assert.equal(honest?.void, null);
    assert.equal(honest?.rounds.length, 2);
    assert.ok((honest?.requestsPerSecond?.median ?? 0) > 0);
    for (const round of honest?.rounds ?? []) assert.equal(round.counted, round.answered);
    assert.match(miscounting?.void ?? '', /the server counted/);
    assert.equal(miscounting?.requestsPerSecond, null);
    assert.deepEqual(
      context.faults.map((line) => line.split(':')[1]?.trim()),
      ['miscounting is void'],
    );
  });

  it('leaves a contender out that does not start, as a fault', async () => {
    const context = createContext();
    const broken: Contender = {
      ...{ name: 'broken', title: 'broken', family: 'node' },
      command: () => ({ program: process.execPath, args: ['-e', 'process.exit(3)'] }),
    };
    const report = await runScenario(SCENARIO, [broken], context);
    assert.deepEqual(report.contenders, []);
    assert.match(context.faults.join(), /broken exited 3/);
  });

  it('leaves a plugind out that cannot serve this here, with its reason and no fault', async () => {
    const context = createContext();
    const script = 'console.error("not on this engine"); process.exit(2)';
    const unable: Contender = {
      ...{ name: 'unable', title: 'unable', family: 'plugind' },
      command: () => ({ program: process.execPath, args: ['-e', script] }),
    };
    await runScenario(SCENARIO, [unable], context);
    assert.deepEqual(context.faults, []);
    assert.match(context.skipped.join(), /unable: not on this engine/);
  });
});
