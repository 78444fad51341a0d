/**
 * The bundled hello plugin: text N in, `{"message":"🦀 Hello N"}` out, an error where N is not UTF-8.
 * It works on bytes and allocates nothing per call, so that a benchmark with it measures the server.
 * A plugin that need not be that fast is shorter with the PDK's `Host` class: see ../error.
 */
import {
  alloc,
  error_set,
  input_length,
  input_load_u8,
  input_load_u64,
  output_set,
  store_u64,
} from '@extism/as-pdk/lib/env';

const PREFIX = '{"message":"🦀 Hello ';
const SUFFIX: u16 = 0x7d22; // `"}`: wasm is little-endian
const NOT_UTF8 = 'the input is not valid UTF-8';

/** 1 in each byte of a word: multiplied with a byte, that byte eight times. */
const EACH_BYTE: u64 = u64.MAX_VALUE / 0xff;

/** Bytes kept free behind the name: for the suffix, and for zeros that end a truncated character. */
const SLACK: usize = 8;

/** One buffer for all calls, as long as the longest answer so far. It always begins with PREFIX. */
let capacity: usize = 4096;
let buffer: usize = heap.alloc(capacity);
const nameAt: usize = String.UTF8.encodeUnsafe(changetype<usize>(PREFIX), PREFIX.length, buffer);

export function hello(): i32 {
  const length = <usize>input_length();
  reserve(nameAt + length + SLACK);
  let escaped = length;
  if (!loadName(length)) {
    store<u64>(buffer + nameAt + length, 0);
    escaped = escapedLength(buffer + nameAt, length);
    if (escaped === 0) return fail(NOT_UTF8);
    reserve(nameAt + escaped + SLACK);
    escapeInPlace(buffer + nameAt, length, escaped);
  }
  store<u16>(buffer + nameAt + escaped, SUFFIX);
  const total = nameAt + escaped + sizeof<u16>();
  output_set(copyToHost(buffer, total), total);
  return 0;
}

function reserve(size: usize): void {
  if (size <= capacity) return;
  buffer = heap.realloc(buffer, size);
  capacity = size;
}

/** Copies the input behind the prefix; true if it can stay as it is: ASCII with nothing to escape. */
function loadName(length: usize): bool {
  const name = buffer + nameAt;
  if (length < 8) {
    store<u64>(name, EACH_BYTE * 0x20);
    for (let i: usize = 0; i < length; i++) store<u8>(name + i, input_load_u8(i));
    return isPlain(load<u64>(name));
  }
  const last = length - 8;
  let plain = true;
  for (let i: usize = 0; i < last; i += 8) {
    const word = input_load_u64(i);
    store<u64>(name + i, word);
    plain &= isPlain(word);
  }
  // The last word may overlap the one before it: that saves loading up to seven single bytes.
  const word = input_load_u64(last);
  store<u64>(name + last, word);
  return plain & isPlain(word);
}

/** True if none of the eight bytes is a control character, a quote, a backslash or above 0x7f. */
function isPlain(word: u64): bool {
  const below20 = word - EACH_BYTE * 0x20;
  const quote = (word ^ (EACH_BYTE * 0x22)) - EACH_BYTE;
  const backslash = (word ^ (EACH_BYTE * 0x5c)) - EACH_BYTE;
  return ((word | below20 | quote | backslash) & (EACH_BYTE * 0x80)) === 0;
}

/** Bytes after escaping, 0 if the text is not UTF-8. It is not empty, and a zero byte follows it. */
function escapedLength(text: usize, length: usize): usize {
  const end = text + length;
  let escaped = length;
  while (text < end) {
    const byte = load<u8>(text);
    if (byte >= 0x80) {
      const size = characterSize(text);
      if (size === 0) return 0;
      text += size;
    } else if (text + 8 <= end && isPlain(load<u64>(text))) {
      text += 8;
    } else {
      if (shortEscape(byte) !== 0) escaped += 1;
      else if (byte < 0x20) escaped += 5;
      text++;
    }
  }
  return escaped;
}

/**
 * Bytes of the UTF-8 character that begins here; 0 for an overlong form, a surrogate, what is above
 * U+10FFFF and anything else that Unicode's table 3-7 does not list.
 */
function characterSize(text: usize): usize {
  const lead = load<u8>(text);
  const second = load<u8>(text, 1);
  if (lead < 0xc2 || lead > 0xf4 || !isContinuation(second)) return 0;
  if (lead < 0xe0) return 2;
  if (!isContinuation(load<u8>(text, 2))) return 0;
  if (lead === 0xe0 && second < 0xa0) return 0;
  if (lead === 0xed && second > 0x9f) return 0;
  if (lead < 0xf0) return 3;
  if (!isContinuation(load<u8>(text, 3))) return 0;
  if (lead === 0xf0 && second < 0x90) return 0;
  if (lead === 0xf4 && second > 0x8f) return 0;
  return 4;
}

function isContinuation(byte: u8): bool {
  return (byte & 0xc0) === 0x80;
}

/** Escapes in place, from the end; done as soon as what is left of the text stands where it should. */
function escapeInPlace(text: usize, length: usize, escaped: usize): void {
  let from = text + length;
  let to = text + escaped;
  while (from < to) {
    const byte = load<u8>(--from);
    const letter = shortEscape(byte);
    if (letter !== 0) {
      to -= 2;
      store<u8>(to, 0x5c);
      store<u8>(to, letter, 1);
    } else if (byte < 0x20) {
      to -= 6;
      store<u32>(to, 0x3030755c); // `\u00`
      store<u8>(to, hexDigit(byte >> 4), 4);
      store<u8>(to, hexDigit(byte & 15), 5);
    } else {
      store<u8>(--to, byte);
    }
  }
}

/** The letter after the backslash where JSON has a two-character escape for this byte, else 0. */
function shortEscape(byte: u8): u8 {
  switch (byte) {
    case 0x08:
      return 0x62; // b
    case 0x09:
      return 0x74; // t
    case 0x0a:
      return 0x6e; // n
    case 0x0c:
      return 0x66; // f
    case 0x0d:
      return 0x72; // r
    case 0x22:
    case 0x5c:
      return byte;
    default:
      return 0;
  }
}

function hexDigit(value: u8): u8 {
  return value < 10 ? 0x30 + value : 0x57 + value;
}

/** Copies at least eight bytes into a new block of the host; its last word may overlap the one before. */
function copyToHost(from: usize, length: usize): u64 {
  const block = alloc(length);
  if (block === 0) unreachable(); // over the host's memory limit
  const last = length - 8;
  for (let i: usize = 0; i < last; i += 8) store_u64(block + i, load<u64>(from + i));
  store_u64(block + last, load<u64>(from + last));
  return block;
}

/** Reports an error. The text is encoded where a name would be, so that this allocates nothing either. */
function fail(message: string): i32 {
  const text = buffer + nameAt;
  const length = String.UTF8.encodeUnsafe(changetype<usize>(message), message.length, text);
  error_set(copyToHost(text, length));
  return 1;
}

// AssemblyScript calls it when it gives up; the build line says so, `--use abort=…`.
function abort(_message: string | null, _file: string | null, _line: u32, _column: u32): void {
  unreachable();
}
