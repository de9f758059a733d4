//go:build !noasm

#include "textflag.h"

DATA ·quantTerms<>+0(SB)/4, $0x7FFFFFFF // all but the sign
DATA ·quantTerms<>+4(SB)/4, $0x0D800000 // 2⁻¹⁰⁰
DATA ·quantTerms<>+8(SB)/4, $0x42FE0000 // 127
DATA ·quantTerms<>+12(SB)/4, $0x46FFFE00 // 32767
DATA ·quantTerms<>+16(SB)/4, $0x01010101
DATA ·quantTerms<>+20(SB)/4, $0x00010001
GLOBL ·quantTerms<>(SB), RODATA|NOPTR, $24

// The order in which two rounds of packing within halves leave fours of bytes.
DATA ·quantOrder<>+0(SB)/8, $0x0000000400000000
DATA ·quantOrder<>+8(SB)/8, $0x0000000500000001
DATA ·quantOrder<>+16(SB)/8, $0x0000000600000002
DATA ·quantOrder<>+24(SB)/8, $0x0000000700000003
GLOBL ·quantOrder<>(SB), RODATA|NOPTR, $32

// BROADMAX spreads the largest integer of Y4 over it. It takes Y5.
#define BROADMAX \
	VEXTRACTI128 $1, Y4, X5    \
	VPMAXSD      X5, X4, X4    \
	VPSHUFD      $0x4E, X4, X5 \
	VPMAXSD      X5, X4, X4    \
	VPSHUFD      $0xB1, X4, X5 \
	VPMAXSD      X5, X4, X4    \
	VPBROADCASTD X4, Y4

// func quantize8x32AVX2(dst *byte, x *float32, blocks, offset int)
// Table.Quantize to 8 bits; without an offset the terms are those of a minimum. Requires AVX2 and blocks > 0. Magnitudes
// are compared as integers, which puts what is no number on top.
// DI dst, SI x, CX left, AX offset; Y0 … Y3 numbers, Y4 the largest, then 127/Y4, Y5, Y6 at work, Y7 d, Y8 −offset,
// Y9 order, Y10 all but the sign, Y11 2⁻¹⁰⁰, Y12 127, Y13 bytes of 1, Y14 words of 1.
TEXT ·quantize8x32AVX2(SB), NOSPLIT, $0-32
	MOVQ         dst+0(FP), DI
	MOVQ         x+8(FP), SI
	MOVQ         blocks+16(FP), CX
	MOVQ         offset+24(FP), AX
	VMOVQ        AX, X8
	VPBROADCASTD X8, Y8
	VPXOR        Y5, Y5, Y5
	VPSUBD       Y8, Y5, Y8
	VMOVDQU      ·quantOrder<>(SB), Y9
	VPBROADCASTD ·quantTerms<>+0(SB), Y10
	VPBROADCASTD ·quantTerms<>+4(SB), Y11
	VPBROADCASTD ·quantTerms<>+8(SB), Y12
	VPBROADCASTD ·quantTerms<>+16(SB), Y13
	VPBROADCASTD ·quantTerms<>+20(SB), Y14

loop:
	VMOVUPS (SI), Y0
	VMOVUPS 32(SI), Y1
	VMOVUPS 64(SI), Y2
	VMOVUPS 96(SI), Y3
	VPAND   Y10, Y0, Y4
	VPAND   Y10, Y1, Y5
	VPAND   Y10, Y2, Y6
	VPAND   Y10, Y3, Y7
	VPMAXSD Y5, Y4, Y4
	VPMAXSD Y7, Y6, Y6
	VPMAXSD Y6, Y4, Y4
	VPMAXSD Y11, Y4, Y4
	BROADMAX
	VDIVPS     Y12, Y4, Y7 // d
	VDIVPS     Y4, Y12, Y4
	VMULPS     Y4, Y0, Y0
	VMULPS     Y4, Y1, Y1
	VMULPS     Y4, Y2, Y2
	VMULPS     Y4, Y3, Y3
	VCVTPS2DQ  Y0, Y0
	VCVTPS2DQ  Y1, Y1
	VCVTPS2DQ  Y2, Y2
	VCVTPS2DQ  Y3, Y3
	VPACKSSDW  Y1, Y0, Y0
	VPACKSSDW  Y3, Y2, Y2
	VPACKSSWB  Y2, Y0, Y0
	VPERMD     Y0, Y9, Y0
	VMOVDQU    Y0, (DI)
	VMOVUPS    Y7, 32(DI)
	VPMADDUBSW Y0, Y13, Y1
	VPMADDWD   Y14, Y1, Y1
	TESTQ      AX, AX
	JZ         minimum
	VPMULLD    Y8, Y1, Y1
	JMP        store

minimum:
	VCVTDQ2PS Y1, Y1
	VMULPS    Y7, Y1, Y1

store:
	VMOVUPS Y1, 64(DI)
	ADDQ    $128, SI
	ADDQ    $96, DI
	DECQ    CX
	JNZ     loop
	VZEROUPPER
	RET

// func quantize16x32AVX2(dst *byte, x *float32, blocks int)
// Table.Quantize to 16 bits, the row's scale behind them. Requires AVX2 and blocks > 0.
// DI dst, SI x, DX x again, CX left, AX blocks; Y0 … Y3 numbers, Y4 the largest, then 32767/Y4, Y5 … Y7 at work,
// Y10 all but the sign, Y12 32767.
TEXT ·quantize16x32AVX2(SB), NOSPLIT, $0-24
	MOVQ         dst+0(FP), DI
	MOVQ         x+8(FP), SI
	MOVQ         blocks+16(FP), AX
	VPBROADCASTD ·quantTerms<>+0(SB), Y10
	VPBROADCASTD ·quantTerms<>+4(SB), Y4
	VPBROADCASTD ·quantTerms<>+12(SB), Y12
	VMOVDQU      Y4, Y5
	VMOVDQU      Y4, Y6
	VMOVDQU      Y4, Y7
	MOVQ         SI, DX
	MOVQ         AX, CX

largest:
	VPAND   (DX), Y10, Y0
	VPAND   32(DX), Y10, Y1
	VPAND   64(DX), Y10, Y2
	VPAND   96(DX), Y10, Y3
	VPMAXSD Y0, Y4, Y4
	VPMAXSD Y1, Y5, Y5
	VPMAXSD Y2, Y6, Y6
	VPMAXSD Y3, Y7, Y7
	ADDQ    $128, DX
	DECQ    CX
	JNZ     largest
	VPMAXSD Y5, Y4, Y4
	VPMAXSD Y7, Y6, Y6
	VPMAXSD Y6, Y4, Y4
	BROADMAX
	VDIVPS  Y12, Y4, Y7
	VDIVPS  Y4, Y12, Y4

loop:
	VMULPS    (SI), Y4, Y0
	VMULPS    32(SI), Y4, Y1
	VMULPS    64(SI), Y4, Y2
	VMULPS    96(SI), Y4, Y3
	VCVTPS2DQ Y0, Y0
	VCVTPS2DQ Y1, Y1
	VCVTPS2DQ Y2, Y2
	VCVTPS2DQ Y3, Y3
	VPACKSSDW Y1, Y0, Y0
	VPACKSSDW Y3, Y2, Y2
	VPERMQ    $0xD8, Y0, Y0
	VPERMQ    $0xD8, Y2, Y2
	VMOVDQU   Y0, (DI)
	VMOVDQU   Y2, 32(DI)
	ADDQ      $128, SI
	ADDQ      $64, DI
	DECQ      AX
	JNZ       loop
	VMOVSS    X7, (DI)
	VZEROUPPER
	RET
