/** `npm run bench` as a user runs it, as short as can be. */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { describe, it } from 'node:test';
import { formatReport, parseReport } from '../../bench/runner/report-schema.ts';
import { ROOT } from '../helpers/paths.ts';
import { cleanEnvironment } from '../helpers/server-process.ts';
import { waitFor } from '../helpers/wait-for.ts';
import { sampleContender, sampleReport, sampleScenario } from './samples.ts';

const RESULT = path.join(ROOT, 'bench/results/partial.json');

function bench(...args: readonly string[]) {
  const command = ['--import', 'tsx', path.join(ROOT, 'bench/run.ts'), ...args];
  return spawnSync(process.execPath, command, {
    cwd: ROOT,
    env: cleanEnvironment(),
    encoding: 'utf8',
  });
}

const HAS_PROC = existsSync('/proc/self/stat') ? false : 'this system has no /proc';

/** Children that serve, by pid. */
function serversOf(parent: number): string[] {
  return readdirSync('/proc').filter((pid) => {
    try {
      const isChild = readFileSync(`/proc/${pid}/status`, 'utf8').includes(`\nPPid:\t${parent}\n`);
      return isChild && readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('serve');
    } catch {
      return false; // no process, or one that ended meanwhile
    }
  });
}

const SHORT = ['--quick', '--seconds', '0.2'];

describe('npm run bench', () => {
  it('measures, checks and writes what it found; a comparison says what got slower', () => {
    const impossible = sampleContender('plugind', [1e9, 1e9, 1e9]);
    const before = sampleReport([sampleScenario('wrong-answers', [impossible])]);
    const file = path.join(os.tmpdir(), `plugind-bench-compare-${process.pid}.json`);
    writeFileSync(file, formatReport(before));
    const names = ['--scenario', 'wrong-answers', '--contender', 'plugind,shared-unlocked'];
    const { status, stdout, stderr } = bench(
      ...SHORT,
      ...names,
      '--rounds',
      '3',
      '--compare',
      file,
    );
    rmSync(file);
    assert.equal(status, 1, stderr);
    assert.match(stdout, /^SLOWER {2}wrong-answers {2}plugind/m);
    assert.match(stdout, /with and without a lock/);
    const report = parseReport(JSON.parse(readFileSync(RESULT, 'utf8')));
    assert.deepEqual(report.faults, []);
    const contenders = report.scenarios.flatMap((scenario) => scenario.contenders);
    const ours = contenders.filter(({ name }) => name === 'plugind');
    assert.equal(ours.length, 1);
    for (const { rounds } of ours) {
      for (const round of rounds) {
        assert.ok(round.ok > 0);
        assert.equal(round.wrong, 0);
        assert.equal(round.counted, round.answered);
      }
    }
    const unlocked = contenders.find(({ name }) => name === 'shared-unlocked');
    assert.ok(
      unlocked?.rounds.some(({ wrong }) => wrong > 0),
      'the server without a lock was right',
    );
  });

  it('ends its servers when it is ended itself', { skip: HAS_PROC }, async () => {
    const args = ['--import', 'tsx', path.join(ROOT, 'bench/run.ts'), ...SHORT];
    const names = ['--scenario', 'hello-1', '--contender', 'plugind', '--rounds', '1000'];
    const child = spawn(process.execPath, [...args, ...names], {
      cwd: ROOT,
      env: cleanEnvironment(),
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    const exited = once(child, 'exit');
    let written = '';
    child.stderr.on('data', (chunk: Buffer) => {
      written += chunk.toString();
    });
    await waitFor(
      'the first figures',
      () => {
        assert.equal(child.exitCode, null, written);
        return written.includes('[1/1000');
      },
      120_000,
    );
    const servers = serversOf(child.pid ?? 0);
    assert.ok(servers.length > 0);
    child.kill('SIGTERM');
    assert.deepEqual(await exited, [130, null]);
    assert.deepEqual(
      servers.filter((pid) => existsSync(`/proc/${pid}`)),
      [],
    );
  });

  it('answers a wrong name before it builds anything', () => {
    const { status, stderr } = bench('--scenario', 'nothing');
    assert.equal(status, 2);
    assert.match(stderr, /there is no scenario nothing/);
  });
});
