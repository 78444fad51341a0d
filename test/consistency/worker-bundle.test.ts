import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import path from 'node:path';
import { describe, it } from 'node:test';
import { ROOT } from '../helpers/paths.ts';

const read = (name: string): string => readFileSync(path.join(ROOT, 'dist', name), 'utf8');

describe('what a worker loads', () => {
  it('is one file', () => {
    const imports = read('cli/start-worker.js').matchAll(/^import\b[^;]*?["']([^"']+)["'];/gm);
    const names = [...imports].map(([, name]) => name as string);
    assert.ok(names.includes('node:http'));
    assert.deepEqual(
      names.filter((name) => !isBuiltin(name)),
      [],
    );
  });

  it('comes with the licence of everything in it', () => {
    const notices = read('THIRD-PARTY-NOTICES.txt');
    for (const name of ['fastify', '@extism/extism', 'prom-client', 'pino']) {
      const notice = new RegExp(`^${name} \\d+\\.\\S+ \\(.+\\)\n\n[^]*?[Cc]opyright`, 'm');
      assert.match(notices, notice);
    }
  });
});
