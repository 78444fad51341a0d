/** What whoever waits for the bench sees on stderr: a line a measurement, and on a terminal a live one. */
import type { Progress } from '../load/load-result.ts';
import type { Round } from './report.ts';

export interface ProgressLines {
  readonly begin: (what: string) => void;
  readonly live: (progress: Progress) => void;
  readonly end: (round: Round) => void;
  readonly note: (line: string) => void;
}

export interface ProgressStream {
  readonly isTTY?: boolean;
  write(text: string): unknown;
}

/** @param measurements how many there will be. */
export function createProgressLines(measurements: number, stream: ProgressStream): ProgressLines {
  const startedAt = performance.now();
  let done = 0;
  let current = '';
  const clear = stream.isTTY === true ? '\r\u001b[K' : '';
  const remaining = (): string => {
    if (done === 0) return '';
    const seconds = ((performance.now() - startedAt) / 1000 / done) * (measurements - done);
    return `, about ${formatSeconds(seconds)} left`;
  };
  return {
    begin: (what) => {
      current = what;
    },
    live: ({ requestsPerSecond }) => {
      if (stream.isTTY !== true) return;
      stream.write(
        `${clear}[${done + 1}/${measurements}${remaining()}] ${current}  ${rate(requestsPerSecond)}`,
      );
    },
    end: (round) => {
      done++;
      const p99 = `p99 ${(round.p99Us / 1000).toFixed(2)} ms`;
      const bad = round.wrong + round.failed + round.refused;
      const others =
        bad === 0 ? '' : `  ${round.wrong} wrong, ${round.failed} failed, ${round.refused} refused`;
      const place = `[${done}/${measurements}${remaining()}]`;
      stream.write(
        `${clear}${place} ${current}  ${rate(round.requestsPerSecond)}  ${p99}${others}\n`,
      );
    },
    note: (line) => {
      stream.write(`${clear}${line}\n`);
    },
  };
}

function rate(requestsPerSecond: number): string {
  return `${Math.round(requestsPerSecond).toLocaleString('en-US')} req/s`;
}

function formatSeconds(seconds: number): string {
  return seconds < 90 ? `${Math.ceil(seconds)} s` : `${Math.ceil(seconds / 60)} min`;
}
