// npm's `prepare`: builds where the compiler is installed. `npm ci --omit=dev` runs it too, without the compiler.
import { createRequire } from 'node:module';

let hasCompiler = true;
try {
  createRequire(import.meta.url).resolve('typescript/package.json');
} catch {
  hasCompiler = false;
}
if (hasCompiler) await import('./build.js');
