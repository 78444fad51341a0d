/** The load client as a program. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, it } from 'node:test';
import type { LoadResult } from '../../../bench/load/load-result.ts';
import { ROOT } from '../../helpers/paths.ts';
import { unlessInstalled } from '../../helpers/programs.ts';
import { cleanEnvironment } from '../../helpers/server-process.ts';
import { waitFor } from '../../helpers/wait-for.ts';
import { answerHello, hello, startTestServer } from './servers.ts';

interface Running {
  readonly child: ChildProcess;
  readonly output: { stdout: string; stderr: string };
  readonly exited: Promise<number | null>;
}

function runCli(args: readonly string[]): Running {
  const child = spawn(process.execPath, ['--import', 'tsx', 'bench/load/cli.ts', ...args], {
    cwd: ROOT,
    env: cleanEnvironment(),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const output = { stdout: '', stderr: '' };
  child.stdout.on('data', (chunk: Buffer) => {
    output.stdout += chunk.toString();
  });
  child.stderr.on('data', (chunk: Buffer) => {
    output.stderr += chunk.toString();
  });
  return { child, output, exited: once(child, 'close').then(([code]) => code as number | null) };
}

const QUICK = ['-n', '200', '-c', '4', '--warm-up', '0', '--json'];

describe('npm run load', () => {
  it('prints the result and exits 0 when every answer was right', async (t) => {
    const { url } = await startTestServer(t, answerHello);
    const { output, exited } = runCli([url, ...QUICK]);
    assert.equal(await exited, 0, output.stderr);
    assert.equal((JSON.parse(output.stdout) as LoadResult).ok, 200);
  });

  it('exits 1 after wrong answers', async (t) => {
    const { url } = await startTestServer(t, answerHello);
    const { output, exited } = runCli([url, ...QUICK, '--body', 'x', '--answer', 'y']);
    assert.equal(await exited, 1);
    assert.equal((JSON.parse(output.stdout) as LoadResult).wrong, 200);
  });

  it('refuses a mistake with one line and exits 2', async () => {
    const { output, exited } = runCli(['http://10.1.1.1/']);
    assert.equal(await exited, 2);
    assert.equal(output.stderr.trimEnd().split('\n').length, 1, output.stderr);
  });

  it('serves its own metrics, prints what it has on Ctrl-C and exits 130', async (t) => {
    const { url } = await startTestServer(t, answerHello);
    const { child, output, exited } = runCli([
      ...[url, '-d', '600', '--warm-up', '0', '-c', '4', '-r', '500', '--json'],
      ...['--metrics-port', '0', '--testid', 'night', '--scenario', 'hello'],
    ]);
    const metrics = await waitFor('the address of /metrics', () => {
      return /metrics (http:\S+)/.exec(output.stderr)?.[1];
    });
    const text = await waitFor('right answers in /metrics', async () => {
      const page = await (await fetch(metrics)).text();
      return /outcome="ok"\} [1-9]/.test(page) && page;
    });
    assert.match(text, /plugind_load_target_rate\{testid="night",scenario="hello"\} 500/);
    child.kill('SIGINT');
    assert.equal(await exited, 130, output.stderr);
    const result = JSON.parse(output.stdout) as LoadResult;
    assert.ok(result.ok > 0);
    assert.equal(result.sent, result.ok);
  });

  for (const tool of ['hey', 'wrk']) {
    it(`runs ${tool}`, { skip: unlessInstalled(tool) }, async (t) => {
      const { url, received } = await startTestServer(t, answerHello);
      const { output, exited } = runCli([
        ...[url, '--tool', tool, '-c', '4', '-d', '1', '--json'],
        ...['--body', 'John "Doe" 😄', '--answer', hello('John "Doe" 😄')],
      ]);
      assert.equal(await exited, 0, output.stderr);
      const result = JSON.parse(output.stdout) as LoadResult;
      assert.equal(result.tool, tool);
      assert.ok(result.ok > 0 && result.ok <= received.count);
    });
  }
});
