/** Entry of the thread that runs a plugin's host functions; started by remote-functions.ts. */
import { workerData } from 'node:worker_threads';
import { ServerError } from '../../errors.ts';
import type { CallContext } from '../kernel/call-context.ts';
import { loadHostFunctions } from '../load-host-functions.ts';
import {
  type FunctionChannel,
  type GuestSideMessage,
  type Outcome,
  post,
  sendable,
} from './function-channel.ts';
import { RemoteContext } from './remote-context.ts';

export interface FunctionSetup {
  readonly plugin: Parameters<typeof loadHostFunctions>[0];
  readonly channel: FunctionChannel;
}

const { plugin, channel } = workerData as FunctionSetup;
const functions = await loadHostFunctions(plugin);

channel.port.on('message', (message: GuestSideMessage) => {
  if (message.kind === 'call') void run(message);
});

async function run(call: Extract<GuestSideMessage, { kind: 'call' }>): Promise<void> {
  const { namespace, name, values, hostContext } = call;
  const context = new RemoteContext(channel, hostContext);
  let outcome: Outcome;
  try {
    const member = functions[namespace]?.[name];
    outcome = { value: await member?.(context as unknown as CallContext, ...values) };
  } catch (thrown) {
    outcome = { error: sendable(ServerError.from(thrown)) };
  }
  // From here on the guest's thread listens no more.
  context.end();
  try {
    post(channel, { kind: 'end', outcome });
  } catch (thrown) {
    post(channel, { kind: 'end', outcome: { error: sendable(ServerError.from(thrown)) } });
  }
}
