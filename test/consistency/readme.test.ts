/** What the README shows is what the code does. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, it } from 'node:test';
import { parseArguments } from '../../src/cli/arguments.ts';
import { loadConfig } from '../../src/config/load-config.ts';
import { exampleWasm, ROOT } from '../helpers/paths.ts';
import { writeConfig } from '../helpers/write-config.ts';

const README = readFileSync(path.join(ROOT, 'README.md'), 'utf8');
const BUNDLED = { wasm: exampleWasm('hello'), function: 'hello', contentType: 'text/plain' };

function blocks(language: string): string[] {
  return [...README.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\``, 'gms'))].map(
    ([, text]) => text ?? '',
  );
}

describe('the README', () => {
  it('has under 200 lines', () => {
    assert.ok(README.split('\n').length < 200);
  });

  it('shows configurations that are accepted', () => {
    const examples = blocks('json');
    assert.ok(examples.length > 0);
    for (const example of examples) {
      const args = { config: writeConfig(JSON.parse(example)) };
      assert.ok(loadConfig({ args, bundled: BUNDLED, env: {} }).plugins.length > 0);
    }
  });

  it('shows command lines that are understood', () => {
    const lines = [...README.matchAll(/^npx plugind ([^#\n]*)/gm)].map(([, words]) => words ?? '');
    assert.ok(lines.length > 0);
    for (const line of lines) parseArguments(line.trim().split(/\s+/));
  });

  it('links to files that exist', () => {
    const links = [...README.matchAll(/\]\((?!http)([^)#]+)\)/g)].map(([, link]) => link ?? '');
    assert.ok(links.length > 0);
    for (const link of links) assert.ok(existsSync(path.join(ROOT, link)), link);
  });
});
