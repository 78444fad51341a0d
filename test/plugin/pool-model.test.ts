/**
 * Pool, recycling and fresh isolation against a model, with instances that do what the test says:
 * whatever arrives in whatever order, an instance has one holder, one that is poisoned or used up
 * is never called again, and each replacement is counted under its reason.
 */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import fc from 'fast-check';
import { PLUGIN_DEFAULTS } from '../../src/config/defaults.ts';
import { ServerError } from '../../src/errors.ts';
import type { FreshWay } from '../../src/plugin/choose-fresh-way.ts';
import type { CompiledPlugin, PluginInstance } from '../../src/plugin/compiled-plugin.ts';
import type { SlotPolicy } from '../../src/plugin/instance-slot.ts';
import type { ReplaceReason } from '../../src/plugin/observer.ts';
import { ServedPlugin } from '../../src/plugin/served-plugin.ts';
import { QUIET_ENVIRONMENT } from '../../src/worker/create-plugins.ts';
import { Ear, Witness } from './fixture.ts';

interface Arrival {
  /** `crash`: a trap that cannot be mended. */
  readonly ending: 'output' | 'error' | 'trap' | 'crash';
  /** Turns of the event loop that the call takes; 0: it is synchronous. */
  readonly turns: number;
  /** Pages that the guest grows by. */
  readonly grows: number;
  /** Turns before the next arrival. */
  readonly gap: number;
}

const arrival = fc.record<Arrival>({
  ending: fc.constantFrom('output', 'output', 'output', 'error', 'trap', 'crash'),
  turns: fc.integer({ min: 0, max: 3 }),
  grows: fc.constantFrom(0, 0, 0, 1, 2),
  gap: fc.integer({ min: 0, max: 2 }),
});

const policies = fc.record<SlotPolicy>({
  fresh: fc.constantFrom<FreshWay | null>(null, null, 'restore', 'instantiate'),
  maxCalls: fc.integer({ min: 0, max: 4 }),
  maxGuestPages: fc.constantFrom(0, 2, 3, 5),
});

/** Pages up to which an instance can be restored; they stay. */
const MOST_RESTORED = 2;

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** What the model knows of all instances of one run. */
class World {
  readonly instances: FakeInstance[] = [];
  readonly started: number[] = [];
  readonly reasons: ReplaceReason[] = [];
  readonly policy: SlotPolicy;
  readonly arrivals: readonly Arrival[];
  /** How many of the next instantiations fail. */
  failures: number;

  constructor(policy: SlotPolicy, arrivals: readonly Arrival[], failures: number) {
    this.policy = policy;
    this.arrivals = arrivals;
    this.failures = failures;
  }

  readonly instantiate = async (): Promise<PluginInstance> => {
    await turn();
    return this.make();
  };

  make(): FakeInstance {
    if (this.instances.length > 0 && this.failures > 0) {
      this.failures--;
      throw new ServerError('PLUGIN_COMPILE_FAILED', 'as the test says');
    }
    const instance = new FakeInstance(this);
    this.instances.push(instance);
    return instance;
  }

  get open(): number {
    return this.instances.filter(({ closings }) => closings === 0).length;
  }
}

class FakeInstance implements PluginInstance {
  readonly #world: World;
  isPoisoned = false;
  guestPages = 1;
  memoryBytes = 65_536;
  closings = 0;
  #calls = 0;
  #isHeld = false;
  #isUsed = false;
  #hasCrashed = false;

  constructor(world: World) {
    this.#world = world;
  }

