;; Conversions that saturate, sign extensions, and divisions that trap.
(module
  (func (export "saturate") (param f64) (result i64)
    (i64.add (i64.trunc_sat_f64_s (f64.mul (local.get 0) (f64.const 1e300)))
             (i64.extend_i32_s (i32.trunc_sat_f32_u (f32.const -nan)))))
  (func (export "trunc") (result i32) (i32.trunc_f64_s (f64.const 1e10)))
  (func (export "extend") (param i32) (result i64)
    (i64.extend8_s (i64.extend16_s (i64.extend_i32_u (i32.extend8_s (i32.shl (local.get 0) (i32.const 5)))))))
  (func (export "by_zero") (result i32) (i32.div_s (i32.const 1) (i32.const 0)))
  (func (export "overflow") (result i64) (i64.div_s (i64.const 0x8000000000000000) (i64.const -1))))
