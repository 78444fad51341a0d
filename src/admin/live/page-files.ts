/**
 * The live page's files, read once: our own from src/admin/page, which the build copies beside this
 * code, and uPlot from its package. They hold no data, so they are served without a token.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

export interface PageFile {
  /** Below the page's own path: empty for the page itself. */
  readonly name: string;
  readonly type: string;
  readonly body: Buffer;
}

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
};

/** Everything comes from here, and nothing is written in the page itself. */
export const PAGE_POLICY: string = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "base-uri 'none'",
].join('; ');

export function readPageFiles(): PageFile[] {
  const folder = fileURLToPath(new URL('../page', import.meta.url));
  const own = readdirSync(folder).filter((name) => !name.endsWith('.d.ts'));
  const uplot = path.dirname(createRequire(import.meta.url).resolve('uplot'));
  return [
    ...own.map((name) => read(path.join(folder, name), name === 'index.html' ? '' : name)),
    read(path.join(uplot, 'uPlot.esm.js'), 'uplot.js'),
    read(path.join(uplot, 'uPlot.min.css'), 'uplot.css'),
  ];
}

function read(file: string, name: string): PageFile {
  const type = TYPES[path.extname(file)] ?? 'application/octet-stream';
  return { name, type, body: readFileSync(file) };
}
