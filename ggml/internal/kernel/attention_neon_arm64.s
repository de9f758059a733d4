//go:build !noasm

#include "textflag.h"
#include "enc_arm64.h"

// HALVES turns the eight halves of Vh into floats in Vl (low) and Vh (high).
#define HALVES(h, l) \
	FCVTL_4S(h, l) \
	FCVTL2_4S(h, h)

// CELL points R6 to cell R7's 64 halves at R2, or to that of the next index at R3 if there is a list, and counts R7 up.
#define CELL(direct) \
	MOVD   R7, R6 \
	CBZ    R3, direct \
	MOVW.P 4(R3), R6 \
direct: \
	ADD    R6<<7, R2, R6 \
	ADD    $1, R7

// func scores64NEON(s, q *float32, k *uint16, cells *int32, n int)
// s[i] = Σ_d q[d]·k[64·cell(i) + d]. Requires NEON and n > 0; cells may be nil. R0 s, R1 q, R2 k, R3 cells, R4 cells left,
// R6 cell, R7 i; V0 … V3 sums of d/4 mod 4, V4 … V7 k, V8 … V11 its low halves, V16 … V31 q.
TEXT ·scores64NEON(SB), NOSPLIT, $0-40
	MOVD   s+0(FP), R0
	MOVD   q+8(FP), R1
	MOVD   k+16(FP), R2
	MOVD   cells+24(FP), R3
	MOVD   n+32(FP), R4
	VLD1.P 64(R1), [V16.S4, V17.S4, V18.S4, V19.S4]
	VLD1.P 64(R1), [V20.S4, V21.S4, V22.S4, V23.S4]
	VLD1.P 64(R1), [V24.S4, V25.S4, V26.S4, V27.S4]
	VLD1   (R1), [V28.S4, V29.S4, V30.S4, V31.S4]
	MOVD   $0, R7

loop:
	CELL(direct)
	VLD1.P 64(R6), [V4.H8, V5.H8, V6.H8, V7.H8]
	HALVES(4, 8)
	HALVES(5, 9)
	HALVES(6, 10)
	HALVES(7, 11)
	FMUL_4S(16, 8, 0)
	FMUL_4S(17, 4, 1)
	FMUL_4S(18, 9, 2)
	FMUL_4S(19, 5, 3)
	VFMLA  V20.S4, V10.S4, V0.S4
	VFMLA  V21.S4, V6.S4, V1.S4
	VFMLA  V22.S4, V11.S4, V2.S4
	VFMLA  V23.S4, V7.S4, V3.S4
	VLD1   (R6), [V4.H8, V5.H8, V6.H8, V7.H8]
	HALVES(4, 8)
	HALVES(5, 9)
	HALVES(6, 10)
	HALVES(7, 11)
	VFMLA  V24.S4, V8.S4, V0.S4
	VFMLA  V25.S4, V4.S4, V1.S4
	VFMLA  V26.S4, V9.S4, V2.S4
	VFMLA  V27.S4, V5.S4, V3.S4
	VFMLA  V28.S4, V10.S4, V0.S4
	VFMLA  V29.S4, V6.S4, V1.S4
	VFMLA  V30.S4, V11.S4, V2.S4
	VFMLA  V31.S4, V7.S4, V3.S4
	FADD_4S(1, 0, 0)
	FADD_4S(3, 2, 2)
	FADD_4S(2, 0, 0)
	FADDP_4S(0, 0, 0)
	FADDP_4S(0, 0, 0)
	FMOVS.P F0, 4(R0)
	SUB    $1, R4
	CBNZ   R4, loop
	RET

// func mix64NEON(out, p *float32, v *uint16, cells *int32, n int)
// out[d] = Σ_i p[i]·v[64·cell(i) + d], in one chain for each d. Requires NEON and n > 0; cells may be nil. R0 out, R1 p,
// R2 v, R3 cells, R4 cells left, R6 cell, R7 i; V0 v's low halves, V1 … V4 v, V5 p[i], V16 … V31 sums.
TEXT ·mix64NEON(SB), NOSPLIT, $0-40
	MOVD out+0(FP), R0
	MOVD p+8(FP), R1
	MOVD v+16(FP), R2
	MOVD cells+24(FP), R3
	MOVD n+32(FP), R4
	VEOR V16.B16, V16.B16, V16.B16
	VEOR V17.B16, V17.B16, V17.B16
	VEOR V18.B16, V18.B16, V18.B16
	VEOR V19.B16, V19.B16, V19.B16
	VEOR V20.B16, V20.B16, V20.B16
	VEOR V21.B16, V21.B16, V21.B16
	VEOR V22.B16, V22.B16, V22.B16
	VEOR V23.B16, V23.B16, V23.B16
	VEOR V24.B16, V24.B16, V24.B16
	VEOR V25.B16, V25.B16, V25.B16
	VEOR V26.B16, V26.B16, V26.B16
	VEOR V27.B16, V27.B16, V27.B16
	VEOR V28.B16, V28.B16, V28.B16
	VEOR V29.B16, V29.B16, V29.B16
	VEOR V30.B16, V30.B16, V30.B16
	VEOR V31.B16, V31.B16, V31.B16
	MOVD $0, R7

loop:
	CELL(direct)
	FMOVS.P 4(R1), F5
	VLD1.P  64(R6), [V1.H8, V2.H8, V3.H8, V4.H8]
	HALVES(1, 0)
	FMLA_4S_E(5, 0, 0, 16)
	FMLA_4S_E(5, 0, 1, 17)
	HALVES(2, 0)
	FMLA_4S_E(5, 0, 0, 18)
	FMLA_4S_E(5, 0, 2, 19)
	HALVES(3, 0)
	FMLA_4S_E(5, 0, 0, 20)
	FMLA_4S_E(5, 0, 3, 21)
	HALVES(4, 0)
	FMLA_4S_E(5, 0, 0, 22)
	FMLA_4S_E(5, 0, 4, 23)
	VLD1    (R6), [V1.H8, V2.H8, V3.H8, V4.H8]
	HALVES(1, 0)
	FMLA_4S_E(5, 0, 0, 24)
	FMLA_4S_E(5, 0, 1, 25)
	HALVES(2, 0)
	FMLA_4S_E(5, 0, 0, 26)
	FMLA_4S_E(5, 0, 2, 27)
	HALVES(3, 0)
	FMLA_4S_E(5, 0, 0, 28)
	FMLA_4S_E(5, 0, 3, 29)
	HALVES(4, 0)
	FMLA_4S_E(5, 0, 0, 30)
	FMLA_4S_E(5, 0, 4, 31)
	SUB     $1, R4
	CBNZ    R4, loop

	VST1.P [V16.S4, V17.S4, V18.S4, V19.S4], 64(R0)
	VST1.P [V20.S4, V21.S4, V22.S4, V23.S4], 64(R0)
	VST1.P [V24.S4, V25.S4, V26.S4, V27.S4], 64(R0)
	VST1   [V28.S4, V29.S4, V30.S4, V31.S4], (R0)
	RET
