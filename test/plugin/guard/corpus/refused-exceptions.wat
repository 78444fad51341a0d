;; Refused: a guest could catch what ends it.
(module
  (tag $t)
  (func (export "run") (result i32)
    (try (result i32) (do (throw $t)) (catch_all (i32.const 1)))))
