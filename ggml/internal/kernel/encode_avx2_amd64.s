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

// LARGEST leaves the largest lane of Y4, as bits, in all lanes of X4.
#define LARGEST \
	VEXTRACTI128 $1, Y4, X5     \
	VPMAXUD      X5, X4, X4     \
	VPSHUFD      $0x4E, X4, X5  \
	VPMAXUD      X5, X4, X4     \
	VPSHUFD      $0xB1, X4, X5  \
	VPMAXUD      X5, X4, X4

// LEVELS takes largest magnitudes in X4, as bits, which put what is no number above all else, and the number of levels in
// X14; it puts the scales into X5 and their inverses into X6. X13 holds the least magnitude.
#define LEVELS \
	VPMAXUD X13, X4, X4  \
	VDIVPS  X14, X4, X5  \
	VDIVPS  X4, X14, X6

// ROUND brings the 32 numbers at off of x, times Y7, to words in Y0 and Y2, packed within halves.
#define ROUND(off) \
	VMULPS    off(SI), Y7, Y0      \
	VMULPS    off+32(SI), Y7, Y1   \
	VMULPS    off+64(SI), Y7, Y2   \
	VMULPS    off+96(SI), Y7, Y3   \
	VCVTPS2DQ Y0, Y0               \
	VCVTPS2DQ Y1, Y1               \
	VCVTPS2DQ Y2, Y2               \
	VCVTPS2DQ Y3, Y3               \
	VPACKSSDW Y1, Y0, Y0           \
	VPACKSSDW Y3, Y2, Y2

// BYTES stores those numbers as bytes at to of dst. Y11 holds 127s, Y12 the order.
#define BYTES(off, to) \
	ROUND(off)                \
	VPACKSSWB Y2, Y0, Y0      \
	VPERMD    Y0, Y12, Y0     \
	VPADDB    Y11, Y0, Y0     \
	VMOVDQU   Y0, to(DI)

// SURVEY takes the 32 numbers at off of x: eight sums of them go to S, the eight largest magnitudes to M. Y15 holds all but
// the sign.
#define SURVEY(off, S, M) \
	VMOVUPS off(SI), Y4      \
	VMOVUPS off+32(SI), Y5   \
	VMOVUPS off+64(SI), Y6   \
	VMOVUPS off+96(SI), Y7   \
	VADDPS  Y5, Y4, S        \
	VADDPS  Y7, Y6, M        \
	VADDPS  M, S, S          \
	VPAND   Y15, Y4, Y4      \
	VPAND   Y15, Y5, Y5      \
	VPAND   Y15, Y6, Y6      \
	VPAND   Y15, Y7, Y7      \
	VPMAXUD Y5, Y4, Y4       \
	VPMAXUD Y7, Y6, Y6       \
	VPMAXUD Y6, Y4, M

// func encodeBytes32AVX2(dst *byte, x *float32, blocks int)
// Product.Encode of bytes, four blocks at a time and then the rest. Requires AVX2, and blocks > 0.
// DI dst, SI x, CX blocks left, DX sums; Y0 … Y3 magnitudes, whole numbers, Y4 … Y7 activations, X5 scales, X6 inverses, Y7 one
// of them, Y8 … Y11 sums, Y11 127s, Y12 order, X13, X14 as LEVELS wants them, Y15 all but the sign.
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
	SUBQ         $4, CX
	JL           rest

