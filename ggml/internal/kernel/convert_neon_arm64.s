//go:build !noasm

#include "textflag.h"
#include "enc_arm64.h"
#include "quants_arm64.h"

// LOAD_QUANTS sets R0 to dst, R1 to src, R2 to the number of blocks.
#define LOAD_QUANTS \
	MOVD dst+0(FP), R0 \
	MOVD src+8(FP), R1 \
	MOVD blocks+16(FP), R2

// HALF puts the half at R1 into all lanes of V, whose number is v, as a float.
#define HALF(V, v) \
	VLD1R.P 2(R1), [V.H8] \
	FCVTL_4S(v, v)

// FLOATS turns the 16 signed bytes of Vq into floats times V0, in V16 to V19.
#define FLOATS(q) \
	SXTL_8H(q, 17) \
	SXTL2_8H(q, 19) \
	SXTL_4S(17, 16) \
	SXTL2_4S(17, 17) \
	SXTL_4S(19, 18) \
	SXTL2_4S(19, 19) \
	SCVTF_4S(16, 16) \
	SCVTF_4S(17, 17) \
	SCVTF_4S(18, 18) \
	SCVTF_4S(19, 19) \
	FMUL_4S(0, 16, 16) \
	FMUL_4S(0, 17, 17) \
	FMUL_4S(0, 18, 18) \
	FMUL_4S(0, 19, 19)

// ADD_MIN adds V6 to V16 … V19. It is a rounding of its own, as in the reference.
#define ADD_MIN \
	FADD_4S(6, 16, 16) \
	FADD_4S(6, 17, 17) \
	FADD_4S(6, 18, 18) \
	FADD_4S(6, 19, 19)

#define STORE \
	FSTPQ.P (F16, F17), 32(R0) \
	FSTPQ.P (F18, F19), 32(R0)

// func widenQ4_0NEON(dst *float32, src *byte, blocks int)
// d · (q − 8). Requires NEON. R0 dst, R1 src, R2 blocks left; V0 d, V1 V2 quants, V30 bytes of 8, V31 of 15.
TEXT ·widenQ4_0NEON(SB), NOSPLIT, $0-24
	LOAD_QUANTS
	VMOVI $15, V31.B16
	VMOVI $8, V30.B16

loop:
	HALF(V0, 0)
	NIBBLES(R1, F1, V1, V2)
	VSUB V30.B16, V1.B16, V1.B16
	VSUB V30.B16, V2.B16, V2.B16
	FLOATS(1)
	STORE
	FLOATS(2)
	STORE
	SUB  $1, R2
	CBNZ R2, loop
	RET

// func widenQ4_1NEON(dst *float32, src *byte, blocks int)
// d · q + m. Requires NEON. R0 dst, R1 src, R2 blocks left; V0 d, V6 m, V1 V2 quants, V31 bytes of 15.
TEXT ·widenQ4_1NEON(SB), NOSPLIT, $0-24
	LOAD_QUANTS
	VMOVI $15, V31.B16

loop:
	HALF(V0, 0)
	HALF(V6, 6)
	NIBBLES(R1, F1, V1, V2)
	FLOATS(1)
	ADD_MIN
	STORE
	FLOATS(2)
	ADD_MIN
	STORE
	SUB  $1, R2
	CBNZ R2, loop
	RET

// func widenQ5_0NEON(dst *float32, src *byte, blocks int)
// d · (q − 16). Requires NEON. R0 dst, R1 src, R2 blocks left; V0 d, V1 V2 quants, V24 V25 fifth bits, V26 … V29 as
// LOAD_BITS says, V31 bytes of 15.
TEXT ·widenQ5_0NEON(SB), NOSPLIT, $0-24
	LOAD_QUANTS
	LOAD_BITS
	VMOVI $15, V31.B16

loop:
	HALF(V0, 0)
	BITS(R1)
	NIBBLES(R1, F1, V1, V2)
	VORR V24.B16, V1.B16, V1.B16
	VORR V25.B16, V2.B16, V2.B16
	VSUB V26.B16, V1.B16, V1.B16
	VSUB V26.B16, V2.B16, V2.B16
	FLOATS(1)
	STORE
	FLOATS(2)
	STORE
	SUB  $1, R2
	CBNZ R2, loop
	RET

