/**
 * Puts into words what a part of the schema allows, for messages of the form `must be …`,
 * and finds the part that a validation error points at. Knows the keywords that schema-parts.ts uses.
 */

/** A JSON Schema as plain data. */
export interface SchemaNode {
  readonly type?: string;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly SchemaNode[];
  readonly items?: SchemaNode;
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minItems?: number;
  readonly minLength?: number;
  readonly minProperties?: number;
  readonly pattern?: string;
  readonly patternErrorMessage?: string;
  /** The value is a secret and is shown to nobody. */
  readonly writeOnly?: boolean;
}

/** `an integer from 0 to 65535`, `"raw" or "http"`, `a non-empty list`. */
export function describeSchema(schema: SchemaNode): string {
  if (schema.anyOf !== undefined) return listOf(schema.anyOf.map(describeSchema));
  if (schema.enum !== undefined) return listOf(schema.enum.map((value) => JSON.stringify(value)));
  switch (schema.type) {
    case 'integer':
      return `an integer from ${schema.minimum} to ${schema.maximum}`;
    case 'boolean':
      return 'true or false';
    case 'string':
      if (schema.patternErrorMessage !== undefined)
        return schema.patternErrorMessage.slice('must be '.length);
      return schema.minLength === undefined ? 'a text' : 'a non-empty text';
    case 'array':
      return schema.minItems === undefined ? 'a list' : 'a non-empty list';
    case 'object':
      return schema.minProperties === undefined ? 'an object' : 'an object with at least one entry';
    default:
      return 'null';
  }
}

/**
 * Which part of a union is for lists or objects like this value; the mistakes inside it then say
 * more than the union does. Nothing for plain values, where all that is allowed fits into one line.
 */
export function branchFor(union: SchemaNode, value: unknown): number | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const type = Array.isArray(value) ? 'array' : 'object';
  const index = union.anyOf?.findIndex((branch) => branch.type === type) ?? -1;
  return index < 0 ? undefined : index;
}

/** Follows a JSON pointer; nothing where it leads nowhere. */
export function nodeAt(root: unknown, pointer: string): unknown {
  let node = root;
  for (const part of parsePointer(pointer)) {
    if (typeof node !== 'object' || node === null || !Object.hasOwn(node, part)) return undefined;
    node = (node as Record<string, unknown>)[part];
  }
  return node;
}

/** The keys of a JSON pointer, with or without the leading `#`. */
export function parsePointer(pointer: string): readonly string[] {
  return pointer
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));
}

function listOf(words: readonly string[]): string {
  const last = words.at(-1) ?? '';
  return words.length < 2 ? last : `${words.slice(0, -1).join(', ')} or ${last}`;
}
