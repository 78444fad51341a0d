/** docs/configuration.md against the schema and the defaults: every key, and no other, with its default. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, it } from 'node:test';
import { ROOT } from '../helpers/paths.ts';

interface Schema {
  readonly type?: string;
  readonly default?: unknown;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly patternProperties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
}

const schema = readJson('plugind.schema.json');
const DOC = readFileSync(path.join(ROOT, 'docs/configuration.md'), 'utf8');

/** Said in prose or in a table of their own. */
const ELSEWHERE = ['$schema', 'plugins', 'routes', 'wasm', 'manifest'];
/** What a plugin is given, which has no single shape. */
const OPEN = ['config', 'allowedHosts', 'allowedPaths', 'hostFunctions', 'probe'];

function readJson(file: string): Schema {
  return JSON.parse(readFileSync(path.join(ROOT, file), 'utf8')) as Schema;
}

/** Key -> default as the document writes it, of one section of the document. */
function documented(title: string): Record<string, string> {
  const [, text = ''] = DOC.split(`\n## ${title}\n`);
  const rows = (text.split('\n## ')[0] ?? '').matchAll(/^\| `([^`|]+)` +\| ([^|]*)\|/gm);
  return Object.fromEntries(
    [...rows].map(([, key = '', value = '']) => [key, value.trim().replaceAll('`', '')]),
  );
}

/** The same from the schema. */
function declared(properties: Schema['properties'], prefix = ''): Record<string, string> {
  const keys: Record<string, string> = {};
  for (const [name, one] of Object.entries(properties ?? {})) {
    if (prefix === '' && ELSEWHERE.includes(name)) continue;
    if (one.properties !== undefined && !OPEN.includes(name)) {
      Object.assign(keys, declared(one.properties, `${prefix}${name}.`));
    } else keys[`${prefix}${name}`] = OPEN.includes(name) ? '' : String(one.default ?? '');
  }
  return keys;
}

/** A default of null is one of none for who reads. */
function withoutEmpty(keys: Record<string, string>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(keys).map(([key, value]) => [
      key,
      ['null', 'none'].includes(value) ? '' : value,
    ]),
  );
}

function first(schemas: Schema['patternProperties']): Schema {
  return Object.values(schemas ?? {})[0] ?? {};
}

describe('docs/configuration.md', () => {
  const parts: readonly (readonly [string, Schema['properties']])[] = [
    ['Server', schema.properties],
    ['Plugins', first(schema.properties?.plugins?.patternProperties).properties],
    ['Routes', schema.properties?.routes?.items?.properties],
  ];
  for (const [title, properties] of parts) {
    it(`has every key of "${title}" with its default, and no other`, () => {
      const keys = declared(properties);
      assert.ok(Object.keys(keys).length > 5);
      assert.deepEqual(withoutEmpty(documented(title)), withoutEmpty(keys));
    });
  }
});
