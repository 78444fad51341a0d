/** Looks at the threads' counters twice a second and reports how far a load is. */
import type { LiveFigures } from './live-counters.ts';
import type { LoadOptions } from './load-options.ts';
import type { Progress } from './load-result.ts';

export interface ProgressWatchOptions {
  readonly options: LoadOptions;
  readonly read: () => LiveFigures;
  readonly onProgress: ((progress: Progress) => void) | undefined;
}

const EVERY_MS = 500;

export class ProgressWatch {
  readonly #options: ProgressWatchOptions;
  readonly #beganAt = performance.now();
  #timer: NodeJS.Timeout | null = null;
  #phase: 'warm-up' | 'measure' = 'warm-up';
  #phaseBeganAt = 0;
  /** Figures when the phase began, and at the last report. */
  #base: LiveFigures;
  #last: { readonly figures: LiveFigures; readonly at: number };

  constructor(options: ProgressWatchOptions) {
    this.#options = options;
    this.#base = options.read();
    this.#last = { figures: this.#base, at: this.#beganAt };
  }

  begin(phase: 'warm-up' | 'measure'): void {
    this.#phase = phase;
    this.#phaseBeganAt = performance.now();
    this.#base = this.#options.read();
    this.#last = { figures: this.#base, at: this.#phaseBeganAt };
    if (this.#options.onProgress === undefined) return;
    this.#timer ??= setInterval(() => this.#report(), EVERY_MS);
  }

  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
  }

  #report(): void {
    const now = performance.now();
    const figures = this.#options.read();
    const { outcomes } = figures;
    const base = this.#base.outcomes;
    const okSince = outcomes.ok - this.#last.figures.outcomes.ok;
    const requestsPerSecond = (okSince * 1000) / (now - this.#last.at);
    this.#last = { figures, at: now };
    const ended =
      outcomes.ok + outcomes.wrong + outcomes.refused + outcomes.failed - sumOf(this.#base);
    const etaMs = this.#etaMs(now - this.#phaseBeganAt, ended);
    this.#options.onProgress?.({
      phase: this.#phase === 'measure' && etaMs === 0 ? 'finish' : this.#phase,
      elapsedMs: now - this.#beganAt,
      etaMs,
      ok: outcomes.ok - base.ok,
      wrong: outcomes.wrong - base.wrong,
      refused: outcomes.refused - base.refused,
      failed: outcomes.failed - base.failed,
      requestsPerSecond,
    });
  }

  #etaMs(inPhaseMs: number, ended: number): number | null {
    const { warmUpMs, durationMs, requests, rate } = this.#options.options;
    const warmUpLeft = this.#phase === 'warm-up' ? Math.max(0, warmUpMs - inPhaseMs) : 0;
    const inMeasure = this.#phase === 'measure' ? inPhaseMs : 0;
    if (requests === null) return warmUpLeft + Math.max(0, durationMs - inMeasure);
    if (rate !== null) return warmUpLeft + Math.max(0, (requests * 1000) / rate - inMeasure);
    if (inMeasure === 0 || ended === 0) return null;
    return Math.max(0, (inMeasure * (requests - ended)) / ended);
  }
}

function sumOf({ outcomes }: LiveFigures): number {
  return outcomes.ok + outcomes.wrong + outcomes.refused + outcomes.failed;
}
