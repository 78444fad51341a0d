/**
 * A plugin that never comes back: `loop` runs until its deadline, or for ever where there is none.
 * `ok` answers "ok", to see what a call cut off leaves behind for the calls after it.
 */
import { Host } from '@extism/as-pdk';

export function loop(): i32 {
  while (true) {}
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
