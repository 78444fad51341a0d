/**
 * Freezes a configuration or a table of defaults with everything in it.
 * For plain data only: parse-json.ts bounds how deep a file can nest.
 */
export function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const inner of Object.values(value)) deepFreeze(inner);
  }
  return value;
}
