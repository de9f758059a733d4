//go:build !noasm

#include "textflag.h"

// func widenF16x8AVX2(dst *float32, src *byte, n int)
// Table.Widen of halves. Requires F16C and n > 0, a multiple of 8. DI dst, SI src, CX left; Y0 … Y3 numbers.
TEXT ·widenF16x8AVX2(SB), NOSPLIT, $0-24
	MOVQ dst+0(FP), DI
	MOVQ src+8(FP), SI
	MOVQ n+16(FP), CX
	SUBQ $32, CX
	JL   rest

loop:
	VCVTPH2PS (SI), Y0
	VCVTPH2PS 16(SI), Y1
	VCVTPH2PS 32(SI), Y2
	VCVTPH2PS 48(SI), Y3
	VMOVUPS   Y0, (DI)
	VMOVUPS   Y1, 32(DI)
	VMOVUPS   Y2, 64(DI)
	VMOVUPS   Y3, 96(DI)
	ADDQ      $64, SI
	ADDQ      $128, DI
	SUBQ      $32, CX
	JGE       loop

rest:
	ADDQ $32, CX
	JZ   done

eight:
	VCVTPH2PS (SI), Y0
	VMOVUPS   Y0, (DI)
	ADDQ      $16, SI
	ADDQ      $32, DI
	SUBQ      $8, CX
	JNZ       eight

done:
	VZEROUPPER
	RET

// func narrow8AVX2(dst *uint16, src *float32, n int)
// Table.Narrow. Requires F16C and n > 0, a multiple of 8. DI dst, SI src, CX left.
TEXT ·narrow8AVX2(SB), NOSPLIT, $0-24
	MOVQ dst+0(FP), DI
	MOVQ src+8(FP), SI
	MOVQ n+16(FP), CX

loop:
	VMOVUPS   (SI), Y0
	VCVTPS2PH $0, Y0, (DI)
	ADDQ      $32, SI
	ADDQ      $16, DI
	SUBQ      $8, CX
	JNZ       loop
	VZEROUPPER
	RET

// The fifth bits of a block are 32 bits in 4 bytes. spread brings the byte of each number to its place; a byte there or-ed
// with pick is all ones where the number's bit is set.
DATA ·spread<>+0(SB)/8, $0x0000000000000000
DATA ·spread<>+8(SB)/8, $0x0101010101010101
DATA ·spread<>+16(SB)/8, $0x0202020202020202
DATA ·spread<>+24(SB)/8, $0x0303030303030303
GLOBL ·spread<>(SB), RODATA|NOPTR, $32
DATA ·pick<>+0(SB)/8, $0x7FBFDFEFF7FBFDFE
GLOBL ·pick<>(SB), RODATA|NOPTR, $8
DATA ·bytes<>+0(SB)/1, $0x0F
DATA ·bytes<>+1(SB)/1, $0xF0
DATA ·bytes<>+2(SB)/1, $0x10
GLOBL ·bytes<>(SB), RODATA|NOPTR, $3
DATA ·words<>+0(SB)/4, $15
DATA ·words<>+4(SB)/4, $8
GLOBL ·words<>(SB), RODATA|NOPTR, $8

// HALF puts the half at off behind SI into all lanes.
#define HALF(off, X, Y) \
	VPBROADCASTW off(SI), X \
	VCVTPH2PS    X, Y

// NIBBLES reads 16 bytes: the low nibbles into Y4, Y5, the high ones into Y6, Y7, as whole numbers. Y15 holds 15s.
#define NIBBLES(off) \
	VPMOVZXBD off(SI), Y6    \
	VPMOVZXBD off+8(SI), Y7  \
	VPAND     Y15, Y6, Y4    \
	VPAND     Y15, Y7, Y5    \
	VPSRLD    $4, Y6, Y6     \
	VPSRLD    $4, Y7, Y7

// PACKED reads 16 bytes: the low nibbles into the low half of Y2, the high ones into the high half. Y15 holds bytes of 15.
#define PACKED(off) \
	VMOVDQU     off(SI), X2     \
	VPSRLW      $4, X2, X3      \
	VINSERTI128 $1, X3, Y2, Y2  \
	VPAND       Y15, Y2, Y2

// FIFTH makes the bytes of Y3 all ones where the fifth bit of the number is set. Y14 holds spread, Y13 pick, Y12 ones.
#define FIFTH(off) \
	VPBROADCASTD off(SI), Y3   \
	VPSHUFB      Y14, Y3, Y3   \
	VPOR         Y13, Y3, Y3   \
	VPCMPEQB     Y12, Y3, Y3

// PRODUCTS multiplies the 32 whole numbers of Y4 … Y7 by the scale in Y0.
#define PRODUCTS \
	VCVTDQ2PS Y4, Y4     \
	VCVTDQ2PS Y5, Y5     \
	VCVTDQ2PS Y6, Y6     \
	VCVTDQ2PS Y7, Y7     \
	VMULPS    Y0, Y4, Y4 \
	VMULPS    Y0, Y5, Y5 \
	VMULPS    Y0, Y6, Y6 \
	VMULPS    Y0, Y7, Y7

// SIGNED and UNSIGNED turn the bytes of Y2 into the whole numbers Y4 … Y7. They take the place where the numbers will
// go: extending bytes from memory spares the shuffles that split a register.
#define SIGNED \
	VMOVDQU   Y2, (DI)     \
	VPMOVSXBD (DI), Y4     \
	VPMOVSXBD 8(DI), Y5    \
	VPMOVSXBD 16(DI), Y6   \
	VPMOVSXBD 24(DI), Y7

