/**
 * Extism's well-known example: counts vowels: `{"count":3,"total":3,"vowels":"aeiouAEIOU"}`.
 * The sum of all calls is in the variable `total`; `vowels` in the configuration replaces
 * the set. Shows input read word by word, configuration, and a variable that survives between calls.
 */
import { Config, Host, Var } from '@extism/as-pdk';
import { input_length, input_load_u8, input_load_u64 } from '@extism/as-pdk/lib/env';

const VOWELS = 'aeiouAEIOU';

/** One byte for each value of a byte: 1 if it is a vowel. */
const isVowel: usize = memory.data(256);

export function count_vowels(): i32 {
  heap.reset(); // runtime "stub": nothing that an earlier call allocated is needed any more
  const configured = Config.get('vowels');
  const vowels = configured === null ? VOWELS : configured;
  const count = isAscii(vowels) ? countBytes(vowels) : countCharacters(vowels, Host.inputString());
  const total = count + readTotal();
  Var.set('total', utf8(total.toString()));
  Host.output(utf8(`{"count":${count},"total":${total},"vowels":${quote(vowels)}}`));
  return 0;
}

function readTotal(): u32 {
  const total = Var.getString('total');
  return total === null ? 0 : U32.parseInt(total);
}

function isAscii(text: string): bool {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 0x7f) return false;
  return true;
}

/** The fast way: a byte of UTF-8 below 0x80 is always a character of its own. */
function countBytes(vowels: string): u32 {
  memory.fill(isVowel, 0, 256);
  for (let i = 0; i < vowels.length; i++) store<u8>(isVowel + vowels.charCodeAt(i), 1);
  const length = input_length();
  const words = length & ~7;
  let count: u32 = 0;
  for (let i: u64 = 0; i < words; i += 8) {
    const word = input_load_u64(i);
    count += load<u8>(isVowel + <usize>(word & 0xff));
    count += load<u8>(isVowel + <usize>((word >> 8) & 0xff));
    count += load<u8>(isVowel + <usize>((word >> 16) & 0xff));
    count += load<u8>(isVowel + <usize>((word >> 24) & 0xff));
    count += load<u8>(isVowel + <usize>((word >> 32) & 0xff));
    count += load<u8>(isVowel + <usize>((word >> 40) & 0xff));
    count += load<u8>(isVowel + <usize>((word >> 48) & 0xff));
    count += load<u8>(isVowel + <usize>(word >> 56));
  }
  for (let i = words; i < length; i++) count += load<u8>(isVowel + input_load_u8(i));
  return count;
}

/** The way for any set of vowels. */
function countCharacters(vowels: string, text: string): u32 {
  let count: u32 = 0;
  for (let i = 0; i < text.length; i++) {
    const character = text.codePointAt(i);
    if (contains(vowels, character)) count++;
    if (character > 0xffff) i++; // it took two UTF-16 units
  }
  return count;
}

function contains(text: string, character: i32): bool {
  for (let i = 0; i < text.length; i++) if (text.codePointAt(i) === character) return true;
  return false;
}

/** A JSON string. */
function quote(text: string): string {
  let quoted = '"';
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit < 0x20) quoted += `\\u00${unit < 0x10 ? '0' : ''}${unit.toString(16)}`;
    else if (unit === 0x22 || unit === 0x5c) quoted += `\\${text.charAt(i)}`;
    else quoted += text.charAt(i);
  }
  return `${quoted}"`;
}

/** `Host.outputString` of the PDK 1.0.0 overruns its block on non-ASCII text; bytes are safe. */
function utf8(text: string): Uint8Array {
  return Uint8Array.wrap(String.UTF8.encode(text));
}

// AssemblyScript calls it when it gives up; the build line says so, `--use abort=…`.
function abort(_message: string | null, _file: string | null, _line: u32, _column: u32): void {
  unreachable();
}
