//go:build !noasm

#include "textflag.h"
#include "enc_arm64.h"

// 2^f for |f| ≤ 1/2 as 1 + c1·f + … + c6·f⁶, relative error 2e−9 before rounding (minimax, found by linear programming).
DATA ·exp2<>+0(SB)/4, $0x3F800000
DATA ·exp2<>+4(SB)/4, $0x3F317218
DATA ·exp2<>+8(SB)/4, $0x3E75FDEE
DATA ·exp2<>+12(SB)/4, $0x3D635774
DATA ·exp2<>+16(SB)/4, $0x3C1D96A6
DATA ·exp2<>+20(SB)/4, $0x3AAF9F29
DATA ·exp2<>+24(SB)/4, $0x3920FDDE
DATA ·exp2<>+28(SB)/4, $0xC2FA0000  // −125
GLOBL ·exp2<>(SB), RODATA|NOPTR, $32

// (1 − erf(a/√2))/2 for 0 ≤ a ≤ 5.5 as c0 + c1·s + … + c15·s¹⁵ with s = a/2.75 − 1. Times a, it errs by 2e−7 at most
// before rounding (minimax with weight max(a, 0.1), found by linear programming).
DATA ·tail<>+0(SB)/4, $0x3B434884
DATA ·tail<>+4(SB)/4, $0xBCCCDDFA
DATA ·tail<>+8(SB)/4, $0x3DC1A788
DATA ·tail<>+12(SB)/4, $0xBE53C48E
DATA ·tail<>+16(SB)/4, $0x3E8B34BD
DATA ·tail<>+20(SB)/4, $0xBE3573AD
DATA ·tail<>+24(SB)/4, $0xBD52501B
DATA ·tail<>+28(SB)/4, $0x3E5FCF72
DATA ·tail<>+32(SB)/4, $0xBE273E75
DATA ·tail<>+36(SB)/4, $0xBD0FE153
DATA ·tail<>+40(SB)/4, $0x3E090581
DATA ·tail<>+44(SB)/4, $0xBD48D719
DATA ·tail<>+48(SB)/4, $0xBD34CAD9
DATA ·tail<>+52(SB)/4, $0x3CF84778
DATA ·tail<>+56(SB)/4, $0x3BB6A1BE
DATA ·tail<>+60(SB)/4, $0xBBBAC122
DATA ·tail<>+64(SB)/4, $0x40B00000  // 5.5
DATA ·tail<>+68(SB)/4, $0x3EBA2E8C  // 1/2.75
DATA ·tail<>+72(SB)/4, $0xBF800000  // −1
GLOBL ·tail<>(SB), RODATA|NOPTR, $76

// func max16NEON(x *float32, n int) float32
// The largest of x. Requires NEON and n > 0, a multiple of 16. R1 x, R2 left; V0 … V3 maxima of four lanes, V4 … V7 x.
TEXT ·max16NEON(SB), NOSPLIT, $0-20
	MOVD  x+0(FP), R1
	MOVD  n+8(FP), R2
	FLDPQ (R1), (F0, F1)
	FLDPQ 32(R1), (F2, F3)

loop:
	FLDPQ.P 32(R1), (F4, F5)
	FLDPQ.P 32(R1), (F6, F7)
	FMAX_4S(4, 0, 0)
	FMAX_4S(5, 1, 1)
	FMAX_4S(6, 2, 2)
	FMAX_4S(7, 3, 3)
	SUB     $16, R2
	CBNZ    R2, loop
	FMAX_4S(1, 0, 0)
	FMAX_4S(3, 2, 2)
	FMAX_4S(2, 0, 0)
	FMAXP_4S(0, 0, 0)
	FMAXP_4S(0, 0, 0)
	FMOVS   F0, ret+16(FP)
	RET

// func exp2Sum8NEON(x *float32, n int, m float32) float32
// x[i] = 2^(x[i]−m), and their sum. With i the nearest integer to x−m and f the rest, 2^f comes from a polynomial and i is
// added to its exponent. What comes of an x−m below −125, where that exponent would leave the range, is replaced by 0; a
// NaN stays. Two vectors take their steps in turn, for processors that execute in order.
// Requires NEON and n > 0, a multiple of 8. R1 x, R2 left; V0 V1 x−m, then f; V2 V3 f²; V4 V5 i; V6 … V9 terms; V10 V11 where
// x−m is below −125; V16 … V22 polynomial, V23 −125, V24 m, V25 V26 sums, V27 0.
TEXT ·exp2Sum8NEON(SB), NOSPLIT, $0-28
	MOVD x+0(FP), R1
	MOVD n+8(FP), R2
	FMOVS m+16(FP), F24
	VDUP V24.S[0], V24.S4
	MOVD $·exp2<>(SB), R3
	VLD1R.P 4(R3), [V16.S4]
	VLD1R.P 4(R3), [V17.S4]
	VLD1R.P 4(R3), [V18.S4]
	VLD1R.P 4(R3), [V19.S4]
	VLD1R.P 4(R3), [V20.S4]
	VLD1R.P 4(R3), [V21.S4]
	VLD1R.P 4(R3), [V22.S4]
	VLD1R (R3), [V23.S4]
	VEOR V25.B16, V25.B16, V25.B16
	VEOR V26.B16, V26.B16, V26.B16
	VEOR V27.B16, V27.B16, V27.B16

