/** Guests written as text: assembled by wabt, with the imports of Extism's host at hand. */
import wabtFactory from 'wabt';

const FEATURES = {
  bulk_memory: true,
  exceptions: true,
  multi_value: true,
  mutable_globals: true,
  reference_types: true,
  sat_float_to_int: true,
  sign_extension: true,
  simd: true,
  tail_call: true,
};

/** Every function a guest may import from `extism:host/env`, named as there. */
const IMPORTS: Readonly<Record<string, string>> = {
  input_length: '(result i64)',
  input_load_u8: '(param i64) (result i32)',
  input_load_u64: '(param i64) (result i64)',
  load_u8: '(param i64) (result i32)',
  load_u64: '(param i64) (result i64)',
  store_u8: '(param i64 i32)',
  store_u64: '(param i64 i64)',
  alloc: '(param i64) (result i64)',
  free: '(param i64)',
  length: '(param i64) (result i64)',
  output_set: '(param i64 i64)',
  error_set: '(param i64)',
  config_get: '(param i64) (result i64)',
  var_get: '(param i64) (result i64)',
  var_set: '(param i64 i64)',
  log_trace: '(param i64)',
  log_info: '(param i64)',
  log_error: '(param i64)',
  http_request: '(param i64 i64) (result i64)',
  http_status_code: '(result i32)',
};

export async function assemble(wat: string): Promise<Uint8Array> {
  const wabt = await wabtFactory();
  const module = wabt.parseWat('guest.wat', wat, FEATURES);
  try {
    return module.toBinary({}).buffer;
  } finally {
    module.destroy();
  }
}

/** A guest whose module imports exactly these functions of the host. */
export function assembleGuest(imports: readonly string[], body: string): Promise<Uint8Array> {
  return assemble(guestText(imports, body));
}

export function guestText(imports: readonly string[], body: string): string {
  const lines = imports.map(
    (name) => `(import "extism:host/env" "${name}" (func $${name} ${IMPORTS[name]}))`,
  );
  return `(module ${lines.join('\n')}\n${body})`;
}
