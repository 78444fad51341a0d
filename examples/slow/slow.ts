/**
 * A plugin that takes its time: the decimal number in the input, times four thousand rounds of arithmetic
 * that each need the result of the one before. 1000 takes about 10 ms. The output is what came out.
 */
import { Host, Memory } from '@extism/as-pdk';
import { error_set } from '@extism/as-pdk/lib/env';

export function slow(): i32 {
  heap.reset(); // runtime "stub": nothing that an earlier call allocated is needed any more
  const input = Host.input();
  let number: u64 = 0;
  let valid = input.length > 0 && input.length < 10;
  for (let i = 0; i < input.length; i++) {
    const digit = input[i] - 0x30;
    if (digit > 9) valid = false;
    number = number * 10 + digit;
  }
  if (!valid) {
    error_set(Memory.allocateString('the input is not a number below 1000000000').offset);
    return 1;
  }
  Host.output(Uint8Array.wrap(String.UTF8.encode(work(number * 4000).toString())));
  return 0;
}

/** A pseudo-random sequence: no compiler knows a shorter way to its end. */
function work(rounds: u64): u64 {
  let state: u64 = 42;
  for (let i: u64 = 0; i < rounds; i++) {
    state ^= state >> 12;
    state ^= state << 25;
    state ^= state >> 27;
    state *= 0x2545f491;
  }
  return state;
}

// AssemblyScript calls it when it gives up; the build line says so, `--use abort=…`.
function abort(_message: string | null, _file: string | null, _line: u32, _column: u32): void {
  unreachable();
}
