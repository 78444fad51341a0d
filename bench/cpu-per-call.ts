/** CPU time of calls without HTTP: that of all threads of this process together. */

/** In microseconds a call. */
export async function cpuPerCall(calls: number, call: () => unknown): Promise<number> {
  const before = process.cpuUsage();
  for (let count = 0; count < calls; count++) {
    const pending = call();
    if (pending instanceof Promise) await pending;
  }
  const { user, system } = process.cpuUsage(before);
  return (user + system) / calls;
}

export function median(numbers: readonly number[]): number {
  return [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? 0;
}
