/**
 * Makes a refused file readable for the rules, so that one start reports the broken rules together
 * with the wrong values. The result is never served: what is said about repaired places is dropped.
 */
import type { ConfigFile } from './config-file.ts';
import type { ConfigPath, Problem } from './problem.ts';

const EMPTY_ROUTE = { path: '', plugin: '', function: '' } as const;

/** `file` without the values at the places of `problems`. */
export function repairFile(file: unknown, problems: readonly Problem[]): ConfigFile {
  const copy: unknown = structuredClone(file);
  for (const { path } of problems) removeAt(copy, path);
  const { plugins, routes, ...rest } = (isObject(copy) ? copy : {}) as Partial<ConfigFile>;
  return {
    ...rest,
    plugins: isObject(plugins) ? plugins : {},
    routes: Array.isArray(routes) ? routes.map((route) => ({ ...EMPTY_ROUTE, ...route })) : [],
  };
}

function removeAt(root: unknown, path: ConfigPath): void {
  let node = root;
  for (const part of path.slice(0, -1)) {
    if (!isObject(node) || !Object.hasOwn(node, part)) return;
    node = node[part];
  }
  const last = path.at(-1);
  if (!isObject(node) || last === undefined) return;
  // An index stays, or the ones after it would no longer be where the messages say.
  if (Array.isArray(node)) node[Number(last)] = undefined;
  else delete node[last];
}

function isObject(value: unknown): value is Record<string | number, unknown> {
  return typeof value === 'object' && value !== null;
}
