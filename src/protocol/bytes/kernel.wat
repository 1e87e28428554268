;; Two scans over bytes at memory speed, for what no built-in of JavaScript finds: octets that lack their neighbour.
;; `scripts/kernel.mjs` compiles this file into kernel.ts; scan.ts holds the same in JavaScript, and a test compares them.
;;
;; The caller copies a window to address 64 on and asks for a range of it. The scans look one or two octets past `to`.
;; What they note on the way stands in five words at address 0, to be set by the caller before and read after:
;;   0  non-zero: an octet above 127 was seen
;;   4  non-zero: an octet 0 was seen
;;   8  octets of the longest line seen, its LF included (lines under 64 octets need not count)
;;  12  the address of the last LF (may lie before the window)
;;  16  LFs counted
(module
  (memory (export "memory") 1)

  ;; The first i in [at, to) where CR and LF do not stand together (octet i is CR without LF behind it, or octet i+1 is LF
  ;; without CR before it) or where octet i is LF and octet i+1 a dot; `to` when there is none. Notes every octet before the
  ;; result, and the one at the result.
  (func (export "content") (param $at i32) (param $to i32) (result i32)
    (local $a v128) (local $b v128) (local $feeds v128) (local $hit v128)
    (local $any v128) (local $zero v128) (local $high v128) (local $nul v128)
    (local $mask i64) (local $length i32) (local $longest i32) (local $lineFeed i32) (local $now i32) (local $next i32)
    (local.set $longest (i32.load (i32.const 8)))
    (local.set $lineFeed (i32.load (i32.const 12)))
    (block $slow
      (loop $blocks
        (br_if $slow (i32.gt_s (i32.add (local.get $at) (i32.const 64)) (local.get $to)))

        (local.set $a (v128.load (local.get $at)))
        (local.set $b (v128.load offset=1 (local.get $at)))
        (local.set $feeds (i8x16.eq (local.get $a) (i8x16.splat (i32.const 10))))
        (local.set $mask (i64.extend_i32_u (i8x16.bitmask (local.get $feeds))))
        (local.set $any (local.get $a))
        (local.set $zero (i8x16.eq (local.get $a) (v128.const i64x2 0 0)))
        (local.set $hit (v128.or
          (v128.xor (i8x16.eq (local.get $a) (i8x16.splat (i32.const 13))) (i8x16.eq (local.get $b) (i8x16.splat (i32.const 10))))
          (v128.and (local.get $feeds) (i8x16.eq (local.get $b) (i8x16.splat (i32.const 46))))))

        (local.set $a (v128.load offset=16 (local.get $at)))
        (local.set $b (v128.load offset=17 (local.get $at)))
        (local.set $feeds (i8x16.eq (local.get $a) (i8x16.splat (i32.const 10))))
        (local.set $mask (i64.or (local.get $mask) (i64.shl (i64.extend_i32_u (i8x16.bitmask (local.get $feeds))) (i64.const 16))))
        (local.set $any (v128.or (local.get $any) (local.get $a)))
        (local.set $zero (v128.or (local.get $zero) (i8x16.eq (local.get $a) (v128.const i64x2 0 0))))
        (local.set $hit (v128.or (local.get $hit) (v128.or
          (v128.xor (i8x16.eq (local.get $a) (i8x16.splat (i32.const 13))) (i8x16.eq (local.get $b) (i8x16.splat (i32.const 10))))
          (v128.and (local.get $feeds) (i8x16.eq (local.get $b) (i8x16.splat (i32.const 46)))))))

        (local.set $a (v128.load offset=32 (local.get $at)))
        (local.set $b (v128.load offset=33 (local.get $at)))
        (local.set $feeds (i8x16.eq (local.get $a) (i8x16.splat (i32.const 10))))
        (local.set $mask (i64.or (local.get $mask) (i64.shl (i64.extend_i32_u (i8x16.bitmask (local.get $feeds))) (i64.const 32))))
        (local.set $any (v128.or (local.get $any) (local.get $a)))
        (local.set $zero (v128.or (local.get $zero) (i8x16.eq (local.get $a) (v128.const i64x2 0 0))))
        (local.set $hit (v128.or (local.get $hit) (v128.or
          (v128.xor (i8x16.eq (local.get $a) (i8x16.splat (i32.const 13))) (i8x16.eq (local.get $b) (i8x16.splat (i32.const 10))))
          (v128.and (local.get $feeds) (i8x16.eq (local.get $b) (i8x16.splat (i32.const 46)))))))

        (local.set $a (v128.load offset=48 (local.get $at)))
        (local.set $b (v128.load offset=49 (local.get $at)))
        (local.set $feeds (i8x16.eq (local.get $a) (i8x16.splat (i32.const 10))))
        (local.set $mask (i64.or (local.get $mask) (i64.shl (i64.extend_i32_u (i8x16.bitmask (local.get $feeds))) (i64.const 48))))
        (local.set $any (v128.or (local.get $any) (local.get $a)))
        (local.set $zero (v128.or (local.get $zero) (i8x16.eq (local.get $a) (v128.const i64x2 0 0))))
        (local.set $hit (v128.or (local.get $hit) (v128.or
          (v128.xor (i8x16.eq (local.get $a) (i8x16.splat (i32.const 13))) (i8x16.eq (local.get $b) (i8x16.splat (i32.const 10))))
          (v128.and (local.get $feeds) (i8x16.eq (local.get $b) (i8x16.splat (i32.const 46)))))))

        ;; A hit in this block: octet by octet, so that nothing behind it is noted.
        (br_if $slow (v128.any_true (local.get $hit)))

        (local.set $high (v128.or (local.get $high) (local.get $any)))
        (local.set $nul (v128.or (local.get $nul) (local.get $zero)))
        (if (i64.ne (local.get $mask) (i64.const 0))
          (then
            (local.set $length (i32.sub
              (i32.add (local.get $at) (i32.wrap_i64 (i64.ctz (local.get $mask)))) (local.get $lineFeed)))
            (if (i32.gt_s (local.get $length) (local.get $longest)) (then (local.set $longest (local.get $length))))
            (local.set $lineFeed (i32.add (local.get $at)
              (i32.sub (i32.const 63) (i32.wrap_i64 (i64.clz (local.get $mask))))))))
        (local.set $at (i32.add (local.get $at) (i32.const 64)))
        (br $blocks)))
    (block $done
      (loop $octets
        (br_if $done (i32.ge_s (local.get $at) (local.get $to)))
        (local.set $now (i32.load8_u (local.get $at)))
        (local.set $next (i32.load8_u offset=1 (local.get $at)))
        (local.set $high (v128.or (local.get $high) (i8x16.splat (local.get $now))))
        (if (i32.eqz (local.get $now)) (then (local.set $nul (v128.const i64x2 -1 -1))))
        (if (i32.eq (local.get $now) (i32.const 10))
          (then
            (local.set $length (i32.sub (local.get $at) (local.get $lineFeed)))
            (if (i32.gt_s (local.get $length) (local.get $longest)) (then (local.set $longest (local.get $length))))
            (local.set $lineFeed (local.get $at))
            (br_if $done (i32.eq (local.get $next) (i32.const 46)))))
        (br_if $done (i32.ne (i32.eq (local.get $now) (i32.const 13)) (i32.eq (local.get $next) (i32.const 10))))
        (local.set $at (i32.add (local.get $at) (i32.const 1)))
        (br $octets)))
    (i32.store (i32.const 0) (i32.or (i32.load (i32.const 0)) (i8x16.bitmask (local.get $high))))
    (i32.store (i32.const 4) (i32.or (i32.load (i32.const 4)) (v128.any_true (local.get $nul))))
    (i32.store (i32.const 8) (local.get $longest))
    (i32.store (i32.const 12) (local.get $lineFeed))
    (local.get $at))

  ;; The first i in [at, to) where octet i is LF and two dashes follow; `to` when there is none. Notes every octet before the
  ;; result, and the one at the result; counts LFs.
  (func (export "dashes") (param $at i32) (param $to i32) (result i32)
    (local $a v128) (local $f0 v128) (local $f1 v128) (local $f2 v128) (local $f3 v128) (local $hit v128) (local $lines i32)
    (local $any v128) (local $zero v128) (local $high v128) (local $nul v128) (local $now i32)
    (local.set $lines (i32.load (i32.const 16)))
    (block $slow
      (loop $blocks
        (br_if $slow (i32.gt_s (i32.add (local.get $at) (i32.const 64)) (local.get $to)))

        (local.set $a (v128.load (local.get $at)))
        (local.set $f0 (i8x16.eq (local.get $a) (i8x16.splat (i32.const 10))))
        (local.set $any (local.get $a))
        (local.set $zero (i8x16.eq (local.get $a) (v128.const i64x2 0 0)))
        (local.set $hit (v128.and (local.get $f0) (v128.and
          (i8x16.eq (v128.load offset=1 (local.get $at)) (i8x16.splat (i32.const 45)))
          (i8x16.eq (v128.load offset=2 (local.get $at)) (i8x16.splat (i32.const 45))))))

        (local.set $a (v128.load offset=16 (local.get $at)))
        (local.set $f1 (i8x16.eq (local.get $a) (i8x16.splat (i32.const 10))))
        (local.set $any (v128.or (local.get $any) (local.get $a)))
        (local.set $zero (v128.or (local.get $zero) (i8x16.eq (local.get $a) (v128.const i64x2 0 0))))
        (local.set $hit (v128.or (local.get $hit) (v128.and (local.get $f1) (v128.and
          (i8x16.eq (v128.load offset=17 (local.get $at)) (i8x16.splat (i32.const 45)))
          (i8x16.eq (v128.load offset=18 (local.get $at)) (i8x16.splat (i32.const 45)))))))

        (local.set $a (v128.load offset=32 (local.get $at)))
        (local.set $f2 (i8x16.eq (local.get $a) (i8x16.splat (i32.const 10))))
        (local.set $any (v128.or (local.get $any) (local.get $a)))
        (local.set $zero (v128.or (local.get $zero) (i8x16.eq (local.get $a) (v128.const i64x2 0 0))))
        (local.set $hit (v128.or (local.get $hit) (v128.and (local.get $f2) (v128.and
          (i8x16.eq (v128.load offset=33 (local.get $at)) (i8x16.splat (i32.const 45)))
          (i8x16.eq (v128.load offset=34 (local.get $at)) (i8x16.splat (i32.const 45)))))))

        (local.set $a (v128.load offset=48 (local.get $at)))
        (local.set $f3 (i8x16.eq (local.get $a) (i8x16.splat (i32.const 10))))
        (local.set $any (v128.or (local.get $any) (local.get $a)))
        (local.set $zero (v128.or (local.get $zero) (i8x16.eq (local.get $a) (v128.const i64x2 0 0))))
        (local.set $hit (v128.or (local.get $hit) (v128.and (local.get $f3) (v128.and
          (i8x16.eq (v128.load offset=49 (local.get $at)) (i8x16.splat (i32.const 45)))
          (i8x16.eq (v128.load offset=50 (local.get $at)) (i8x16.splat (i32.const 45)))))))

        ;; A hit in this block: octet by octet, so that nothing behind it is noted.
        (br_if $slow (v128.any_true (local.get $hit)))

        (local.set $high (v128.or (local.get $high) (local.get $any)))
        (local.set $nul (v128.or (local.get $nul) (local.get $zero)))
        (local.set $lines (i32.add (local.get $lines) (i32.wrap_i64 (i64.popcnt (i64.or
          (i64.or
            (i64.extend_i32_u (i8x16.bitmask (local.get $f0)))
            (i64.shl (i64.extend_i32_u (i8x16.bitmask (local.get $f1))) (i64.const 16)))
          (i64.or
            (i64.shl (i64.extend_i32_u (i8x16.bitmask (local.get $f2))) (i64.const 32))
            (i64.shl (i64.extend_i32_u (i8x16.bitmask (local.get $f3))) (i64.const 48))))))))
        (local.set $at (i32.add (local.get $at) (i32.const 64)))
        (br $blocks)))
    (block $done
      (loop $octets
        (br_if $done (i32.ge_s (local.get $at) (local.get $to)))
        (local.set $now (i32.load8_u (local.get $at)))
        (local.set $high (v128.or (local.get $high) (i8x16.splat (local.get $now))))
        (if (i32.eqz (local.get $now)) (then (local.set $nul (v128.const i64x2 -1 -1))))
        (if (i32.eq (local.get $now) (i32.const 10))
          (then
            (local.set $lines (i32.add (local.get $lines) (i32.const 1)))
            (br_if $done (i32.and
              (i32.eq (i32.load8_u offset=1 (local.get $at)) (i32.const 45))
              (i32.eq (i32.load8_u offset=2 (local.get $at)) (i32.const 45))))))
        (local.set $at (i32.add (local.get $at) (i32.const 1)))
        (br $octets)))
    (i32.store (i32.const 0) (i32.or (i32.load (i32.const 0)) (i8x16.bitmask (local.get $high))))
    (i32.store (i32.const 4) (i32.or (i32.load (i32.const 4)) (v128.any_true (local.get $nul))))
    (i32.store (i32.const 16) (local.get $lines))
    (local.get $at)))
