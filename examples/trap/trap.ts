/**
 * A plugin that crashes: `trap` ends in wasm's `unreachable`, as a failed assertion or a panic does.
 * `ok` answers "ok", to see what a crash leaves behind for the calls after it.
 */
import { Host } from '@extism/as-pdk';

export function trap(): i32 {
  unreachable();
  return 0;
}

export function ok(): i32 {
  heap.reset(); // runtime "stub": nothing that an earlier call allocated is needed any more
  Host.output(Uint8Array.wrap(String.UTF8.encode('ok')));
  return 0;
}

// AssemblyScript calls it when it gives up; the build line says so, `--use abort=…`.
function abort(_message: string | null, _file: string | null, _line: u32, _column: u32): void {
  unreachable();
}
