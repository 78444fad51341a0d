/**
 * The metrics named `plugind_plugin_…`. Each plugin gets one observer that its lock and its calls
 * feed; whatever is a state and not an event is read from its gauges when somebody scrapes.
 * The interfaces equal those of plugin/observer.ts, which this layer must not import.
 */
import { Counter, Gauge, type Registry } from 'prom-client';
import { ERROR_CODES, ERRORS, type ErrorCode, ServerError } from '../errors.ts';
import type { LockObserver } from '../lock/lock.ts';
import { DurationHistogram, durationBuckets } from './duration-histogram.ts';
import { LiveColumns, type LiveReading } from './live-columns.ts';

/** How one request to a plugin ended: the label `outcome`. */
export type Outcome = 'ok' | ErrorCode;

/** Why an instance was closed and another made in its place. */
export type ReplaceReason = 'poisoned' | 'calls' | 'pages' | 'grown';

/** What a plugin's metrics are named after. */
export interface MeasuredPlugin {
  /** Label `plugin`. */
  readonly name: string;
  readonly hash: string;
  /** Of bounded length, whatever else it is. */
  readonly version: string;
  /** Functions that a route calls. */
  readonly functions: readonly string[];
}

/** Read at each scrape. */
export interface MeasuredGauges {
  waiters(): number;
  /** Time that the lock's permits were held since the start, in seconds. */
  busySeconds(): number;
  memoryBytes(): number;
  instances(): Readonly<Record<'starting' | 'ready' | 'poisoned', number>>;
}

/** Told of every step of every request; never throws. Times are in seconds. */
export interface MeasuringObserver extends LockObserver {
  called(functionName: string, outcome: Outcome): void;
  /** A call ended at the limit of that name. */
  limited(limit: string): void;
  replaced(reason: ReplaceReason): void;
  /** Calls since the start by outcome, all functions together; outcomes that never came up are left out. */
  outcomes(): Record<string, number>;
}

/** `function` of a call to one that no route names. */
const OTHER_FUNCTION = 'other';
/**
 * Limits that a call can end at, by the name in its error: a configuration key, but for the last
 * three, which are fixed.
 */
const LIMITS = [
  'timeoutMs',
  'memory.maxPages',
  'memory.maxVarBytes',
  'memory.maxOutputBytes',
  'memory.maxHttpResponseBytes',
  'maxVars',
  'maxLogLines',
  'http.responseHeaderBytes',
] as const;
/** `limit` of any other. */
const OTHER_LIMIT = 'other';

/** Ends that a request can come to once it is meant for a plugin. */
const OUTCOMES: readonly Outcome[] = [
  'ok',
  ...ERROR_CODES.filter((code) => {
    const { kind } = ERRORS[code];
    return (
      kind === 'capacity' || kind === 'plugin' || kind === 'internal' || code === 'CLIENT_CLOSED'
    );
  }),
];

interface Entry {
  readonly plugin: MeasuredPlugin;
  readonly gauges: MeasuredGauges;
  /** By function, then outcome. Plain numbers in maps: prom-client's counter takes ten times as long. */
  readonly calls: Map<string, Map<Outcome, { count: number }>>;
  readonly limitTrips: Map<string, number>;
  readonly replacements: Record<ReplaceReason, number>;
  readonly read: LiveReading;
  busySeconds: number;
}

const LOCK_BUCKETS = durationBuckets(-5, 1);

export class PluginMetrics {
  /** What the live page's history keeps of a plugin. */
  readonly columns: LiveColumns = new LiveColumns(OUTCOMES, LOCK_BUCKETS);
  readonly #entries = new Map<string, Entry>();
  readonly #waits: DurationHistogram;
  readonly #holds: DurationHistogram;

