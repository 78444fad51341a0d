import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { copyFileSync, writeFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import type { Load } from '../helpers/load-client.ts';
import { IS_LONG } from '../helpers/long-form.ts';
import { exampleWasm } from '../helpers/paths.ts';
import { hashesOf, helloVersion, type Site, startSite } from '../helpers/site.ts';
import { waitFor } from '../helpers/wait-for.ts';
import { assemble } from '../plugin/guard/assemble.ts';

const VERSIONS = IS_LONG ? 10 : 2;

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** Kills a worker and waits until its slot serves again. Returns how many requests that failed. */
async function killOne(site: Site, load: Load): Promise<number> {
  const before = load.result().failed;
  const [victim] = await site.ready(2);
  process.kill(victim?.pid ?? 0, 'SIGKILL');
  await waitFor('the slot to be ready again', async () => {
    const { slots } = await site.primary();
    return slots.every(({ state, pid }) => state === 'ready' && pid !== victim?.pid);
  });
  // Of the kill's victims one may hang until its client gives up.
  await load.settled();
  return load.result().failed - before;
}

describe('new versions of a plugin', () => {
  // Seen failing with workers that read the configured file instead of the accepted copy: the
  // killed worker did not come back.
  it('arrive by a roll, and a bad file changes nothing', async (t) => {
    const site = await startSite(t);
    const load = site.load();
    let good: Uint8Array = helloVersion(0);
    for (let version = 1; version <= VERSIONS; version++) {
      good = helloVersion(version);
      writeFileSync(site.wasmFile, good);
      await load.sent(100);
      const { code, stderr } = await site.reload();
      assert.equal(code, 0, stderr);
      assert.deepEqual(hashesOf(await site.ready(2)), [sha256(good)]);
    }
    const stored = site.runFiles().filter((name) => /^(wasm|config)-/.test(name));
    assert.equal(stored.length, 2, `old accepted files are removed: ${stored.join(' ')}`);
    assert.deepEqual([load.result().failed, load.result().wrong], [0, 0]);

    const corrupt = Buffer.from(good);
    corrupt.fill(0xff, corrupt.length >> 2, corrupt.length >> 1);
    const looping = await assemble(
      '(module (func $s (loop (br 0))) (start $s) (func (export "hello") (result i32) i32.const 0))',
    );
    const bad: [name: string, put: () => void, reason: RegExp][] = [
      ['corrupt', () => writeFileSync(site.wasmFile, corrupt), /plugins\.hello: /],
      [
        'truncated',
        () => writeFileSync(site.wasmFile, good.subarray(0, good.length >> 1)),
        /plugins\.hello: /,
      ],
      [
        'without the function',
        () => copyFileSync(exampleWasm('echo'), site.wasmFile),
        /no function "hello"/,
      ],
      [
        'with an init that loops',
        () => writeFileSync(site.wasmFile, looping),
        /plugins\.hello: |not ready within|ran longer than/,
      ],
    ];
    for (const [name, put, reason] of bad) {
      put();
      const { failed } = load.result();
      const { code, stderr } = await site.reload();
      assert.equal(code, 1, name);
      assert.match(stderr, reason, name);
      t.diagnostic(`${name}: ${stderr.trim()}`);
      const [latest] = (await site.primary()).rolls;
      assert.equal(latest?.state, 'failed');
      assert.match(latest?.reason ?? '', reason);
      assert.match(site.server.output.stdout, /"msg":"roll failed"/);
      assert.equal(load.result().failed, failed, `${name}: the refused roll lost nothing`);
      const cut = await killOne(site, load);
      t.diagnostic(`${name}: the kill cut ${cut}`);
      assert.ok(cut <= 16, `the kill of one worker cut ${cut} requests`);
      assert.deepEqual(hashesOf(await site.ready(2)), [sha256(good)], name);
    }
    const result = await load.stop();
    t.diagnostic(JSON.stringify(result));
    assert.equal(result.wrong, 0);
    writeFileSync(site.wasmFile, helloVersion(99));
    assert.equal((await site.reload()).code, 0, 'a good file is taken up again');
    assert.deepEqual(hashesOf(await site.ready(2)), [sha256(helloVersion(99))]);
    assert.equal(await site.stop(), 0);
  });
});
