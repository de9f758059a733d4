//go:build !noasm

#include "textflag.h"

// The fifth bits of a block are 32 bits in 4 bytes, one such word in each half of a register. low and high bring the byte of
// each of the first and of the last 16 numbers to its place; a byte there or-ed with pick is all ones where the number's bit
// is set.
DATA ·low<>+0(SB)/8, $0x0000000000000000
DATA ·low<>+8(SB)/8, $0x0101010101010101
DATA ·low<>+16(SB)/8, $0x0000000000000000
DATA ·low<>+24(SB)/8, $0x0101010101010101
GLOBL ·low<>(SB), RODATA|NOPTR, $32
DATA ·high<>+0(SB)/8, $0x0202020202020202
DATA ·high<>+8(SB)/8, $0x0303030303030303
DATA ·high<>+16(SB)/8, $0x0202020202020202
DATA ·high<>+24(SB)/8, $0x0303030303030303
GLOBL ·high<>(SB), RODATA|NOPTR, $32
DATA ·full<>+0(SB)/8, $0xFFFFFFFFFFFFFFFF
DATA ·full<>+8(SB)/8, $0xFFFFFFFFFFFFFFFF
DATA ·full<>+16(SB)/8, $0xFFFFFFFFFFFFFFFF
DATA ·full<>+24(SB)/8, $0xFFFFFFFFFFFFFFFF
GLOBL ·full<>(SB), RODATA|NOPTR, $32
DATA ·pick<>+0(SB)/8, $0x7FBFDFEFF7FBFDFE
GLOBL ·pick<>(SB), RODATA|NOPTR, $8
DATA ·packing<>+0(SB)/4, $0x0F0F0F0F
DATA ·packing<>+4(SB)/4, $0x08080808
DATA ·packing<>+8(SB)/4, $0xF0F0F0F0
DATA ·packing<>+12(SB)/4, $0x7F7F7F7F
DATA ·packing<>+16(SB)/4, $0x41000000 // 8
DATA ·packing<>+20(SB)/4, $0x41800000 // 16
GLOBL ·packing<>(SB), RODATA|NOPTR, $24

// ARGUMENTS sets DI to dst, DX to mins, SI, R10 and R11 to rows 0, 3 and 6 of w, R8 to stride, CX to blocks, R9 to line.
#define ARGUMENTS \
	MOVQ dst+0(FP), DI      \
	MOVQ mins+8(FP), DX     \
	MOVQ w+16(FP), SI       \
	MOVQ stride+24(FP), R8  \
	MOVQ blocks+32(FP), CX  \
	MOVQ line+40(FP), R9    \
	LEAQ (SI)(R8*2), R10    \
	ADDQ R8, R10            \
	LEAQ (R10)(R8*2), R11   \
	ADDQ R8, R11

// NIBBLES reads the 16 bytes at off of each row, rows j and j+4 into the halves of a register: the low nibbles into
// Y0 … Y3, the high ones into Y4 … Y7. Y15 holds 15s.
#define NIBBLES(off) \
	VMOVDQU     off(SI), X0                       \
	VMOVDQU     off(SI)(R8*1), X1                 \
	VMOVDQU     off(SI)(R8*2), X2                 \
	VMOVDQU     off(R10), X3                      \
	VINSERTI128 $1, off(R10)(R8*1), Y0, Y0        \
	VINSERTI128 $1, off(R10)(R8*2), Y1, Y1        \
	VINSERTI128 $1, off(R11), Y2, Y2              \
	VINSERTI128 $1, off(R11)(R8*1), Y3, Y3        \
	VPSRLW      $4, Y0, Y4                        \
	VPSRLW      $4, Y1, Y5                        \
	VPSRLW      $4, Y2, Y6                        \
	VPSRLW      $4, Y3, Y7                        \
	VPAND       Y15, Y0, Y0                       \
	VPAND       Y15, Y1, Y1                       \
	VPAND       Y15, Y2, Y2                       \
	VPAND       Y15, Y3, Y3                       \
	VPAND       Y15, Y4, Y4                       \
	VPAND       Y15, Y5, Y5                       \
	VPAND       Y15, Y6, Y6                       \
	VPAND       Y15, Y7, Y7

// EIGHTS takes 8 off every number. Y13 holds 8s.
#define EIGHTS \
	VPSUBB Y13, Y0, Y0 \
	VPSUBB Y13, Y1, Y1 \
	VPSUBB Y13, Y2, Y2 \
	VPSUBB Y13, Y3, Y3 \
	VPSUBB Y13, Y4, Y4 \
	VPSUBB Y13, Y5, Y5 \
	VPSUBB Y13, Y6, Y6 \
	VPSUBB Y13, Y7, Y7

