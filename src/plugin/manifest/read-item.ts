/**
 * Gets the bytes of one manifest item, wherever they are, and holds them against the item's hash
 * before anybody compiles them.
 */
import { createHash } from 'node:crypto';
import { isLoopback } from '../../config/loopback.ts';
import { ServerError } from '../../errors.ts';
import { createAgents, type HttpAnswer, resolveWithSystem } from '../guest-http/exchange.ts';
import { followRedirects } from '../guest-http/follow-redirects.ts';
import { httpError } from '../guest-http/http-error.ts';
import type { ItemSource, ManifestItem } from './manifest.ts';
import { urlProblem } from './parse-item.ts';
import { readFile } from './read-file.ts';
import { checkPreamble, overSize } from './wasm-limits.ts';

/** What is left for this item. */
export interface ItemBudget {
  readonly maxBytes: number;
  /** Ends downloads. */
  readonly signal: AbortSignal;
}

export interface ItemContent {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly hash: string;
  readonly origin: string;
}

/** Sent where the manifest says nothing else. */
const ACCEPT = 'application/wasm, application/octet-stream;q=0.9, */*;q=0.8';
/** All others may hold what only the first server should see. */
const PLAIN_HEADERS = new Set(['accept', 'accept-language', 'user-agent']);

/**
 * @param subject begins every message.
 * @throws ServerError `PLUGIN_NOT_FOUND`, or `PLUGIN_COMPILE_FAILED` for a wrong hash, too many
 * bytes, or bytes that are no module.
 */
export async function readItem(
  subject: string,
  item: Pick<ManifestItem, 'source' | 'hash'>,
  budget: ItemBudget,
): Promise<ItemContent> {
  const origin = originOf(item.source);
  const where = `${subject}: ${origin}`;
  const bytes = await readSource(where, item.source, budget);
  const hash = createHash('sha256').update(bytes).digest('hex');
  if (item.hash !== null && item.hash !== hash) {
    throw new ServerError(
      'PLUGIN_COMPILE_FAILED',
      `${where}: has the SHA-256 ${hash}, but the manifest says ${item.hash}`,
      { details: { expected: item.hash, actual: hash } },
    );
  }
  checkPreamble(where, bytes);
  return { bytes, hash, origin };
}

function originOf(source: ItemSource): string {
  switch (source.kind) {
    case 'path':
      return source.path;
    case 'data':
      return 'data';
    case 'url':
      return source.url.origin + source.url.pathname;
  }
}

async function readSource(
  where: string,
  source: ItemSource,
  { maxBytes, signal }: ItemBudget,
): Promise<Uint8Array<ArrayBuffer>> {
  switch (source.kind) {
    case 'path':
      return readFile(where, source.path, maxBytes, (bytes) => overSize(where, bytes, maxBytes));
    case 'data': {
      const length = Buffer.byteLength(source.base64, 'base64');
      if (length > maxBytes) throw overSize(where, length, maxBytes);
      return new Uint8Array(Buffer.from(source.base64, 'base64'));
    }
    case 'url':
      return download(where, source, maxBytes, signal);
  }
}

async function download(
  where: string,
  { url, method, headers }: Extract<ItemSource, { kind: 'url' }>,
  maxBytes: number,
  signal: AbortSignal,
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
        resolve: resolveWithSystem,
        checkUrl: (step) => {
          const problem = urlProblem(step);
          if (problem !== null) throw httpError('scheme', `redirects must ${problem}`);
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
