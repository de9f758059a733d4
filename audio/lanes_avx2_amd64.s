//go:build !noasm

#include "textflag.h"

// A vector is a Y register: a number of each of 8 frames. A complex number is 64 bytes, re before im.

// The constants behind k, in the order of lanes.go.
#define COS8    0*32(R12)
#define NCOS8   1*32(R12)
#define COS16   2*32(R12)
#define NCOS16  3*32(R12)
#define SIN16   4*32(R12)
#define NSIN16  5*32(R12)
#define COS5A   6*32(R12)
#define COS5B   7*32(R12)
#define SIN5A   8*32(R12)
#define SIN5BA  9*32(R12)
#define QUARTER 10*32(R12)
#define LEAST   11*32(R12)
#define SILENCE 12*32(R12)
#define SQRTH   13*32(R12)
#define MANT    14*32(R12)
#define ONE     15*32(R12)
#define LOG2    16*32(R12)
#define TERM(i) (17+i)*32(R12)

// QUAD loads 4 numbers from each of 8 rows at SI that are S bytes apart, rows 0 … 3 to the low halves of Y0 … Y3 and
// rows 4 … 7 to the high ones.
#define QUAD(S) \
	VMOVUPS     (SI), X0               \
	VMOVUPS     S(SI), X1              \
	VMOVUPS     2*S(SI), X2            \
	VMOVUPS     3*S(SI), X3            \
	VINSERTF128 $1, 4*S(SI), Y0, Y0    \
	VINSERTF128 $1, 5*S(SI), Y1, Y1    \
	VINSERTF128 $1, 6*S(SI), Y2, Y2    \
	VINSERTF128 $1, 7*S(SI), Y3, Y3

// TURN makes of QUAD's rows the 4 columns of 8 numbers, in Y0 … Y3. It takes Y4 … Y7.
#define TURN \
	VUNPCKLPS Y1, Y0, Y4 \
	VUNPCKHPS Y1, Y0, Y5 \
	VUNPCKLPS Y3, Y2, Y6 \
	VUNPCKHPS Y3, Y2, Y7 \
	VUNPCKLPD Y6, Y4, Y0 \
	VUNPCKHPD Y6, Y4, Y1 \
	VUNPCKLPD Y7, Y5, Y2 \
	VUNPCKHPD Y7, Y5, Y3

// func splitAVX2(t, x, window *float32)
// kernels.split. Requires AVX. DI t, SI x, BX window, CX left; Y0 … Y7 samples, Y8 window.
TEXT ·splitAVX2(SB), NOSPLIT, $0-24
	MOVQ t+0(FP), DI
	MOVQ x+8(FP), SI
	MOVQ window+16(FP), BX
	MOVL $400, CX

loop:
	VBROADCASTF128 (BX), Y8
	QUAD(640)
	VMULPS         Y8, Y0, Y0
	VMULPS         Y8, Y1, Y1
	VMULPS         Y8, Y2, Y2
	VMULPS         Y8, Y3, Y3
	TURN
	VMOVUPS        Y0, (DI)
	VMOVUPS        Y1, 32(DI)
	VMOVUPS        Y2, 64(DI)
	VMOVUPS        Y3, 96(DI)
	ADDQ           $16, BX
	ADDQ           $16, SI
	ADDQ           $128, DI
	SUBL           $4, CX
	JNZ            loop
	VZEROUPPER
	RET

// PAIR loads x[i] and x[i+8] of a column and leaves their sum in a, x[i] − x[i+8] in b.
#define PAIR(i, a, b) \
	MOVWLZX 2*i(BX), R8      \
	MOVWLZX 2*i+16(BX), R9   \
	VMOVUPS (SI)(R8*1), a    \
	VSUBPS  (SI)(R9*1), a, b \
	VADDPS  (SI)(R9*1), a, a

// func columnsAVX2(rows, t *float32, from *uint16, k *float32)
// kernels.columns, in the words of spectrum.column. Requires AVX, FMA. DI rows[0][n₂], SI t, BX from, CX left, R12 k.
TEXT ·columnsAVX2(SB), NOSPLIT, $0-32
	MOVQ rows+0(FP), DI
	MOVQ t+8(FP), SI
	MOVQ from+16(FP), BX
	MOVQ k+24(FP), R12
	MOVL $25, CX