// FIFTH makes numbers less 16 of the nibbles L and H of two rows, whose fifth bits are at those addresses: without the bit
// it is the nibble − 16, whose byte has all high bits set. Y12 holds pick, Y13 bytes of 0xF0.
#define FIFTH(first, second, L, H) \
	VMOVD       first, X8                  \
	VINSERTI128 $1, second, Y8, Y8         \
	VPSHUFB     ·low<>(SB), Y8, Y9         \
	VPSHUFB     ·high<>(SB), Y8, Y8        \
	VPOR        Y12, Y9, Y9                \
	VPOR        Y12, Y8, Y8                \
	VPCMPEQB    ·full<>(SB), Y9, Y9        \
	VPCMPEQB    ·full<>(SB), Y8, Y8        \
	VPANDN      Y13, Y9, Y9                \
	VPANDN      Y13, Y8, Y8                \
	VPOR        Y9, L, L                   \
	VPOR        Y8, H, H

#define FIFTHS(off) \
	FIFTH(off(SI), off(R10)(R8*1), Y0, Y4)         \
	FIFTH(off(SI)(R8*1), off(R10)(R8*2), Y1, Y5)   \
	FIFTH(off(SI)(R8*2), off(R11), Y2, Y6)         \
	FIFTH(off(R10), off(R11)(R8*1), Y3, Y7)

// TRANSPOSE turns double words k … k+3 of rows 0 and 4, 1 and 5, 2 and 6, 3 and 7 into those of all rows at k, at k+1, …
#define TRANSPOSE(A, B, C, D) \
	VUNPCKLPS B, A, Y8      \
	VUNPCKHPS B, A, Y9      \
	VUNPCKLPS D, C, Y10     \
	VUNPCKHPS D, C, Y11     \
	VUNPCKLPD Y10, Y8, A    \
	VUNPCKHPD Y10, Y8, B    \
	VUNPCKLPD Y11, Y9, C    \
	VUNPCKHPD Y11, Y9, D

// TAKE subtracts 127 times the sums of two weights of W from Y8. Y14 holds 127s.
#define TAKE(W) \
	VPMADDUBSW W, Y14, Y9  \
	VPSUBW     Y9, Y8, Y8

// HALVES puts the halves at off of each row into X8.
#define HALVES(off) \
	VMOVD   off(SI), X8                       \
	VPINSRW $1, off(SI)(R8*1), X8, X8         \
	VPINSRW $2, off(SI)(R8*2), X8, X8         \
	VPINSRW $3, off(R10), X8, X8              \
	VPINSRW $4, off(R10)(R8*1), X8, X8        \
	VPINSRW $5, off(R10)(R8*2), X8, X8        \
	VPINSRW $6, off(R11), X8, X8              \
	VPINSRW $7, off(R11)(R8*1), X8, X8

// BYTES stores a block of whole numbers, whose rows are in Y0 … Y7 as NIBBLES left them, with the sums in front. It leaves
// BX three lines before the next block, where the scales go to the third.
#define BYTES \
	TRANSPOSE(Y0, Y1, Y2, Y3)       \
	TRANSPOSE(Y4, Y5, Y6, Y7)       \
	VPXOR   Y8, Y8, Y8              \
	TAKE(Y0)                        \
	TAKE(Y1)                        \
	TAKE(Y2)                        \
	TAKE(Y3)                        \
	TAKE(Y4)                        \
	TAKE(Y5)                        \
	TAKE(Y6)                        \
	TAKE(Y7)                        \
	VMOVDQU Y8, (DI)                \
	VMOVDQU Y0, (DI)(R9*1)          \
	VMOVDQU Y1, (DI)(R9*2)          \
	LEAQ    (DI)(R9*2), BX          \
	ADDQ    R9, BX                  \
	VMOVDQU Y2, (BX)                \
	VMOVDQU Y3, (BX)(R9*1)          \
	VMOVDQU Y4, (BX)(R9*2)          \
	LEAQ    (BX)(R9*2), BX          \
	ADDQ    R9, BX                  \
	VMOVDQU Y5, (BX)                \
	VMOVDQU Y6, (BX)(R9*1)          \
	VMOVDQU Y7, (BX)(R9*2)          \
	LEAQ    (BX)(R9*2), BX          \
	ADDQ    R9, BX

// SCALES stores the scales at BX and goes to the next block, size bytes on.
#define SCALES(size) \
	HALVES(0)                \
	VCVTPH2PS X8, Y8         \
	VMOVUPS   Y8, (BX)       \
	LEAQ      (BX)(R9*1), DI \
	ADDQ      $size, SI      \
	ADDQ      $size, R10     \
	ADDQ      $size, R11     \
	DECQ      CX             \
	JNZ       loop

// MINIMUMS stores m + d times the number at centre.
#define MINIMUMS(centre) \
	HALVES(0)                                \
	VCVTPH2PS    X8, Y10                     \
	HALVES(2)                                \
	VCVTPH2PS    X8, Y9                      \
	VBROADCASTSS ·packing<>+centre(SB), Y8   \
	VFMADD231PS  Y8, Y10, Y9                 \
	VMOVUPS      Y9, (DX)                    \
	ADDQ         R9, DX

