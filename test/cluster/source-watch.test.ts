import assert from 'node:assert/strict';
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { SourceWatch } from '../../src/cluster/source-watch.ts';
import type { PluginHostConfig } from '../../src/config/types.ts';
import { waitFor } from '../helpers/wait-for.ts';

const log = { warn() {} } as never;

function setUp(t: TestContext) {
  const dir = mkdtempSync(path.join(os.tmpdir(), 'watch-'));
  const file = path.join(dir, 'a.wasm');
  writeFileSync(file, 'one');
  let settled = 0;
  const watch = new SourceWatch({ onSettled: () => settled++, log });
  t.after(() => {
    watch.close();
    rmSync(dir, { recursive: true });
  });
  const follow = (isOn: boolean): void =>
    watch.follow({ config: { watch: isOn } as PluginHostConfig, sources: [file] });
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
    const watch = new SourceWatch({ onSettled: () => {}, log });
    const sources = [path.join(dir, 'none/a.wasm')];
    watch.follow({ config: { watch: true } as PluginHostConfig, sources });
    watch.close();
  });
});
