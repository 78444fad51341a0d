/**
 * A roll: every slot gets a worker on another configuration, one slot after the other, and slots
 * are added or removed. The first new worker is the test of the configuration: it compiles,
 * instantiates and probes every plugin, and serves for a second, before any old worker is retired.
 * When one does not become ready, or dies while the roll goes on, what was rolled so far goes back.
 */
import type { Accepted } from '../config/accepted-config.ts';
import { ServerError } from '../errors.ts';
import type { Logger } from '../log.ts';
import { RETIRE } from '../worker/stop-reason.ts';
import { HEALTHY_MS } from './restart-policy.ts';
import type { WorkerSlot } from './worker-slot.ts';

export interface RollPlan {
  /** In order; changed by the roll as slots come and go. */
  readonly slots: WorkerSlot[];
  /** Makes a slot without a worker. */
  readonly createSlot: (slot: number, accepted: Accepted) => WorkerSlot;
  readonly previous: Accepted;
  readonly next: Accepted;
  /** Everything is to be stopped. */
  readonly isStopping: () => boolean;
  readonly log: Logger;
}

/** Old workers that may drain at once, so that a roll of many slots needs little more memory. */
const DRAINING_AT_ONCE = 4;

/**
 * Resolves when every worker runs on the new configuration and the old ones are gone.
 * @throws ServerError why it was stopped, when the workers are back on the previous configuration.
 */
export async function roll(plan: RollPlan): Promise<void> {
  const { slots, next } = plan;
  const before = slots.length;
  const rolled: WorkerSlot[] = [];
  try {
    for (const slot of slots.slice(0, next.config.workers)) {
      await proceed(plan, rolled);
      // Some die only of what they do once they serve. The first one is to show it, alone.
      await slot.replace(next, rolled.length === 0 ? HEALTHY_MS : 0);
      rolled.push(slot);
    }
    for (let index = before; index < next.config.workers; index++) {
      await proceed(plan, rolled);
      const slot = plan.createSlot(index, next);
      slots.push(slot);
      await slot.replace(next);
      rolled.push(slot);
    }
    assertAlive(rolled);
  } catch (error) {
    // Its worker was asked to leave as all are: that is no fault of what it runs on.
    if (plan.isStopping()) throw stopping();
    await goBack(plan, rolled, before);
    throw error;
  }
  await removeFrom(slots, next.config.workers);
  await Promise.all(slots.map((slot) => slot.drained()));
}

function stopping(): ServerError {
  return new ServerError('SHUTTING_DOWN', 'the server is stopping');
}

/** Waits for old workers where too many drain. @throws ServerError when the roll is to go no further. */
async function proceed(
  { slots, isStopping }: RollPlan,
  rolled: readonly WorkerSlot[],
): Promise<void> {
  for (;;) {
    if (isStopping()) throw stopping();
    assertAlive(rolled);
    const draining = slots.filter((slot) => slot.draining > 0);
    if (draining.reduce((sum, slot) => sum + slot.draining, 0) < DRAINING_AT_ONCE) return;
    await Promise.race(draining.map((slot) => slot.drained()));
  }
}

/** One that was restarted since has died too: on what it runs on, others would. */
function assertAlive(rolled: readonly WorkerSlot[]): void {
  for (const { diedOf } of rolled) {
    if (diedOf !== null) throw new ServerError('INTERNAL', `a new worker died: ${diedOf}`);
  }
}

/** Until their workers are gone the slots are in the list: a stop of everything waits for them too. */
async function removeFrom(slots: WorkerSlot[], first: number): Promise<void> {
  await Promise.all(slots.slice(first).map((slot) => slot.stop(RETIRE)));
  slots.splice(first);
}

async function goBack(
  { slots, previous, isStopping, log }: RollPlan,
  rolled: readonly WorkerSlot[],
  before: number,
): Promise<void> {
  await removeFrom(slots, before);
  for (const slot of rolled.filter((one) => slots.includes(one))) {
    if (isStopping()) return;
    slot.prefer(previous);
    await slot.replace(previous).catch((err: unknown) => {
      log.error({ err }, 'a worker cannot go back to the previous configuration');
    });
  }
}
