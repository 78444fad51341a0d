;; The kernel's allocator, a part of kernel.wat: blocks at the end of the heap, free ones reused by
;; size. The table of blocks lies below the heap, out of a guest's reach.
;;
;; State of a block: 0 free, 1 live, 2 handed over. The host functions take over the blocks they are
;; given, yet some guests free them once more (go-pdk) and some never do (rust-pdk), so a block that
;; was handed over may be reused when its guest frees it, or 64 hand-overs later.

;; 0 for no bytes and past the limit.
(func (export "alloc") (param $length i64) (result i64)
  (local $pointer i32)
  (local.set $pointer (call $allocate (local.get $length)))
  (if (i32.and (i32.eqz (local.get $pointer)) (i64.ne (local.get $length) (i64.const 0)))
    (then
      (i32.store (i32.const 24) (i32.add (i32.load (i32.const 24)) (i32.const 1)))
      (call $host_refused)))
  (i64.extend_i32_u (local.get $pointer)))

(func $free (export "free") (param $pointer i64)
  (local $block i32)
  (local.set $block (call $find (local.get $pointer)))
  (if (local.get $block) (then (call $release (local.get $block)))))

(func $length (export "length") (export "length_unsafe") (param $pointer i64) (result i64)
  (local $block i32)
  (local.set $block (call $find (local.get $pointer)))
  (if (result i64) (local.get $block)
    (then (i64.load32_u offset=4 (local.get $block)))
    (else (i64.const 0))))

;; A free block that fits closely, else the end of the heap, else any free block that fits.
;; Reused memory keeps what this same call wrote there.
(func $allocate (param $length i64) (result i32)
  (local $pointer i32) (local $block i32) (local $end i64) (local $largest i64)
  (local.set $largest (i64.load32_u (i32.const 28)))
  (if (i32.or (i64.eqz (local.get $length)) (i64.gt_u (local.get $length) (local.get $largest)))
    (then (return (i32.const 0))))
  (if (global.get $free_blocks)
    (then
      (local.set $pointer
        (call $reuse (i32.wrap_i64 (local.get $length)) (i32.const 2)))
      (if (local.get $pointer) (then (return (local.get $pointer))))))
  (local.set $end
    (i64.add (global.get $used)
      (i64.and (i64.add (local.get $length) (i64.const 15)) (i64.const -16))))
  (local.set $block (global.get $table_end))
  (if (i64.le_u (local.get $end) (local.get $largest))
    (then
      (if (i32.lt_u (local.get $block) (global.get $heap))
        (then
          (if (call $reach (local.get $end))
            (then
              (local.set $pointer
                (i32.add (global.get $heap) (i32.wrap_i64 (global.get $used))))
              (i32.store (local.get $block) (local.get $pointer))
              (i64.store32 offset=4 (local.get $block) (local.get $length))
              (i32.store offset=8 (local.get $block) (i32.const 1))
              (global.set $table_end (i32.add (local.get $block) (i32.const 16)))
              (call $set_used (local.get $end))
              (return (local.get $pointer))))))))
  (if (result i32) (global.get $free_blocks)
    (then (call $reuse (i32.wrap_i64 (local.get $length)) (i32.const 31)))
    (else (i32.const 0))))

;; Makes the memory large enough for that many bytes of heap; in steps of 1 MiB where it can.
(func $reach (param $end i64) (result i32)
  (local $missing i64) (local $pages i32)
  (local.set $missing
    (i64.sub
      (i64.add (local.get $end) (i64.const 0x100000))
      (i64.shl (i64.extend_i32_u (memory.size)) (i64.const 16))))
  (if (i64.le_s (local.get $missing) (i64.const 0)) (then (return (i32.const 1))))
  (local.set $pages
    (i32.wrap_i64
      (i64.shr_u (i64.add (local.get $missing) (i64.const 0xffff)) (i64.const 16))))
  (if (call $grow (i32.add (local.get $pages) (i32.const 15))) (then (return (i32.const 1))))
  (call $grow (local.get $pages)))

