/**
 * Names one life of a process, for what is written down and read by others: a pid comes again, in a
 * container at every start. Used for the primary, by the claims of slots and the records of hangs.
 */
import { readFileSync } from 'node:fs';

/** Where the time of the start stands, counted behind the process's name. Source: proc_pid_stat(5). */
const START_FIELD = 19;

/** The pid alone where the system does not tell when the process started. */
export function processIdentity(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name is in parentheses and may hold any character.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return `${pid}-${fields[START_FIELD]}`;
  } catch {
    return String(pid);
  }
}
