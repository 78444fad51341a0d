/**
 * The streams of the live page in this worker. While somebody looks it asks every worker of the app
 * once a second, for all viewers together, and only for what the one furthest behind has not seen.
 */
import type { ServerResponse } from 'node:http';
import { ServerError } from '../../errors.ts';
import type { Logger } from '../../log.ts';
import type { LiveColumns } from '../../metrics/live-columns.ts';
import { HISTORY_ROWS } from '../../metrics/live-history.ts';
import type { PrimaryReply } from '../ask-primary.ts';
import { parsePrimaryStatus } from '../primary-status.ts';
import type { SiblingAnswer, Siblings, SilentSibling } from '../siblings.ts';
import type { Cursors } from './cursors.ts';
import { composeLiveEvent, type LiveEvent, type LiveTurn } from './live-event.ts';
import { LIVE_FORMAT, type LiveReport, parseLiveReport } from './live-report.ts';
import { LiveViewer } from './live-viewer.ts';

export interface LiveFeedOptions {
  readonly siblings: Pick<Siblings, 'askLive'>;
  readonly columns: LiveColumns;
  /** Asks our own primary for its status; absent where there is none, as under pm2. */
  readonly askPrimary?: () => Promise<PrimaryReply>;
  readonly log: Pick<Logger, 'info' | 'debug'>;
  /** Streams at once. Default 32. */
  readonly maxViewers?: number;
  /** A viewer that takes nothing for this long is dropped. Default 10,000 ms. */
  readonly blockedMs?: number;
  /** Monotonic, in ms. Default the system's. */
  readonly clock?: () => number;
}

const PERIOD_MS = 1000;
const LEAVING_RETRY_MS = 250;
/** Every worker takes its row at the whole second. */
const AFTER_WHOLE_MS = 150;

export class LiveFeed {
  readonly #options: Required<Omit<LiveFeedOptions, 'askPrimary'>> &
    Pick<LiveFeedOptions, 'askPrimary'>;
  readonly #viewers = new Set<LiveViewer>();
  #isClosed = false;
  #isRunning = false;
  #wake: () => void = () => {};

  constructor(options: LiveFeedOptions) {
    const clock = (): number => performance.now();
    this.#options = { maxViewers: 32, blockedMs: 10_000, clock, ...options };
  }

  /** Number of open streams. */
  get viewers(): number {
    return this.#viewers.size;
  }

  /**
   * To be asked before the head of a reply is written.
   * @throws ServerError `QUEUE_FULL` when too many look.
   */
  assertRoom(): void {
    const { maxViewers } = this.#options;
    if (this.#viewers.size < maxViewers) return;
    throw new ServerError('QUEUE_FULL', `${maxViewers} live pages are open: close one of them`);
  }

  /** Takes over a reply whose head is written. */
  add(response: ServerResponse, cursors: Cursors): void {
    const { columns, clock } = this.#options;
    const { outcomes, bounds } = columns;
    const hello = { format: LIVE_FORMAT, rows: HISTORY_ROWS, outcomes, bounds };
    const retryMs = this.#isClosed ? LEAVING_RETRY_MS : PERIOD_MS;
    response.write(`retry: ${retryMs}\nevent: hello\ndata: ${JSON.stringify(hello)}\n\n`);
    const viewer: LiveViewer = new LiveViewer({
      response,
      cursors,
      onWritable: () => this.#wake(),
      onClosed: () => this.#viewers.delete(viewer),
      clock,
    });
    this.#viewers.add(viewer);
    if (this.#isClosed) {
      // No error: for any client of event streams that would be final, and the next try is another's.
      // One turn, since the rows of a worker that leaves are gone with it.
      void this.#turn().finally(() => viewer.end());
      return;
    }
    this.#wake();
    void this.#run();
  }

  /** The first step of a drain: ends every stream, and from then on each at once. Idempotent. */
  close(): void {
    this.#isClosed = true;
    for (const viewer of this.#viewers) viewer.end();
    this.#wake();
  }

  async #run(): Promise<void> {
    if (this.#isRunning) return;
    this.#isRunning = true;
    while (this.#viewers.size > 0 && !this.#isClosed) {
      const isBehind = await this.#turn();
      if (!isBehind) await this.#pause();
    }
    this.#isRunning = false;
  }

  /** Asks once and tells every viewer that reads. Resolves to whether one of them is behind. */
  async #turn(): Promise<boolean> {
    for (const viewer of this.#viewers) {
      if (viewer.blockedMs > this.#options.blockedMs) viewer.drop();
    }
    const asking = [...this.#viewers].filter(({ isWritable }) => isWritable);
    if (asking.length === 0) return false;
    const turn = await this.#ask(asking.map(({ cursors }) => cursors));
    const composed = new Map<string, LiveEvent>();
    let isBehind = false;
    for (const viewer of asking.filter(({ isWritable }) => isWritable)) {
      // Those that follow are all at the same place.
      const place = JSON.stringify([...viewer.cursors]);
      const event = composed.get(place) ?? composeLiveEvent(turn, viewer.cursors);
      composed.set(place, event);
      viewer.send(event);
      isBehind ||= event.isBehind && viewer.isWritable;
    }
    return isBehind;
  }

  async #ask(cursors: readonly Cursors[]): Promise<LiveTurn> {
    const { siblings } = this.#options;
    const [answers, primaryText] = await Promise.all([
      siblings.askLive((pid) => Math.min(...cursors.map((known) => known.get(pid) ?? 0))),
      this.#primary(),
    ]);
    const workers = answers.map((answer) => this.#read(answer));
    return { timeMs: Date.now(), workers, primaryText };
  }

  #read(answer: SiblingAnswer): LiveReport | SilentSibling {
    if (answer.state === 'silent') return answer;
    const { slot, pid } = answer;
    try {
      return parseLiveReport(answer.body, slot, pid);
    } catch (err) {
      this.#options.log.debug({ err, slot, pid }, 'live report of a sibling cannot be read');
      return { slot, pid, state: 'silent' };
    }
  }

  async #primary(): Promise<string> {
    const { askPrimary, log } = this.#options;
    if (askPrimary === undefined) return 'null';
    try {
      const { body } = await askPrimary();
      return JSON.stringify(parsePrimaryStatus(body));
    } catch (err) {
      log.debug({ err }, 'the primary does not answer the live page');
      return 'null';
    }
  }

  /** Until every worker has taken its next row, or somebody comes. */
  #pause(): Promise<void> {
    const untilWhole = PERIOD_MS - (Date.now() % PERIOD_MS);
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, untilWhole + AFTER_WHOLE_MS);
      timer.unref();
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
