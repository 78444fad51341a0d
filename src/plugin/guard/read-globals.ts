/**
 * Reads the global section: the type and mutability of each global, passing over its initial
 * value, which is a constant expression. Used by read-module.
 */
import type { ByteReader } from './byte-reader.ts';
import type { ModuleFacts } from './module-facts.ts';
import { checkValueType } from './read-types.ts';
import { unsupported } from './refusal.ts';
import { refusedOpcode } from './refused-opcodes.ts';

export function readGlobals(
  reader: ByteReader | undefined,
  importedTypes: readonly number[],
  importedMutable: readonly number[],
): Pick<ModuleFacts, 'globalTypes' | 'globalMutable'> {
  const imported = importedTypes.length;
  const count = reader?.count('globals', 4) ?? 0;
  const globalTypes = new Uint8Array(imported + count);
  const globalMutable = new Uint8Array(imported + count);
  globalTypes.set(importedTypes);
  globalMutable.set(importedMutable);
  for (let index = 0; reader !== undefined && index < count; index += 1) {
    const type = reader.u8();
    checkValueType(type, 'a global', reader.pos);
    globalTypes[imported + index] = type;
    globalMutable[imported + index] = reader.u8();
    skipConstantExpression(reader);
  }
  return { globalTypes, globalMutable };
}

function skipConstantExpression(reader: ByteReader): void {
  for (;;) {
    const opcode = reader.u8();
    if (opcode === 0x0b) return;
    skipConstantImmediates(reader, opcode);
  }
}

function skipConstantImmediates(reader: ByteReader, opcode: number): void {
  switch (opcode) {
    case 0x23: // global.get
    case 0x41: // i32.const
    case 0x42: // i64.const
    case 0xd2: // ref.func
      reader.skipLeb();
      return;
    case 0x43: // f32.const
      reader.skip(4);
      return;
    case 0x44: // f64.const
      reader.skip(8);
      return;
    case 0xd0: // ref.null
      checkValueType(reader.u8(), 'the initial value of a global', reader.pos);
      return;
    case 0x6a: // i32.add, i32.sub, i32.mul and the same of i64: extended constant expressions
    case 0x6b:
    case 0x6c:
    case 0x7c:
    case 0x7d:
    case 0x7e:
      return;
    case 0xfd: // v128.const
      if (reader.u32() !== 0x0c) break;
      reader.skip(16);
      return;
    default:
      break;
  }
  const sub = opcode === 0xfb ? reader.u32() : 0;
  const { name, proposal } = refusedOpcode(opcode, sub);
  throw unsupported(name, proposal, 'the initial value of a global');
}
