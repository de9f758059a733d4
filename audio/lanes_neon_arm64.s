//go:build !noasm

#include "textflag.h"
#include "enc_arm64.h"

// A vector is a V register: a number of each of 4 frames. A complex number is 32 bytes, re before im. The macros take the
// numbers of registers. k holds the constants in the order of lanes.go.

// func splitNEON(t, x, window *float32)
// kernels.split. R0 t, R1 … R4 a frame each, R5 window, R6 left; V0 … V3 samples, V4 window.
TEXT ·splitNEON(SB), NOSPLIT, $0-24
	MOVD t+0(FP), R0
	MOVD x+8(FP), R1
	MOVD window+16(FP), R5
	ADD  $640, R1, R2
	ADD  $1280, R1, R3
	ADD  $1920, R1, R4
	MOVD $400, R6

loop:
	FMOVQ.P 16(R5), F4
	FMOVQ.P 16(R1), F0
	FMOVQ.P 16(R2), F1
	FMOVQ.P 16(R3), F2
	FMOVQ.P 16(R4), F3
	FMUL_4S(4, 0, 0)
	FMUL_4S(4, 1, 1)
	FMUL_4S(4, 2, 2)
	FMUL_4S(4, 3, 3)
	VST4.P [V0.S4, V1.S4, V2.S4, V3.S4], 64(R0)
	SUB  $4, R6
	CBNZ R6, loop
	RET

// PAIR loads x[i] and x[i+8] of a column and leaves their sum in a, x[i] − x[i+8] in b. It takes V24 and V25.
#define PAIR(i, a, b) \
	MOVHU 2*i(R2), R5    \
	MOVHU 2*i+16(R2), R6 \
	LDRQ_X(5, 1, 24)     \
	LDRQ_X(6, 1, 25)     \
	FADD_4S(25, 24, a)   \
	FSUB_4S(25, 24, b)

// func columnsNEON(rows, t *float32, from *uint16, k *float32)
// kernels.columns, in the words of spectrum.column. R0 rows[0][n₂], R1 t, R2 from, R3 k, R4 left; V26 … V31 cos8, −cos8, cos16,
// −cos16, sin16, −sin16.
TEXT ·columnsNEON(SB), NOSPLIT, $0-32
	MOVD rows+0(FP), R0
	MOVD t+8(FP), R1
	MOVD from+16(FP), R2
	MOVD k+24(FP), R3
	LDRQ(0*16, 3, 26)
	LDRQ(1*16, 3, 27)
	LDRQ(2*16, 3, 28)
	LDRQ(3*16, 3, 29)
	LDRQ(4*16, 3, 30)
	LDRQ(5*16, 3, 31)
	MOVD $25, R4

