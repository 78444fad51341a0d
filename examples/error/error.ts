/**
 * A plugin that reports an error the way Extism has it: text handed to `error_set` and a result other
 * than 0. `ok` answers "ok". The PDK 1.0.0 has no class for errors, so `error_set` is called directly.
 */
import { Host, Memory } from '@extism/as-pdk';
import { error_set } from '@extism/as-pdk/lib/env';

export function error(): i32 {
  heap.reset(); // runtime "stub": nothing that an earlier call allocated is needed any more
  error_set(Memory.allocateString(`no such user: ${Host.inputString()}`).offset);
  return 1;
}

export function ok(): i32 {
  heap.reset();
  Host.output(Uint8Array.wrap(String.UTF8.encode('ok')));
  return 0;
}

// AssemblyScript calls it when it gives up; the build line says so, `--use abort=…`.
function abort(_message: string | null, _file: string | null, _line: u32, _column: u32): void {
  unreachable();
}
