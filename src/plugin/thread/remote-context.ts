/**
 * The first argument of a host function that runs beside the guest's thread: `CallContext`, asked
 * for through the channel. After the function's end it answers no more, whoever kept it.
 */
import { ServerError } from '../../errors.ts';
import type { BlockAddress, CallContext } from '../kernel/call-context.ts';
import { PluginOutput } from '../kernel/plugin-output.ts';
import {
  type ContextMember,
  type FunctionChannel,
  type GuestSideMessage,
  post,
  waitForMessage,
} from './function-channel.ts';

type Shape = Omit<CallContext, 'begin'>;

export class RemoteContext implements Shape {
  readonly #channel: FunctionChannel;
  readonly #hostContext: unknown;
  #hasEnded = false;

  constructor(channel: FunctionChannel, hostContext: unknown) {
    this.#channel = channel;
    this.#hostContext = hostContext;
  }

  /** The function is done. */
  end(): void {
    this.#hasEnded = true;
  }

  // biome-ignore lint/suspicious/noExplicitAny: the SDK's own default
  hostContext<T = any>(): T {
    return this.#hostContext as T;
  }

  alloc(size: BlockAddress): bigint {
    return this.#ask('alloc', size) as bigint;
  }

  free(address: BlockAddress): void {
    this.#ask('free', address);
  }

  read(address: BlockAddress): PluginOutput | null {
    return outputOf(this.#ask('read', address));
  }

  store(input: string | Uint8Array): bigint {
    return this.#ask('store', input) as bigint;
  }

  length(address: BlockAddress): bigint {
    return this.#ask('length', address) as bigint;
  }

  getVariable(name: string): PluginOutput | null {
    return outputOf(this.#ask('getVariable', name));
  }

  setVariable(name: string, value: string | Uint8Array): void {
    this.#ask('setVariable', name, value);
  }

  deleteVariable(name: string): void {
    this.#ask('deleteVariable', name);
  }

  setError(error: string | Error | null = null): void {
    this.#ask('setError', error instanceof Error ? error.message : error);
  }

  get logLevel(): CallContext['logLevel'] {
    return this.#ask('logLevel') as CallContext['logLevel'];
  }

  set logLevel(level: CallContext['logLevel']) {
    this.#ask('logLevel=', level);
  }

  #ask(member: ContextMember, ...values: readonly unknown[]): unknown {
    if (this.#hasEnded) throw new ServerError('INTERNAL', 'the host function has ended');
    post(this.#channel, { kind: 'context', member, values });
    const message = waitForMessage(this.#channel) as GuestSideMessage;
    const { outcome } = message as Extract<GuestSideMessage, { kind: 'answer' }>;
    if ('value' in outcome) return outcome.value;
    const { code, message: text, details } = outcome.error;
    throw new ServerError(code, text, { details });
  }
}

/** A clone of a `PluginOutput` is a plain view. */
function outputOf(cloned: unknown): PluginOutput | null {
  if (cloned === null) return null;
  const { buffer, byteOffset, byteLength } = cloned as DataView<ArrayBuffer>;
  return new PluginOutput(new Uint8Array(buffer, byteOffset, byteLength));
}