loop:
	PAIR(0, 0, 8)
	PAIR(4, 4, 12)
	PAIR(2, 2, 10)
	PAIR(6, 6, 14)
	PAIR(1, 1, 9)
	PAIR(5, 5, 13)
	PAIR(3, 3, 11)
	PAIR(7, 7, 15)

	// Even outputs.
	FADD_4S(4, 0, 16) // c0
	FADD_4S(5, 1, 17) // c1
	FADD_4S(6, 2, 18) // c2
	FADD_4S(7, 3, 19) // c3
	FSUB_4S(4, 0, 0)  // d0
	FSUB_4S(5, 1, 1)  // d1
	FSUB_4S(6, 2, 2)  // d2
	FSUB_4S(7, 3, 3)  // d3
	FADD_4S(18, 16, 20)
	FADD_4S(19, 17, 21)
	FSUB_4S(18, 16, 22)
	FSUB_4S(17, 19, 23)
	FADD_4S(21, 20, 16)
	FSUB_4S(21, 20, 17)
	STRQ(16, 0, 0)
	STRQ(17, 16, 0)
	STRQ(22, 4*800, 0)
	STRQ(23, 4*800+16, 0)
	FSUB_4S(3, 1, 4)
	FADD_4S(3, 1, 5)
	FMUL_4S(26, 4, 4) // u
	FMUL_4S(27, 5, 5) // −v
	FADD_4S(4, 0, 16)
	FSUB_4S(2, 5, 17)
	FSUB_4S(4, 0, 18)
	FADD_4S(2, 5, 19)
	STRQ(16, 2*800, 0)
	STRQ(17, 2*800+16, 0)
	STRQ(18, 6*800, 0)
	STRQ(19, 6*800+16, 0)

	// Odd outputs.
	FSUB_4S(15, 9, 0)  // e1
	FSUB_4S(14, 10, 1)
	FSUB_4S(13, 11, 2) // e3
	FADD_4S(15, 9, 3)  // f1
	FADD_4S(14, 10, 4)
	FADD_4S(13, 11, 5) // f3
	FMUL_4S(26, 1, 1)  // e2
	FMUL_4S(26, 4, 4)  // f2
	FADD_4S(1, 8, 16)  // p
	FSUB_4S(1, 8, 17)  // q
	FADD_4S(12, 4, 18) // f2 + b4
	FSUB_4S(12, 4, 19) // f2 − b4
	FMUL_4S(28, 0, 20)
	FMUL_4S(30, 0, 21)
	FMUL_4S(31, 3, 22)
	FMUL_4S(29, 3, 23)
	FMLA_4S(30, 2, 20) // g
	FMLS_4S(28, 2, 21) // h
	FMLS_4S(28, 5, 22) // −k
	FMLA_4S(30, 5, 23) // −l
	FADD_4S(20, 16, 0)
	FSUB_4S(18, 22, 1)
	FSUB_4S(20, 16, 2)
	FADD_4S(18, 22, 3)
	FADD_4S(21, 17, 4)
	FSUB_4S(19, 23, 5)
	FSUB_4S(21, 17, 6)
	FADD_4S(19, 23, 7)
	STRQ(0, 1*800, 0)
	STRQ(1, 1*800+16, 0)
	STRQ(2, 7*800, 0)
	STRQ(3, 7*800+16, 0)
	STRQ(4, 3*800, 0)
	STRQ(5, 3*800+16, 0)
	STRQ(6, 5*800, 0)
	STRQ(7, 5*800+16, 0)

	ADD  $32, R2
	ADD  $32, R0
	SUB  $1, R4
	CBNZ R4, loop
	RET