loop:
	PAIR(0, Y0, Y8)
	PAIR(4, Y1, Y9)
	PAIR(2, Y2, Y10)
	PAIR(6, Y3, Y11)
	VADDPS Y1, Y0, Y4         // c0
	VSUBPS Y1, Y0, Y5         // d0
	VADDPS Y3, Y2, Y6         // c2
	VSUBPS Y3, Y2, Y7         // d2
	VSUBPS Y6, Y4, Y0
	VMOVUPS Y0, 4*1600(DI)
	VADDPS Y6, Y4, Y4         // c0 + c2
	VSUBPS Y11, Y10, Y0
	VMULPS COS8, Y0, Y0       // e2
	VADDPS Y11, Y10, Y1
	VMULPS COS8, Y1, Y1       // f2
	VADDPS Y0, Y8, Y2         // p
	VSUBPS Y0, Y8, Y3         // q
	VADDPS Y9, Y1, Y8         // f2 + b4
	VSUBPS Y9, Y1, Y9         // f2 − b4

	PAIR(1, Y0, Y10)
	PAIR(7, Y1, Y11)
	VSUBPS  Y11, Y10, Y6      // e1
	VADDPS  Y11, Y10, Y10     // f1
	PAIR(3, Y11, Y12)
	PAIR(5, Y13, Y14)
	VSUBPS  Y14, Y12, Y15     // e3
	VADDPS  Y14, Y12, Y12     // f3
	VADDPS  Y13, Y0, Y14      // c1
	VSUBPS  Y13, Y0, Y0       // d1
	VADDPS  Y1, Y11, Y13      // c3
	VSUBPS  Y1, Y11, Y11      // d3
	VSUBPS  Y14, Y13, Y1
	VMOVUPS Y1, 4*1600+32(DI)
	VADDPS  Y14, Y13, Y13
	VADDPS  Y13, Y4, Y1
	VMOVUPS Y1, (DI)
	VSUBPS  Y13, Y4, Y4
	VMOVUPS Y4, 32(DI)

	VSUBPS  Y11, Y0, Y1
	VMULPS  COS8, Y1, Y1      // u
	VADDPS  Y11, Y0, Y4
	VMULPS  NCOS8, Y4, Y4     // −v
	VADDPS  Y1, Y5, Y0
	VMOVUPS Y0, 2*1600(DI)
	VSUBPS  Y1, Y5, Y5
	VMOVUPS Y5, 6*1600(DI)
	VSUBPS  Y7, Y4, Y0
	VMOVUPS Y0, 2*1600+32(DI)
	VADDPS  Y7, Y4, Y4
	VMOVUPS Y4, 6*1600+32(DI)

	VMULPS       COS16, Y6, Y0
	VFMADD231PS  SIN16, Y15, Y0 // g
	VMULPS       SIN16, Y6, Y1
	VFNMADD231PS COS16, Y15, Y1 // h
	VMULPS       NSIN16, Y10, Y4
	VFNMADD231PS COS16, Y12, Y4 // −k
	VMULPS       NCOS16, Y10, Y5
	VFMADD231PS  SIN16, Y12, Y5 // −l
	VADDPS       Y0, Y2, Y7
	VMOVUPS      Y7, 1*1600(DI)
	VSUBPS       Y8, Y4, Y10
	VMOVUPS      Y10, 1*1600+32(DI)
	VSUBPS       Y0, Y2, Y2
	VMOVUPS      Y2, 7*1600(DI)
	VADDPS       Y8, Y4, Y4
	VMOVUPS      Y4, 7*1600+32(DI)
	VADDPS       Y1, Y3, Y7
	VMOVUPS      Y7, 3*1600(DI)
	VSUBPS       Y9, Y5, Y10
	VMOVUPS      Y10, 3*1600+32(DI)
	VSUBPS       Y1, Y3, Y3
	VMOVUPS      Y3, 5*1600(DI)
	VADDPS       Y9, Y5, Y5
	VMOVUPS      Y5, 5*1600+32(DI)

	ADDQ $32, BX
	ADDQ $64, DI
	DECL CX
	JNZ  loop
	VZEROUPPER
	RET

