/**
 * What happened in the life of the app, as marks on the charts and lines of a list: told by the
 * workers and the primary, or seen here, as when a process is no longer there. Each once, however
 * often it is told.
 */

/** @typedef {import('./protocol.d.ts').Turn} Turn */
/** @typedef {import('./protocol.d.ts').LiveHead} LiveHead */

/** @typedef {Map<number, { slot: string, state: string }>} Processes by process id */

/** @typedef {'life' | 'roll' | 'failed-roll' | 'trouble'} Tone */

/**
 * @typedef {object} Mark
 * @property {string} key
 * @property {number} atMs wall clock
 * @property {number | null} endMs of what lasts, once it has ended
 * @property {Tone} tone
 * @property {string} text
 */

/** Beyond that the oldest are forgotten. */
const MAX_MARKS = 500;

const LIFE = { started: 'started', ready: 'is ready', draining: 'drains' };

export class Marks {
  /** @type {Map<string, Mark>} */
  #marks = new Map();
  /** As last seen. @type {Processes} */
  #seen = new Map();
  /** Gone since the last turn. @type {{ pid: number, mark: Mark }[]} */
  #leaving = [];

  /** Oldest first. */
  get list() {
    return [...this.#marks.values()].sort((a, b) => a.atMs - b.atMs);
  }

  /**
   * Takes in what a turn says. Marks older than the history are not kept.
   * @param {Turn} turn
   * @param {number} sinceMs where the history begins
   * @returns {Mark[]} those that are new
   */
  add(turn, sinceMs) {
    const told = [...workerMarks(turn), ...primaryMarks(turn), ...this.#changes(turn)];
    const news = told.filter(({ key, atMs }) => atMs >= sinceMs && !this.#marks.has(key));
    for (const mark of told) if (mark.atMs >= sinceMs) this.#marks.set(mark.key, mark);
    for (const { key, atMs } of this.list) if (atMs < sinceMs) this.#marks.delete(key);
    for (const { key } of this.list.slice(0, -MAX_MARKS)) this.#marks.delete(key);
    return news;
  }

  /**
   * What no process tells of itself: that it is silent, or left.
   * @param {Turn} turn
   * @returns {Mark[]}
   */
  #changes({ timeMs, primary, workers }) {
    // Whose death the primary had not heard of a turn ago was asked to leave.
    const dead = new Set((primary?.deaths ?? []).map(({ pid }) => pid));
    const marks = this.#leaving.filter(({ pid }) => !dead.has(pid)).map(({ mark }) => mark);
    /** @type {Processes} */
    const now = new Map();
    for (const worker of workers) {
      const { slot, pid, state } = 'head' in worker ? worker.head : worker;
      const before = this.#seen.get(pid)?.state;
      now.set(pid, { slot, state: state === 'silent' && before === 'starting' ? before : state });
      // One that starts compiles, and answers when that is done.
      if (state !== 'silent' || ['silent', 'starting', undefined].includes(before)) continue;
      const text = `worker ${slot} does not answer (pid ${pid})`;
      marks.push(createMark(`silent-${pid}-${timeMs}`, timeMs, 'trouble', text));
    }
    this.#leaving = [...this.#seen]
      .filter(([pid]) => !now.has(pid))
      .map(([pid, { slot }]) => ({
        pid,
        mark: createMark(`closed-${pid}`, timeMs, 'life', `worker ${slot} closed (pid ${pid})`),
      }));
    this.#seen = now;
    return marks;
  }
}

/** @param {Turn} turn @returns {Mark[]} */
function workerMarks({ workers }) {
  return workers.flatMap((worker) => {
    if (!('head' in worker)) return [];
    const { slot, events } = worker.head;
    return events.map(({ kind, at, pid, text }) => {
      const key = `${kind}-${slot}-${pid}`;
      if (kind === 'hang') {
        return createMark(
          key,
          at,
          'trouble',
          `worker ${slot} hung ${text} and was killed (pid ${pid})`,
        );
      }
      return createMark(key, at, 'life', `worker ${slot} ${LIFE[kind] ?? kind} (pid ${pid})`);
    });
  });
}

/** @param {Turn} turn @returns {Mark[]} */
function primaryMarks({ primary }) {
  if (primary === null) return [];
  const { pid, rolls, deaths = [] } = primary;
  return [
    ...rolls.flatMap((roll) => rollMarks(pid, roll)),
    ...deaths.map((death) => {
      const key = `death-${death.slot}-${death.pid}-${death.at}`;
      const text = `worker ${death.slot} restarted: ${death.text} (pid ${death.pid ?? 'none'})`;
      return createMark(key, Date.parse(death.at), 'trouble', text);
    }),
  ];
}

/**
 * @param {number} primaryPid
 * @param {import('./protocol.d.ts').PrimaryStatus['rolls'][number]} roll
 * @returns {Mark[]}
 */
function rollMarks(primaryPid, { id, state, trigger, startedAt, durationMs, reason }) {
  if (startedAt === null) return [];
  const atMs = Date.parse(startedAt);
  const endMs = durationMs === null ? null : atMs + durationMs;
  const tone = state === 'failed' ? 'failed-roll' : 'roll';
  const key = `roll-${primaryPid}-${id}`;
  const began = { ...createMark(key, atMs, tone, `roll ${id} began (${trigger})`), endMs };
  if (endMs === null) return [began];
  const took = `${((endMs - atMs) / 1000).toFixed(1)} s`;
  const text =
    state === 'failed'
      ? `roll ${id} failed after ${took}: ${reason}`
      : `roll ${id} done in ${took}`;
  return [began, createMark(`${key}-end`, endMs, tone, text)];
}

/** @param {string} key @param {number} atMs @param {Tone} tone @param {string} text @returns {Mark} */
function createMark(key, atMs, tone, text) {
  return { key, atMs, endMs: null, tone, text };
}