  constructor(registry: Registry) {
    const buckets = LOCK_BUCKETS;
    this.#waits = new DurationHistogram({
      name: 'plugind_plugin_lock_wait_seconds',
      help: 'Time that a request waited for a permit of the lock, in seconds.',
      buckets,
      registry,
    });
    this.#holds = new DurationHistogram({
      name: 'plugind_plugin_lock_hold_seconds',
      help: 'Time that a request held its permit, in seconds.',
      buckets,
      registry,
    });
    this.#addCounters([registry]);
    this.#addGauges([registry]);
  }

  /** @throws ServerError `INTERNAL` when the name is taken: its series would collide. */
  add(plugin: MeasuredPlugin, gauges: MeasuredGauges): MeasuringObserver {
    if (this.#entries.has(plugin.name)) {
      throw new ServerError('INTERNAL', `plugin ${plugin.name} is measured already`);
    }
    const zeros = (): Map<Outcome, { count: number }> =>
      new Map(OUTCOMES.map((outcome) => [outcome, { count: 0 }]));
    const calls = new Map(plugin.functions.map((name) => [name, zeros()]));
    const replacements = { poisoned: 0, calls: 0, pages: 0, grown: 0 };
    const limitTrips = new Map<string, number>([...LIMITS, OTHER_LIMIT].map((name) => [name, 0]));
    const wait = this.#waits.add({ plugin: plugin.name });
    const hold = this.#holds.add({ plugin: plugin.name });
    const read: LiveReading = (target) =>
      this.columns.write(target, { outcomes: sumOutcomes(calls), wait, hold, gauges });
    const counts = { calls, limitTrips, replacements, busySeconds: 0 };
    this.#entries.set(plugin.name, { plugin, gauges, read, ...counts });
    return {
      acquired: (seconds) => wait.observe(seconds),
      released: (seconds) => hold.observe(seconds),
      // Counted once, by `called`, which follows with the same code.
      refused: () => {},
      called: (functionName, outcome) => countCall(calls, functionName, outcome),
      limited: (limit) => {
        const known = limitTrips.has(limit) ? limit : OTHER_LIMIT;
        limitTrips.set(known, (limitTrips.get(known) as number) + 1);
      },
      replaced: (reason) => {
        replacements[reason]++;
      },
      outcomes: () => sumOutcomes(calls),
    };
  }

  /** One for each plugin, in the order in which they were added. */
  readings(): LiveReading[] {
    return [...this.#entries.values()].map(({ read }) => read);
  }

  #addCounters(registers: Registry[]): void {
    const entries = this.#entries;
    new Counter({
      name: 'plugind_plugin_calls_total',
      help: 'Requests to a plugin by how they ended: ok or an error code.',
      labelNames: ['plugin', 'function', 'outcome'],
      registers,
      collect() {
        this.reset();
        for (const { plugin, calls } of entries.values()) {
          for (const [name, counts] of calls) {
            for (const [outcome, { count }] of counts) {
              this.inc({ plugin: plugin.name, function: name, outcome }, count);
            }
          }
        }
      },
    });
    new Counter({
      name: 'plugind_plugin_limit_trips_total',
      help: 'Calls that ended at a limit, by the limit.',
      labelNames: ['plugin', 'limit'],
      registers,
      collect() {
        this.reset();
        for (const { plugin, limitTrips } of entries.values()) {
          for (const [limit, count] of limitTrips) this.inc({ plugin: plugin.name, limit }, count);
        }
      },
    });
    new Counter({
      name: 'plugind_plugin_replacements_total',
      help: 'Instances that were made anew or laid back to their start, by why.',
      labelNames: ['plugin', 'reason'],
      registers,
      collect() {
        this.reset();
        for (const { plugin, replacements } of entries.values()) {
          for (const [reason, count] of Object.entries(replacements)) {
            this.inc({ plugin: plugin.name, reason }, count);
          }
        }
      },
    });
    new Counter({
      name: 'plugind_plugin_lock_busy_seconds_total',
      help: 'Time that permits of the lock were held, in seconds; its rate is the utilisation.',
      labelNames: ['plugin'],
      registers,
      collect() {
        this.reset();
        for (const entry of entries.values()) {
          // A difference of sums may fall by a rounding error, which a rate takes for a restart.
          entry.busySeconds = Math.max(entry.busySeconds, entry.gauges.busySeconds());
          this.inc({ plugin: entry.plugin.name }, entry.busySeconds);
        }
      },
    });
  }

  #addGauges(registers: Registry[]): void {
    const entries = this.#entries;
    const addGauge = (
      name: string,
      help: string,
      read: (gauges: MeasuredGauges) => number,
    ): Gauge =>
      new Gauge({
        name,
        help,
        labelNames: ['plugin'],
        registers,
        collect() {
          for (const { plugin, gauges } of entries.values()) {
            this.set({ plugin: plugin.name }, read(gauges));
          }
        },
      });
    addGauge(
      'plugind_plugin_lock_waiters',
      'Requests that wait for a permit of the lock.',
      (gauges) => gauges.waiters(),
    );
    addGauge('plugind_plugin_memory_bytes', 'Memory of all instances, in bytes.', (gauges) =>
      gauges.memoryBytes(),
    );
    new Gauge({
      name: 'plugind_plugin_instances',
      help: 'Instances of the plugin by state.',
      labelNames: ['plugin', 'state'],
      registers,
      collect() {
        for (const { plugin, gauges } of entries.values()) {
          for (const [state, count] of Object.entries(gauges.instances())) {
            this.set({ plugin: plugin.name, state }, count);
          }
        }
      },
    });
    new Gauge({
      name: 'plugind_plugin_info',
      help: 'Always 1; the labels say which code the plugin runs.',
      labelNames: ['plugin', 'hash', 'version'],
      registers,
      collect() {
        for (const { plugin } of entries.values()) {
          this.set({ plugin: plugin.name, hash: plugin.hash, version: plugin.version }, 1);
        }
      },
    });
  }
}

function countCall(calls: Entry['calls'], functionName: string, outcome: Outcome): void {
  let counts = calls.get(functionName) ?? calls.get(OTHER_FUNCTION);
  if (counts === undefined) {
    counts = new Map();
    calls.set(OTHER_FUNCTION, counts);
  }
  const cell = counts.get(outcome);
  if (cell === undefined) counts.set(outcome, { count: 1 });
  else cell.count++;
}

function sumOutcomes(calls: Entry['calls']): Record<string, number> {
  const sums: Record<string, number> = {};
  for (const counts of calls.values()) {
    for (const [outcome, { count }] of counts) {
      if (count > 0) sums[outcome] = (sums[outcome] ?? 0) + count;
    }
  }
  return sums;
}