;; The host knows what the guest holds, which counts too.
(func $grow (param $pages i32) (result i32)
  (if (i32.eqz (call $host_may_grow (local.get $pages))) (then (return (i32.const 0))))
  (i32.ne (memory.grow (local.get $pages)) (i32.const -1)))

(func $set_used (param $end i64)
  (global.set $used (local.get $end))
  (global.set $used_u64 (call $room_for_u64 (local.get $end)))
  (if (i64.gt_u (local.get $end) (i64.load32_u (i32.const 20)))
    (then (i64.store32 (i32.const 20) (local.get $end)))))

;; How many offsets of so many bytes have 8 bytes to read.
(func $room_for_u64 (param $length i64) (result i64)
  (select
    (i64.sub (local.get $length) (i64.const 7))
    (i64.const 0)
    (i64.ge_u (local.get $length) (i64.const 8))))

;; Takes a block off the free lists: the first of 8 that fits from the list of this size, else the
;; head of one of the next lists, every block of which fits. 0 where there is none.
(func $reuse (param $length i32) (param $lists i32) (result i32)
  (local $link i32) (local $block i32) (local $probes i32) (local $last i32)
  ;; No block is smaller than 16 bytes; the bit changes no other size's list.
  (local.set $link (call $list_of (i32.or (local.get $length) (i32.const 16))))
  (local.set $last
    (i32.add (local.get $link) (i32.shl (local.get $lists) (i32.const 2))))
  (if (i32.gt_u (local.get $last) (i32.const 0xb8)) (then (local.set $last (i32.const 0xb8))))
  (block $found
    (local.set $probes (i32.const 8))
    (local.set $block (i32.load (local.get $link)))
    (block $none
      (loop $probe
        (br_if $none (i32.eqz (local.get $block)))
        (br_if $none (i32.eqz (local.get $probes)))
        (if (i32.ge_u (call $capacity (local.get $block)) (local.get $length))
          (then
            (i32.store (local.get $link) (i32.load offset=12 (local.get $block)))
            (br $found)))
        (local.set $link (i32.add (local.get $block) (i32.const 12)))
        (local.set $block (i32.load (local.get $link)))
        (local.set $probes (i32.sub (local.get $probes) (i32.const 1)))
        (br $probe)))
    (local.set $link (call $list_of (i32.or (local.get $length) (i32.const 16))))
    (loop $larger
      (local.set $link (i32.add (local.get $link) (i32.const 4)))
      (if (i32.gt_u (local.get $link) (local.get $last)) (then (return (i32.const 0))))
      (local.set $block (i32.load (local.get $link)))
      (br_if $larger (i32.eqz (local.get $block))))
    (i32.store (local.get $link) (i32.load offset=12 (local.get $block))))
  (global.set $free_blocks (i32.sub (global.get $free_blocks) (i32.const 1)))
  (i32.store offset=4 (local.get $block) (local.get $length))
  (i32.store offset=8 (local.get $block) (i32.const 1))
  (i32.load (local.get $block)))

;; Address of the head of the list for blocks of that many bytes.
(func $list_of (param $bytes i32) (result i32)
  (i32.add (global.get $heads)
    (i32.shl (i32.sub (i32.const 31) (i32.clz (local.get $bytes))) (i32.const 2))))

;; From a block's start to the next one's, or to the end of the heap.
(func $capacity (param $block i32) (result i32)
  (local $next i32)
  (local.set $next (i32.add (local.get $block) (i32.const 16)))
  (i32.sub
    (if (result i32) (i32.lt_u (local.get $next) (global.get $table_end))
      (then (i32.load (local.get $next)))
      (else (i32.add (global.get $heap) (i32.wrap_i64 (global.get $used)))))
    (i32.load (local.get $block))))

