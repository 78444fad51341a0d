//! The hello plugin in Rust: text N in, `{"message":"🦀 Hello N"}` out, an error where N is not UTF-8.
//! It declares the host functions it needs instead of using the `extism-pdk` crate, so that a compiler
//! from a distribution's packages builds it, without cargo and without a download.

use std::str;

// The part of Extism's host interface that is used here. An offset is an address in the host's memory.
#[link(wasm_import_module = "extism:host/env")]
extern "C" {
    fn input_length() -> u64;
    fn input_load_u8(offset: u64) -> u8;
    fn input_load_u64(offset: u64) -> u64;
    fn alloc(length: u64) -> u64;
    fn store_u8(offset: u64, value: u8);
    fn store_u64(offset: u64, value: u64);
    fn output_set(offset: u64, length: u64);
    fn error_set(offset: u64);
}

#[no_mangle]
pub extern "C" fn hello() -> i32 {
    match str::from_utf8(&read_input()) {
        Ok(name) => {
            let answer = greet(name);
            unsafe { output_set(copy_to_host(&answer), answer.len() as u64) };
            0
        }
        Err(_) => {
            unsafe { error_set(copy_to_host(b"the input is not valid UTF-8")) };
            1
        }
    }
}

fn greet(name: &str) -> Vec<u8> {
    let mut answer = Vec::with_capacity(name.len() + 32);
    answer.extend_from_slice("{\"message\":\"🦀 Hello ".as_bytes());
    let mut rest = name.as_bytes();
    while let Some(at) = rest.iter().position(|&byte| must_be_escaped(byte)) {
        answer.extend_from_slice(&rest[..at]);
        escape(rest[at], &mut answer);
        rest = &rest[at + 1..];
    }
    answer.extend_from_slice(rest);
    answer.extend_from_slice(b"\"}");
    answer
}

fn must_be_escaped(byte: u8) -> bool {
    byte < 0x20 || byte == b'"' || byte == b'\\'
}

fn escape(byte: u8, answer: &mut Vec<u8>) {
    let letter = match byte {
        b'"' | b'\\' => byte,
        0x08 => b'b',
        b'\t' => b't',
        b'\n' => b'n',
        0x0c => b'f',
        b'\r' => b'r',
        _ => {
            const HEX: &[u8; 16] = b"0123456789abcdef";
            let (high, low) = (HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]);
            answer.extend_from_slice(&[b'\\', b'u', b'0', b'0', high, low]);
            return;
        }
    };
    answer.extend_from_slice(&[b'\\', letter]);
}

fn read_input() -> Vec<u8> {
    let length = unsafe { input_length() };
    let words = length & !7;
    let mut input = Vec::with_capacity(length as usize);
    for offset in (0..words).step_by(8) {
        input.extend_from_slice(&unsafe { input_load_u64(offset) }.to_le_bytes());
    }
    input.extend((words..length).map(|offset| unsafe { input_load_u8(offset) }));
    input
}

/// Copies the bytes into a new block of the host; returns its offset.
fn copy_to_host(bytes: &[u8]) -> u64 {
    let block = unsafe { alloc(bytes.len() as u64) };
    assert!(block != 0, "over the host's memory limit");
    let words = bytes.chunks_exact(8);
    let rest = words.remainder();
    let mut offset = block;
    for word in words {
        unsafe { store_u64(offset, u64::from_le_bytes(word.try_into().unwrap())) };
        offset += 8;
    }
    for &byte in rest {
        unsafe { store_u8(offset, byte) };
        offset += 1;
    }
    block
}
