/**
 * Counts its own calls in a global of the module: 1, 2, 3, … as long as one instance serves them.
 * Shows whether an instance is shared, pooled or fresh.
 */
import { Host } from '@extism/as-pdk';

let calls: u64 = 0;

export function count(): i32 {
  heap.reset(); // runtime "stub": nothing that an earlier call allocated is needed any more
  calls++;
  Host.output(Uint8Array.wrap(String.UTF8.encode(calls.toString())));
  return 0;
}

// AssemblyScript calls it when it gives up; the build line says so, `--use abort=…`.
function abort(_message: string | null, _file: string | null, _line: u32, _column: u32): void {
  unreachable();
}
