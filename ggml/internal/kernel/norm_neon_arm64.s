//go:build !noasm

#include "textflag.h"
#include "enc_arm64.h"

// func sum16NEON(x *float32, n int) float32
// Σ x[i]. Requires NEON and n > 0, a multiple of 16. R1 x, R2 left; V0 … V3 sums, V4 … V7 x.
TEXT ·sum16NEON(SB), NOSPLIT, $0-20
	MOVD x+0(FP), R1
	MOVD n+8(FP), R2
	VEOR V0.B16, V0.B16, V0.B16
	VEOR V1.B16, V1.B16, V1.B16
	VEOR V2.B16, V2.B16, V2.B16
	VEOR V3.B16, V3.B16, V3.B16

loop:
	VLD1.P 64(R1), [V4.S4, V5.S4, V6.S4, V7.S4]
	FADD_4S(4, 0, 0)
	FADD_4S(5, 1, 1)
	FADD_4S(6, 2, 2)
	FADD_4S(7, 3, 3)
	SUB    $16, R2
	CBNZ   R2, loop
	FADD_4S(1, 0, 0)
	FADD_4S(3, 2, 2)
	FADD_4S(2, 0, 0)
	FADDP_4S(0, 0, 0)
	FADDP_4S(0, 0, 0)
	FMOVS  F0, ret+16(FP)
	RET

// func squares16NEON(x *float32, n int, mean float32) float32
// Σ (x[i]−mean)². Requires NEON and n > 0, a multiple of 16. R1 x, R2 left; V0 … V3 sums, V4 … V7 x, V16 mean.
TEXT ·squares16NEON(SB), NOSPLIT, $0-28
	MOVD  x+0(FP), R1
	MOVD  n+8(FP), R2
	FMOVS mean+16(FP), F16
	VDUP  V16.S[0], V16.S4
	VEOR  V0.B16, V0.B16, V0.B16
	VEOR  V1.B16, V1.B16, V1.B16
	VEOR  V2.B16, V2.B16, V2.B16
	VEOR  V3.B16, V3.B16, V3.B16

loop:
	VLD1.P 64(R1), [V4.S4, V5.S4, V6.S4, V7.S4]
	FSUB_4S(16, 4, 4)
	FSUB_4S(16, 5, 5)
	FSUB_4S(16, 6, 6)
	FSUB_4S(16, 7, 7)
	VFMLA  V4.S4, V4.S4, V0.S4
	VFMLA  V5.S4, V5.S4, V1.S4
	VFMLA  V6.S4, V6.S4, V2.S4
	VFMLA  V7.S4, V7.S4, V3.S4
	SUB    $16, R2
	CBNZ   R2, loop
	FADD_4S(1, 0, 0)
	FADD_4S(3, 2, 2)
	FADD_4S(2, 0, 0)
	FADDP_4S(0, 0, 0)
	FADDP_4S(0, 0, 0)
	FMOVS  F0, ret+24(FP)
	RET

// func affine8NEON(dst, x, w, b *float32, n int, mean, scale float32)
// dst[i] = (x[i]−mean)·scale·w[i] + b[i]. Requires NEON and n > 0, a multiple of 8. R0 dst, R1 x, R2 w, R3 b, R4 left;
// V0 V1 x, V2 V3 w, V4 V5 b, V16 mean, V17 scale.
TEXT ·affine8NEON(SB), NOSPLIT, $0-48
	MOVD  dst+0(FP), R0
	MOVD  x+8(FP), R1
	MOVD  w+16(FP), R2
	MOVD  b+24(FP), R3
	MOVD  n+32(FP), R4
	FMOVS mean+40(FP), F16
	FMOVS scale+44(FP), F17
	VDUP  V16.S[0], V16.S4

loop:
	FLDPQ.P 32(R1), (F0, F1)
	FLDPQ.P 32(R2), (F2, F3)
	FLDPQ.P 32(R3), (F4, F5)
	FSUB_4S(16, 0, 0)
	FSUB_4S(16, 1, 1)
	FMUL_4S_E(17, 0, 0, 0)
	FMUL_4S_E(17, 0, 1, 1)
	VFMLA   V2.S4, V0.S4, V4.S4
	VFMLA   V3.S4, V1.S4, V5.S4
	FSTPQ.P (F4, F5), 32(R0)
	SUB     $8, R4
	CBNZ    R4, loop
	RET
