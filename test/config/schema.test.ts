import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { Ajv } from 'ajv';
import { jsonSchema } from '../../schema/config-file.ts';
import { DEFAULTS, PLUGIN_DEFAULTS, ROUTE_DEFAULTS } from '../../src/config/defaults.ts';

interface Node {
  readonly description?: string;
  readonly default?: unknown;
  readonly properties?: Readonly<Record<string, Node>>;
  readonly patternProperties?: Readonly<Record<string, Node>>;
  readonly items?: Node;
}

/** The defaults that the properties of a schema show, section by section. */
function shownDefaults(node: Node | undefined): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(node?.properties ?? {})
      .map(([key, inner]) => [
        key,
        inner.properties === undefined ? inner.default : shownDefaults(inner),
      ])
      .filter(([, value]) => value !== undefined),
  );
}

describe('the JSON Schema for editors', () => {
  const schema = jsonSchema() as Node;
  const plugin = Object.values(schema.properties?.plugins?.patternProperties ?? {})[0];
  const route = schema.properties?.routes?.items;

  it('is what plugind.schema.json holds (npm run build:schema)', () => {
    const file = new URL('../../plugind.schema.json', import.meta.url);
    assert.deepEqual(JSON.parse(readFileSync(file, 'utf8')), jsonSchema());
  });

  it('is a JSON Schema, which nobody checks at a start', () => {
    const ajv = new Ajv({ strict: false });
    assert.equal(ajv.validateSchema(jsonSchema()), true, ajv.errorsText());
  });

  it('shows every default', () => {
    assert.deepEqual(shownDefaults(schema), DEFAULTS);
    // Where these are absent the manifest decides, which no value in the file says.
    const { allowedHosts, allowedPaths, ...shown } = PLUGIN_DEFAULTS;
    assert.deepEqual([allowedHosts, allowedPaths], [null, null]);
    assert.deepEqual(shownDefaults(plugin), shown);
    const { methods, ...rest } = ROUTE_DEFAULTS;
    assert.deepEqual(shownDefaults(route), { method: methods[0], ...rest });
  });

  it('describes every key', () => {
    const visit = (node: Node, place: string): void => {
      for (const [key, inner] of Object.entries(node.properties ?? {})) {
        assert.ok(inner.description, `${place}.${key}`);
        visit(inner, `${place}.${key}`);
      }
    };
    for (const node of [schema, plugin, route]) visit(node ?? assert.fail(), '');
  });
});
