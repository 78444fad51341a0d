/**
 * Holds a parsed file against the schema and says every problem in the operator's words.
 * Rules between keys are not looked at here (rules.ts).
 */
import { Errors } from 'typebox/schema';
import { Settings } from 'typebox/system';
import {
  branchFor,
  describeSchema,
  nodeAt,
  parsePointer,
  type SchemaNode,
} from './describe-schema.ts';
import { didYouMean } from './did-you-mean.ts';
import { type ConfigPath, formatValue, type Problem } from './problem.ts';
import { configFileSchema } from './schema.ts';

type SchemaError = ReturnType<typeof Errors>[1][number];

/** The library stops after this many; by default after 8. */
const MAX_ERRORS = 1_000;

/** Every place where `file` is not a ConfigFile; where there is none, it is one. */
export function validateFile(file: unknown): readonly Problem[] {
  const problems = new Map<string, Problem>();
  for (const error of meantErrors(file, collectErrors(file))) {
    for (const problem of toProblems(file, error)) {
      const key = JSON.stringify(problem.path);
      if (!problems.has(key)) problems.set(key, problem);
    }
  }
  return [...problems.values()];
}

function collectErrors(file: unknown): readonly SchemaError[] {
  // The limit is a setting of the whole library; an embedder's own is put back.
  const { maxErrors } = Settings.Get();
  Settings.Set({ maxErrors: MAX_ERRORS });
  try {
    return Errors(configFileSchema, file)[1];
  } finally {
    Settings.Set({ maxErrors });
  }
}

/**
 * A union fails with the errors of all its branches and one of its own. Where one branch is for
 * lists or objects and so is the value, that branch's errors are meant; elsewhere the union's own.
 */
function meantErrors(file: unknown, errors: readonly SchemaError[]): readonly SchemaError[] {
  let meant = errors;
  for (const union of errors.filter((error) => error.keyword === 'anyOf')) {
    const index = branchFor(schemaAt(union.schemaPath), nodeAt(file, union.instancePath));
    const branch = index === undefined ? undefined : `${union.schemaPath}/anyOf/${index}`;
    meant = meant.filter((error) => {
      if (error === union) return branch === undefined;
      const isOfUnion =
        isWithin(error.instancePath, union.instancePath) &&
        isWithin(error.schemaPath, `${union.schemaPath}/anyOf`);
      return !isOfUnion || (branch !== undefined && isWithin(error.schemaPath, branch));
    });
  }
  return meant;
}

function isWithin(pointer: string, outer: string): boolean {
  return pointer === outer || pointer.startsWith(`${outer}/`);
}

function schemaAt(schemaPath: string): SchemaNode {
  return nodeAt(configFileSchema, schemaPath) as SchemaNode;
}

function toProblems(file: unknown, error: SchemaError): readonly Problem[] {
  const path = toConfigPath(file, error.instancePath);
  switch (error.keyword) {
    case 'boolean':
      // The library's echo of additionalProperties, which names all the keys.
      return [];
    case 'additionalProperties':
      return error.params.additionalProperties.map((key) =>
        unknownKey([...path, key], key, schemaAt(error.schemaPath)),
      );
    case 'required':
      // Inside oneOf it is only half of "one of these", which the oneOf error says whole.
      if (error.schemaPath.includes('/oneOf/')) return [];
      return error.params.requiredProperties.map((key) => missingKey([...path, key], error));
    case 'oneOf': {
      // What is no object has its own error, and passes both.
      if (!isRecord(nodeAt(file, error.instancePath))) return [];
      const found = error.params.passingSchemas.length === 0 ? 'neither' : 'both';
      const text = `exactly one of "wasm" and "manifest" must be given (got ${found})`;
      return [{ path: [...path, 'wasm'], text }];
    }
    case 'uniqueItems':
      return [{ path, text: 'must not name the same thing twice' }];
    default:
      return [mustBe(path, schemaAt(error.schemaPath), nodeAt(file, error.instancePath))];
  }
}

function isRecord(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function unknownKey(path: ConfigPath, key: string, schema: SchemaNode): Problem {
  if (schema.patternErrorMessage !== undefined) return { path, text: schema.patternErrorMessage };
  const known = Object.keys(schema.properties ?? {});
  const hint = didYouMean(key, known) || `; known here: ${known.join(', ')}`;
  return { path, text: `unknown key${hint}` };
}

function missingKey(path: ConfigPath, error: SchemaError): Problem {
  const key = String(path.at(-1));
  const schema = schemaAt(error.schemaPath).properties?.[key] ?? {};
  return { path, text: `is missing; must be ${describeSchema(schema)}` };
}

function mustBe(path: ConfigPath, schema: SchemaNode, value: unknown): Problem {
  const shown = schema.writeOnly === true ? 'a value not shown here' : formatValue(value);
  return { path, text: `must be ${describeSchema(schema)} (got ${shown})` };
}

/** A JSON pointer as keys and indexes. */
function toConfigPath(file: unknown, pointer: string): ConfigPath {
  const path: (string | number)[] = [];
  let node = file;
  for (const part of parsePointer(pointer)) {
    path.push(Array.isArray(node) ? Number(part) : part);
    node = nodeAt(node, `/${part.replaceAll('~', '~0').replaceAll('/', '~1')}`);
  }
  return path;
}
