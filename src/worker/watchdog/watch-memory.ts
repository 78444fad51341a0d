/**
 * What a worker's main thread and its watchdog thread share. The main thread writes that it is
 * alive and which call it is in; the watchdog counts its own wake-ups in which it heard nothing.
 * No clock is read: a machine that was suspended wakes both threads, and nothing is missed.
 */
import type { CallMarker } from '../../plugin/call-marker.ts';

/** Cells of the shared memory. `running` is the place of the call's name; 0 is none. */
const CELL = { missed: 0, limit: 1, inspected: 2, stop: 3, running: 4 } as const;
const CELLS_BYTES = 5 * Int32Array.BYTES_PER_ELEMENT;
const LENGTH_BYTES = 4;
/** Names come from the configuration: a hundred plugins fit. Beyond, calls go without a name. */
const MEMORY_BYTES = 64 * 1024;

/** One call, by name. */
export interface RunningCall {
  readonly plugin: string;
  readonly function: string;
}

export function createWatchBuffer(): SharedArrayBuffer {
  return new SharedArrayBuffer(MEMORY_BYTES);
}

/** The main thread's end. */
export class WatchedSide implements CallMarker {
  readonly #cells: Int32Array;
  readonly #bytes: Buffer;
  readonly #places = new Map<string, Map<string, number>>();
  #free = CELLS_BYTES;
  #lastPlugin = '';
  #lastFunction = '';
  #lastPlace = 0;

  constructor(buffer: SharedArrayBuffer) {
    this.#cells = new Int32Array(buffer, 0, Object.keys(CELL).length);
    this.#bytes = Buffer.from(buffer);
  }

  /** This thread turns its event loop. */
  beat(): void {
    Atomics.store(this.#cells, CELL.missed, 0);
  }

  /** A debugger may hold this thread for as long as it likes. */
  setInspected(isInspected: boolean): void {
    Atomics.store(this.#cells, CELL.inspected, isInspected ? 1 : 0);
  }

  /** How many ticks may be missed. */
  setLimit(ticks: number): void {
    Atomics.store(this.#cells, CELL.limit, ticks);
  }

  /** Ends the watchdog's loop at once. */
  stop(): void {
    Atomics.store(this.#cells, CELL.stop, 1);
    Atomics.notify(this.#cells, CELL.stop);
  }

  // Around every call, hence plain stores: they are read a second later at the earliest.
  begin(plugin: string, functionName: string): void {
    if (plugin !== this.#lastPlugin || functionName !== this.#lastFunction) {
      this.#lastPlugin = plugin;
      this.#lastFunction = functionName;
      this.#lastPlace =
        this.#places.get(plugin)?.get(functionName) ?? this.#add(plugin, functionName);
    }
    this.#cells[CELL.running] = this.#lastPlace;
  }

  end(): void {
    this.#cells[CELL.running] = 0;
  }

  /** Writes a name that is new. It is whole before its place is told. */
  #add(plugin: string, functionName: string): number {
    const functions = this.#places.get(plugin) ?? new Map<string, number>();
    this.#places.set(plugin, functions);
    const name = Buffer.from(JSON.stringify({ plugin, function: functionName }));
    const isRoom = this.#free + LENGTH_BYTES + name.length <= this.#bytes.length;
    const place = isRoom ? this.#free : 0;
    if (isRoom) {
      this.#bytes.writeUInt32LE(name.length, place);
      name.copy(this.#bytes, place + LENGTH_BYTES);
      this.#free += LENGTH_BYTES + name.length;
    }
    functions.set(functionName, place);
    return place;
  }
}

/** The watchdog thread's end. */
export class WatchingSide {
  readonly #cells: Int32Array;
  readonly #bytes: Buffer;

  constructor(buffer: SharedArrayBuffer) {
    this.#cells = new Int32Array(buffer, 0, Object.keys(CELL).length);
    this.#bytes = Buffer.from(buffer);
  }

  /** Sleeps for one tick. Returns false when the watch is over. */
  sleep(tickMs: number): boolean {
    Atomics.wait(this.#cells, CELL.stop, 0, tickMs);
    return Atomics.load(this.#cells, CELL.stop) === 0;
  }

  /** Counts one more tick without a beat; true when there were too many. */
  missesTooMany(): boolean {
    if (Atomics.load(this.#cells, CELL.inspected) === 1) {
      Atomics.store(this.#cells, CELL.missed, 0);
      return false;
    }
    const missed = Atomics.add(this.#cells, CELL.missed, 1) + 1;
    return missed > this.limit();
  }

  limit(): number {
    return Atomics.load(this.#cells, CELL.limit);
  }

  /** The call that the main thread is in. */
  running(): RunningCall | null {
    const place = Atomics.load(this.#cells, CELL.running);
    if (place === 0) return null;
    const start = place + LENGTH_BYTES;
    const length = this.#bytes.readUInt32LE(place);
    return JSON.parse(this.#bytes.toString('utf8', start, start + length)) as RunningCall;
  }
}
