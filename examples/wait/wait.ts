/**
 * A plugin that waits on its host: the decimal number in the input goes to the host function
 * `bench.wait`, which returns after so many milliseconds. The output is the input. Shows a host
 * function of the operator's own; bench/host-functions/wait.js serves it (`hostFunctions` in the configuration).
 */
import { Host, Memory } from '@extism/as-pdk';
import { error_set } from '@extism/as-pdk/lib/env';

@external("bench", "wait")
declare function hostWait(ms: u64): void;

export function wait(): i32 {
  heap.reset(); // runtime "stub": nothing that an earlier call allocated is needed any more
  const input = Host.input();
  let ms: u64 = 0;
  let valid = input.length > 0 && input.length < 5;
  for (let i = 0; i < input.length; i++) {
    const digit = input[i] - 0x30;
    if (digit > 9) valid = false;
    ms = ms * 10 + digit;
  }
  if (!valid) {
    error_set(Memory.allocateString('the input is not a number below 10000').offset);
    return 1;
  }
  hostWait(ms);
  Host.output(input);
  return 0;
}

// AssemblyScript calls it when it gives up; the build line says so, `--use abort=…`.
function abort(_message: string | null, _file: string | null, _line: u32, _column: u32): void {
  unreachable();
}
