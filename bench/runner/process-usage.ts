/**
 * CPU time and memory of a server, over all its processes, as the kernel counts them. Linux only:
 * elsewhere there is no /proc and every figure is null.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';

interface Stat {
  readonly pid: number;
  readonly parent: number;
  readonly ticks: number;
}

export interface Usage {
  /** User and system time since each process began. */
  readonly cpuUs: number;
  /** Sum of the most that each process had in RAM since it began or was last reset. */
  readonly peakRssBytes: number;
}

const HAS_PROC = existsSync('/proc/self/stat');
const TICKS_PER_SECOND = HAS_PROC ? Number(execFileSync('getconf', ['CLK_TCK']).toString()) : 0;

/** Of this process and all its descendants; null where the system does not say. */
export function readUsage(pid: number): Usage | null {
  if (!HAS_PROC) return null;
  const family = familyOf(pid, readStats());
  const ticks = family.reduce((sum, stat) => sum + stat.ticks, 0);
  const peakRssBytes = family.reduce((sum, stat) => sum + readPeakRss(stat.pid), 0);
  return { cpuUs: (ticks * 1e6) / TICKS_PER_SECOND, peakRssBytes };
}

/** Forgets the peak of this process and all its descendants: what they have now is the least that the next says. */
export function resetPeakRss(pid: number): void {
  if (!HAS_PROC) return;
  for (const one of familyOf(pid, readStats())) {
    try {
      // proc(5): 5 resets the "high water mark" of the resident set.
      writeFileSync(`/proc/${one.pid}/clear_refs`, '5');
    } catch {
      // It ended meanwhile.
    }
  }
}

function readStats(): Stat[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      const text = readOrEmpty(`/proc/${name}/stat`);
      return text === '' ? [] : [parseStat(Number(name), text)];
    });
}

/** The name, in brackets, may hold anything; the fields after it are numbers. */
function parseStat(pid: number, text: string): Stat {
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  // proc(5): state is field 3, so ppid (4) is at 1, utime (14) at 11, stime (15) at 12.
  return { pid, parent: Number(fields[1]), ticks: Number(fields[11]) + Number(fields[12]) };
}

function familyOf(pid: number, stats: readonly Stat[]): Stat[] {
  const family = stats.filter((stat) => stat.pid === pid);
  for (let index = 0; index < family.length; index++) {
    family.push(...stats.filter((stat) => stat.parent === family[index]?.pid));
  }
  return family;
}

function readPeakRss(pid: number): number {
  const kilobytes = /^VmHWM:\s+(\d+) kB/m.exec(readOrEmpty(`/proc/${pid}/status`))?.[1];
  return Number(kilobytes ?? 0) * 1024;
}

/** A process may end between two reads. */
function readOrEmpty(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
