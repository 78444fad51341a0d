/**
 * Bounds of reading a plugin, and the look at a file's first bytes. Whether the rest is valid is
 * the compiler's to say.
 */
import { ServerError } from '../../errors.ts';

export interface ReadLimits {
  /** All wasm files of one plugin together. Default 256 MiB. */
  readonly maxWasmBytes: number;
  /** A manifest without the `data` in it. Default 1 MiB. */
  readonly maxManifestBytes: number;
  /** All downloads of one plugin together. Default 15 s: less than a worker has to become ready. */
  readonly downloadTimeoutMs: number;
}

export const READ_LIMITS: ReadLimits = {
  maxWasmBytes: 268_435_456,
  maxManifestBytes: 1_048_576,
  downloadTimeoutMs: 15_000,
};

const MAGIC = Buffer.from('\0asm');
const VERSION_OFFSET = 4;
const PREAMBLE_BYTES = 8;
const CORE_MODULE = 1;
/** The upper half of the version is the layer: 0 for core modules, 1 for components. */
const COMPONENT_LAYER = 1;

/** @throws ServerError `PLUGIN_COMPILE_FAILED` for what is no core module. */
export function checkPreamble(subject: string, bytes: Uint8Array): void {
  const problem = preambleProblem(bytes);
  if (problem === null) return;
  throw new ServerError('PLUGIN_COMPILE_FAILED', `${subject}: ${problem}`);
}

/** What a wasm file is refused with that is longer than what is left of the limit. */
export function overSize(subject: string, bytes: number, maxBytes: number): ServerError {
  return new ServerError(
    'PLUGIN_COMPILE_FAILED',
    `${subject}: ${bytes} bytes are more than the ${maxBytes} that are left of the limit for a plugin's wasm files`,
    { details: { limit: 'maxWasmBytes', maxBytes, bytes } },
  );
}

function preambleProblem(bytes: Uint8Array): string | null {
  const head = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, PREAMBLE_BYTES));
  if (!head.subarray(0, MAGIC.length).equals(MAGIC)) {
    return 'is not a WebAssembly module (it does not begin with "\\0asm")';
  }
  if (head.length < PREAMBLE_BYTES) return 'ends within the first 8 bytes';
  const version = head.readUInt32LE(VERSION_OFFSET);
  if (version === CORE_MODULE) return null;
  return version >>> 16 === COMPONENT_LAYER
    ? 'is a WebAssembly component, not a core module; Extism plugins are core modules'
    : `is of WebAssembly version ${version}; only version ${CORE_MODULE} is known`;
}
