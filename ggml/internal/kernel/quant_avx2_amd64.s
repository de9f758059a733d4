//go:build !noasm

#include "textflag.h"

DATA ·quantTerms<>+0(SB)/4, $0x7FFFFFFF // all but the sign
DATA ·quantTerms<>+4(SB)/4, $0x0D800000 // 2⁻¹⁰⁰
DATA ·quantTerms<>+8(SB)/4, $0x46FFFE00 // 32767
GLOBL ·quantTerms<>(SB), RODATA|NOPTR, $12

// The words of a lane as they are, or the even ones before the odd.
DATA ·quantWhole<>+0(SB)/8, $0x0706050403020100
DATA ·quantWhole<>+8(SB)/8, $0x0F0E0D0C0B0A0908
GLOBL ·quantWhole<>(SB), RODATA|NOPTR, $16
DATA ·quantSplit<>+0(SB)/8, $0x0D0C090805040100
DATA ·quantSplit<>+8(SB)/8, $0x0F0E0B0A07060302
GLOBL ·quantSplit<>(SB), RODATA|NOPTR, $16

// Both lanes, by turns: quarters of them, or pairs of words.
DATA ·quantQuarters<>+0(SB)/8, $0x0000000100000000
DATA ·quantQuarters<>+8(SB)/8, $0x0000000500000004
DATA ·quantQuarters<>+16(SB)/8, $0x0000000300000002
DATA ·quantQuarters<>+24(SB)/8, $0x0000000700000006
GLOBL ·quantQuarters<>(SB), RODATA|NOPTR, $32
DATA ·quantPairs<>+0(SB)/8, $0x0000000400000000
DATA ·quantPairs<>+8(SB)/8, $0x0000000500000001
DATA ·quantPairs<>+16(SB)/8, $0x0000000600000002
DATA ·quantPairs<>+24(SB)/8, $0x0000000700000003
GLOBL ·quantPairs<>(SB), RODATA|NOPTR, $32

// func quantize32AVX2(dst *byte, x *float32, n int, split bool)
// Table.Quantize. Requires AVX2 and n > 0, a multiple of 32. Magnitudes are compared as integers, which puts what is no
// number on top.
// DI dst, R8 and R9 where the second and the third 8 of the numbers at hand go, BX sums, SI x, DX x again, CX n, AX left;
// Y0 … Y3 numbers, Y4 the largest, then 32767/Y4, Y5 … Y7 at work, Y8 and Y9 orders, Y10 all but the sign, Y12 32767.
TEXT ·quantize32AVX2(SB), NOSPLIT, $0-25
	MOVQ         dst+0(FP), DI
	MOVQ         x+8(FP), SI
	MOVQ         n+16(FP), CX
	LEAQ         (DI)(CX*2), BX
	VPBROADCASTD ·quantTerms<>+0(SB), Y10
	VPBROADCASTD ·quantTerms<>+4(SB), Y4
	VPBROADCASTD ·quantTerms<>+8(SB), Y12
	VBROADCASTI128 ·quantWhole<>(SB), Y8
	VMOVDQU      ·quantQuarters<>(SB), Y9
	MOVL         $16, R8
	MOVL         $32, R9
	CMPB         split+24(FP), $0
	JEQ          whole
	VBROADCASTI128 ·quantSplit<>(SB), Y8
	VMOVDQU      ·quantPairs<>(SB), Y9
	MOVL         $32, R8
	MOVL         $16, R9

whole:
	VMOVDQU      Y4, Y5
	VMOVDQU      Y4, Y6
	VMOVDQU      Y4, Y7
	MOVQ         SI, DX
	MOVQ         CX, AX

largest:
	VPAND        (DX), Y10, Y0
	VPAND        32(DX), Y10, Y1
	VPAND        64(DX), Y10, Y2
	VPAND        96(DX), Y10, Y3
	VPMAXSD      Y0, Y4, Y4
	VPMAXSD      Y1, Y5, Y5
	VPMAXSD      Y2, Y6, Y6
	VPMAXSD      Y3, Y7, Y7
	ADDQ         $128, DX
	SUBQ         $32, AX
	JNZ          largest
	VPMAXSD      Y5, Y4, Y4
	VPMAXSD      Y7, Y6, Y6
	VPMAXSD      Y6, Y4, Y4
	VEXTRACTI128 $1, Y4, X5
	VPMAXSD      X5, X4, X4
	VPSHUFD      $0x4E, X4, X5
	VPMAXSD      X5, X4, X4
	VPSHUFD      $0xB1, X4, X5
	VPMAXSD      X5, X4, X4
	VPBROADCASTD X4, Y4
	VDIVPS       Y12, Y4, Y7 // d
	VDIVPS       Y4, Y12, Y4

loop:
	VMULPS       (SI), Y4, Y0
	VMULPS       32(SI), Y4, Y1
	VMULPS       64(SI), Y4, Y2
	VMULPS       96(SI), Y4, Y3
	VCVTPS2DQ    Y0, Y0
	VCVTPS2DQ    Y1, Y1
	VCVTPS2DQ    Y2, Y2
	VCVTPS2DQ    Y3, Y3
	VPADDD       Y1, Y0, Y5
	VPADDD       Y3, Y2, Y6
	VPADDD       Y6, Y5, Y5
	VEXTRACTI128 $1, Y5, X6
	VPADDD       X6, X5, X5
	VPSHUFD      $0x4E, X5, X6
	VPADDD       X6, X5, X5
	VPSHUFD      $0xB1, X5, X6
	VPADDD       X6, X5, X5
	VCVTDQ2PS    X5, X5
	VMOVSS       X5, (BX)
	VPACKSSDW    Y1, Y0, Y0
	VPACKSSDW    Y3, Y2, Y2
	VPSHUFB      Y8, Y0, Y0
	VPSHUFB      Y8, Y2, Y2
	VPERMD       Y0, Y9, Y0
	VPERMD       Y2, Y9, Y2
	VMOVDQU      X0, (DI)
	VMOVDQU      X2, (DI)(R9*1)
	VEXTRACTI128 $1, Y0, (DI)(R8*1)
	VEXTRACTI128 $1, Y2, 48(DI)
	ADDQ         $128, SI
	ADDQ         $64, DI
	ADDQ         $4, BX
	SUBQ         $32, CX
	JNZ          loop
	VMOVSS       X7, (BX)
	VZEROUPPER
	RET