// func widenQ5_1NEON(dst *float32, src *byte, blocks int)
// d · q + m. Requires NEON. Registers as in widenQ5_0NEON, and V6 m.
TEXT ·widenQ5_1NEON(SB), NOSPLIT, $0-24
	LOAD_QUANTS
	LOAD_BITS
	VMOVI $15, V31.B16

loop:
	HALF(V0, 0)
	HALF(V6, 6)
	BITS(R1)
	NIBBLES(R1, F1, V1, V2)
	VORR V24.B16, V1.B16, V1.B16
	VORR V25.B16, V2.B16, V2.B16
	FLOATS(1)
	ADD_MIN
	STORE
	FLOATS(2)
	ADD_MIN
	STORE
	SUB  $1, R2
	CBNZ R2, loop
	RET

// func widenQ8_0NEON(dst *float32, src *byte, blocks int)
// d · q. Requires NEON. R0 dst, R1 src, R2 blocks left; V0 d, V1 V2 quants.
TEXT ·widenQ8_0NEON(SB), NOSPLIT, $0-24
	LOAD_QUANTS

loop:
	HALF(V0, 0)
	FLDPQ.P 32(R1), (F1, F2)
	FLOATS(1)
	STORE
	FLOATS(2)
	STORE
	SUB     $1, R2
	CBNZ    R2, loop
	RET

// func widenF16x8NEON(dst *float32, src *byte, n int)
// Halves to floats. Requires NEON and n > 0, a multiple of 8. R0 dst, R1 src, R2 left.
TEXT ·widenF16x8NEON(SB), NOSPLIT, $0-24
	MOVD dst+0(FP), R0
	MOVD src+8(FP), R1
	MOVD n+16(FP), R2

loop:
	FMOVQ.P 16(R1), F0
	FCVTL2_4S(0, 1)
	FCVTL_4S(0, 0)
	FSTPQ.P (F0, F1), 32(R0)
	SUB     $8, R2
	CBNZ    R2, loop
	RET

// func narrow8NEON(dst *uint16, src *float32, n int)
// Floats to halves, to nearest even by the default FPCR. Requires NEON and n > 0, a multiple of 8. R0 dst, R1 src, R2 left.
TEXT ·narrow8NEON(SB), NOSPLIT, $0-24
	MOVD dst+0(FP), R0
	MOVD src+8(FP), R1
	MOVD n+16(FP), R2

loop:
	FLDPQ.P 32(R1), (F0, F1)
	FCVTN_4H(0, 0)
	FCVTN2_8H(1, 0)
	FMOVQ.P F0, 16(R0)
	SUB     $8, R2
	CBNZ    R2, loop
	RET

// func pack4NEON(dst, src *float32, stride, kn int)
// dst[16·k + j] = src[stride·j + k] for j < 4: a quarter of a panel of 16 columns. Requires NEON.
// R0 dst, R2 stride in bytes, R3 kn, R4 … R7 rows, R8 steps left; V0 … V3 four k of each row.
TEXT ·pack4NEON(SB), NOSPLIT, $0-32
	MOVD dst+0(FP), R0
	MOVD src+8(FP), R4
	MOVD stride+16(FP), R2
	MOVD kn+24(FP), R3
	LSL  $2, R2
	ADD  R2, R4, R5
	ADD  R2, R5, R6
	ADD  R2, R6, R7
	LSR  $2, R3, R8
	CBZ  R8, rest

four:
	FMOVQ.P 16(R4), F0
	FMOVQ.P 16(R5), F1
	FMOVQ.P 16(R6), F2
	FMOVQ.P 16(R7), F3
	TRANSPOSE(V0, V1, V2, V3, V4, V5, V6, V7)
	FMOVQ.P F0, 64(R0)
	FMOVQ.P F1, 64(R0)
	FMOVQ.P F2, 64(R0)
	FMOVQ.P F3, 64(R0)
	SUB     $1, R8
	CBNZ    R8, four

rest:
	AND $3, R3
	CBZ R3, done

one:
	FMOVS.P 4(R4), F0
	FMOVS.P 4(R5), F1
	FMOVS.P 4(R6), F2
	FMOVS.P 4(R7), F3
	FMOVS   F0, (R0)
	FMOVS   F1, 4(R0)
	FMOVS   F2, 8(R0)
	FMOVS   F3, 12(R0)
	ADD     $64, R0
	SUB     $1, R3
	CBNZ    R3, one

done:
	RET
