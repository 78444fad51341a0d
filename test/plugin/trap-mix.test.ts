/** Calls that trap fail alone, and leave neither memory nor files behind. Figures are bench/trap-mix.ts's. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { createPlugin } from '../../src/plugin/create-plugin.ts';
import { shortOrLong } from '../helpers/long-form.ts';
import { assembleTrapper, goodAndTrapping } from './trap-mix.ts';
import { CAN_LIST_DESCRIPTORS, createDirectory, openIn } from './wasi/test-guest.ts';

const ONE_IN = 100;
const TRAPS = shortOrLong(50, 10_000);
/** Garbage that waits for its collection; what leaked of each trap would be more. */
const SLACK_BYTES = 128 * 1024 * 1024;

it(`${TRAPS} trapping calls, one in ${ONE_IN}, fail alone`, async () => {
  const directory = createDirectory();
  const plugin = await createPlugin({
    wasm: await assembleTrapper(),
    wasi: true,
    timeoutMs: 30_000,
    allowedPaths: { [directory]: '/' },
  });
  await goodAndTrapping(plugin, ONE_IN, 10);
  const before = process.memoryUsage.rss();
  const { wrong, trapped } = await goodAndTrapping(plugin, TRAPS * ONE_IN, ONE_IN);
  assert.deepEqual({ wrong, trapped }, { wrong: 0, trapped: TRAPS });
  const grown = process.memoryUsage.rss() - before;
  assert.ok(grown < SLACK_BYTES, `grew by ${grown} bytes`);
  // What the instance at hand has open, of which there is one.
  if (CAN_LIST_DESCRIPTORS) assert.ok(openIn(directory).length <= 1);
  await plugin.close();
  if (CAN_LIST_DESCRIPTORS) assert.deepEqual(openIn(directory), []);
});