four:
	SURVEY(0, Y8, Y0)
	SURVEY(128, Y9, Y1)
	SURVEY(256, Y10, Y2)
	SURVEY(384, Y11, Y3)
	VHADDPS      Y9, Y8, Y8
	VHADDPS      Y11, Y10, Y10
	VHADDPS      Y10, Y8, Y8
	VEXTRACTF128 $1, Y8, X9
	VADDPS       X9, X8, X8
	VMOVUPS      X8, (DX)
	VUNPCKLPS    Y1, Y0, Y4
	VUNPCKHPS    Y1, Y0, Y5
	VUNPCKLPS    Y3, Y2, Y6
	VUNPCKHPS    Y3, Y2, Y7
	VPMAXUD      Y5, Y4, Y4
	VPMAXUD      Y7, Y6, Y6
	VUNPCKLPD    Y6, Y4, Y5
	VUNPCKHPD    Y6, Y4, Y4
	VPMAXUD      Y5, Y4, Y4
	VEXTRACTI128 $1, Y4, X5
	VPMAXUD      X5, X4, X4
	LEVELS
	VPBROADCASTD ·encoding<>+16(SB), Y11
	VBROADCASTSS X6, Y7
	BYTES(0, 0)
	VPSHUFD      $0x55, X6, X7
	VBROADCASTSS X7, Y7
	BYTES(128, 36)
	VPSHUFD      $0xAA, X6, X7
	VBROADCASTSS X7, Y7
	BYTES(256, 72)
	VPSHUFD      $0xFF, X6, X7
	VBROADCASTSS X7, Y7
	BYTES(384, 108)
	VMOVSS       X5, 32(DI)
	VEXTRACTPS   $1, X5, 68(DI)
	VEXTRACTPS   $2, X5, 104(DI)
	VEXTRACTPS   $3, X5, 140(DI)
	ADDQ         $512, SI
	ADDQ         $144, DI
	ADDQ         $16, DX
	SUBQ         $4, CX
	JGE          four

rest:
	ADDQ $4, CX
	JZ   done

one:
	SURVEY(0, Y8, Y0)
	VHADDPS      Y8, Y8, Y8
	VHADDPS      Y8, Y8, Y8
	VEXTRACTF128 $1, Y8, X9
	VADDPS       X9, X8, X8
	VMOVSS       X8, (DX)
	VMOVAPS      Y0, Y4
	LARGEST
	LEVELS
	VPBROADCASTD ·encoding<>+16(SB), Y11
	VBROADCASTSS X6, Y7
	BYTES(0, 0)
	VMOVSS       X5, 32(DI)
	ADDQ         $128, SI
	ADDQ         $36, DI
	ADDQ         $4, DX
	DECQ         CX
	JNZ          one

done:
	VZEROUPPER
	RET

// func encodeWords32AVX2(dst *byte, x *float32, blocks int)
// Product.Encode of words. Requires AVX2, and blocks > 0.
// DI dst, SI x, CX blocks left; registers as in encodeBytes32AVX2, but Y8 magnitudes.
TEXT ·encodeWords32AVX2(SB), NOSPLIT, $0-24
	MOVQ         dst+0(FP), DI
	MOVQ         x+8(FP), SI
	MOVQ         blocks+16(FP), CX
	VPBROADCASTD ·encoding<>+0(SB), Y15
	VBROADCASTSS ·encoding<>+12(SB), X14
	VBROADCASTSS ·encoding<>+4(SB), X13
	VPXOR        Y4, Y4, Y4
	VPXOR        Y8, Y8, Y8

magnitudes:
	VPAND   (SI), Y15, Y0
	VPAND   32(SI), Y15, Y1
	VPAND   64(SI), Y15, Y2
	VPAND   96(SI), Y15, Y3
	VPMAXUD Y0, Y4, Y4
	VPMAXUD Y1, Y8, Y8
	VPMAXUD Y2, Y4, Y4
	VPMAXUD Y3, Y8, Y8
	ADDQ    $128, SI
	DECQ    CX
	JNZ     magnitudes
	VPMAXUD Y8, Y4, Y4
	LARGEST
	LEVELS
	VBROADCASTSS X6, Y7
	MOVQ    x+8(FP), SI
	MOVQ    blocks+16(FP), CX

loop:
	ROUND(0)
	VPERMQ  $0xD8, Y0, Y0
	VPERMQ  $0xD8, Y2, Y2
	VMOVDQU Y0, (DI)
	VMOVDQU Y2, 32(DI)
	ADDQ    $128, SI
	ADDQ    $64, DI
	DECQ    CX
	JNZ     loop
	VMOVSS  X5, (DI)
	VZEROUPPER
	RET
