/**
 * One line for a call that its plugin failed: which plugin and function, what happened, and whose request
 * it was. A plugin that fails every call would fill the disk, so a plugin has one line a second for each
 * code, which says how many it stands for; the metrics count every one.
 */
import type { ErrorCode } from '../errors.ts';
import type { PluginFailure } from '../http/reply-writer.ts';
import type { Clock } from '../lock/lock.ts';
import type { Logger } from '../log.ts';

const EVERY_MS = 1000;

interface Told {
  at: number;
  /** Since then. */
  untold: number;
}

/** The error that a plugin reports is its answer to its caller; whoever wants it logged asks for `debug`. */
const LEVELS: Readonly<Partial<Record<ErrorCode, 'debug'>>> = { PLUGIN_ERROR: 'debug' };

export function createFailureLog(
  log: Pick<Logger, 'warn' | 'debug'>,
  clock: Clock,
): (failure: PluginFailure) => void {
  // As many entries as there are plugins, times the codes of their failures.
  const told = new Map<string, Told>();
  return ({ error: { code, message }, ...failure }) => {
    const key = `${failure.plugin} ${code}`;
    const last = told.get(key);
    const now = clock();
    if (last !== undefined && now - last.at < EVERY_MS) {
      last.untold++;
      return;
    }
    told.set(key, { at: now, untold: 0 });
    const more = last === undefined || last.untold === 0 ? {} : { alsoSince: last.untold };
    log[LEVELS[code] ?? 'warn']({ ...failure, code, ...more }, `call failed: ${message}`);
  };
}
