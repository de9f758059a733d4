//go:build !noasm

#include "textflag.h"

// 2^f for |f| ≤ 1/2 as 1 + c1·f + … + c6·f⁶: relative error 2.6e−9 before rounding (Remez).
DATA ·exp2Terms+0(SB)/4, $0xC2FA0000  // −125, the least exponent
DATA ·exp2Terms+4(SB)/4, $0x4B400000  // 1.5·2²³: adding it rounds to a whole number
DATA ·exp2Terms+8(SB)/4, $0x3F800000  // 1
DATA ·exp2Terms+12(SB)/4, $0x3F317219
DATA ·exp2Terms+16(SB)/4, $0x3E75FDF1
DATA ·exp2Terms+20(SB)/4, $0x3D635739
DATA ·exp2Terms+24(SB)/4, $0x3C1D9387
DATA ·exp2Terms+28(SB)/4, $0x3AAFB93C
DATA ·exp2Terms+32(SB)/4, $0x392385A8
GLOBL ·exp2Terms(SB), RODATA|NOPTR, $36

// 2^f for |f| ≤ 1/16 as 1 + c1·f + c2·f² + c3·f³: relative error 2.6e−8 before rounding (Remez).
DATA ·exp2Short+0(SB)/4, $0x49C00000  // 1.5·2²⁰: adding it rounds to an eighth
DATA ·exp2Short+4(SB)/4, $0x3F317219
DATA ·exp2Short+8(SB)/4, $0x3E760619
DATA ·exp2Short+12(SB)/4, $0x3D635002
GLOBL ·exp2Short(SB), RODATA|NOPTR, $16

// The bits of 2^(j/8), less j·2²⁰.
DATA ·exp2Eighths+0(SB)/4, $0x3F800000
DATA ·exp2Eighths+4(SB)/4, $0x3F7B95C2
DATA ·exp2Eighths+8(SB)/4, $0x3F7837F0
DATA ·exp2Eighths+12(SB)/4, $0x3F75FED7
DATA ·exp2Eighths+16(SB)/4, $0x3F7504F3
DATA ·exp2Eighths+20(SB)/4, $0x3F75672A
DATA ·exp2Eighths+24(SB)/4, $0x3F7744FD
DATA ·exp2Eighths+28(SB)/4, $0x3F7AC0C7
GLOBL ·exp2Eighths(SB), RODATA|NOPTR, $32

// (1 − erf(a/√2))/2 for a ≥ 0 as (c0 + c1·a + … + c6·a⁶)⁻¹⁶. Times a, it errs by 2.2e−7 at most before rounding (Remez,
// with the weight that makes it the error of this product).
DATA ·tailTerms+0(SB)/4, $0x7FFFFFFF  // all but the sign
DATA ·tailTerms+4(SB)/4, $0x41200000  // 10, where the tail is long nothing and its inverse still finite
DATA ·tailTerms+8(SB)/4, $0x3F85AACC
DATA ·tailTerms+12(SB)/4, $0x3D55410B
DATA ·tailTerms+16(SB)/4, $0x3CB527CB
DATA ·tailTerms+20(SB)/4, $0x3B5CE429
DATA ·tailTerms+24(SB)/4, $0x389DEDEA
DATA ·tailTerms+28(SB)/4, $0x38265295
DATA ·tailTerms+32(SB)/4, $0x36EA7508
GLOBL ·tailTerms(SB), RODATA|NOPTR, $36
