/** Asks for several things in turn, at a steady pace, whatever the answers are. */
import { setTimeout } from 'node:timers/promises';

export interface MixedRequest {
  readonly path: string;
  readonly body: string;
}

export interface MixedTraffic {
  /** Ends it. Idempotent. */
  stop(): Promise<void>;
}

const CONNECTIONS = 4;
/** Each connection's pause between two requests. */
const PAUSE_MS = 10;
/** A connection that is handed to a killed worker hangs until its client gives up. */
const HUNG_MS = 2000;

export function startMixedTraffic(url: string, requests: readonly MixedRequest[]): MixedTraffic {
  let isStopped = false;
  const ask = async ({ path, body }: MixedRequest): Promise<void> => {
    const signal = AbortSignal.timeout(HUNG_MS);
    const reply = await fetch(`${url}${path}`, { method: 'POST', body, signal });
    await reply.arrayBuffer();
  };
  const loop = async (first: number): Promise<void> => {
    for (let turn = first; !isStopped; turn++) {
      const request = requests[turn % requests.length];
      // A worker that is killed while it answers is what this traffic is for.
      if (request !== undefined) await ask(request).catch(() => {});
      await setTimeout(PAUSE_MS);
    }
  };
  const loops = Array.from({ length: CONNECTIONS }, (_, index) => loop(index));
  return {
    stop: async () => {
      isStopped = true;
      await Promise.all(loops);
    },
  };
}
