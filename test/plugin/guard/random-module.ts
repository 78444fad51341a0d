/**
 * Test helper: random valid modules out of random bytes, by `wasm-opt -ttf` of the npm package
 * binaryen. Its command line program is run within this process, compiled once, because starting a
 * process for each module takes six times as long as making it.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import os from 'node:os';
import path from 'node:path';
import type { Random } from './random.ts';

/** What the guard takes. */
const SUPPORTED = [
  '--enable-sign-ext',
  '--enable-nontrapping-float-to-int',
  '--enable-mutable-globals',
  '--enable-multivalue',
  '--enable-bulk-memory',
  '--enable-bulk-memory-opt',
  '--enable-reference-types',
  '--enable-simd',
  '--enable-tail-call',
];
/** What it refuses, and V8 runs. */
const MORE = [...SUPPORTED, '--enable-exception-handling', '--enable-threads', '--enable-gc'];

type Program = (
  module: object,
  require: NodeJS.Require,
  process: object,
  wasm: object,
  filename: string,
  dirname: string,
  console: object,
) => void;

const silent = { log() {}, error() {}, warn() {} };

export class RandomModules {
  readonly #folder = mkdtempSync(path.join(os.tmpdir(), 'plugind-fuzz-'));
  readonly #require = createRequire(import.meta.url);
  readonly #file = this.#require.resolve('binaryen/bin/wasm-opt');
  readonly #program: Program;
  #compiled: WebAssembly.Module | undefined;

  constructor() {
    const source = readFileSync(this.#file, 'utf8').replace(/^#!.*\n/, '');
    const names = [
      'Module',
      'require',
      'process',
      'WebAssembly',
      '__filename',
      '__dirname',
      'console',
    ];
    this.#program = new Function(...names, source) as unknown as Program;
  }

  close(): void {
    rmSync(this.#folder, { recursive: true });
  }

  /** A module of about as many instructions as `size` says, now and then with refused features. */
  async make(random: Random, size: number): Promise<Uint8Array> {
    const input = path.join(this.#folder, 'input');
    const output = path.join(this.#folder, 'output.wasm');
    writeFileSync(input, random.bytes(size));
    const features = random.below(8) === 0 ? MORE : SUPPORTED;
    const passes = random.below(3) === 0 ? ['-O2'] : [];
    await this.#run(['-q', '-ttf', input, '-o', output, ...features, ...passes]);
    return Uint8Array.from(readFileSync(output));
  }

  async #run(args: readonly string[]): Promise<void> {
    const instantiate = async (
      bytes: Uint8Array<ArrayBuffer>,
      imports: WebAssembly.Imports,
    ): Promise<object> => {
      this.#compiled ??= await WebAssembly.compile(bytes);
      return { instance: new WebAssembly.Instance(this.#compiled, imports) };
    };
    const pretended = Object.create(process, {
      argv: { value: ['node', this.#file, ...args] },
      exit: { value: () => {} },
      exitCode: { writable: true, value: 0 },
      on: { value: () => {} },
    });
    const wasm = Object.create(WebAssembly, { instantiate: { value: instantiate } });
    await new Promise<void>((resolve, reject) => {
      const module = { onAbort: reject, postRun: [resolve] };
      const folder = path.dirname(this.#file);
      this.#program(module, this.#require, pretended, wasm, this.#file, folder, silent);
    });
  }
}
