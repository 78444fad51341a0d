/**
 * The parts that the schema of the file is made of, each with the description and default that
 * editors show. `exactly` makes the compiler compare a schema with the interface it stands for.
 */
import {
  type Static,
  type TBoolean,
  type TEnum,
  type TInteger,
  type TObject,
  type TProperties,
  type TRecord,
  type TSchema,
  type TString,
  type TUnsafe,
  Type,
} from 'typebox';
import type { TextShape } from '../src/config/value-shapes.ts';

/** What every part tells an editor. */
export interface Shown {
  readonly description: string;
  readonly default?: unknown;
}

type Mutable<T> = T extends readonly (infer Item)[]
  ? Mutable<Item>[]
  : T extends object
    ? { -readonly [Key in keyof T]: Mutable<T[Key]> }
    : T;

type Same<One, Other> =
  (<T>() => T extends One ? 1 : 2) extends <T>() => T extends Other ? 1 : 2 ? true : false;

/**
 * Gives a schema the type of the interface it stands for.
 * Does not compile where the two differ in a key, a type or what may be absent.
 */
export function exactly<Interface>(): <Schema extends TSchema>(
  schema: Same<Mutable<Interface>, Mutable<Static<Schema>>> extends true
    ? Schema
    : { readonly differsFromInterface: [Interface, Static<Schema>] },
) => TUnsafe<Interface> {
  return (schema) => Type.Unsafe<Interface>(schema as TSchema);
}

/** An object that refuses keys it does not know. */
export function section<Properties extends TProperties>(
  properties: Properties,
  shown: Shown,
  options: Readonly<Record<string, unknown>> = {},
): TObject<Properties> {
  return Type.Object(properties, { ...shown, ...options, additionalProperties: false });
}

export function integer(minimum: number, maximum: number, shown: Shown): TInteger {
  return Type.Integer({ ...shown, minimum, maximum });
}

export function boolean(shown: Shown): TBoolean {
  return Type.Boolean({ ...shown });
}

/** One of some words. */
export function word<const Words extends string[]>(
  words: readonly [...Words],
  shown: Shown,
): TEnum<Words> {
  return Type.Enum<Words>(words, { ...shown });
}

/** A text of a shape; `patternErrorMessage` is what editors show where it does not match. */
export function text(shape: TextShape, shown: Shown): TString {
  return Type.String({
    ...shown,
    pattern: shape.pattern,
    patternErrorMessage: `must be ${shape.expected}`,
  });
}

/** An object whose keys are the operator's own. */
export function table<Value extends TSchema>(
  keys: TextShape,
  value: Value,
  shown: Shown,
  options: Readonly<Record<string, unknown>> = {},
): TRecord<string, Value> {
  return Type.Record(Type.String({ pattern: keys.pattern }), value, {
    ...shown,
    ...options,
    additionalProperties: false,
    patternErrorMessage: `the key must be ${keys.expected}`,
  }) as TRecord<string, Value>;
}

/** Any text, for keys and values that only the plugin understands. */
export const ANY_TEXT: TextShape = { pattern: '^[\\s\\S]*$', expected: 'any text' };

/** 1 GiB: a quarter of what a wasm memory can address. */
export const BYTES_MAX = 1_073_741_824;
/** One day: beyond it a time limit is a slip of the finger. */
export const MS_MAX = 86_400_000;
export const COUNT_MAX = 1_000_000_000;