// DFT5 is dft5 of the numbers at R1 that are S bytes apart. z0 … z4 come out in V10 V11, V12 V13, V8 V9, V20 V21, V14 V15. The
// sines are taken as sin5a and a quotient: n = sin5a·(c + d·sin5b/sin5a), or −sin5a·(d − c·sin5b/sin5a). It takes V0 … V21
// and wants cos5a, cos5b, sin5a, sin5b/sin5a in V24 … V27.
#define DFT5(S) \
	LDRQ(S, 1, 0)       \
	LDRQ(S+16, 1, 1)    \
	LDRQ(4*S, 1, 4)     \
	LDRQ(4*S+16, 1, 5)  \
	LDRQ(2*S, 1, 2)     \
	LDRQ(2*S+16, 1, 3)  \
	LDRQ(3*S, 1, 6)     \
	LDRQ(3*S+16, 1, 7)  \
	LDRQ(0, 1, 8)       \
	LDRQ(16, 1, 9)      \
	FSUB_4S(4, 0, 16)   \ // c
	FSUB_4S(5, 1, 17)   \
	FADD_4S(4, 0, 0)    \ // a
	FADD_4S(5, 1, 1)    \
	FSUB_4S(6, 2, 18)   \ // d
	FSUB_4S(7, 3, 19)   \
	FADD_4S(6, 2, 2)    \ // b
	FADD_4S(7, 3, 3)    \
	FADD_4S(2, 0, 10)   \
	FADD_4S(3, 1, 11)   \
	FADD_4S(8, 10, 10)  \ // z0
	FADD_4S(9, 11, 11)  \
	MOV_16B(8, 12)      \
	MOV_16B(9, 13)      \
	FMLA_4S(24, 0, 12)  \ // m of z1 and z4
	FMLA_4S(24, 1, 13)  \
	FMLA_4S(25, 0, 8)   \ // m of z2 and z3
	FMLA_4S(25, 1, 9)   \
	FMLA_4S(25, 2, 12)  \
	FMLA_4S(25, 3, 13)  \
	FMLA_4S(24, 2, 8)   \
	FMLA_4S(24, 3, 9)   \
	MOV_16B(16, 4)      \
	MOV_16B(17, 5)      \
	FMLA_4S(27, 18, 4)  \ // n of z1 and z4, by sin5a
	FMLA_4S(27, 19, 5)  \
	FMLS_4S(27, 16, 18) \ // n of z2 and z3, by −sin5a
	FMLS_4S(27, 17, 19) \
	MOV_16B(12, 14)     \
	MOV_16B(13, 15)     \
	MOV_16B(8, 20)      \
	MOV_16B(9, 21)      \
	FMLS_4S(26, 5, 14)  \ // z4
	FMLA_4S(26, 4, 15)  \
	FMLA_4S(26, 5, 12)  \ // z1
	FMLS_4S(26, 4, 13)  \
	FMLA_4S(26, 19, 20) \ // z3
	FMLS_4S(26, 18, 21) \
	FMLS_4S(26, 19, 8)  \ // z2
	FMLA_4S(26, 18, 9)

// TWIDDLE stores re + i·im, multiplied by the number at R3, to R0. It takes V0 … V3.
#define TWIDDLE(i, re, im) \
	LDRQ((i-1)*32, 3, 0)    \
	LDRQ((i-1)*32+16, 3, 1) \
	FMUL_4S(0, re, 2)       \
	FMUL_4S(0, im, 3)       \
	FMLS_4S(1, im, 2)       \
	FMLA_4S(1, re, 3)       \
	STRQ(2, i*160, 0)       \
	STRQ(3, i*160+16, 0)

// func rowsNEON(rows, y, twiddles, k *float32)
// kernels.rows. R10 row, R11 y, R12 twiddles, R13 k, R14 rows left, R4 rounds left; R0, R1, R3 walk.
TEXT ·rowsNEON(SB), NOSPLIT, $0-32
	MOVD rows+0(FP), R10
	MOVD y+8(FP), R11
	MOVD twiddles+16(FP), R12
	MOVD k+24(FP), R13
	LDRQ(6*16, 13, 24)
	LDRQ(7*16, 13, 25)
	LDRQ(8*16, 13, 26)
	LDRQ(9*16, 13, 27)
	MOVD $8, R14

row:
	MOVD R10, R1
	MOVD R11, R0
	MOVD R12, R3
	MOVD $5, R4

first:
	DFT5(160)
	STRQ(10, 0, 0)
	STRQ(11, 16, 0)
	TWIDDLE(1, 12, 13)
	TWIDDLE(2, 8, 9)
	TWIDDLE(3, 20, 21)
	TWIDDLE(4, 14, 15)
	ADD  $32, R1
	ADD  $32, R0
	ADD  $128, R3
	SUB  $1, R4
	CBNZ R4, first

	MOVD R11, R1
	MOVD R10, R0
	MOVD $5, R4

second:
	DFT5(32)
	STRQ(10, 0, 0)
	STRQ(11, 16, 0)
	STRQ(12, 1*160, 0)
	STRQ(13, 1*160+16, 0)
	STRQ(8, 2*160, 0)
	STRQ(9, 2*160+16, 0)
	STRQ(20, 3*160, 0)
	STRQ(21, 3*160+16, 0)
	STRQ(14, 4*160, 0)
	STRQ(15, 4*160+16, 0)
	ADD  $160, R1
	ADD  $32, R0
	SUB  $1, R4
	CBNZ R4, second

	ADD  $800, R10
	SUB  $1, R14
	CBNZ R14, row
	RET

