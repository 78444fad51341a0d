/**
 * Guests that take what they can: those that never end, and those that never have enough. Their
 * function is called `run`; `ok` does nothing. For the tests and for bench/, which measures them.
 */
import { assembleGuest } from '../helpers/wat.ts';

export interface HostileGuest {
  readonly name: string;
  /** Functions of Extism's host that it imports. */
  readonly imports?: readonly string[];
  readonly wasi?: boolean;
  readonly body: string;
}

const OK = '(func (export "ok") (result i32) (i32.const 0))';

export function assembleHostile({ imports = [], body }: HostileGuest): Promise<Uint8Array> {
  return assembleGuest(imports, body + OK);
}

/** Calls in one straight line, as many as would take seconds. */
const STRAIGHT_CALLS = 20_000;

/**
 * A chain through 32 MiB of memory in no order at all, so that each load waits for the one before it
 * and for memory: the slowest there is of what costs a unit. `$chase` follows 240 links of it, and is
 * small enough to be paid by its callers.
 */
const CHAIN = `(memory 512)
  (func $link (local $i i32)
    (loop $next
      (i32.store (i32.shl (local.get $i) (i32.const 2))
        (i32.shl (i32.and (i32.add (i32.mul (local.get $i) (i32.const 1664525))
          (i32.const 1013904223)) (i32.const 0x7fffff)) (i32.const 2)))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br_if $next (i32.lt_u (local.get $i) (i32.const 0x800000)))))
  (start $link)
  (func $chase (param i32) (result i32) local.get 0 ${'i32.load '.repeat(240)})
  (global $at (mut i32) (i32.const 0))`;
const CHASES = 'call $chase '.repeat(60_000);

