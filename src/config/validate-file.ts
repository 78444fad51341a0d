/**
 * Holds a parsed file against the schema and says every problem in the operator's words.
 * Rules between keys are not looked at here (rules.ts).
 */
import { readFileSync } from 'node:fs';
import { Ajv, type ErrorObject } from 'ajv';
import {
  branchFor,
  describeSchema,
  nodeAt,
  parsePointer,
  type SchemaNode,
} from './describe-schema.ts';
import { didYouMean } from './did-you-mean.ts';
import { type ConfigPath, formatValue, type Problem } from './problem.ts';

/** Of the package, beside both src/ and dist/. Its sources are in schema/. */
const SCHEMA_FILE = new URL('../../plugind.schema.json', import.meta.url);

/**
 * `strict` would refuse the keywords that are for editors only. That the schema is one, the tests see:
 * to check it here takes half of the time that all this takes at a start.
 */
const ajv = new Ajv({
  allErrors: true,
  verbose: true,
  strict: false,
  ownProperties: true,
  validateSchema: false,
});
const validate = ajv.compile(JSON.parse(readFileSync(SCHEMA_FILE, 'utf8')));

/** Every place where `file` is not a ConfigFile; where there is none, it is one. */
export function validateFile(file: unknown): readonly Problem[] {
  validate(file);
  const problems = new Map<string, Problem>();
  for (const error of meantErrors(validate.errors ?? [])) {
    for (const problem of toProblems(file, error)) {
      const key = JSON.stringify(problem.path);
      if (!problems.has(key)) problems.set(key, problem);
    }
  }
  return [...problems.values()];
}

/**
 * A union fails with the errors of all its branches and one of its own. Where one branch is for
 * lists or objects and so is the value, that branch's errors are meant; elsewhere the union's own.
 */
function meantErrors(errors: readonly ErrorObject[]): readonly ErrorObject[] {
  let meant = errors;
  for (const union of errors.filter((error) => error.keyword === 'anyOf')) {
    const index = branchFor(schemaOf(union), union.data);
    const branch = index === undefined ? undefined : `${union.schemaPath}/${index}`;
    meant = meant.filter((error) => {
      if (error === union) return branch === undefined;
      const isOfUnion =
        isWithin(error.instancePath, union.instancePath) &&
        isWithin(error.schemaPath, union.schemaPath);
      return !isOfUnion || (branch !== undefined && isWithin(error.schemaPath, branch));
    });
  }
  return meant;
}

function isWithin(pointer: string, outer: string): boolean {
  return pointer === outer || pointer.startsWith(`${outer}/`);
}

/** The part of the schema whose keyword failed. */
function schemaOf(error: ErrorObject): SchemaNode {
  return error.parentSchema as SchemaNode;
}

function toProblems(file: unknown, error: ErrorObject): readonly Problem[] {
  const path = toConfigPath(file, error.instancePath);
  switch (error.keyword) {
    case 'additionalProperties': {
      const key: string = error.params.additionalProperty;
      return [unknownKey([...path, key], key, schemaOf(error))];
    }
    case 'required':
      // Inside oneOf it is only half of "one of these", which the oneOf error says whole.
      if (error.schemaPath.includes('/oneOf/')) return [];
      return [missingKey([...path, error.params.missingProperty], error)];
    case 'oneOf': {
      // What is no object has its own error, and passes both.
      if (!isRecord(error.data)) return [];
      const found = error.params.passingSchemas === null ? 'neither' : 'both';
      const text = `exactly one of "wasm" and "manifest" must be given (got ${found})`;
      return [{ path: [...path, 'wasm'], text }];
    }
    case 'uniqueItems':
      return [{ path, text: 'must not name the same thing twice' }];
    default:
      return [mustBe(path, schemaOf(error), error.data)];
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

function missingKey(path: ConfigPath, error: ErrorObject): Problem {
  const key = String(path.at(-1));
  const schema = schemaOf(error).properties?.[key] ?? {};
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
