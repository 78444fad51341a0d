/**
 * The page's stream: it connects again whenever it ends, fails or falls silent, to whichever worker
 * comes, and asks to go on where it was. fetch instead of EventSource, which cannot send a token.
 */
import { SseParser } from './sse-parser.js';

/** @typedef {'connecting' | 'open' | 'refused'} StreamState refused: a token is needed */

/**
 * @typedef {object} StreamOptions
 * @property {string} url
 * @property {() => string} token empty: none
 * @property {(event: import('./sse-parser.js').ServerEvent) => void} onEvent
 * @property {(state: StreamState, detail: string) => void} onState
 */

/** A turn comes each second: a worker that hangs says nothing. Both together end before its watchdog does. */
const SILENT_MS = 3000;
const NO_ANSWER_MS = 1500;
/** Where everything is slow, patience grows with each try in vain. */
const LONGEST_NO_ANSWER_MS = 6000;
/** Short: a worker that leaves has its last rows for a quarter of a second more. */
const FIRST_PAUSE_MS = 25;
const LONGEST_PAUSE_MS = 2000;

/** Runs until a token is needed. @param {StreamOptions} options */
export async function runStream(options) {
  let lastId = '';
  let pauseMs = FIRST_PAUSE_MS;
  let noAnswerMs = NO_ANSWER_MS;
  for (;;) {
    let turns = 0;
    const outcome = await readOnce(options, { lastId, noAnswerMs }, (event) => {
      if (event.id !== '') {
        lastId = event.id;
        turns++;
      }
      // A worker that leaves tells one and ends.
      if (turns > 1) pauseMs = FIRST_PAUSE_MS;
      noAnswerMs = NO_ANSWER_MS;
      options.onEvent(event);
    });
    if (outcome === 'refused') {
      options.onState('refused', '');
      return;
    }
    options.onState('connecting', outcome);
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
    pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS);
    noAnswerMs = Math.min(noAnswerMs * 2, LONGEST_NO_ANSWER_MS);
  }
}

/**
 * One connection, from its start to its end.
 * @param {StreamOptions} options
 * @param {{ lastId: string, noAnswerMs: number }} from where to go on, and how long to wait for that
 * @param {StreamOptions['onEvent']} onEvent
 * @returns {Promise<string>} why it ended
 */
async function readOnce({ url, token, onState }, { lastId, noAnswerMs }, onEvent) {
  const abort = new AbortController();
  let timer = setTimeout(() => abort.abort(), noAnswerMs);
  try {
    /** @type {Record<string, string>} */
    const headers = { accept: 'text/event-stream' };
    if (lastId !== '') headers['last-event-id'] = lastId;
    if (token() !== '') headers.authorization = `Bearer ${token()}`;
    const reply = await fetch(url, { headers, cache: 'no-store', signal: abort.signal });
    if (reply.status === 401) return 'refused';
    if (!reply.ok || reply.body === null) return await describe(reply);
    onState('open', '');
    const parser = new SseParser(onEvent);
    const reader = reply.body.pipeThrough(new TextDecoderStream()).getReader();
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return '';
      clearTimeout(timer);
      timer = setTimeout(() => abort.abort(), SILENT_MS);
      parser.push(value);
    }
  } catch {
    return abort.signal.aborted ? 'the worker asked does not answer' : 'no connection';
  } finally {
    clearTimeout(timer);
  }
}

/** @param {Response} reply */
async function describe(reply) {
  const problem = await reply.json().catch(() => ({}));
  return String(problem.detail ?? `status ${reply.status}`);
}
