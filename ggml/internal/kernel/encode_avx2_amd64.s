//go:build !noasm

#include "textflag.h"

// What the encoders of a row need: all but the sign; the least of the largest magnitudes; 127 and 32767 as numbers, 127 as
// bytes; the order that brings double words packed within halves into sequence.
DATA ·encoding<>+0(SB)/4, $0x7FFFFFFF
DATA ·encoding<>+4(SB)/4, $0x0D800000
DATA ·encoding<>+8(SB)/4, $0x42FE0000
DATA ·encoding<>+12(SB)/4, $0x46FFFE00
DATA ·encoding<>+16(SB)/4, $0x7F7F7F7F
GLOBL ·encoding<>(SB), RODATA|NOPTR, $20
DATA ·sequence<>+0(SB)/8, $0x0000000400000000
DATA ·sequence<>+8(SB)/8, $0x0000000500000001
DATA ·sequence<>+16(SB)/8, $0x0000000600000002
DATA ·sequence<>+24(SB)/8, $0x0000000700000003
GLOBL ·sequence<>(SB), RODATA|NOPTR, $32

// LEVELS takes magnitudes in Y4, as bits, which put what is no number above all else, and the number of levels in X14; it
// puts the scale into X5 and its inverse into all lanes of Y6. X13 holds the least magnitude.
#define LEVELS \
	VEXTRACTI128 $1, Y4, X5       \
	VPMAXUD      X5, X4, X4       \
	VPSHUFD      $0x4E, X4, X5    \
	VPMAXUD      X5, X4, X4       \
	VPSHUFD      $0xB1, X4, X5    \
	VPMAXUD      X5, X4, X4       \
	VPMAXUD      X13, X4, X4      \
	VDIVPS       X14, X4, X5      \
	VDIVPS       X4, X14, X6      \
	VBROADCASTSS X6, Y6

// ROUND brings 32 numbers in Y0 … Y3 to words in Y8 and Y10, packed within halves.
#define ROUND \
	VMULPS    Y6, Y0, Y8    \
	VMULPS    Y6, Y1, Y9    \
	VMULPS    Y6, Y2, Y10   \
	VMULPS    Y6, Y3, Y11   \
	VCVTPS2DQ Y8, Y8        \
	VCVTPS2DQ Y9, Y9        \
	VCVTPS2DQ Y10, Y10      \
	VCVTPS2DQ Y11, Y11      \
	VPACKSSDW Y9, Y8, Y8    \
	VPACKSSDW Y11, Y10, Y10

// func encodeBytes32AVX2(dst *byte, x *float32, blocks int)
// Product.Encode of bytes. Requires AVX2, and blocks > 0.
// DI dst, SI x, CX blocks left, DX sums; Y0 … Y3 activations, Y4 magnitudes, Y5 scale, Y6 inverse, Y8 … Y11 whole numbers,
// Y11 127s, Y12 order, Y13, Y14 as LEVELS wants them, Y15 all but the sign.
TEXT ·encodeBytes32AVX2(SB), NOSPLIT, $0-24
	MOVQ         dst+0(FP), DI
	MOVQ         x+8(FP), SI
	MOVQ         blocks+16(FP), CX
	LEAQ         (CX)(CX*8), DX
	LEAQ         (DI)(DX*4), DX
	VPBROADCASTD ·encoding<>+0(SB), Y15
	VBROADCASTSS ·encoding<>+8(SB), X14
	VBROADCASTSS ·encoding<>+4(SB), X13
	VMOVDQU      ·sequence<>(SB), Y12

loop:
	VMOVUPS      (SI), Y0
	VMOVUPS      32(SI), Y1
	VMOVUPS      64(SI), Y2
	VMOVUPS      96(SI), Y3
	VPAND        Y15, Y0, Y4
	VPAND        Y15, Y1, Y5
	VPAND        Y15, Y2, Y6
	VPAND        Y15, Y3, Y7
	VPMAXUD      Y5, Y4, Y4
	VPMAXUD      Y7, Y6, Y6
	VPMAXUD      Y6, Y4, Y4
	LEVELS
	ROUND
	VPBROADCASTD ·encoding<>+16(SB), Y11
	VPACKSSWB    Y10, Y8, Y8
	VPERMD       Y8, Y12, Y8
	VPADDB       Y11, Y8, Y8
	VMOVDQU      Y8, (DI)
	VMOVSS       X5, 32(DI)
	VADDPS       Y1, Y0, Y0
	VADDPS       Y3, Y2, Y2
	VADDPS       Y2, Y0, Y0
	VEXTRACTF128 $1, Y0, X1
	VADDPS       X1, X0, X0
	VHADDPS      X0, X0, X0
	VHADDPS      X0, X0, X0
	VMOVSS       X0, (DX)
	ADDQ         $128, SI
	ADDQ         $36, DI
	ADDQ         $4, DX
	DECQ         CX
	JNZ          loop
	VZEROUPPER
	RET

// func encodeWords32AVX2(dst *byte, x *float32, blocks int)
// Product.Encode of words. Requires AVX2, and blocks > 0.
// DI dst, SI x, CX blocks left; registers as in encodeBytes32AVX2.
TEXT ·encodeWords32AVX2(SB), NOSPLIT, $0-24
	MOVQ         dst+0(FP), DI
	MOVQ         x+8(FP), SI
	MOVQ         blocks+16(FP), CX
	VPBROADCASTD ·encoding<>+0(SB), Y15
	VBROADCASTSS ·encoding<>+12(SB), X14
	VBROADCASTSS ·encoding<>+4(SB), X13
	VPXOR        Y4, Y4, Y4
	VPXOR        Y7, Y7, Y7

magnitudes:
	VPAND   (SI), Y15, Y0
	VPAND   32(SI), Y15, Y1
	VPAND   64(SI), Y15, Y2
	VPAND   96(SI), Y15, Y3
	VPMAXUD Y0, Y4, Y4
	VPMAXUD Y1, Y7, Y7
	VPMAXUD Y2, Y4, Y4
	VPMAXUD Y3, Y7, Y7
	ADDQ    $128, SI
	DECQ    CX
	JNZ     magnitudes
	VPMAXUD Y7, Y4, Y4
	LEVELS
	MOVQ    x+8(FP), SI
	MOVQ    blocks+16(FP), CX

loop:
	VMOVUPS (SI), Y0
	VMOVUPS 32(SI), Y1
	VMOVUPS 64(SI), Y2
	VMOVUPS 96(SI), Y3
	ROUND
	VPERMQ  $0xD8, Y8, Y8
	VPERMQ  $0xD8, Y10, Y10
	VMOVDQU Y8, (DI)
	VMOVDQU Y10, 32(DI)
	ADDQ    $128, SI
	ADDQ    $64, DI
	DECQ    CX
	JNZ     loop
	VMOVSS  X5, (DI)
	VZEROUPPER
	RET