// DFT5 is dft5 of the numbers at SI that are S bytes apart. z0 … z4 come out in Y10 Y11, Y12 Y13, Y8 Y9, Y6 Y7, Y2 Y3. The
// sines are taken as sin5a and a quotient: n = sin5a·(c + d·sin5b/sin5a), or sin5a·(c·sin5b/sin5a − d). It takes Y0 … Y13
// and wants sin5a in Y14, sin5b/sin5a in Y15.
#define DFT5(S) \
	VMOVUPS S(SI), Y0              \
	VMOVUPS S+32(SI), Y1           \
	VMOVUPS 2*S(SI), Y2            \
	VMOVUPS 2*S+32(SI), Y3         \
	VSUBPS  4*S(SI), Y0, Y4        \ // c
	VSUBPS  4*S+32(SI), Y1, Y5     \
	VADDPS  4*S(SI), Y0, Y0        \ // a
	VADDPS  4*S+32(SI), Y1, Y1     \
	VSUBPS  3*S(SI), Y2, Y6        \ // d
	VSUBPS  3*S+32(SI), Y3, Y7     \
	VADDPS  3*S(SI), Y2, Y2        \ // b
	VADDPS  3*S+32(SI), Y3, Y3     \
	VMOVUPS (SI), Y8               \
	VMOVUPS 32(SI), Y9             \
	VADDPS  Y2, Y0, Y10            \
	VADDPS  Y3, Y1, Y11            \
	VADDPS  Y8, Y10, Y10           \ // z0
	VADDPS  Y9, Y11, Y11           \
	VMOVAPS Y8, Y12                \
	VMOVAPS Y9, Y13                \
	VFMADD231PS COS5A, Y0, Y12     \ // m of z1 and z4
	VFMADD231PS COS5A, Y1, Y13     \
	VFMADD231PS COS5B, Y0, Y8      \ // m of z2 and z3
	VFMADD231PS COS5B, Y1, Y9      \
	VFMADD231PS COS5B, Y2, Y12     \
	VFMADD231PS COS5B, Y3, Y13     \
	VFMADD231PS COS5A, Y2, Y8      \
	VFMADD231PS COS5A, Y3, Y9      \
	VMOVAPS Y4, Y0                 \
	VMOVAPS Y5, Y1                 \
	VFMADD231PS Y15, Y6, Y0        \ // n of z1 and z4, by sin5a
	VFMADD231PS Y15, Y7, Y1        \
	VFMSUB132PS Y15, Y6, Y4        \ // n of z2 and z3, by sin5a
	VFMSUB132PS Y15, Y7, Y5        \
	VMOVAPS Y12, Y2                \
	VMOVAPS Y13, Y3                \
	VMOVAPS Y8, Y6                 \
	VMOVAPS Y9, Y7                 \
	VFNMADD231PS Y14, Y1, Y2       \ // z4
	VFMADD231PS  Y14, Y0, Y3       \
	VFMADD231PS  Y14, Y1, Y12      \ // z1
	VFNMADD231PS Y14, Y0, Y13      \
	VFNMADD231PS Y14, Y5, Y6       \ // z3
	VFMADD231PS  Y14, Y4, Y7       \
	VFMADD231PS  Y14, Y5, Y8       \ // z2
	VFNMADD231PS Y14, Y4, Y9

// TWIDDLE multiplies re + i·im by the number at off(BX). It takes Y0 and Y1.
#define TWIDDLE(off, re, im) \
	VMULPS      off+32(BX), im, Y0 \
	VMULPS      off+32(BX), re, Y1 \
	VFMSUB132PS off(BX), Y0, re    \
	VFMADD132PS off(BX), Y1, im

// STORE5 puts DFT5's results to DI, 320 bytes apart.
#define STORE5 \
	VMOVUPS Y10, (DI)         \
	VMOVUPS Y11, 32(DI)       \
	VMOVUPS Y12, 1*320(DI)    \
	VMOVUPS Y13, 1*320+32(DI) \
	VMOVUPS Y8, 2*320(DI)     \
	VMOVUPS Y9, 2*320+32(DI)  \
	VMOVUPS Y6, 3*320(DI)     \
	VMOVUPS Y7, 3*320+32(DI)  \
	VMOVUPS Y2, 4*320(DI)     \
	VMOVUPS Y3, 4*320+32(DI)

// func rowsAVX2(rows, y, twiddles, k *float32)
// kernels.rows. Requires AVX, FMA. DX row, R10 y, R11 twiddles, R12 k, R13 rows left, CX rounds left; SI, DI, BX walk.
TEXT ·rowsAVX2(SB), NOSPLIT, $0-32
	MOVQ    rows+0(FP), DX
	MOVQ    y+8(FP), R10
	MOVQ    twiddles+16(FP), R11
	MOVQ    k+24(FP), R12
	VMOVUPS SIN5A, Y14
	VMOVUPS SIN5BA, Y15
	MOVL    $8, R13