// func powerNEON(power, rows *float32, bin *uint16, k *float32)
// kernels.power. R0 power, R1 rows, R2 bin, R3 k, R4 left, R5 R6 offsets of bins; R7 where the pair of R1 lies in row 0; V8 ¼.
TEXT ·powerNEON(SB), NOSPLIT, $0-32
	MOVD power+0(FP), R0
	MOVD rows+8(FP), R1
	MOVD bin+16(FP), R2
	MOVD k+24(FP), R3

	// Rows 0 and 8, of which row 0 holds a sum. Its first number is both their first.
	LDRQ(0, 1, 0)
	LDRQ(16, 1, 1)
	FMUL_4S(0, 0, 0)
	FMUL_4S(1, 1, 1)
	MOVHU (R2), R5
	MOVHU 8*50(R2), R6
	STRQ_X(0, 5, 0)
	STRQ_X(1, 6, 0)
	LDRQ(10*16, 3, 8)
	ADD   $800, R1, R7
	MOVD  $12, R4

pairs:
	ADD   $32, R1
	SUB   $32, R7
	ADD   $2, R2
	LDRQ(0, 1, 0)
	LDRQ(16, 1, 1)
	LDRQ(0, 7, 2)
	LDRQ(16, 7, 3)
	FADD_4S(2, 0, 4)
	FSUB_4S(3, 1, 5)
	FADD_4S(3, 1, 6)
	FSUB_4S(2, 0, 7)
	FMUL_4S(4, 4, 4)
	FMUL_4S(6, 6, 6)
	FMLA_4S(5, 5, 4)
	FMLA_4S(7, 7, 6)
	FMUL_4S(8, 4, 4)
	FMUL_4S(8, 6, 6)
	MOVHU (R2), R5
	MOVHU 8*50(R2), R6
	STRQ_X(4, 5, 0)
	STRQ_X(6, 6, 0)
	SUB   $1, R4
	CBNZ  R4, pairs

	ADD  $26, R2  // from [0][12] to [1][0]
	ADD  $416, R1
	MOVD $175, R4

loop:
	FLDPQ.P 32(R1), (F0, F1)
	FMUL_4S(0, 0, 0)
	FMLA_4S(1, 1, 0)
	MOVHU.P 2(R2), R5
	STRQ_X(0, 5, 0)
	SUB     $1, R4
	CBNZ    R4, loop
	RET

// func bandsNEON(dst, peak, power, weights *float32, spans *span, n int, k *float32)
// kernels.bands, in the words of log10. R0 dst, R1 peak, R2 power, R3 weights, R4 spans, R5 bands left, R6 k, R7 powers of a
// band, R8 left of it, R9 where it goes; V0 sum, V1 weight, then where the sum is large enough, V2 f, V3 e, V4 V6 log,
// V5 peak, V16 … V29 constants.
TEXT ·bandsNEON(SB), NOSPLIT, $0-56
	MOVD dst+0(FP), R0
	MOVD peak+8(FP), R1
	MOVD power+16(FP), R2
	MOVD weights+24(FP), R3
	MOVD spans+32(FP), R4
	MOVD n+40(FP), R5
	MOVD k+48(FP), R6
	LDRQ(11*16, 6, 16) // the smallest power
	LDRQ(12*16, 6, 17) // its logarithm
	LDRQ(13*16, 6, 18) // √½
	LDRQ(14*16, 6, 19) // the bits of a mantissa
	LDRQ(15*16, 6, 20) // 1
	LDRQ(16*16, 6, 21) // log₁₀2
	LDRQ(17*16, 6, 22) // the polynomial
	LDRQ(18*16, 6, 23)
	LDRQ(19*16, 6, 24)
	LDRQ(20*16, 6, 25)
	LDRQ(21*16, 6, 26)
	LDRQ(22*16, 6, 27)
	LDRQ(23*16, 6, 28)
	LDRQ(24*16, 6, 29)
	MOV_16B(17, 5)

