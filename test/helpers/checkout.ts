/** A copy of what runs (build, scripts, pm2's file, the bundled plugin), for tests that break it. */
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { ROOT } from './paths.ts';

const COPIED = [
  'dist',
  'scripts',
  'ecosystem.config.js',
  'package.json',
  'plugind.schema.json',
  'examples/hello',
];

/** Its folder, removed when the test's process ends. */
export function copyCheckout(): string {
  const dir = mkdtempSync(path.join(os.tmpdir(), 'plugind-checkout-'));
  process.once('exit', () => rmSync(dir, { recursive: true, force: true }));
  mkdirSync(path.join(dir, 'examples'));
  for (const name of COPIED) {
    cpSync(path.join(ROOT, name), path.join(dir, name), { recursive: true });
  }
  symlinkSync(path.join(ROOT, 'node_modules'), path.join(dir, 'node_modules'));
  return dir;
}
