/**
 * Test helper: WebAssembly text to bytes, with every proposal that the assembler knows, so that
 * tests can also write what the guard has to refuse.
 */
import loadWabt from 'wabt';

const wabt = await loadWabt();

const FEATURES = {
  exceptions: true,
  mutable_globals: true,
  sat_float_to_int: true,
  sign_extension: true,
  simd: true,
  threads: true,
  multi_value: true,
  tail_call: true,
  bulk_memory: true,
  reference_types: true,
  memory64: true,
};

export function assemble(wat: string): Uint8Array {
  const parsed = wabt.parseWat('test.wat', wat, FEATURES);
  try {
    return parsed.toBinary({ write_debug_names: true }).buffer;
  } finally {
    parsed.destroy();
  }
}
