;; What the kernel passes on to the host, a part of kernel.wat: config, vars, HTTP, log lines. A block
;; given to one of these is handed over (kernel-blocks.wat); a pointer to no block is no key and no line.

(func (export "config_get") (param $key i64) (result i64)
  (local $block i32) (local $value i32)
  (local.set $block (call $find (local.get $key)))
  (if (i32.eqz (local.get $block)) (then (return (i64.const 0))))
  (local.set $value
    (call $host_config_get
      (i32.load (local.get $block)) (i32.load offset=4 (local.get $block))))
  (call $hand_over (local.get $block))
  (i64.extend_i32_u (local.get $value)))

(func (export "var_get") (param $key i64) (result i64)
  (local $block i32) (local $value i32)
  (local.set $block (call $find (local.get $key)))
  (if (i32.eqz (local.get $block)) (then (return (i64.const 0))))
  (local.set $value
    (call $host_var_get
      (i32.load (local.get $block)) (i32.load offset=4 (local.get $block))))
  (call $hand_over (local.get $block))
  (i64.extend_i32_u (local.get $value)))

;; A value of 0 deletes; a value that is no block changes nothing.
(func (export "var_set") (param $key i64) (param $value i64)
  (local $key_block i32) (local $block i32)
  (local.set $key_block (call $find (local.get $key)))
  (local.set $block (call $find (local.get $value)))
  (if (i32.eqz (local.get $key_block)) (then (return)))
  (if (i32.and (i32.eqz (local.get $block)) (i64.ne (local.get $value) (i64.const 0)))
    (then (return)))
  (call $host_var_set
    (i32.load (local.get $key_block)) (i32.load offset=4 (local.get $key_block))
    (call $start_or_0 (local.get $block)) (call $length_or_0 (local.get $block)))
  (call $hand_over (local.get $key_block))
  (if (local.get $block) (then (call $hand_over (local.get $block)))))

(func (export "http_request") (param $request i64) (param $body i64) (result i64)
  (local $block i32) (local $body_block i32) (local $response i32)
  (local.set $block (call $find (local.get $request)))
  (if (i32.eqz (local.get $block)) (then (return (i64.const 0))))
  (local.set $body_block (call $find (local.get $body)))
  (local.set $response
    (call $host_http_request
      (i32.load (local.get $block)) (i32.load offset=4 (local.get $block))
      (call $start_or_0 (local.get $body_block)) (call $length_or_0 (local.get $body_block))))
  (call $hand_over (local.get $block))
  (if (local.get $body_block) (then (call $hand_over (local.get $body_block))))
  (i64.extend_i32_u (local.get $response)))

(func (export "http_status_code") (result i32) (i32.load (i32.const 36)))

(func (export "http_headers") (result i64) (i64.extend_i32_u (call $host_http_headers)))

(func $start_or_0 (param $block i32) (result i32)
  (if (result i32) (local.get $block)
    (then (i32.load (local.get $block))) (else (i32.const 0))))

(func $length_or_0 (param $block i32) (result i32)
  (if (result i32) (local.get $block)
    (then (i32.load offset=4 (local.get $block))) (else (i32.const 0))))

;; ---- log: a line below the level never reaches the host ----

(func (export "get_log_level") (result i32) (i32.load (i32.const 32)))
(func (export "log_trace") (param $line i64) (call $log (i32.const 0) (local.get $line)))
(func (export "log_debug") (param $line i64) (call $log (i32.const 1) (local.get $line)))
(func (export "log_info") (param $line i64) (call $log (i32.const 2) (local.get $line)))
(func (export "log_warn") (param $line i64) (call $log (i32.const 3) (local.get $line)))
(func (export "log_error") (param $line i64) (call $log (i32.const 4) (local.get $line)))

(func $log (param $level i32) (param $line i64)
  (local $block i32)
  (local.set $block (call $find (local.get $line)))
  (if (i32.eqz (local.get $block)) (then (return)))
  (if (i32.ge_u (local.get $level) (i32.load (i32.const 32)))
    (then
      (call $host_log
        (local.get $level)
        (i32.load (local.get $block)) (i32.load offset=4 (local.get $block)))))
  (call $hand_over (local.get $block)))
