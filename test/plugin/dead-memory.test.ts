/** Memory of closed instances is collected before another call. Figures are bench/bombs.ts's. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { PLUGIN_DEFAULTS } from '../../src/config/defaults.ts';
import { compilePlugin } from '../../src/plugin/compile-plugin.ts';
import { QUIET_ENVIRONMENT } from '../../src/worker/create-plugins.ts';
import { waitFor } from '../helpers/wait-for.ts';
import { assembleGuest } from '../helpers/wat.ts';
import { itemsOf } from './fixture.ts';

/** Two instances of so many are less than make a collection due, and three are more. */
const PAGES = 300;
const COLLECTION_CAP_MS = 5000;
const NOTHING = new Uint8Array(0);

const main = await assembleGuest(
  ['alloc'],
  `(memory 1)
  (func $grow (param $pages i32) (result i32)
    (i32.eq (memory.grow (local.get $pages)) (i32.const -1)))
  (func $alloc_pages (param $pages i64) (result i32)
    (i64.eqz (call $alloc (i64.mul (local.get $pages) (i64.const 65536)))))
  (func (export "guest") (result i32) (call $grow (i32.const ${PAGES})))
  (func (export "kernel") (result i32) (call $alloc_pages (i64.const ${PAGES})))
  (func (export "little") (result i32) (call $grow (i32.const 90)))
  (func (export "nothing") (result i32) (i32.const 0))`,
);

/** Weak references keep their objects until the end of the job that made them. */
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

for (const functionName of ['guest', 'kernel']) {
  it(`happens once there is too much of it: ${functionName}`, async () => {
    const plugin = { ...PLUGIN_DEFAULTS, name: 'p', source: itemsOf({ main }) };
    const compiled = await compilePlugin(plugin, QUIET_ENVIRONMENT);
    const closeGrown = async (name: string): Promise<void> => {
      const instance = await compiled.instantiate();
      await instance.call(name, NOTHING);
      await instance.close();
    };
    /** Whether all garbage is collected when another one is called. */
    const isCollected = async (): Promise<boolean> => {
      const instance = await compiled.instantiate();
      const garbage = new WeakRef({});
      await turn();
      await instance.call('nothing', NOTHING);
      const isGone = garbage.deref() === undefined;
      await instance.close();
      return isGone;
    };
    await closeGrown(functionName);
    await closeGrown(functionName);
    // These are small, and V8's own business.
    await closeGrown('little');
    await closeGrown('little');
    assert.equal(await isCollected(), false);
    await closeGrown(functionName);
    // At once, or when the pause after the last collection is over.
    await waitFor('a collection', isCollected, COLLECTION_CAP_MS);
    assert.equal(await isCollected(), false);
    await compiled.close();
  });
}
