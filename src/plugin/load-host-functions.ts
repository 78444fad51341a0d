/**
 * `hostFunctions` of a plugin: a JavaScript module of the operator's whose exports the guest may
 * import. Each export is a namespace: an object whose members are functions.
 */
import { pathToFileURL } from 'node:url';
import type { PluginConfig } from '../config/types.ts';
import { ServerError } from '../errors.ts';
import type { HostFunction, HostFunctions } from './kernel/bind-host-functions.ts';

/** @throws ServerError `CONFIG_NOT_FOUND` when it cannot be imported, `CONFIG_INVALID` for another shape. */
export async function loadHostFunctions({
  name,
  hostFunctions,
}: Pick<PluginConfig, 'name' | 'hostFunctions'>): Promise<HostFunctions> {
  if (hostFunctions === null) return {};
  const label = `plugins.${name}.hostFunctions: ${hostFunctions}`;
  let module: Record<string, unknown>;
  try {
    module = (await import(pathToFileURL(hostFunctions).href)) as Record<string, unknown>;
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new ServerError('CONFIG_NOT_FOUND', `${label} cannot be imported: ${reason}`, { cause });
  }
  const namespaces = Object.entries(module).filter(([exported]) => exported !== 'default');
  if (namespaces.length === 0)
    throw new ServerError('CONFIG_INVALID', `${label} exports nothing by name`);
  return Object.fromEntries(
    namespaces.map(([namespace, value]) => [namespace, readMembers(label, namespace, value)]),
  );
}

function readMembers(
  label: string,
  namespace: string,
  value: unknown,
): Record<string, HostFunction> {
  const members = typeof value === 'object' && value !== null ? Object.entries(value) : [];
  if (members.length === 0 || members.some(([, member]) => typeof member !== 'function')) {
    const shape = 'must be an object of functions';
    throw new ServerError('CONFIG_INVALID', `${label}: the export "${namespace}" ${shape}`);
  }
  return Object.fromEntries(members) as Record<string, HostFunction>;
}