row:
	MOVQ DX, SI
	MOVQ R10, DI
	MOVQ R11, BX
	MOVL $5, CX

first:
	DFT5(320)
	TWIDDLE(0, Y12, Y13)
	TWIDDLE(64, Y8, Y9)
	TWIDDLE(128, Y6, Y7)
	TWIDDLE(192, Y2, Y3)
	STORE5
	ADDQ $64, SI
	ADDQ $64, DI
	ADDQ $256, BX
	DECL CX
	JNZ  first

	MOVQ R10, SI
	MOVQ DX, DI
	MOVL $5, CX

second:
	DFT5(64)
	STORE5
	ADDQ $320, SI
	ADDQ $64, DI
	DECL CX
	JNZ  second

	ADDQ $1600, DX
	DECL R13
	JNZ  row
	VZEROUPPER
	RET

// func powerAVX2(power, rows *float32, bin *uint16, k *float32)
// kernels.power. Requires AVX, FMA. DI power, SI rows, BX bin, R12 k, CX left, R8 R9 offsets of bins; DX where the pair of
// SI lies in row 0.
TEXT ·powerAVX2(SB), NOSPLIT, $0-32
	MOVQ power+0(FP), DI
	MOVQ rows+8(FP), SI
	MOVQ bin+16(FP), BX
	MOVQ k+24(FP), R12

	// Rows 0 and 8, of which row 0 holds a sum. Its first number is both their first.
	VMOVUPS (SI), Y0
	VMOVUPS 32(SI), Y1
	VMULPS  Y0, Y0, Y0
	VMULPS  Y1, Y1, Y1
	MOVWLZX (BX), R8
	MOVWLZX 8*50(BX), R9
	VMOVUPS Y0, (DI)(R8*1)
	VMOVUPS Y1, (DI)(R9*1)
	VMOVUPS QUARTER, Y8
	LEAQ    1600(SI), DX
	MOVL    $12, CX

pairs:
	ADDQ        $64, SI
	SUBQ        $64, DX
	ADDQ        $2, BX
	VMOVUPS     (SI), Y0
	VMOVUPS     32(SI), Y1
	VADDPS      (DX), Y0, Y2
	VSUBPS      32(DX), Y1, Y3
	VADDPS      32(DX), Y1, Y1
	VSUBPS      (DX), Y0, Y0
	VMULPS      Y2, Y2, Y2
	VFMADD231PS Y3, Y3, Y2
	VMULPS      Y1, Y1, Y1
	VFMADD231PS Y0, Y0, Y1
	VMULPS      Y8, Y2, Y2
	VMULPS      Y8, Y1, Y1
	MOVWLZX     (BX), R8
	MOVWLZX     8*50(BX), R9
	VMOVUPS     Y2, (DI)(R8*1)
	VMOVUPS     Y1, (DI)(R9*1)
	DECL        CX
	JNZ         pairs

	ADDQ $26, BX   // from [0][12] to [1][0]
	ADDQ $832, SI
	MOVL $175, CX

loop:
	VMOVUPS     (SI), Y0
	VMOVUPS     32(SI), Y1
	VMULPS      Y0, Y0, Y0
	VFMADD231PS Y1, Y1, Y0
	MOVWLZX     (BX), R8
	VMOVUPS     Y0, (DI)(R8*1)
	ADDQ        $2, BX
	ADDQ        $64, SI
	DECL        CX
	JNZ         loop
	VZEROUPPER
	RET

// func bandsAVX2(dst, peak, power, weights *float32, spans *span, n int, k *float32)
// kernels.bands, in the words of log10. Requires AVX2, FMA. DI dst, DX peak, SI power, BX weights, R10 spans, R11 bands left,
// R12 k, R8 powers of a band, CX left of it, R9 where it goes; Y0 sum, Y1 weight, then where the sum is large enough, Y2 f,
// Y3 e, Y4 log, Y5 peak, Y6 … Y11 and Y12 … Y15 constants.
TEXT ·bandsAVX2(SB), NOSPLIT, $0-56
	MOVQ    dst+0(FP), DI
	MOVQ    peak+8(FP), DX
	MOVQ    power+16(FP), SI
	MOVQ    weights+24(FP), BX
	MOVQ    spans+32(FP), R10
	MOVQ    n+40(FP), R11
	MOVQ    k+48(FP), R12
	VMOVUPS LEAST, Y6
	VMOVUPS SILENCE, Y7
	VMOVUPS SQRTH, Y8
	VMOVUPS MANT, Y9
	VMOVUPS ONE, Y10
	VMOVUPS LOG2, Y11
	VMOVUPS TERM(0), Y12
	VMOVUPS TERM(1), Y13
	VMOVUPS TERM(2), Y14
	VMOVUPS TERM(3), Y15
	VMOVAPS Y7, Y5