#define UNSIGNED \
	VMOVDQU   Y2, (DI)     \
	VPMOVZXBD (DI), Y4     \
	VPMOVZXBD 8(DI), Y5    \
	VPMOVZXBD 16(DI), Y6   \
	VPMOVZXBD 24(DI), Y7

// MINIMUM adds Y1.
#define MINIMUM \
	VADDPS Y1, Y4, Y4 \
	VADDPS Y1, Y5, Y5 \
	VADDPS Y1, Y6, Y6 \
	VADDPS Y1, Y7, Y7

// BLOCK stores the numbers and goes to the next block, size bytes on.
#define BLOCK(size) \
	VMOVUPS Y4, (DI)   \
	VMOVUPS Y5, 32(DI) \
	VMOVUPS Y6, 64(DI) \
	VMOVUPS Y7, 96(DI) \
	ADDQ    $128, DI   \
	ADDQ    $size, SI  \
	DECQ    CX         \
	JNZ     loop

// ARGUMENTS sets DI to dst, SI to src, CX to the number of blocks.
#define ARGUMENTS \
	MOVQ dst+0(FP), DI    \
	MOVQ src+8(FP), SI    \
	MOVQ blocks+16(FP), CX

// func widenQ4_0x32AVX2(dst *float32, src *byte, blocks int)
// Table.Widen of q4_0. Requires AVX2, F16C, and blocks > 0.
// Y0 scale, Y4 … Y7 numbers, Y11 8s, Y15 15s.
TEXT ·widenQ4_0x32AVX2(SB), NOSPLIT, $0-24
	ARGUMENTS
	VPBROADCASTD ·words<>+0(SB), Y15
	VPBROADCASTD ·words<>+4(SB), Y11

loop:
	HALF(0, X0, Y0)
	NIBBLES(2)
	VPSUBD Y11, Y4, Y4
	VPSUBD Y11, Y5, Y5
	VPSUBD Y11, Y6, Y6
	VPSUBD Y11, Y7, Y7
	PRODUCTS
	BLOCK(18)
	VZEROUPPER
	RET

// func widenQ4_1x32AVX2(dst *float32, src *byte, blocks int)
// Table.Widen of q4_1. Requires AVX2, F16C, and blocks > 0.
// Y0 scale, Y1 minimum, Y4 … Y7 numbers, Y15 15s.
TEXT ·widenQ4_1x32AVX2(SB), NOSPLIT, $0-24
	ARGUMENTS
	VPBROADCASTD ·words<>+0(SB), Y15

loop:
	HALF(0, X0, Y0)
	HALF(2, X1, Y1)
	NIBBLES(4)
	PRODUCTS
	MINIMUM
	BLOCK(20)
	VZEROUPPER
	RET

// func widenQ5_0x32AVX2(dst *float32, src *byte, blocks int)
// Table.Widen of q5_0. Requires AVX2, F16C, and blocks > 0. A number without its fifth bit is its nibble − 16, whose byte
// has all high bits set. Y0 scale, Y2, Y3 bytes, Y4 … Y7 numbers, Y11 bytes of 0xF0, Y12 … Y15 as FIFTH and PACKED want them.
TEXT ·widenQ5_0x32AVX2(SB), NOSPLIT, $0-24
	ARGUMENTS
	VPBROADCASTB ·bytes<>+0(SB), Y15
	VPBROADCASTB ·bytes<>+1(SB), Y11
	VMOVDQU      ·spread<>(SB), Y14
	VPBROADCASTQ ·pick<>(SB), Y13
	VPCMPEQB     Y12, Y12, Y12

loop:
	HALF(0, X0, Y0)
	PACKED(6)
	FIFTH(2)
	VPANDN Y11, Y3, Y3
	VPOR   Y3, Y2, Y2
	SIGNED
	PRODUCTS
	BLOCK(22)
	VZEROUPPER
	RET

// func widenQ5_1x32AVX2(dst *float32, src *byte, blocks int)
// Table.Widen of q5_1. Requires AVX2, F16C, and blocks > 0.
// Y0 scale, Y1 minimum, Y2, Y3 bytes, Y4 … Y7 numbers, Y11 bytes of 16, Y12 … Y15 as FIFTH and PACKED want them.
TEXT ·widenQ5_1x32AVX2(SB), NOSPLIT, $0-24
	ARGUMENTS
	VPBROADCASTB ·bytes<>+0(SB), Y15
	VPBROADCASTB ·bytes<>+2(SB), Y11
	VMOVDQU      ·spread<>(SB), Y14
	VPBROADCASTQ ·pick<>(SB), Y13
	VPCMPEQB     Y12, Y12, Y12

loop:
	HALF(0, X0, Y0)
	HALF(2, X1, Y1)
	PACKED(8)
	FIFTH(4)
	VPAND Y11, Y3, Y3
	VPOR  Y3, Y2, Y2
	UNSIGNED
	PRODUCTS
	MINIMUM
	BLOCK(24)
	VZEROUPPER
	RET

// func widenQ8_0x32AVX2(dst *float32, src *byte, blocks int)
// Table.Widen of q8_0. Requires AVX2, F16C, and blocks > 0. Y0 scale, Y4 … Y7 numbers.
TEXT ·widenQ8_0x32AVX2(SB), NOSPLIT, $0-24
	ARGUMENTS

loop:
	HALF(0, X0, Y0)
	VPMOVSXBD 2(SI), Y4
	VPMOVSXBD 10(SI), Y5
	VPMOVSXBD 18(SI), Y6
	VPMOVSXBD 26(SI), Y7
	PRODUCTS
	BLOCK(34)
	VZEROUPPER
	RET
