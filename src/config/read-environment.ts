/**
 * Reads the settings of the environment: `PLUGIND_` and the flag's name, and `PORT` where
 * `PLUGIND_PORT` is not set. What a flag already says is not read. Used by load-config.ts.
 */
import { formatValue, type Problem } from './problem.ts';
import {
  applySetting,
  type MutableOverrides,
  type Overrides,
  SETTING_NAMES,
  SETTINGS,
} from './settings.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

export interface EnvironmentSettings {
  readonly overrides: Overrides;
  readonly problems: readonly Problem[];
  /** False when the variables do not agree on what to serve, so that no file can be chosen. */
  readonly isSourceClear: boolean;
}

/** These say together what is served: a flag for one of them settles all. */
const SOURCE_SETTINGS: readonly (keyof Overrides)[] = ['config', 'wasm', 'function'];

/** The settings of `env` that `given` leaves open. */
export function readEnvironment(env: Environment, given: Overrides): EnvironmentSettings {
  const overrides: MutableOverrides = {};
  const problems: Problem[] = [];
  let isSourceClear = true;
  const isSourceGiven = SOURCE_SETTINGS.some((name) => given[name] !== undefined);
  for (const name of SETTING_NAMES) {
    const isSource = SOURCE_SETTINGS.includes(name);
    if (given[name] !== undefined || (isSource && isSourceGiven)) continue;
    const setting = SETTINGS[name];
    const variable = setting.variables.find((candidate) => isSet(candidate, env[candidate]));
    if (variable === undefined) continue;
    const text = env[variable] as string;
    if (applySetting(overrides, name, text)) continue;
    const got = formatValue(text);
    problems.push({ path: [variable], text: `must be ${setting.expected} (got ${got})` });
    if (isSource) isSourceClear = false;
  }
  if (isSourceClear) {
    const contradiction = findContradiction(overrides);
    if (contradiction !== undefined) {
      problems.push(contradiction);
      isSourceClear = false;
    }
  }
  return { overrides, problems, isSourceClear };
}

/**
 * An empty variable counts as not set: that is how compose files and shells unset one. So does what
 * Kubernetes tells of a service named `plugind` in `PLUGIND_PORT`, unasked.
 * https://kubernetes.io/docs/concepts/services-networking/service/#environment-variables
 */
function isSet(variable: string, text = ''): boolean {
  return text !== '' && !(variable.endsWith('_PORT') && /^(?:tcp|udp|sctp):\/\//.test(text));
}

function findContradiction(overrides: Overrides): Problem | undefined {
  const { config, wasm, function: functionName } = overrides;
  if (wasm !== undefined && config !== undefined) {
    const got = `${formatValue(config)} and ${formatValue(wasm)}`;
    const text = `must not be set together with PLUGIND_WASM (got ${got})`;
    return { path: ['PLUGIND_CONFIG'], text };
  }
  if (wasm !== undefined && functionName === undefined) {
    return { path: ['PLUGIND_FUNCTION'], text: 'must be set where PLUGIND_WASM is' };
  }
  if (functionName !== undefined && wasm === undefined) {
    return { path: ['PLUGIND_WASM'], text: 'must be set where PLUGIND_FUNCTION is' };
  }
  return undefined;
}
