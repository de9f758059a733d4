//go:build !noasm

#include "textflag.h"
#include "enc_arm64.h"

// CONSTANT puts bits into all lanes of V.
#define CONSTANT(bits, V) \
	MOVD $bits, R6 \
	VDUP R6, V.S4

// LOAD reads 32 numbers at R1 to V0 … V7.
#define LOAD \
	FLDPQ.P 32(R1), (F0, F1) \
	FLDPQ.P 32(R1), (F2, F3) \
	FLDPQ.P 32(R1), (F4, F5) \
	FLDPQ.P 32(R1), (F6, F7)

// MAGNITUDES brings the largest magnitudes of V0 … V7, compared as integers, which puts what is no number on top, to V8.
#define MAGNITUDES \
	FABS_4S(0, 8) \
	FABS_4S(1, 9) \
	FABS_4S(2, 10) \
	FABS_4S(3, 11) \
	FABS_4S(4, 12) \
	FABS_4S(5, 13) \
	FABS_4S(6, 14) \
	FABS_4S(7, 15) \
	VUMAX V9.S4, V8.S4, V8.S4 \
	VUMAX V11.S4, V10.S4, V10.S4 \
	VUMAX V13.S4, V12.S4, V12.S4 \
	VUMAX V15.S4, V14.S4, V14.S4 \
	VUMAX V10.S4, V8.S4, V8.S4 \
	VUMAX V14.S4, V12.S4, V12.S4 \
	VUMAX V12.S4, V8.S4, V8.S4

// TERMS sets V20 to −40000, which what is no number becomes, so that it ends at the end of all ranges; V21 to 2⁻¹⁰⁰, the least
// of largest magnitudes; V17 to the number of levels.
#define TERMS(levels) \
	CONSTANT(0xC71C4000, V20) \
	CONSTANT(0x0D800000, V21) \
	CONSTANT(levels, V17)

// LEVELS takes largest magnitudes in V8: the levels by the largest go to V18, the largest by them to V19, lane 0.
#define LEVELS \
	VUMAX V21.S4, V8.S4, V8.S4 \
	UMAXV_4S(8, 8) \
	FDIVS F8, F17, F18 \
	FDIVS F17, F8, F19

// LARGEST is LEVELS for the whole row of R2 numbers at R1, which stays.
#define LARGEST \
	MOVD R1, R4 \
	MOVD R2, R5 \
	VEOR V16.B16, V16.B16, V16.B16 \
largest: \
	LOAD \
	MAGNITUDES \
	VUMAX V8.S4, V16.S4, V16.S4 \
	SUB  $32, R5 \
	CBNZ R5, largest \
	MOVD R4, R1 \
	VORR V16.B16, V16.B16, V8.B16 \
	LEVELS

// ROUND makes whole numbers of V0 … V7 times V18.
#define ROUND \
	ROUND1(0) \
	ROUND1(1) \
	ROUND1(2) \
	ROUND1(3) \
	ROUND1(4) \
	ROUND1(5) \
	ROUND1(6) \
	ROUND1(7)
#define ROUND1(v) \
	FMUL_4S_E(18, 0, v, v) \
	FMAXNM_4S(20, v, v) \
	FCVTNS_4S(v, v)

// WORDS narrows V0 … V7 to words in V0, V2, V4, V6.
#define WORDS \
	SQXTN_4H(0, 0) \
	SQXTN2_8H(1, 0) \
	SQXTN_4H(2, 2) \
	SQXTN2_8H(3, 2) \
	SQXTN_4H(4, 4) \
	SQXTN2_8H(5, 4) \
	SQXTN_4H(6, 6) \
	SQXTN2_8H(7, 6)

// func quantize32NEON(dst *byte, x *float32, n int)
// Table.Quantize. Requires NEON and n > 0, a multiple of 32.
// R0 dst, R1 x, R2 n left, R3 sums; V0 … V7 numbers, V8 … V16 magnitudes, V17 … V21 as TERMS and LEVELS say, V22 … V25 sums.
TEXT ·quantize32NEON(SB), NOSPLIT, $0-24
	MOVD dst+0(FP), R0
	MOVD x+8(FP), R1
	MOVD n+16(FP), R2
	ADD  R2<<1, R0, R3
	TERMS(0x46FFFE00)
	LARGEST

