/** `npm run reload`: what would not start is refused, and the workers that run serve on. */
import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { copyCheckout } from '../helpers/checkout.ts';
import { readWorkers, waitForReady } from '../helpers/cluster-status.ts';
import { type Load, startLoad } from '../helpers/load-client.ts';
import { exampleWasm, ROOT } from '../helpers/paths.ts';
import {
  createPm2Home,
  freePort,
  type Pm2Home,
  type Pm2Run,
  pm2Environment,
  runNode,
  writeEcosystem,
} from '../helpers/pm2-process.ts';

describe('npm run reload', () => {
  let dir: string;
  let pm2: Pm2Home;
  let config: Record<string, unknown>;
  let adminUrl: string;
  let load: Load;
  before(async () => {
    dir = copyCheckout();
    pm2 = createPm2Home();
    const port = await freePort();
    const adminPort = await freePort();
    adminUrl = `http://127.0.0.1:${adminPort}`;
    cpSync(exampleWasm('hello'), path.join(dir, 'own.wasm'));
    config = {
      listen: { port },
      admin: { port: adminPort },
      workers: 2,
      plugins: { own: { wasm: 'own.wasm' } },
      routes: [{ path: '/', plugin: 'own', function: 'hello' }],
    };
    write(config);
    const started = await pm2.run(['start'], {}, dir);
    assert.equal(started.code, 0, started.output);
    await waitForReady(adminUrl, 2);
    load = startLoad({ port, connections: 8 });
  });
  after(async () => {
    await load.stop();
    await pm2.close();
  });

  function write(content: unknown): void {
    const text = typeof content === 'string' ? content : JSON.stringify(content);
    writeFileSync(path.join(dir, 'plugind.json'), text);
  }

  function reload(): Promise<Pm2Run> {
    return runNode([path.join(dir, 'scripts/reload.js')], pm2Environment(pm2.dir), dir);
  }

  async function pids(): Promise<number[]> {
    return (await readWorkers(adminUrl)).map(({ pid }) => pid).sort();
  }

  async function assertRefused(code: number, why: RegExp): Promise<void> {
    const running = await pids();
    const refused = await reload();
    assert.equal(refused.code, code, refused.output);
    assert.match(refused.output, /reload refused/);
    assert.match(refused.output, why);
    assert.deepEqual(await pids(), running);
    assertNoneLost();
  }

  async function assertReloaded(): Promise<void> {
    const running = await pids();
    const { code, output } = await reload();
    assert.equal(code, 0, output);
    const now = (await waitForReady(adminUrl, 2)).map(({ pid }) => pid);
    assert.deepEqual(
      now.filter((pid) => running.includes(pid)),
      [],
    );
    assertNoneLost();
  }

  function assertNoneLost(): void {
    const { failed, wrong, reasons } = load.result();
    assert.deepEqual({ failed, wrong }, { failed: 0, wrong: 0 }, JSON.stringify(reasons));
  }

  it('reloads what is right', assertReloaded);

  it('refuses a configuration that is wrong', async () => {
    write({ ...config, wrokers: 2 });
    await assertRefused(2, /wrokers/);
    write('{ "plugins": ');
    await assertRefused(2, /plugind\.json/);
    write(config);
  });

  it('refuses a plugin that is no plugin, and one without the function', async () => {
    const wasm = path.join(dir, 'own.wasm');
    const right = readFileSync(wasm);
    writeFileSync(wasm, right.subarray(0, right.length / 2));
    await assertRefused(2, /did not start|own/);
    cpSync(exampleWasm('echo'), wasm);
    await assertRefused(2, /no function "hello"/);
    writeFileSync(wasm, right);
  });

  it('refuses a probe with another answer', async () => {
    const probe = { function: 'hello', input: 'x', output: 'something else' };
    write({ ...config, plugins: { own: { wasm: 'own.wasm', probe } } });
    await assertRefused(1, /did not start/);
    write(config);
  });

  it('refuses a port that is taken by somebody else', async () => {
    const holder = createServer();
    await new Promise<void>((resolve) => holder.listen(0, '127.0.0.1', resolve));
    const { port } = holder.address() as { port: number };
    write({ ...config, listen: { port } });
    await assertRefused(2, new RegExp(`port ${port} is taken`));
    holder.close();
    write(config);
  });

  it('refuses a build that does not start, wherever it is broken', async () => {
    for (const file of ['worker.js', 'cli/start-worker.js', 'plugin/kernel/kernel.wasm']) {
      const broken = path.join(dir, 'dist', file);
      const right = readFileSync(broken);
      writeFileSync(broken, 'this is no JavaScript');
      await assertRefused(1, /did not start|SyntaxError/);
      rmSync(broken);
      await assertRefused(1, /did not start|Cannot find module/);
      writeFileSync(broken, right);
    }
  });

  it('reloads again once everything is mended, with the time limits of the configuration', async () => {
    const plugins = { own: { wasm: 'own.wasm', timeoutMs: 4000 } };
    write({ ...config, plugins, shutdown: { delayMs: 500, drainMs: 15_000 } });
    await assertReloaded();
    const limits = (await pm2.list()).map(({ pm2_env }) => pm2_env);
    assert.deepEqual(
      limits.map(({ kill_timeout, listen_timeout }) => [kill_timeout, listen_timeout]),
      [
        [17_500, 28_000],
        [17_500, 28_000],
      ],
    );
  });
});

describe('the trial of npm run reload', () => {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'reload-trial-'));
  const pm2 = createPm2Home();
  after(async () => {
    await pm2.close();
    rmSync(folder, { recursive: true });
  });

  async function reload(wasm: string): Promise<Pm2Run> {
    const config = path.join(folder, 'plugind.json');
    const ports = { listen: { port: await freePort() }, admin: { port: await freePort() } };
    const routes = [{ path: '/', plugin: 'own', function: 'hello' }];
    writeFileSync(config, JSON.stringify({ ...ports, plugins: { own: { wasm } }, routes }));
    // Of an app of one's own that says nothing of time limits.
    const limits = { listen_timeout: undefined, kill_timeout: undefined };
    const ecosystem = writeEcosystem({ ...limits, instances: 1, args: ['--config', config] });
    const env = { ...pm2Environment(pm2.dir), TMPDIR: folder };
    return runNode([path.join(ROOT, 'scripts/reload.js'), ecosystem], env, ROOT);
  }

  const tried = (): string[] => readdirSync(folder).filter((name) => name.includes('try'));

  // Both seen failing: a folder stayed, and the trial was killed at once.
  it('leaves nothing behind where it is refused', async () => {
    const { code, output } = await reload('none.wasm');
    assert.equal(code, 2, output);
    assert.deepEqual(tried(), []);
  });

  it('takes the time to start from the configuration', async () => {
    const { code, output } = await reload(exampleWasm('hello'));
    assert.equal(code, 0, output);
    assert.deepEqual(tried(), []);
  });
});