/** End late, or never; each with its own way of not being looked at. */
export const RUNAWAYS: readonly HostileGuest[] = [
  {
    name: 'an empty loop',
    body: '(func (export "run") (result i32) (loop $again (br $again)) (i32.const 0))',
  },
  {
    name: 'a loop that calls a host function',
    imports: ['config_get', 'alloc', 'store_u8'],
    body: `(func (export "run") (result i32) (local $key i64)
      (loop $again
        (local.set $key (call $alloc (i64.const 1)))
        (call $store_u8 (local.get $key) (i32.const 97))
        (drop (call $config_get (local.get $key)))
        (br $again)) (i32.const 0))`,
  },
  {
    name: 'tail calls that go on for ever',
    body: '(func $run (export "run") (result i32) (return_call $run))',
  },
  {
    name: 'mutual recursion that returns before the stack is full',
    body: `(func $deep (param i32) (result i32)
        (if (result i32) (local.get 0) (then (call $deep (i32.sub (local.get 0) (i32.const 1)))) (else (i32.const 0))))
      (func (export "run") (result i32) (loop $again (drop (call $deep (i32.const 100))) (br $again)) (i32.const 0))`,
  },
  {
    name: 'large fills of memory, one after another',
    body: `(memory 512)
      (func (export "run") (result i32)
        (loop $again (memory.fill (i32.const 0) (i32.const 1) (i32.const 33554432)) (br $again)) (i32.const 0))`,
  },
  {
    name: 'a loop that sets a large variable again and again',
    imports: ['alloc', 'var_set'],
    body: `(func (export "run") (result i32) (local $key i64) (local $value i64)
      (loop $again
        (local.set $key (call $alloc (i64.const 8)))
        (local.set $value (call $alloc (i64.const 1000000)))
        (call $var_set (local.get $key) (local.get $value))
        (br $again)) (i32.const 0))`,
  },
  {
    name: 'a loop that reads a large variable again and again',
    imports: ['alloc', 'var_set', 'var_get', 'free'],
    body: `(func (export "run") (result i32)
      (call $var_set (call $alloc (i64.const 8)) (call $alloc (i64.const 1000000)))
      (loop $again
        (call $free (call $var_get (call $alloc (i64.const 8))))
        (br $again)) (i32.const 0))`,
  },
  {
    name: 'a loop that logs what is filtered out',
    imports: ['alloc', 'log_trace'],
    body: `(func (export "run") (result i32)
      (loop $again (call $log_trace (call $alloc (i64.const 1000))) (br $again)) (i32.const 0))`,
  },
  {
    name: 'random bytes by the megabyte',
    wasi: true,
    body: `(import "wasi_snapshot_preview1" "random_get" (func $random (param i32 i32) (result i32)))
      (memory (export "memory") 320)
      (func (export "run") (result i32)
        (loop $again (drop (call $random (i32.const 0) (i32.const 20000000))) (br $again)) (i32.const 0))`,
  },
  {
    name: 'sleep for an hour, again and again',
    wasi: true,
    body: `(import "wasi_snapshot_preview1" "poll_oneoff"
        (func $poll (param i32 i32 i32 i32) (result i32)))
      (memory (export "memory") 1)
      (func (export "run") (result i32)
        (i32.store (i32.const 16) (i32.const 1))
        (i64.store (i32.const 24) (i64.const 3600000000000))
        (loop $again
          (drop (call $poll (i32.const 0) (i32.const 100) (i32.const 1) (i32.const 200)))
          (br $again)) (i32.const 0))`,
  },
  {
    name: 'the clock, again and again',
    wasi: true,
    body: `(import "wasi_snapshot_preview1" "clock_time_get"
        (func $clock (param i32 i64 i32) (result i32)))
      (memory (export "memory") 1)
      (func (export "run") (result i32)
        (loop $again (drop (call $clock (i32.const 1) (i64.const 0) (i32.const 0))) (br $again)) (i32.const 0))`,
  },
  {
    name: 'a large variable set in one straight line of calls',
    imports: ['alloc', 'var_set'],
    body: `(func (export "run") (result i32) (local $key i64) (local $value i64)
      (local.set $key (call $alloc (i64.const 8)))
      (local.set $value (call $alloc (i64.const 1000000)))
      ${'(call $var_set (local.get $key) (local.get $value))'.repeat(STRAIGHT_CALLS)}
      (i32.const 0))`,
  },
  {
    name: 'a large output written in one straight line of calls',
    wasi: true,
    body: `(import "wasi_snapshot_preview1" "fd_write"
        (func $write (param i32 i32 i32 i32) (result i32)))
      (memory (export "memory") 10)
      (func (export "run") (result i32)
        (i32.store (i32.const 0) (i32.const 64))
        (i32.store (i32.const 4) (i32.const 262144))
        ${'(drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 16)))'.repeat(STRAIGHT_CALLS)}
        (i32.const 0))`,
  },
  {
    name: 'a small function called in one straight line',
    body: `${CHAIN} (func (export "run") (result i32) i32.const 0 ${CHASES} drop i32.const 0)`,
  },
  {
    name: 'one round of a loop with a huge body',
    body: `${CHAIN} (func (export "run") (result i32)
      (loop $again
        global.get $at ${CHASES} global.set $at
        (br_if $again (i32.eqz (global.get $at)))) (i32.const 0))`,
  },
  {
    name: 'what deep recursion left to be done on the way back',
    body: `${CHAIN}
      (func $deep (param $left i32)
        (if (local.get $left) (then (call $deep (i32.sub (local.get $left) (i32.const 1)))))
        global.get $at ${'i32.load '.repeat(9000)} global.set $at)
      (func (export "run") (result i32) (call $deep (i32.const 5000)) (i32.const 0))`,
  },
  {
    name: 'a loop that grows its memory by nothing',
    body: `(memory 1)
      (func (export "run") (result i32)
        (loop $again (drop (memory.grow (i32.const 0))) (br $again)) (i32.const 0))`,
  },
];

/** Initialisation that never ends. */
export const INIT_LOOPS: readonly HostileGuest[] = [
  {
    name: 'a start function',
    body: '(func $init (loop $again (br $again))) (start $init)',
  },
  {
    name: '_initialize',
    body: '(func (export "_initialize") (loop $again (br $again)))',
  },
  {
    name: '__wasm_call_ctors',
    body: '(func (export "__wasm_call_ctors") (loop $again (br $again)))',
  },
  {
    name: 'hs_init',
    body: '(func (export "hs_init") (param i32 i32) (loop $again (br $again)))',
  },
];

