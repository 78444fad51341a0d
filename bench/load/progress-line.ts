/** Shows how far a load is: one line that changes on a terminal, a line every five seconds anywhere else. */
import type { Progress } from './load-result.ts';

const PLAIN_EVERY_MS = 5000;
const CLEAR_LINE = '\r\x1b[K';

export interface ProgressOutput {
  readonly isTTY?: boolean;
  write(text: string): unknown;
}

export interface ProgressLine {
  show(progress: Progress): void;
  /** Takes the changing line away, so that what is printed next stands alone. */
  end(): void;
}

export function createProgressLine(output: ProgressOutput): ProgressLine {
  let plainAt = 0;
  return {
    show: (progress) => {
      const text = progressText(progress);
      if (output.isTTY === true) {
        output.write(`${CLEAR_LINE}${text}`);
      } else if (progress.elapsedMs - plainAt >= PLAIN_EVERY_MS) {
        plainAt = progress.elapsedMs;
        output.write(`${text}\n`);
      }
    },
    end: () => {
      if (output.isTTY === true) output.write(CLEAR_LINE);
    },
  };
}

export function progressText(progress: Progress): string {
  const { phase, elapsedMs, etaMs, ok, wrong, refused, failed } = progress;
  const eta = etaMs === null ? '?' : `${Math.ceil(etaMs / 1000)} s`;
  return [
    phase.padEnd(7),
    `${(elapsedMs / 1000).toFixed(1)} s`,
    `${Math.round(progress.requestsPerSecond)}/s`,
    `ok ${ok}  wrong ${wrong}  refused ${refused}  failed ${failed}`,
    `ETA ${eta}`,
  ].join('  ');
}
