/**
 * Downloads a manifest's `url` item, with its method and headers. Only over TLS, but for this
 * machine itself; redirects are held to the same.
 */
import { isLoopback } from '../../config/loopback.ts';
import { ServerError } from '../../errors.ts';
import {
  createAgents,
  type HttpAnswer,
  type ResolveHost,
  resolveWithSystem,
} from '../guest-http/exchange.ts';
import { followRedirects } from '../guest-http/follow-redirects.ts';
import { httpError } from '../guest-http/http-error.ts';
import type { ItemSource } from './manifest.ts';
import { urlProblem } from './parse-item.ts';

/** What is left for one item; the signal ends its download. */
export interface DownloadBudget {
  readonly maxBytes: number;
  readonly signal: AbortSignal;
  /** undefined: the system's resolver. */
  readonly resolve: ResolveHost | undefined;
}

/** Sent where the manifest says nothing else. */
const ACCEPT = 'application/wasm, application/octet-stream;q=0.9, */*;q=0.8';
/** All others may hold what only the first server should see. */
const PLAIN_HEADERS = new Set(['accept', 'accept-language', 'user-agent']);

/**
 * @param where begins every message.
 * @throws ServerError `PLUGIN_NOT_FOUND`, or `PLUGIN_COMPILE_FAILED` for too many bytes.
 */
export async function download(
  where: string,
  { url, method, headers }: Extract<ItemSource, { kind: 'url' }>,
  { maxBytes, signal, resolve = resolveWithSystem }: DownloadBudget,
): Promise<Uint8Array<ArrayBuffer>> {
  const agents = createAgents();
  let answer: HttpAnswer;
  try {
    const sent = new Map(headers);
    if (!sent.has('accept')) sent.set('accept', ACCEPT);
    answer = await followRedirects(
      { url, method, headers: sent, body: null },
      {
        agents,
        resolve,
        checkUrl: (step) => {
          const problem = urlProblem(step);
          if (problem !== null) throw httpError('redirects', `redirects must ${problem}`);
        },
        // Without TLS only this machine, whatever `localhost` resolves to.
        allowsAddress: (host, address) => !isLoopback(host) || isLoopback(address),
        isSecretHeader: (name) => !PLAIN_HEADERS.has(name),
        bodyLimit: { name: 'maxWasmBytes', bytes: maxBytes },
        signal,
      },
    );
  } catch (cause) {
    const { code, message, details } = ServerError.from(cause);
    throw code === 'PLUGIN_LIMIT'
      ? new ServerError('PLUGIN_COMPILE_FAILED', `${where}: ${message}`, { cause, details })
      : new ServerError('PLUGIN_NOT_FOUND', `${where}: ${message}`, { cause, details });
  } finally {
    agents.http.destroy();
    agents.https.destroy();
  }
  if (answer.status === 200) return answer.body;
  throw new ServerError('PLUGIN_NOT_FOUND', `${where}: answers with status ${answer.status}`, {
    details: { status: answer.status },
  });
}