/** Its stack ends before any deadline. */
export const INFINITE_RECURSION: HostileGuest = {
  name: 'infinite recursion',
  body: '(func $run (export "run") (result i32) (i32.add (i32.const 1) (call $run)))',
};

/** Each is an error `PLUGIN_LIMIT`. */
export const BOMBS: readonly HostileGuest[] = [
  {
    name: 'guest memory, grown and written until it is refused',
    imports: [],
    body: `(memory 1)
      (func (export "run") (result i32)
        (loop $again
          (memory.fill (i32.sub (i32.shl (memory.size) (i32.const 16)) (i32.const 65536))
            (i32.const 1) (i32.const 65536))
          (br_if $again (i32.ne (memory.grow (i32.const 1)) (i32.const -1))))
        (unreachable))`,
  },
  {
    name: 'kernel memory, allocated and written for ever',
    imports: ['alloc', 'store_u64'],
    body: `(func (export "run") (result i32)
        (loop $again
          (call $store_u64 (call $alloc (i64.const 4096)) (i64.const 1))
          (br $again)) (i32.const 0))`,
  },
  {
    name: 'one allocation of more than there is',
    imports: ['alloc', 'output_set'],
    body: `(func (export "run") (result i32)
        (if (i64.eqz (call $alloc (i64.const 0x7fffffff))) (then (unreachable))) (i32.const 0))`,
  },
  {
    name: 'variables with large values',
    imports: ['alloc', 'store_u64', 'var_set'],
    body: `(func (export "run") (result i32) (local $key i64) (local $value i64)
        (local.set $value (call $alloc (i64.const 65536)))
        (loop $again
          (local.set $key (call $alloc (i64.const 8)))
          (call $store_u64 (local.get $key) (local.get $key))
          (call $var_set (local.get $key) (local.get $value))
          (local.set $value (call $alloc (i64.const 65536)))
          (br $again)) (i32.const 0))`,
  },
  {
    name: 'variables with long names',
    imports: ['alloc', 'store_u64', 'var_set'],
    body: `(func (export "run") (result i32) (local $key i64) (local $n i64)
        (loop $again
          (local.set $key (call $alloc (i64.const 65536)))
          (local.set $n (i64.add (local.get $n) (i64.const 1)))
          (call $store_u64 (local.get $key) (local.get $n))
          (call $var_set (local.get $key) (local.get $key))
          (br $again)) (i32.const 0))`,
  },
  {
    name: 'log lines for ever',
    imports: ['alloc', 'log_info'],
    body: `(func (export "run") (result i32)
        (loop $again (call $log_info (call $alloc (i64.const 100))) (br $again)) (i32.const 0))`,
  },
  {
    name: 'an output over its limit',
    imports: ['alloc', 'output_set'],
    body: `(func (export "run") (result i32)
        (call $output_set (call $alloc (i64.const 9000000)) (i64.const 9000000)) (i32.const 0))`,
  },
  {
    name: 'many small variables',
    imports: ['alloc', 'store_u64', 'var_set'],
    body: `(func (export "run") (result i32) (local $key i64) (local $n i64)
        (loop $again
          (local.set $key (call $alloc (i64.const 8)))
          (local.set $n (i64.add (local.get $n) (i64.const 1)))
          (call $store_u64 (local.get $key)
            (i64.or (i64.const 0x4141414141410000)
              (i64.or (i64.and (local.get $n) (i64.const 127))
                (i64.shl (i64.and (local.get $n) (i64.const 0x3f80)) (i64.const 1)))))
          (call $var_set (local.get $key) (call $alloc (i64.const 1)))
          (br $again)) (i32.const 0))`,
  },
  {
    name: 'lines on its standard output for ever',
    wasi: true,
    body: `(import "wasi_snapshot_preview1" "fd_write"
        (func $write (param i32 i32 i32 i32) (result i32)))
      (memory (export "memory") 4)
      (func (export "run") (result i32)
        (memory.fill (i32.const 0) (i32.const 10) (i32.const 200000))
        (i32.store (i32.const 200004) (i32.const 200000))
        (loop $again
          (drop (call $write (i32.const 1) (i32.const 200000) (i32.const 1) (i32.const 200008)))
          (br $again)) (i32.const 0))`,
  },
];