;; Gives a block back: to the end of the heap if it is the last, else to its free list.
(func $release (param $block i32)
  (local $list i32)
  (if (i32.eq (i32.load (local.get $block)) (global.get $heap))
    (then
      (if (i64.ne (global.get $input_length) (i64.const 0))
        (then (call $set_input (i64.const 0))))))
  (if (i32.eq (i32.add (local.get $block) (i32.const 16)) (global.get $table_end))
    (then
      (call $set_used
        (i64.extend_i32_u (i32.sub (i32.load (local.get $block)) (global.get $heap))))
      (global.set $table_end (local.get $block))
      (return)))
  (local.set $list (call $list_of (call $capacity (local.get $block))))
  (i32.store offset=8 (local.get $block) (i32.const 0))
  (i32.store offset=12 (local.get $block) (i32.load (local.get $list)))
  (i32.store (local.get $list) (local.get $block))
  (global.set $free_blocks (i32.add (global.get $free_blocks) (i32.const 1)))
  (global.set $lists_dirty (i32.const 1)))

;; Marks a block as handed over and releases the one handed over 64 times ago, if it still is that
;; one: its table entry may have been used anew meanwhile, so the entry carries the number.
(func $hand_over (param $block i32)
  (local $slot i32) (local $old i32)
  (if (i32.ne (i32.load offset=8 (local.get $block)) (i32.const 1)) (then (return)))
  (local.set $slot
    (i32.add (global.get $ring)
      (i32.shl (i32.and (global.get $handed_over) (i32.const 63)) (i32.const 2))))
  (local.set $old (i32.load (local.get $slot)))
  (i32.store offset=8 (local.get $block) (i32.const 2))
  (i32.store offset=12 (local.get $block) (global.get $handed_over))
  (i32.store (local.get $slot) (local.get $block))
  (global.set $handed_over (i32.add (global.get $handed_over) (i32.const 1)))
  (global.set $lists_dirty (i32.const 1))
  (if (i32.eqz (local.get $old)) (then (return)))
  (if (i32.ge_u (local.get $old) (global.get $table_end)) (then (return)))
  (if (i32.ne (i32.load offset=8 (local.get $old)) (i32.const 2)) (then (return)))
  (if
    (i32.eq
      (i32.load offset=12 (local.get $old))
      (i32.sub (global.get $handed_over) (i32.const 65)))
    (then (call $release (local.get $old)))))

;; Table entry of the block that begins at this pointer and is not free, else 0.
(func $find (param $pointer i64) (result i32)
  (local $block i32)
  (local.set $block (call $find_around (local.get $pointer)))
  (if (i32.eqz (local.get $block)) (then (return (i32.const 0))))
  (select
    (local.get $block)
    (i32.const 0)
    (i32.eq (i32.load (local.get $block)) (i32.wrap_i64 (local.get $pointer)))))

;; Table entry of the block that this pointer is in and that is not free, else 0.
(func $find_around (param $pointer i64) (result i32)
  (local $low i32) (local $high i32) (local $middle i32) (local $at i32)
  (if
    (i64.ge_u (i64.sub (local.get $pointer) (i64.const 0x100000)) (global.get $used))
    (then (return (i32.const 0))))
  (local.set $at (i32.wrap_i64 (local.get $pointer)))
  (local.set $high (global.get $table_end))
  (local.set $low (i32.sub (local.get $high) (i32.const 16)))
  ;; Most often it is the newest one. The first one begins where the heap does, so one is found.
  (if (i32.gt_u (i32.load (local.get $low)) (local.get $at))
    (then
      (local.set $high (local.get $low))
      (local.set $low (global.get $table))
      (loop $halve
        (if (i32.gt_u (i32.sub (local.get $high) (local.get $low)) (i32.const 16))
          (then
            (local.set $middle
              (i32.add (local.get $low)
                (i32.and
                  (i32.shr_u (i32.sub (local.get $high) (local.get $low)) (i32.const 1))
                  (i32.const -16))))
            (if (i32.gt_u (i32.load (local.get $middle)) (local.get $at))
              (then (local.set $high (local.get $middle)))
              (else (local.set $low (local.get $middle))))
            (br $halve))))))
  (select (local.get $low) (i32.const 0) (i32.load offset=8 (local.get $low))))