band:
	MOVWU.P 4(R4), R7
	MOVWU.P 4(R4), R8
	MOVWU.P 4(R4), R9
	ADD     R2, R7
	VEOR    V0.B16, V0.B16, V0.B16
	CBZ     R8, summed

sum:
	VLD1R.P 4(R3), [V1.S4]
	FMOVQ.P 16(R7), F2
	VFMLA   V1.S4, V2.S4, V0.S4
	SUB     $1, R8
	CBNZ    R8, sum

summed:
	FCMGT_4S(16, 0, 1)              // false for NaN
	VSUB  V18.S4, V0.S4, V2.S4
	SSHR23_4S(2, 3)
	SCVTF_4S(3, 3)
	VAND  V19.B16, V2.B16, V2.B16
	VADD  V18.S4, V2.S4, V2.S4
	FSUB_4S(20, 2, 2)
	MOV_16B(28, 4)
	VFMLA V29.S4, V2.S4, V4.S4      // c6 + c7·f
	MOV_16B(27, 6)
	VFMLA V4.S4, V2.S4, V6.S4
	MOV_16B(26, 4)
	VFMLA V6.S4, V2.S4, V4.S4
	MOV_16B(25, 6)
	VFMLA V4.S4, V2.S4, V6.S4
	MOV_16B(24, 4)
	VFMLA V6.S4, V2.S4, V4.S4
	MOV_16B(23, 6)
	VFMLA V4.S4, V2.S4, V6.S4
	MOV_16B(22, 4)
	VFMLA V6.S4, V2.S4, V4.S4
	FMUL_4S(2, 4, 4)
	VFMLA V21.S4, V3.S4, V4.S4
	VBIF  V1.B16, V17.B16, V4.B16
	FMAX_4S(4, 5, 5)
	STRQ_X(4, 9, 0)
	SUB   $1, R5
	CBNZ  R5, band
	FMOVQ F5, (R1)
	RET

// func joinNEON(dst *float32, stride int, src *float32, n int)
// kernels.join. R0 … R3 a frame each, R4 stride, R5 src, R6 left; V0 … V3 frames.
TEXT ·joinNEON(SB), NOSPLIT, $0-32
	MOVD dst+0(FP), R0
	MOVD stride+8(FP), R4
	MOVD src+16(FP), R5
	MOVD n+24(FP), R6
	ADD  R4<<2, R0, R1
	ADD  R4<<2, R1, R2
	ADD  R4<<2, R2, R3

loop:
	VLD4.P  64(R5), [V0.S4, V1.S4, V2.S4, V3.S4]
	FMOVQ.P F0, 16(R0)
	FMOVQ.P F1, 16(R1)
	FMOVQ.P F2, 16(R2)
	FMOVQ.P F3, 16(R3)
	SUB     $4, R6
	CBNZ    R6, loop
	RET

// func normaliseNEON(dst, x *float32, n int, floor float32)
// kernels.normalise. R0 dst, R1 x, R2 left; V0 x, V1 floor, V2 4, V3 ¼.
TEXT ·normaliseNEON(SB), NOSPLIT, $0-28
	MOVD  dst+0(FP), R0
	MOVD  x+8(FP), R1
	MOVD  n+16(FP), R2
	FMOVS floor+24(FP), F1
	FMOVS $4.0, F2
	FMOVS $0.25, F3
	VDUP  V1.S[0], V1.S4
	VDUP  V2.S[0], V2.S4
	VDUP  V3.S[0], V3.S4

loop:
	FMOVQ.P 16(R1), F0
	FMAX_4S(1, 0, 0)
	FADD_4S(2, 0, 0)
	FMUL_4S(3, 0, 0)
	FMOVQ.P F0, 16(R0)
	SUB     $4, R2
	CBNZ    R2, loop
	RET