loop:
	FLDPQ (R1), (F0, F1)
	FSUB_4S(24, 0, 0)
	FSUB_4S(24, 1, 1)
	FCMGT_4S(0, 23, 10)
	FCMGT_4S(1, 23, 11)
	FRINTN_4S(0, 2)
	FRINTN_4S(1, 3)
	FCVTNS_4S(0, 4)
	FCVTNS_4S(1, 5)
	FSUB_4S(2, 0, 0)
	FSUB_4S(3, 1, 1)
	VORR  V21.B16, V21.B16, V6.B16
	VORR  V21.B16, V21.B16, V7.B16
	VORR  V19.B16, V19.B16, V8.B16
	VORR  V19.B16, V19.B16, V9.B16
	VFMLA V0.S4, V22.S4, V6.S4       // c5 + c6·f
	VFMLA V1.S4, V22.S4, V7.S4
	VFMLA V0.S4, V20.S4, V8.S4       // c3 + c4·f
	VFMLA V1.S4, V20.S4, V9.S4
	FMUL_4S(0, 0, 2)
	FMUL_4S(1, 1, 3)
	VFMLA V2.S4, V6.S4, V8.S4        // c3 + … + c6·f³
	VFMLA V3.S4, V7.S4, V9.S4
	VORR  V17.B16, V17.B16, V6.B16
	VORR  V17.B16, V17.B16, V7.B16
	VFMLA V0.S4, V18.S4, V6.S4       // c1 + c2·f
	VFMLA V1.S4, V18.S4, V7.S4
	VFMLA V2.S4, V8.S4, V6.S4        // c1 + … + c6·f⁵
	VFMLA V3.S4, V9.S4, V7.S4
	VORR  V16.B16, V16.B16, V8.B16
	VORR  V16.B16, V16.B16, V9.B16
	VFMLA V0.S4, V6.S4, V8.S4        // 2^f
	VFMLA V1.S4, V7.S4, V9.S4
	VSHL  $23, V4.S4, V4.S4
	VSHL  $23, V5.S4, V5.S4
	VADD  V4.S4, V8.S4, V0.S4
	VADD  V5.S4, V9.S4, V1.S4
	VBIT  V10.B16, V27.B16, V0.B16
	VBIT  V11.B16, V27.B16, V1.B16
	FADD_4S(0, 25, 25)
	FADD_4S(1, 26, 26)
	FSTPQ (F0, F1), (R1)
	ADD   $32, R1
	SUB   $8, R2
	CBNZ  R2, loop
	FADD_4S(26, 25, 25)
	FADDP_4S(25, 25, 25)
	FADDP_4S(25, 25, 25)
	FMOVS F25, ret+24(FP)
	RET

// func scale16NEON(x *float32, n int, s float32)
// x[i] *= s. Requires NEON and n > 0, a multiple of 16. R1 x, R2 left; V0 … V3 x, V4 s.
TEXT ·scale16NEON(SB), NOSPLIT, $0-20
	MOVD  x+0(FP), R1
	MOVD  n+8(FP), R2
	FMOVS s+16(FP), F4

loop:
	VLD1   (R1), [V0.S4, V1.S4, V2.S4, V3.S4]
	FMUL_4S_E(4, 0, 0, 0)
	FMUL_4S_E(4, 0, 1, 1)
	FMUL_4S_E(4, 0, 2, 2)
	FMUL_4S_E(4, 0, 3, 3)
	VST1   [V0.S4, V1.S4, V2.S4, V3.S4], (R1)
	ADD    $64, R1
	SUB    $16, R2
	CBNZ   R2, loop
	RET

// func add16NEON(dst, x *float32, n int)
// dst[i] += x[i]. Requires NEON and n > 0, a multiple of 16. R0 dst, R1 x, R2 left; V0 … V3 dst, V4 … V7 x.
TEXT ·add16NEON(SB), NOSPLIT, $0-24
	MOVD dst+0(FP), R0
	MOVD x+8(FP), R1
	MOVD n+16(FP), R2

