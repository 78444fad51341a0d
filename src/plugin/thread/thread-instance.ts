/** An instance that lives in a thread of its own, as the rest of the engine has it. */
import { ServerError } from '../../errors.ts';
import type { PluginInstance } from '../compiled-plugin.ts';
import { OPERATION } from './call-memory.ts';
import type { Request } from './caller-side.ts';
import type { PluginThread } from './plugin-thread.ts';
import type { ThreadPool } from './thread-pool.ts';

const NOTHING = new Uint8Array(0);
const PAGE_BYTES = 65_536;

/** @throws ServerError as `CompiledPlugin.instantiate`, and as loading its host functions. */
export async function createThreadInstance(
  pool: ThreadPool,
  functions: readonly string[],
): Promise<PluginInstance> {
  return new ThreadInstance(pool, await pool.acquire(), functions);
}

class ThreadInstance implements PluginInstance {
  readonly #pool: ThreadPool;
  readonly #thread: PluginThread;
  readonly #numbers: ReadonlyMap<string, number>;
  /** Somebody restores after each call: then the thread does so before its reply. */
  #restores = false;
  /** It did so with the last call. */
  #hasRestored = false;
  #isClosed = false;

  constructor(pool: ThreadPool, thread: PluginThread, functions: readonly string[]) {
    this.#pool = pool;
    this.#thread = thread;
    this.#numbers = new Map(functions.map((name, index) => [name, index]));
  }

  get isPoisoned(): boolean {
    return this.#isClosed || this.#thread.isGone || this.#thread.report('isPoisoned') === 1;
  }

  get guestPages(): number {
    return this.#thread.report('guestPages');
  }

  get memoryBytes(): number {
    return this.#thread.report('memoryPages') * PAGE_BYTES;
  }

  call(
    functionName: string,
    input: Uint8Array,
    hostContext?: unknown,
  ): Uint8Array | Promise<Uint8Array> {
    const operation = this.#numbers.get(functionName);
    if (operation === undefined) {
      throw new ServerError('FUNCTION_NOT_EXPORTED', `there is no function "${functionName}"`);
    }
    this.#hasRestored = this.#restores;
    return this.#thread.ask({ operation, input, hostContext, restores: this.#restores });
  }

  restore(): boolean | Promise<boolean> {
    if (this.isPoisoned) return false;
    if (this.#hasRestored) {
      this.#hasRestored = false;
      return this.#thread.report('isRestored') === 1;
    }
    this.#restores = true;
    const done = this.#thread.ask({ ...plain(OPERATION.restore), restores: true });
    const wasRestored = (): boolean => this.#thread.report('isRestored') === 1;
    return done instanceof Promise ? done.then(wasRestored, () => false) : wasRestored();
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    if (this.#thread.isGone) return;
    try {
      await this.#thread.ask(plain(OPERATION.close));
    } catch {
      void this.#thread.terminate();
    }
    this.#pool.release(this.#thread);
  }
}

function plain(operation: number): Request {
  return { operation, input: NOTHING, hostContext: undefined, restores: false };
}
