//go:build !noasm

#include "textflag.h"

DATA ·openBytes<>+0(SB)/1, $0x0F
DATA ·openBytes<>+1(SB)/1, $0x01
DATA ·openBytes<>+2(SB)/1, $0x03
DATA ·openBytes<>+3(SB)/1, $0x04
DATA ·openBytes<>+4(SB)/1, $0x30
DATA ·openBytes<>+5(SB)/1, $0x20
GLOBL ·openBytes<>(SB), RODATA|NOPTR, $6

// FIFTH adds the lowest bit of the bytes of Y5, as bit 4, to those of v, and goes to the next bit. It takes Y4.
#define FIFTH(v) \
	VPAND  Y14, Y5, Y4 \
	VPSRLW $1, Y5, Y5  \
	VPSLLW $4, Y4, Y4  \
	VPOR   Y4, v, v

// func openNibblesAVX2(q, b, fifth *byte)
// 256 bytes q of the nibbles of 128 bytes, those of 32 bytes first the low ones, then the high ones; and of the fifth bits,
// if any: bit i of 32 bytes for the 32 numbers from 32i on. Requires AVX2.
// DI q, SI b, DX fifth, CX left; Y0, Y1 numbers, Y4 at work, Y5 fifth bits, Y14 bytes of 1, Y15 bytes of 15.
TEXT ·openNibblesAVX2(SB), NOSPLIT, $0-24
	MOVQ         q+0(FP), DI
	MOVQ         b+8(FP), SI
	MOVQ         fifth+16(FP), DX
	VPBROADCASTB ·openBytes<>+0(SB), Y15
	VPBROADCASTB ·openBytes<>+1(SB), Y14
	VPXOR        Y5, Y5, Y5
	MOVQ         $4, CX
	TESTQ        DX, DX
	JZ           loop
	VMOVDQU      (DX), Y5

loop:
	VMOVDQU (SI), Y0
	VPSRLW  $4, Y0, Y1
	VPAND   Y15, Y0, Y0
	VPAND   Y15, Y1, Y1
	FIFTH(Y0)
	FIFTH(Y1)
	VMOVDQU Y0, (DI)
	VMOVDQU Y1, 32(DI)
	ADDQ    $32, SI
	ADDQ    $64, DI
	DECQ    CX
	JNZ     loop
	VZEROUPPER
	RET

// PAIR stores the lowest two bits of the bytes of Y0, with a third one of Y5 and less Y13, and goes to the next bits.
// It takes Y1 and Y4.
#define PAIR(at) \
	VPAND   Y15, Y0, Y1 \
	VPSRLW  $2, Y0, Y0  \
	VPAND   Y14, Y5, Y4 \
	VPSRLW  $1, Y5, Y5  \
	VPSLLW  $2, Y4, Y4  \
	VPOR    Y4, Y1, Y1  \
	VPSUBB  Y13, Y1, Y1 \
	VMOVDQU Y1, at(DI)

// func openPairsAVX2(q, b, third *byte)
// 256 bytes q of the pairs of bits of 64 bytes, 32 bytes giving 128 numbers, the lowest pairs first; and of the third bits,
// if any, which lie as fifth bits do, and with which 4 is subtracted. Requires AVX2.
// DI q, SI b, DX third; Y0 pairs, Y1, Y4 at work, Y5 third bits, Y13 what is subtracted, Y14 bytes of 1, Y15 bytes of 3.
TEXT ·openPairsAVX2(SB), NOSPLIT, $0-24
	MOVQ         q+0(FP), DI
	MOVQ         b+8(FP), SI
	MOVQ         third+16(FP), DX
	VPBROADCASTB ·openBytes<>+2(SB), Y15
	VPBROADCASTB ·openBytes<>+1(SB), Y14
	VPXOR        Y5, Y5, Y5
	VPXOR        Y13, Y13, Y13
	TESTQ        DX, DX
	JZ           first
	VMOVDQU      (DX), Y5
	VPBROADCASTB ·openBytes<>+3(SB), Y13

first:
	VMOVDQU (SI), Y0
	PAIR(0)
	PAIR(32)
	PAIR(64)
	PAIR(96)
	VMOVDQU 32(SI), Y0
	PAIR(128)
	PAIR(160)
	PAIR(192)
	PAIR(224)
	VZEROUPPER
	RET

// SIX stores the nibbles v with the bits 4 and 5 of h, less 32. It takes both.
#define SIX(v, h, at) \
	VPAND   Y15, v, v \
	VPAND   Y14, h, h \
	VPOR    h, v, v   \
	VPSUBB  Y13, v, v \
	VMOVDQU v, at(DI)

// func openSixAVX2(q, low, high *byte)
// 256 signed bytes q of the nibbles of 128 bytes and the pairs of bits of 64, less 32. Requires AVX2.
// DI q, SI low, DX high, CX left; Y0, Y1 low bits, Y2 high ones, Y3, Y4 at work, Y13 bytes of 32, Y14 of 0x30, Y15 of 15.
TEXT ·openSixAVX2(SB), NOSPLIT, $0-24
	MOVQ         q+0(FP), DI
	MOVQ         low+8(FP), SI
	MOVQ         high+16(FP), DX
	VPBROADCASTB ·openBytes<>+0(SB), Y15
	VPBROADCASTB ·openBytes<>+4(SB), Y14
	VPBROADCASTB ·openBytes<>+5(SB), Y13
	MOVQ         $2, CX

loop:
	VMOVDQU (SI), Y0
	VMOVDQU 32(SI), Y1
	VMOVDQU (DX), Y2
	VMOVDQU Y0, Y3
	VPSLLW  $4, Y2, Y4
	SIX(Y3, Y4, 0)
	VMOVDQU Y1, Y3
	VPSLLW  $2, Y2, Y4
	SIX(Y3, Y4, 32)
	VPSRLW  $4, Y0, Y0
	VMOVDQU Y2, Y4
	SIX(Y0, Y4, 64)
	VPSRLW  $4, Y1, Y1
	VPSRLW  $2, Y2, Y2
	SIX(Y1, Y2, 96)
	ADDQ    $64, SI
	ADDQ    $32, DX
	ADDQ    $128, DI
	DECQ    CX
	JNZ     loop
	VZEROUPPER
	RET

// func scale16x16AVX2(dst *float32, q *byte, d, m *float32)
// 16 times 16 signed bytes q as d·q − m. Requires AVX2. DI dst, SI q, BX d, DX m, CX left; Y0 d, Y1 m, Y2, Y3 numbers.
TEXT ·scale16x16AVX2(SB), NOSPLIT, $0-32
	MOVQ dst+0(FP), DI
	MOVQ q+8(FP), SI
	MOVQ d+16(FP), BX
	MOVQ m+24(FP), DX
	MOVQ $16, CX

loop:
	VBROADCASTSS (BX), Y0
	VBROADCASTSS (DX), Y1
	VPMOVSXBD    (SI), Y2
	VPMOVSXBD    8(SI), Y3
	VCVTDQ2PS    Y2, Y2
	VCVTDQ2PS    Y3, Y3
	VMULPS       Y0, Y2, Y2
	VMULPS       Y0, Y3, Y3
	VSUBPS       Y1, Y2, Y2
	VSUBPS       Y1, Y3, Y3
	VMOVUPS      Y2, (DI)
	VMOVUPS      Y3, 32(DI)
	ADDQ         $4, BX
	ADDQ         $4, DX
	ADDQ         $16, SI
	ADDQ         $64, DI
	DECQ         CX
	JNZ          loop
	VZEROUPPER
	RET
