import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { SourceWatch } from '../../src/cluster/source-watch.ts';
import type { PluginHostConfig } from '../../src/config/types.ts';
import { waitFor } from '../helpers/wait-for.ts';

function setUp(t: TestContext) {
  const dir = mkdtempSync(path.join(os.tmpdir(), 'watch-'));
  const file = path.join(dir, 'a.wasm');
  writeFileSync(file, 'one');
  let settled = 0;
  const watch = new SourceWatch({ onSettled: () => settled++ });
  t.after(() => {
    watch.close();
    rmSync(dir, { recursive: true });
  });
  const follow = (isOn: boolean, sources = [file]): void =>
    watch.follow({ config: { watch: isOn } as PluginHostConfig, sources });
  return { dir, file, follow, settled: () => settled };
}

describe('SourceWatch', () => {
  it('tells once of a file that is written in parts, and of one put in its place', async (t) => {
    const { dir, file, follow, settled } = setUp(t);
    follow(true);
    for (const text of ['t', 'tw', 'two']) writeFileSync(file, text);
    await waitFor('the change', () => settled() > 0);
    assert.equal(settled(), 1);
    writeFileSync(path.join(dir, 'new'), 'three!');
    renameSync(path.join(dir, 'new'), file);
    await waitFor('the new file', () => settled() > 1);
    assert.equal(settled(), 2);
  });

  // All three seen failing with the folders of the files watched.
  it("tells of a change of a link's target", async (t) => {
    const { dir, file, follow, settled } = setUp(t);
    mkdirSync(path.join(dir, 'build'));
    const target = path.join(dir, 'build/a.wasm');
    renameSync(file, target);
    symlinkSync(target, file);
    follow(true);
    writeFileSync(target, 'two');
    await waitFor('the change', () => settled() === 1);
  });

  it('tells of a folder that was exchanged, as a ConfigMap of Kubernetes is', async (t) => {
    const { dir, file, follow, settled } = setUp(t);
    for (const name of ['1', '2']) {
      mkdirSync(path.join(dir, name));
      writeFileSync(path.join(dir, name, 'a.wasm'), name.repeat(3));
    }
    rmSync(file);
    symlinkSync('1', path.join(dir, 'data'));
    symlinkSync('data/a.wasm', file);
    follow(true);
    symlinkSync('2', path.join(dir, 'data.new'));
    renameSync(path.join(dir, 'data.new'), path.join(dir, 'data'));
    await waitFor('the change', () => settled() === 1);
  });

  it('tells of what comes into a folder that was made anew', async (t) => {
    const { dir, file, follow, settled } = setUp(t);
    const folder = path.join(dir, 'build');
    mkdirSync(folder);
    const built = path.join(folder, 'a.wasm');
    renameSync(file, built);
    follow(true, [built]);
    rmSync(folder, { recursive: true });
    await waitFor('that it is gone', () => settled() === 1);
    mkdirSync(folder);
    writeFileSync(built, 'two');
    await waitFor('the new file', () => settled() === 2);
  });

  it('follows nothing where the configuration does not ask for it', async (t) => {
    const off = setUp(t);
    const on = setUp(t);
    off.follow(true);
    off.follow(false);
    on.follow(true);
    writeFileSync(off.file, 'two');
    writeFileSync(on.file, 'two');
    await waitFor('the other watch', () => on.settled() === 1);
    assert.equal(off.settled(), 0);
  });

  it('outlives folders that are not there', (t) => {
    const { dir } = setUp(t);
    const watch = new SourceWatch({ onSettled: () => {} });
    const sources = [path.join(dir, 'none/a.wasm')];
    watch.follow({ config: { watch: true } as PluginHostConfig, sources });
    watch.close();
  });
});