loop:
	VLD1   (R0), [V0.S4, V1.S4, V2.S4, V3.S4]
	VLD1.P 64(R1), [V4.S4, V5.S4, V6.S4, V7.S4]
	FADD_4S(4, 0, 0)
	FADD_4S(5, 1, 1)
	FADD_4S(6, 2, 2)
	FADD_4S(7, 3, 3)
	VST1   [V0.S4, V1.S4, V2.S4, V3.S4], (R0)
	ADD    $64, R0
	SUB    $16, R2
	CBNZ   R2, loop
	RET

// func gelu4NEON(x *float32, n int)
// gelu(x) = max(x, 0) − a·(1 − erf(a/√2))/2 with a = |x|, which is held to 5.5 and below: the second term is then under
// 2e−7. It is the only one that is approximated, so that large x come out exact. The polynomial is summed as a tree.
// Requires NEON and n > 0, a multiple of 4. R1 x, R2 left; V0 x, V1 s, V2 … V9 terms, V10 a, V11 powers of s, V12 5.5,
// V13 1/2.75, V14 −1, V15 0, V16 … V31 polynomial.
TEXT ·gelu4NEON(SB), NOSPLIT, $0-16
	MOVD x+0(FP), R1
	MOVD n+8(FP), R2
	MOVD $·tail<>(SB), R3
	VLD1R.P 4(R3), [V16.S4]
	VLD1R.P 4(R3), [V17.S4]
	VLD1R.P 4(R3), [V18.S4]
	VLD1R.P 4(R3), [V19.S4]
	VLD1R.P 4(R3), [V20.S4]
	VLD1R.P 4(R3), [V21.S4]
	VLD1R.P 4(R3), [V22.S4]
	VLD1R.P 4(R3), [V23.S4]
	VLD1R.P 4(R3), [V24.S4]
	VLD1R.P 4(R3), [V25.S4]
	VLD1R.P 4(R3), [V26.S4]
	VLD1R.P 4(R3), [V27.S4]
	VLD1R.P 4(R3), [V28.S4]
	VLD1R.P 4(R3), [V29.S4]
	VLD1R.P 4(R3), [V30.S4]
	VLD1R.P 4(R3), [V31.S4]
	VLD1R.P 4(R3), [V12.S4]
	VLD1R.P 4(R3), [V13.S4]
	VLD1R (R3), [V14.S4]
	VEOR V15.B16, V15.B16, V15.B16

loop:
	FMOVQ (R1), F0
	FABS_4S(0, 10)
	FMIN_4S(12, 10, 10)
	VORR  V14.B16, V14.B16, V1.B16
	VFMLA V13.S4, V10.S4, V1.S4      // s = a/2.75 − 1
	VORR  V16.B16, V16.B16, V2.B16
	VORR  V18.B16, V18.B16, V3.B16
	VORR  V20.B16, V20.B16, V4.B16
	VORR  V22.B16, V22.B16, V5.B16
	VORR  V24.B16, V24.B16, V6.B16
	VORR  V26.B16, V26.B16, V7.B16
	VORR  V28.B16, V28.B16, V8.B16
	VORR  V30.B16, V30.B16, V9.B16
	VFMLA V1.S4, V17.S4, V2.S4       // c0 + c1·s
	VFMLA V1.S4, V19.S4, V3.S4
	VFMLA V1.S4, V21.S4, V4.S4
	VFMLA V1.S4, V23.S4, V5.S4
	VFMLA V1.S4, V25.S4, V6.S4
	VFMLA V1.S4, V27.S4, V7.S4
	VFMLA V1.S4, V29.S4, V8.S4
	VFMLA V1.S4, V31.S4, V9.S4
	FMUL_4S(1, 1, 11)
	VFMLA V11.S4, V3.S4, V2.S4       // s²
	VFMLA V11.S4, V5.S4, V4.S4
	VFMLA V11.S4, V7.S4, V6.S4
	VFMLA V11.S4, V9.S4, V8.S4
	FMUL_4S(11, 11, 11)
	VFMLA V11.S4, V4.S4, V2.S4       // s⁴
	VFMLA V11.S4, V8.S4, V6.S4
	FMUL_4S(11, 11, 11)
	VFMLA V11.S4, V6.S4, V2.S4       // s⁸
	FMAX_4S(15, 0, 0)
	VFMLS V10.S4, V2.S4, V0.S4
	FMOVQ F0, (R1)
	ADD   $16, R1
	SUB   $4, R2
	CBNZ  R2, loop
	RET
