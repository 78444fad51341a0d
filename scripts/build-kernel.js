// Assembles the kernel: node scripts/build-kernel.js [--check] [--dist]
// Without flags kernel.wasm is written beside its three sources. --check writes nothing and fails when the
// two differ; --dist copies the binary to where the built kernel.js looks for it.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import createWabt from 'wabt';

const { values: flags } = parseArgs({
  options: {
    check: { type: 'boolean', default: false },
    dist: { type: 'boolean', default: false },
  },
});
const root = path.dirname(import.meta.dirname);
const folder = path.join(root, 'src/plugin/kernel');
const binary = path.join(folder, 'kernel.wasm');

const parts = ['kernel.wat', 'kernel-blocks.wat', 'kernel-calls.wat'];
const fields = parts.map((part) => readFileSync(path.join(folder, part), 'utf8'));
const wabt = await createWabt();
const module = wabt.parseWat('kernel', `(module\n${fields.join('\n')})`, {
  bulk_memory: true,
  mutable_globals: true,
});
module.validate();
const assembled = Buffer.from(module.toBinary({ write_debug_names: false }).buffer);
module.destroy();

if (!flags.check) {
  writeFileSync(binary, assembled);
} else if (!readFileSync(binary).equals(assembled)) {
  process.stderr.write(
    'kernel.wasm is not what its sources assemble to: run node scripts/build-kernel.js\n',
  );
  process.exitCode = 1;
}
if (flags.dist && process.exitCode === undefined) {
  const dist = path.join(root, 'dist/plugin/kernel');
  mkdirSync(dist, { recursive: true });
  writeFileSync(path.join(dist, 'kernel.wasm'), assembled);
}