  call(_name: string, input: Uint8Array): Uint8Array | Promise<Uint8Array> {
    const index = Number(Buffer.from(input).toString());
    const { policy, arrivals } = this.#world;
    const { ending, turns, grows } = arrivals[index] as Arrival;
    assert.ok(!this.#isHeld, 'two callers hold one instance');
    assert.ok(!this.isPoisoned && this.closings === 0, 'it was to be replaced');
    assert.ok(policy.fresh === null || !this.#isUsed, 'it is not as it was after initialisation');
    assert.ok(policy.maxCalls === 0 || this.#calls < policy.maxCalls, 'it served its calls');
    assert.ok(
      policy.maxGuestPages === 0 || this.guestPages < policy.maxGuestPages,
      'it holds its pages',
    );
    this.#world.started.push(index);
    this.#calls++;
    this.#isUsed = true;
    this.#isHeld = true;
    const end = (): Uint8Array => {
      this.#isHeld = false;
      this.guestPages += grows;
      this.#hasCrashed = ending === 'crash';
      this.isPoisoned = ending === 'trap' || this.#hasCrashed;
      this.#note();
      if (ending === 'output') return input;
      throw new ServerError(ending === 'error' ? 'PLUGIN_ERROR' : 'PLUGIN_TRAPPED', 'as told');
    };
    return turns === 0 ? end() : this.#later(turns, end);
  }

  async #later(turns: number, end: () => Uint8Array): Promise<Uint8Array> {
    for (let count = 0; count < turns; count++) await turn();
    return end();
  }

  /** What the engine has to count after this call. */
  #note(): void {
    const { policy, reasons } = this.#world;
    if (this.isPoisoned) reasons.push('poisoned');
    else if (policy.fresh === 'instantiate') return;
    else if (policy.maxCalls > 0 && this.#calls >= policy.maxCalls) reasons.push('calls');
    else if (policy.maxGuestPages > 0 && this.guestPages >= policy.maxGuestPages) {
      reasons.push('pages');
    } else if (policy.fresh === 'restore' && this.guestPages > MOST_RESTORED) reasons.push('grown');
  }

  restore(): boolean {
    if (this.#hasCrashed || this.guestPages > MOST_RESTORED) return false;
    this.#isUsed = false;
    if (this.isPoisoned) this.#calls = 0;
    this.isPoisoned = false;
    return true;
  }

  async close(): Promise<void> {
    this.closings++;
    await turn();
  }
}

function serve(world: World, poolSize: number): ServedPlugin {
  const plugin = {
    ...PLUGIN_DEFAULTS,
    name: 'p',
    source: { kind: 'wasm', path: '/none' } as const,
    isolation: 'pool' as const,
    poolSize,
  };
  const compiled: CompiledPlugin = {
    hash: '',
    version: '',
    functions: ['run'],
    fields: [],
    execution: 'inline',
    executionReason: '',
    timeoutMs: 1000,
    maxPages: 1024,
    instantiate: world.instantiate,
    close: async () => {},
  };
  const instances: PluginInstance[] = [];
  while (instances.length < poolSize) instances.push(new FakeInstance(world));
  world.instances.push(...(instances as FakeInstance[]));
  const options = { plugin, functions: ['run'], environment: QUIET_ENVIRONMENT };
  return new ServedPlugin(options, compiled, instances, world.policy);
}

const EXPECTED = {
  output: 'ok',
  error: 'PLUGIN_ERROR',
  trap: 'PLUGIN_TRAPPED',
  crash: 'PLUGIN_TRAPPED',
} as const;

async function run(world: World, poolSize: number): Promise<void> {
  const served = serve(world, poolSize);
  const witness = new Witness();
  served.observe(witness);
  const ears = world.arrivals.map(() => new Ear());
  for (const [index, { gap }] of world.arrivals.entries()) {
    served.call('run', Buffer.from(String(index)), ears[index] as Ear);
    assert.ok(world.open <= poolSize, 'more instances than the pool has');
    for (let count = 0; count < gap; count++) await turn();
  }
  const endings = await Promise.all(ears.map(({ ended }) => ended));
  while (witness.holds < world.arrivals.length) await turn();
  for (const [index, ending] of endings.entries()) {
    const code = 'error' in ending ? ending.error.code : 'ok';
    const { ending: wanted } = world.arrivals[index] as Arrival;
    // A call that found its place empty and could not fill it never started.
    if (world.started.includes(index)) assert.equal(code, EXPECTED[wanted]);
    else assert.equal(code, 'INTERNAL');
    if ('output' in ending) assert.equal(ending.output, String(index));
    assert.equal(ears[index]?.endings, 1);
  }
  assert.deepEqual(witness.replacements.toSorted(), world.reasons.toSorted());
  assert.equal(witness.outcomes.length, world.arrivals.length);
  await served.close();
  assert.deepEqual(new Set(world.instances.map(({ closings }) => closings)), new Set([1]));
}

it('holds for any calls on any pool', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(arrival, { maxLength: 30 }),
      policies,
      fc.integer({ min: 1, max: 4 }),
      async (arrivals, policy, poolSize) => {
        const world = new World(policy, arrivals, 0);
        await run(world, poolSize);
        // Calls that start by themselves start in the order of their arrival.
        if (arrivals.every(({ turns }) => turns === 0) && poolSize === 1) {
          assert.deepEqual(
            world.started,
            arrivals.map((_, index) => index),
          );
        }
        assert.equal(world.started.length, arrivals.length);
      },
    ),
    { numRuns: 300 },
  );
});

it('holds where instances cannot always be made', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(arrival, { maxLength: 20 }),
      policies,
      fc.integer({ min: 1, max: 3 }),
      fc.integer({ min: 1, max: 6 }),
      async (arrivals, policy, poolSize, failures) => {
        await run(new World(policy, arrivals, failures), poolSize);
      },
    ),
    { numRuns: 200 },
  );
});