loop:
	LOAD
	ROUND
	VADD  V1.S4, V0.S4, V22.S4
	VADD  V3.S4, V2.S4, V23.S4
	VADD  V5.S4, V4.S4, V24.S4
	VADD  V7.S4, V6.S4, V25.S4
	VADD  V23.S4, V22.S4, V22.S4
	VADD  V25.S4, V24.S4, V24.S4
	VADD  V24.S4, V22.S4, V22.S4
	VADDV V22.S4, V22
	SCVTF_4S(22, 22)
	FMOVS.P F22, 4(R3)
	WORDS
	FSTPQ.P (F0, F2), 32(R0)
	FSTPQ.P (F4, F6), 32(R0)
	SUB   $32, R2
	CBNZ  R2, loop
	FMOVS F19, (R3)
	RET

// func encodeBytes32NEON(dst *byte, x *float32, blocks int)
// Product.Encode of bytes. Requires NEON, and blocks > 0.
// R0 dst, R1 x, R2 blocks left, R3 sums; V0 … V7 numbers, V8 … V15 magnitudes, V17 … V21 as TERMS and LEVELS say, V22 bytes of
// 127, V24 … V27 sums.
TEXT ·encodeBytes32NEON(SB), NOSPLIT, $0-24
	MOVD dst+0(FP), R0
	MOVD x+8(FP), R1
	MOVD blocks+16(FP), R2
	ADD  R2<<3, R2, R3
	ADD  R3<<2, R0, R3
	TERMS(0x42FE0000)
	VMOVI $127, V22.B16

loop:
	LOAD
	FADD_4S(2, 0, 24)
	FADD_4S(6, 4, 25)
	FADD_4S(3, 1, 26)
	FADD_4S(7, 5, 27)
	FADD_4S(25, 24, 24)
	FADD_4S(27, 26, 26)
	FADDP_4S(26, 24, 24)
	FADDP_4S(24, 24, 24)
	FADDP_4S(24, 24, 24)
	FMOVS.P F24, 4(R3)
	MAGNITUDES
	LEVELS
	ROUND
	WORDS
	SQXTN_8B(0, 0)
	SQXTN2_16B(2, 0)
	SQXTN_8B(4, 4)
	SQXTN2_16B(6, 4)
	VADD  V22.B16, V0.B16, V0.B16
	VADD  V22.B16, V4.B16, V4.B16
	FSTPQ (F0, F4), (R0)
	FMOVS F19, 32(R0)
	ADD   $36, R0
	SUB   $1, R2
	CBNZ  R2, loop
	RET

// func encodeSplit32NEON(dst *byte, x *float32, n int)
// Product.Encode of split activations. Requires NEON and n > 0, a multiple of 32.
// R0 dst, R1 x, R2 n left; V0 … V7 numbers, V8 … V16 magnitudes, V17 … V21 as TERMS and LEVELS say, V22 bytes of 128; then V8
// V10 high bytes, V9 V11 low bytes.
TEXT ·encodeSplit32NEON(SB), NOSPLIT, $0-24
	MOVD dst+0(FP), R0
	MOVD x+8(FP), R1
	MOVD n+16(FP), R2
	TERMS(0x46FFFE00)
	LARGEST
	VMOVI $128, V22.B16

loop:
	LOAD
	ROUND
	WORDS
	VUZP2 V2.B16, V0.B16, V8.B16
	VUZP1 V2.B16, V0.B16, V9.B16
	VUZP2 V6.B16, V4.B16, V10.B16
	VUZP1 V6.B16, V4.B16, V11.B16
	VEOR  V22.B16, V9.B16, V9.B16
	VEOR  V22.B16, V11.B16, V11.B16
	FSTPQ.P (F8, F10), 32(R0)
	FSTPQ.P (F9, F11), 32(R0)
	SUB   $32, R2
	CBNZ  R2, loop
	FMOVS F19, (R0)
	RET
