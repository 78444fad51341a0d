/**
 * Writes the dashboards to grafana/dashboards/. With `--check` it writes nothing and fails when
 * what is there is not what these sources make: the committed JSON is what people import.
 */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { dashboards } from './dashboards.ts';

const DIR = path.join(import.meta.dirname, '../dashboards');

mkdirSync(DIR, { recursive: true });
const wanted = new Map(
  dashboards().map((dashboard) => [
    `${dashboard.uid}.json`,
    `${JSON.stringify(dashboard, null, 2)}\n`,
  ]),
);
const stale = readdirSync(DIR).filter((file) => !wanted.has(file));
const changed = [...wanted].filter(([file, text]) => readIfThere(path.join(DIR, file)) !== text);

if (process.argv.includes('--check')) {
  for (const file of [...stale, ...changed.map(([name]) => name)]) {
    process.stderr.write(`grafana/dashboards/${file} is stale: npm run build:dashboards\n`);
    process.exitCode = 1;
  }
} else {
  for (const file of stale) rmSync(path.join(DIR, file));
  for (const [file, text] of changed) writeFileSync(path.join(DIR, file), text);
}

function readIfThere(file: string): string | null {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}