band:
	MOVL   (R10), R8
	MOVL   4(R10), CX
	MOVL   8(R10), R9
	ADDQ   SI, R8
	VXORPS Y0, Y0, Y0
	TESTL  CX, CX
	JZ     summed

sum:
	VBROADCASTSS (BX), Y1
	VFMADD231PS  (R8), Y1, Y0
	ADDQ         $4, BX
	ADDQ         $32, R8
	DECL         CX
	JNZ          sum

summed:
	VCMPPS      $0x1E, Y6, Y0, Y1 // greater; false for NaN
	VPSUBD      Y8, Y0, Y2
	VPSRAD      $23, Y2, Y3
	VCVTDQ2PS   Y3, Y3
	VPAND       Y9, Y2, Y2
	VPADDD      Y8, Y2, Y2
	VSUBPS      Y10, Y2, Y2
	VMOVUPS     TERM(7), Y4
	VFMADD213PS TERM(6), Y2, Y4
	VFMADD213PS TERM(5), Y2, Y4
	VFMADD213PS TERM(4), Y2, Y4
	VFMADD213PS Y15, Y2, Y4
	VFMADD213PS Y14, Y2, Y4
	VFMADD213PS Y13, Y2, Y4
	VFMADD213PS Y12, Y2, Y4
	VMULPS      Y2, Y4, Y4
	VFMADD231PS Y11, Y3, Y4
	VBLENDVPS   Y1, Y4, Y7, Y4
	VMAXPS      Y4, Y5, Y5
	VMOVUPS     Y4, (DI)(R9*1)
	ADDQ        $12, R10
	DECQ        R11
	JNZ         band
	VMOVUPS     Y5, (DX)
	VZEROUPPER
	RET

// func joinAVX2(dst *float32, stride int, src *float32, n int)
// kernels.join. Requires AVX. DI dst, DX four frames behind, R8 stride in bytes, R9 three of them, SI src, CX left.
TEXT ·joinAVX2(SB), NOSPLIT, $0-32
	MOVQ dst+0(FP), DI
	MOVQ stride+8(FP), R8
	MOVQ src+16(FP), SI
	MOVQ n+24(FP), CX
	SHLQ $2, R8
	LEAQ (R8)(R8*2), R9
	LEAQ (DI)(R8*4), DX

loop:
	QUAD(32)
	TURN
	VMOVUPS Y0, (DI)
	VMOVUPS Y1, (DI)(R8*1)
	VMOVUPS Y2, (DI)(R8*2)
	VMOVUPS Y3, (DI)(R9*1)
	ADDQ    $16, SI
	QUAD(32)
	TURN
	VMOVUPS Y0, (DX)
	VMOVUPS Y1, (DX)(R8*1)
	VMOVUPS Y2, (DX)(R8*2)
	VMOVUPS Y3, (DX)(R9*1)
	ADDQ    $240, SI
	ADDQ    $32, DI
	ADDQ    $32, DX
	SUBQ    $8, CX
	JNZ     loop
	VZEROUPPER
	RET

// func normaliseAVX2(dst, x *float32, n int, floor float32)
// kernels.normalise. Requires AVX. DI dst, SI x, CX left; Y0 x, Y1 floor, Y2 4, Y3 ¼.
TEXT ·normaliseAVX2(SB), NOSPLIT, $0-28
	MOVQ         dst+0(FP), DI
	MOVQ         x+8(FP), SI
	MOVQ         n+16(FP), CX
	VBROADCASTSS floor+24(FP), Y1
	VBROADCASTSS ·four<>+0(SB), Y2
	VBROADCASTSS ·four<>+4(SB), Y3

loop:
	VMAXPS  (SI), Y1, Y0
	VADDPS  Y2, Y0, Y0
	VMULPS  Y3, Y0, Y0
	VMOVUPS Y0, (DI)
	ADDQ    $32, SI
	ADDQ    $32, DI
	SUBQ    $8, CX
	JNZ     loop
	VZEROUPPER
	RET

DATA ·four<>+0(SB)/4, $0x40800000
DATA ·four<>+4(SB)/4, $0x3E800000
GLOBL ·four<>(SB), RODATA|NOPTR, $8
