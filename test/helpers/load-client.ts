/**
 * Load for tests of the life cycle: half of the connections are kept alive with pauses between
 * requests, the other half are new for each request. Nothing is retried, every body is checked
 * (each request carries an id of its own), and what went wrong is counted and named. Node's own
 * http client, since fetch retries some requests by itself.
 */
import { Agent, request } from 'node:http';

export interface LoadOptions {
  readonly port: number;
  /** Default `/`. */
  readonly path?: string;
  /** Clients at once, half of them keep-alive. Default 16. */
  readonly connections?: number;
  /** Longest pause of a keep-alive client between two requests. Default 40 ms. */
  readonly maxPauseMs?: number;
  /** Pause of the others between two connections. Default 5 ms. */
  readonly newPauseMs?: number;
  /** The only right answers to an input. Default: what the hello plugin says. */
  readonly isRight?: (id: string, body: string) => boolean;
  /** After this long without an answer a request counts as hung. Default 5,000 ms. */
  readonly hungMs?: number;
  /** No client sends after this long, whatever the test does. Default 5 minutes. */
  readonly maxMs?: number;
}

export interface LoadResult {
  readonly sent: number;
  readonly ok: number;
  /** No answer, or a status other than 200; hung ones included. */
  readonly failed: number;
  /** 200 with another body than asked for. */
  readonly wrong: number;
  /** Of those failed: no answer within `hungMs`. */
  readonly hung: number;
  readonly longestMs: number;
  /** What went wrong -> how often. */
  readonly reasons: Readonly<Record<string, number>>;
}

export interface Load {
  /** So far. */
  result(): LoadResult;
  /** Resolves when this many requests more were answered or failed. */
  sent(count: number): Promise<void>;
  /** Resolves when all that is in flight now was answered or failed. */
  settled(): Promise<void>;
  /** Ends after the requests in flight. Idempotent. */
  stop(): Promise<LoadResult>;
}

interface Counts {
  sent: number;
  ok: number;
  failed: number;
  wrong: number;
  hung: number;
  longestMs: number;
  readonly reasons: Record<string, number>;
}

let lastRun = 0;

export function startLoad(options: LoadOptions): Load {
  const { connections = 16, maxPauseMs = 40, newPauseMs = 5, maxMs = 300_000 } = options;
  const run = ++lastRun;
  const counts: Counts = {
    sent: 0,
    ok: 0,
    failed: 0,
    wrong: 0,
    hung: 0,
    longestMs: 0,
    reasons: {},
  };
  const endAt = performance.now() + maxMs;
  const inFlight = new Map<number, Promise<void>>();
  let isStopping = false;
  const client = async (index: number): Promise<void> => {
    const isKept = index % 2 === 0;
    // One agent a client: with maxSockets 1 it is one connection, made anew once it was closed.
    const agent = isKept ? new Agent({ keepAlive: true, maxSockets: 1 }) : false;
    for (let number = 0; !isStopping && performance.now() < endAt; number++) {
      const sending = sendOne(options, agent, `${run}-${index}-${number}`, counts);
      inFlight.set(index, sending);
      await sending;
      await pause(isKept ? Math.random() * maxPauseMs : newPauseMs);
    }
    if (agent !== false) agent.destroy();
  };
  const clients = Promise.all(Array.from({ length: connections }, (_, index) => client(index)));
  const result = (): LoadResult => ({ ...counts, reasons: { ...counts.reasons } });
  return {
    result,
    sent: async (count) => {
      const goal = counts.sent + count;
      while (counts.sent < goal && !isStopping && performance.now() < endAt) await pause(10);
    },
    settled: async () => {
      await Promise.all(inFlight.values());
    },
    stop: async () => {
      isStopping = true;
      await clients;
      return result();
    },
  };
}

/** Resolves however it ends. */
async function sendOne(
  options: LoadOptions,
  agent: Agent | false,
  id: string,
  counts: Counts,
): Promise<void> {
  const { isRight = isHello, hungMs = 5000 } = options;
  const startedAt = performance.now();
  try {
    const { status, body } = await post(options.port, options.path ?? '/', agent, id, hungMs);
    if (status !== 200) note(counts, 'failed', `status ${status} ${body.slice(0, 80)}`);
    else if (isRight(id, body)) counts.ok++;
    else note(counts, 'wrong', `wrong body ${body.slice(0, 80)} for ${id}`);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === HUNG) counts.hung++;
    note(counts, 'failed', code ?? message);
  }
  counts.sent++;
  counts.longestMs = Math.max(counts.longestMs, performance.now() - startedAt);
}

const HUNG = 'HUNG';

function post(
  port: number,
  path: string,
  agent: Agent | false,
  body: string,
  hungMs: number,
): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': 'text/plain', 'content-length': Buffer.byteLength(body) };
    const outgoing = request(
      { host: '127.0.0.1', port, path, method: 'POST', agent, headers },
      (incoming) => {
        const chunks: Buffer[] = [];
        incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
        incoming.on('error', reject);
        incoming.on('end', () => {
          resolve({
            status: incoming.statusCode ?? 0,
            body: Buffer.concat(chunks).toString('utf8'),
          });
        });
      },
    );
    const timer = setTimeout(() => {
      outgoing.destroy(Object.assign(new Error('no answer'), { code: HUNG }));
    }, hungMs);
    outgoing.on('error', reject);
    outgoing.on('close', () => {
      clearTimeout(timer);
      // Settled by now unless the answer was cut before its end.
      reject(Object.assign(new Error('the answer was cut'), { code: 'CUT' }));
    });
    outgoing.end(body);
  });
}

function isHello(id: string, body: string): boolean {
  return body === `{"message":"🦀 Hello ${id}"}`;
}

function note(counts: Counts, kind: 'failed' | 'wrong', reason: string): void {
  counts[kind]++;
  const known = Object.keys(counts.reasons).length;
  const key = reason in counts.reasons || known < 20 ? reason : 'others';
  counts.reasons[key] = (counts.reasons[key] ?? 0) + 1;
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