// func packQ4_0x8AVX2(dst, mins, w *byte, stride, blocks, line int)
// packBody of q4_0. Requires AVX2, F16C, and blocks > 0.
// Registers as in ARGUMENTS; BX lines; Y0 … Y7 numbers, Y8 … Y11 intermediate, Y13 8s, Y14 127s, Y15 15s.
TEXT ·packQ4_0x8AVX2(SB), NOSPLIT, $0-48
	ARGUMENTS
	VPBROADCASTD ·packing<>+0(SB), Y15
	VPBROADCASTD ·packing<>+12(SB), Y14
	VPBROADCASTD ·packing<>+4(SB), Y13

loop:
	NIBBLES(2)
	EIGHTS
	BYTES
	SCALES(18)
	VZEROUPPER
	RET

// func packQ4_1x8AVX2(dst, mins, w *byte, stride, blocks, line int)
// packBody of q4_1. Requires AVX2, FMA, F16C, and blocks > 0. Registers as in packQ4_0x8AVX2.
TEXT ·packQ4_1x8AVX2(SB), NOSPLIT, $0-48
	ARGUMENTS
	VPBROADCASTD ·packing<>+0(SB), Y15
	VPBROADCASTD ·packing<>+12(SB), Y14
	VPBROADCASTD ·packing<>+4(SB), Y13

loop:
	NIBBLES(4)
	EIGHTS
	BYTES
	MINIMUMS(16)
	SCALES(20)
	VZEROUPPER
	RET

// func packQ5_0x8AVX2(dst, mins, w *byte, stride, blocks, line int)
// packBody of q5_0. Requires AVX2, F16C, and blocks > 0.
// Registers as in packQ4_0x8AVX2, but Y12 pick and Y13 0xF0s.
TEXT ·packQ5_0x8AVX2(SB), NOSPLIT, $0-48
	ARGUMENTS
	VPBROADCASTD ·packing<>+0(SB), Y15
	VPBROADCASTD ·packing<>+12(SB), Y14
	VPBROADCASTD ·packing<>+8(SB), Y13
	VPBROADCASTQ ·pick<>(SB), Y12

loop:
	NIBBLES(6)
	FIFTHS(2)
	BYTES
	SCALES(22)
	VZEROUPPER
	RET

// func packQ5_1x8AVX2(dst, mins, w *byte, stride, blocks, line int)
// packBody of q5_1. Requires AVX2, FMA, F16C, and blocks > 0. Registers as in packQ5_0x8AVX2.
TEXT ·packQ5_1x8AVX2(SB), NOSPLIT, $0-48
	ARGUMENTS
	VPBROADCASTD ·packing<>+0(SB), Y15
	VPBROADCASTD ·packing<>+12(SB), Y14
	VPBROADCASTD ·packing<>+8(SB), Y13
	VPBROADCASTQ ·pick<>(SB), Y12

loop:
	NIBBLES(8)
	FIFTHS(4)
	BYTES
	MINIMUMS(20)
	SCALES(24)
	VZEROUPPER
	RET

// QUARTER widens the eight numbers at off of each row, rows j and j+4 in the halves of a register, and stores them as four
// lines at BX.
#define QUARTER(off) \
	VMOVQ     off(SI), X0                      \
	VMOVQ     off(SI)(R8*1), X1                \
	VMOVQ     off(SI)(R8*2), X2                \
	VMOVQ     off(R10), X3                     \
	VMOVHPS   off(R10)(R8*1), X0, X0           \
	VMOVHPS   off(R10)(R8*2), X1, X1           \
	VMOVHPS   off(R11), X2, X2                 \
	VMOVHPS   off(R11)(R8*1), X3, X3           \
	VPMOVSXBW X0, Y0                           \
	VPMOVSXBW X1, Y1                           \
	VPMOVSXBW X2, Y2                           \
	VPMOVSXBW X3, Y3                           \
	TRANSPOSE(Y0, Y1, Y2, Y3)                  \
	VMOVDQU   Y0, (BX)                         \
	VMOVDQU   Y1, (BX)(R9*1)                   \
	LEAQ      (BX)(R9*2), BX                   \
	VMOVDQU   Y2, (BX)                         \
	VMOVDQU   Y3, (BX)(R9*1)                   \
	LEAQ      (BX)(R9*2), BX

// func packQ8_0x8AVX2(dst, mins, w *byte, stride, blocks, line int)
// packBody of q8_0. Requires AVX2, F16C, and blocks > 0.
// Registers as in ARGUMENTS; BX lines; Y0 … Y3 numbers, Y8 … Y11 intermediate.
TEXT ·packQ8_0x8AVX2(SB), NOSPLIT, $0-48
	ARGUMENTS

loop:
	MOVQ DI, BX
	QUARTER(2)
	QUARTER(10)
	QUARTER(18)
	QUARTER(26)
	SCALES(34)
	VZEROUPPER
	RET
