//go:build !noasm

#include "textflag.h"
#include "enc_arm64.h"
#include "quants_arm64.h"

// The bodies pack four columns of a panel of 16, in the layouts that product_generic.go gives. They require NEON and blocks > 0.
// R0 dst, R1 minimums, R4 … R7 rows of w, R8 blocks left; V0 … V3 the first 16 weights of each column, then lines, V4 … V7
// the others, V8 … V13 at work, V20 scales, V21 minimums, V22 how much of a scale is added to those; V24 … V31 as BITS and
// NIBBLES say, V30 bytes of 8.

// LOAD_PACK reads the arguments.
#define LOAD_PACK \
	MOVD dst+0(FP), R0 \
	MOVD mins+8(FP), R1 \
	MOVD w+16(FP), R4 \
	MOVD stride+24(FP), R2 \
	MOVD blocks+32(FP), R8 \
	ADD  R2, R4, R5 \
	ADD  R2, R5, R6 \
	ADD  R2, R6, R7 \
	VMOVI $15, V31.B16 \
	VMOVI $8, V30.B16

// HALVES reads a half of each row to V and leaves them as floats.
#define HALVES(V, v) \
	VLD1.P 2(R4), V.H[0] \
	VLD1.P 2(R5), V.H[1] \
	VLD1.P 2(R6), V.H[2] \
	VLD1.P 2(R7), V.H[3] \
	FCVTL_4S(v, v)

// MINIMUMS reads those of q4_1 or q5_1 behind the scales, raises them and stores them.
#define MINIMUMS \
	HALVES(V21, 21) \
	VFMLA V22.S4, V20.S4, V21.S4 \
	FMOVQ F21, (R1) \
	ADD   $64, R1

// FOURS and FIVES read a column's numbers and take off what centres them.
#define FOURS(p, F, LO, HI) \
	NIBBLES(p, F, LO, HI) \
	VSUB V30.B16, LO.B16, LO.B16 \
	VSUB V30.B16, HI.B16, HI.B16

#define FIVES(p, F, LO, HI) \
	BITS(p) \
	NIBBLES(p, F, LO, HI) \
	VORR V24.B16, LO.B16, LO.B16 \
	VORR V25.B16, HI.B16, HI.B16 \
	VSUB V26.B16, LO.B16, LO.B16 \
	VSUB V26.B16, HI.B16, HI.B16

// COLUMNS is one of them for all columns.
#define COLUMNS(READ) \
	READ(R4, F0, V0, V4) \
	READ(R5, F1, V1, V5) \
	READ(R6, F2, V2, V6) \
	READ(R7, F3, V3, V7)

// LINES stores weights and scales, and leaves the sums of a column's first two of four weights and of the others in V12.
#define LINES \
	TRANSPOSE(V0, V1, V2, V3, V8, V9, V10, V11) \
	TRANSPOSE(V4, V5, V6, V7, V8, V9, V10, V11) \
	SADDLP_8H(0, 12) \
	SADALP_8H(1, 12) \
	SADALP_8H(2, 12) \
	SADALP_8H(3, 12) \
	SADALP_8H(4, 12) \
	SADALP_8H(5, 12) \
	SADALP_8H(6, 12) \
	SADALP_8H(7, 12) \
	FMOVQ F0, 64(R0) \
	FMOVQ F1, 128(R0) \
	FMOVQ F2, 192(R0) \
	FMOVQ F3, 256(R0) \
	FMOVQ F4, 320(R0) \
	FMOVQ F5, 384(R0) \
	FMOVQ F6, 448(R0) \
	FMOVQ F7, 512(R0) \
	FMOVQ F20, 576(R0)

// NEXT stores V12 as the first line and goes on to the next block.
#define NEXT \
	FMOVQ F12, (R0) \
	ADD   $640, R0 \
	SUB   $1, R8 \
	CBNZ  R8, loop \
	RET

// START makes −127 times the sums of V12.
#define START \
	VSHL $7, V12.H8, V13.H8 \
	VSUB V13.H8, V12.H8, V12.H8

// func packQ4_0x4NEON(dst, mins, w *byte, stride, blocks int)
TEXT ·packQ4_0x4NEON(SB), NOSPLIT, $0-40
	LOAD_PACK

loop:
	HALVES(V20, 20)
	COLUMNS(FOURS)
	LINES
	START
	NEXT

// func packQ4_1x4NEON(dst, mins, w *byte, stride, blocks int)
TEXT ·packQ4_1x4NEON(SB), NOSPLIT, $0-40
	LOAD_PACK
	MOVD $0x41000000, R3 // 8
	VDUP R3, V22.S4

loop:
	HALVES(V20, 20)
	MINIMUMS
	COLUMNS(FOURS)
	LINES
	START
	NEXT

// func packQ5_0x4NEON(dst, mins, w *byte, stride, blocks int)
TEXT ·packQ5_0x4NEON(SB), NOSPLIT, $0-40
	LOAD_PACK
	LOAD_BITS

loop:
	HALVES(V20, 20)
	COLUMNS(FIVES)
	LINES
	START
	NEXT

// func packQ5_1x4NEON(dst, mins, w *byte, stride, blocks int)
TEXT ·packQ5_1x4NEON(SB), NOSPLIT, $0-40
	LOAD_PACK
	LOAD_BITS
	MOVD $0x41800000, R3 // 16
	VDUP R3, V22.S4

loop:
	HALVES(V20, 20)
	MINIMUMS
	COLUMNS(FIVES)
	LINES
	START
	NEXT

// func packQ8_0x4NEON(dst, mins, w *byte, stride, blocks int)
// For split activations.
TEXT ·packQ8_0x4NEON(SB), NOSPLIT, $0-40
	LOAD_PACK

loop:
	HALVES(V20, 20)
	FLDPQ.P 32(R4), (F0, F4)
	FLDPQ.P 32(R5), (F1, F5)
	FLDPQ.P 32(R6), (F2, F6)
	FLDPQ.P 32(R7), (F3, F7)
	LINES
	SADDLP_4S(12, 12)
	VSHL $7, V12.S4, V12.S4
	NEXT
