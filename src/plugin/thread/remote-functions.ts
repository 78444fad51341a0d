/**
 * Host functions that run in a second thread while the guest's sleeps: for async ones, on engines
 * that cannot suspend a guest. For the guest they are plain functions. A function that does not end
 * holds the guest's thread, which its caller ends at the call's deadline, and the second one with it.
 */
import { MessageChannel, resourceLimits, Worker } from 'node:worker_threads';
import { ServerError } from '../../errors.ts';
import type { HostFunction, HostFunctions } from '../kernel/bind-host-functions.ts';
import type { CallContext } from '../kernel/call-context.ts';
import type { loadHostFunctions } from '../load-host-functions.ts';
import {
  type ContextMember,
  type FunctionChannel,
  type FunctionSideMessage,
  type Outcome,
  post,
  sendable,
  waitForMessage,
} from './function-channel.ts';
import type { FunctionSetup } from './function-entry.ts';

/** @param loaded the same module's functions, for their names. */
export function createRemoteFunctions(
  plugin: Parameters<typeof loadHostFunctions>[0],
  loaded: HostFunctions,
): HostFunctions {
  const { port1, port2 } = new MessageChannel();
  const [received, posted] = [counter(), counter()];
  const channel: FunctionChannel = { port: port1, received, posted };
  const workerData: FunctionSetup = {
    plugin,
    channel: { port: port2, received: posted, posted: received },
  };
  const worker = new Worker(new URL('./function-entry.js', import.meta.url), {
    workerData,
    transferList: [port2],
    execArgv: ['--disable-warning=ExperimentalWarning'],
    name: `host functions of ${plugin.name}`,
    resourceLimits,
  });
  worker.on('error', (error) => {
    throw error;
  });
  return Object.fromEntries(
    Object.entries(loaded).map(([namespace, members]) => [
      namespace,
      Object.fromEntries(
        Object.keys(members).map((name) => [name, remote(channel, namespace, name)]),
      ),
    ]),
  );
}

function counter(): Int32Array<SharedArrayBuffer> {
  return new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
}

function remote(channel: FunctionChannel, namespace: string, name: string): HostFunction {
  return (context, ...values) => {
    const hostContext: unknown = context.hostContext();
    post(channel, { kind: 'call', namespace, name, values, hostContext });
    for (;;) {
      const message = waitForMessage(channel) as FunctionSideMessage;
      if (message.kind === 'context') {
        const outcome = askContext(context, message.member, message.values);
        post(channel, { kind: 'answer', outcome });
        continue;
      }
      const { outcome } = message;
      if ('value' in outcome) return outcome.value;
      const { code, message: text, details } = outcome.error;
      throw new ServerError(code, text, { details });
    }
  };
}

function askContext(
  context: CallContext,
  member: ContextMember,
  values: readonly unknown[],
): Outcome {
  try {
    if (member === 'logLevel') return { value: context.logLevel };
    if (member === 'logLevel=') {
      context.logLevel = values[0] as CallContext['logLevel'];
      return { value: undefined };
    }
    const method = context[member] as (...values: readonly unknown[]) => unknown;
    return { value: method.apply(context, [...values]) };
  } catch (thrown) {
    return { error: sendable(ServerError.from(thrown)) };
  }
}
