/**
 * The errors the guard throws for a module it does not take. A refusal is an operator's mistake
 * (the plugin cannot be loaded), so every one carries PLUGIN_COMPILE_FAILED and named facts; the
 * text names what was found and where. Used by every file of the guard.
 */
import { ServerError } from '../../errors.ts';

/** A module that breaks a limit or the rules of the guard, or that is not WebAssembly at all. */
export function refusal(
  message: string,
  details: Readonly<Record<string, unknown>> = {},
): ServerError {
  return new ServerError('PLUGIN_COMPILE_FAILED', message, { details });
}

/** A module whose bytes end early or contradict themselves. */
export function malformed(what: string, offset: number): ServerError {
  return refusal(`malformed module: ${what} at byte ${offset}`, { offset, malformed: true });
}

/**
 * A module that uses a part of WebAssembly that cannot be guarded, such as exceptions or threads.
 * `feature` is the opcode's text name, or what stands in its place outside of code.
 */
export function unsupported(
  feature: string,
  proposal: string,
  where: string,
  details: Readonly<Record<string, unknown>> = {},
): ServerError {
  return refusal(
    `${where} uses ${feature} (${proposal}), which the deadline guard cannot cover; ` +
      'set "execution": "thread" for this plugin to run it unguarded in a thread of its own',
    { ...details, feature, proposal, execution: 'thread' },
  );
}
