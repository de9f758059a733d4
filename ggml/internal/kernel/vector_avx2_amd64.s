//go:build !noasm

#include "textflag.h"

// 2^f for |f| ≤ 1/2 as 1 + c1·f + … + c6·f⁶: relative error 2.6e−9 before rounding (Remez).
DATA ·exp2<>+0(SB)/4, $0xC2FA0000  // −125, the least exponent
DATA ·exp2<>+4(SB)/4, $0x4B400000  // 1.5·2²³: adding it rounds to a whole number
DATA ·exp2<>+8(SB)/4, $0x3F800000  // 1
DATA ·exp2<>+12(SB)/4, $0x3F317219
DATA ·exp2<>+16(SB)/4, $0x3E75FDF1
DATA ·exp2<>+20(SB)/4, $0x3D635739
DATA ·exp2<>+24(SB)/4, $0x3C1D9387
DATA ·exp2<>+28(SB)/4, $0x3AAFB93C
DATA ·exp2<>+32(SB)/4, $0x392385A8
GLOBL ·exp2<>(SB), RODATA|NOPTR, $36

// (1 − erf(a/√2))/2 for a ≥ 0 as (c0 + c1·a + … + c6·a⁶)⁻¹⁶. Times a, it errs by 2.2e−7 at most before rounding (Remez,
// with the weight that makes it the error of this product).
DATA ·tail<>+0(SB)/4, $0x7FFFFFFF  // all but the sign
DATA ·tail<>+4(SB)/4, $0x41200000  // 10, where the tail is long nothing and its inverse still finite
DATA ·tail<>+8(SB)/4, $0x3F85AACC
DATA ·tail<>+12(SB)/4, $0x3D55410B
DATA ·tail<>+16(SB)/4, $0x3CB527CB
DATA ·tail<>+20(SB)/4, $0x3B5CE429
DATA ·tail<>+24(SB)/4, $0x389DEDEA
DATA ·tail<>+28(SB)/4, $0x38265295
DATA ·tail<>+32(SB)/4, $0x36EA7508
GLOBL ·tail<>(SB), RODATA|NOPTR, $36

// HSUM leaves the sum of the lanes of Y0 in X0. It takes X1.
#define HSUM \
	VEXTRACTF128 $1, Y0, X1 \
	VADDPS       X1, X0, X0 \
	VHADDPS      X0, X0, X0 \
	VHADDPS      X0, X0, X0

// func max8AVX2(x *float32, n int) float32
// The largest of x. Requires AVX and n ≥ 8. SI x, CX left, DX the last eight; Y0 … Y3 maxima.
TEXT ·max8AVX2(SB), NOSPLIT, $0-20
	MOVQ    x+0(FP), SI
	MOVQ    n+8(FP), CX
	LEAQ    -32(SI)(CX*4), DX
	VMOVUPS (DX), Y0 // covers what is behind the last whole vector
	VMOVUPS Y0, Y1
	VMOVUPS Y0, Y2
	VMOVUPS Y0, Y3
	SUBQ    $32, CX
	JL      rest

loop:
	VMAXPS (SI), Y0, Y0
	VMAXPS 32(SI), Y1, Y1
	VMAXPS 64(SI), Y2, Y2
	VMAXPS 96(SI), Y3, Y3
	ADDQ   $128, SI
	SUBQ   $32, CX
	JGE    loop

rest:
	ADDQ $24, CX
	JL   done
	VMAXPS (SI), Y0, Y0
	ADDQ $32, SI
	SUBQ $32, CX
	JMP  rest

done:
	VMAXPS       Y1, Y0, Y0
	VMAXPS       Y3, Y2, Y2
	VMAXPS       Y2, Y0, Y0
	VEXTRACTF128 $1, Y0, X1
	VMAXPS       X1, X0, X0
	VPERMILPS    $0x4E, X0, X1
	VMAXPS       X1, X0, X0
	VPERMILPS    $0xB1, X0, X1
	VMAXPS       X1, X0, X0
	VMOVSS       X0, ret+16(FP)
	VZEROUPPER
	RET

// func exp2Sum8AVX2(x *float32, n int, m float32) float32
// Table.Exp2Sum. Requires AVX2, FMA, and n > 0, a multiple of 8. With x−m = i + f, i whole: 2^f by the polynomial, and i
// added to its exponent. SI x, CX left; Y0 the sum, Y1 … Y3 at work, Y4 m, Y5 −125, Y6 what rounds, Y7 1, Y8 … Y13 c1 … c6.
TEXT ·exp2Sum8AVX2(SB), NOSPLIT, $0-28
	MOVQ         x+0(FP), SI
	MOVQ         n+8(FP), CX
	VBROADCASTSS m+16(FP), Y4
	VBROADCASTSS ·exp2<>+0(SB), Y5
	VBROADCASTSS ·exp2<>+4(SB), Y6
	VBROADCASTSS ·exp2<>+8(SB), Y7
	VBROADCASTSS ·exp2<>+12(SB), Y8
	VBROADCASTSS ·exp2<>+16(SB), Y9
	VBROADCASTSS ·exp2<>+20(SB), Y10
	VBROADCASTSS ·exp2<>+24(SB), Y11
	VBROADCASTSS ·exp2<>+28(SB), Y12
	VBROADCASTSS ·exp2<>+32(SB), Y13
	VXORPS       Y0, Y0, Y0

loop:
	VMOVUPS     (SI), Y1
	VSUBPS      Y4, Y1, Y1
	VMAXPS      Y1, Y5, Y1       // a NaN stays
	VADDPS      Y6, Y1, Y2       // i in the low bits
	VSUBPS      Y6, Y2, Y3
	VSUBPS      Y3, Y1, Y1       // f
	VPSLLD      $23, Y2, Y2
	VMOVAPS     Y13, Y3
	VFMADD213PS Y12, Y1, Y3
	VFMADD213PS Y11, Y1, Y3
	VFMADD213PS Y10, Y1, Y3
	VFMADD213PS Y9, Y1, Y3
	VFMADD213PS Y8, Y1, Y3
	VFMADD213PS Y7, Y1, Y3
	VPADDD      Y2, Y3, Y3
	VMOVUPS     Y3, (SI)
	VADDPS      Y3, Y0, Y0
	ADDQ        $32, SI
	SUBQ        $8, CX
	JNZ         loop
	HSUM
	VMOVSS      X0, ret+24(FP)
	VZEROUPPER
	RET

// func scale8AVX2(x *float32, n int, s float32)
// Table.Scale. Requires AVX and n > 0, a multiple of 8. SI x, CX left, Y0 s.
TEXT ·scale8AVX2(SB), NOSPLIT, $0-20
	MOVQ         x+0(FP), SI
	MOVQ         n+8(FP), CX
	VBROADCASTSS s+16(FP), Y0

loop:
	VMULPS  (SI), Y0, Y1
	VMOVUPS Y1, (SI)
	ADDQ    $32, SI
	SUBQ    $8, CX
	JNZ     loop
	VZEROUPPER
	RET

// func add8AVX2(dst, x *float32, n int)
// Table.Add. Requires AVX and n > 0, a multiple of 8. DI dst, SI x, CX left.
TEXT ·add8AVX2(SB), NOSPLIT, $0-24
	MOVQ dst+0(FP), DI
	MOVQ x+8(FP), SI
	MOVQ n+16(FP), CX

loop:
	VMOVUPS (DI), Y0
	VADDPS  (SI), Y0, Y0
	VMOVUPS Y0, (DI)
	ADDQ    $32, SI
	ADDQ    $32, DI
	SUBQ    $8, CX
	JNZ     loop
	VZEROUPPER
	RET

// func gelu8AVX2(x *float32, n int)
// Table.GELU as max(x, 0) − |x|·tail(|x|). Requires AVX2, FMA, and n > 0, a multiple of 8.
// SI x, CX left; Y0 x, Y1 |x|, Y2 at work, Y3 0, Y4 all but the sign, Y5 10, Y6 … Y12 c0 … c6.
TEXT ·gelu8AVX2(SB), NOSPLIT, $0-16
	MOVQ         x+0(FP), SI
	MOVQ         n+8(FP), CX
	VBROADCASTSS ·tail<>+0(SB), Y4
	VBROADCASTSS ·tail<>+4(SB), Y5
	VBROADCASTSS ·tail<>+8(SB), Y6
	VBROADCASTSS ·tail<>+12(SB), Y7
	VBROADCASTSS ·tail<>+16(SB), Y8
	VBROADCASTSS ·tail<>+20(SB), Y9
	VBROADCASTSS ·tail<>+24(SB), Y10
	VBROADCASTSS ·tail<>+28(SB), Y11
	VBROADCASTSS ·tail<>+32(SB), Y12
	VXORPS       Y3, Y3, Y3

loop:
	VMOVUPS     (SI), Y0
	VANDPS      Y0, Y4, Y1
	VMINPS      Y1, Y5, Y1      // a NaN stays
	VMAXPS      Y3, Y0, Y0
	VMOVAPS     Y12, Y2
	VFMADD213PS Y11, Y1, Y2
	VFMADD213PS Y10, Y1, Y2
	VFMADD213PS Y9, Y1, Y2
	VFMADD213PS Y8, Y1, Y2
	VFMADD213PS Y7, Y1, Y2
	VFMADD213PS Y6, Y1, Y2
	VMULPS      Y2, Y2, Y2
	VMULPS      Y2, Y2, Y2
	VMULPS      Y2, Y2, Y2
	VMULPS      Y2, Y2, Y2
	VDIVPS      Y2, Y1, Y1
	VSUBPS      Y1, Y0, Y0
	VMOVUPS     Y0, (SI)
	ADDQ        $32, SI
	SUBQ        $8, CX
	JNZ         loop
	VZEROUPPER
	RET

// func sum8AVX2(x *float32, n int) float32
// The sum of x. Requires AVX and n > 0, a multiple of 8. SI x, CX left; Y0, Y1 sums.
TEXT ·sum8AVX2(SB), NOSPLIT, $0-20
	MOVQ   x+0(FP), SI
	MOVQ   n+8(FP), CX
	VXORPS Y0, Y0, Y0
	VXORPS Y1, Y1, Y1
	SUBQ   $16, CX
	JL     rest

loop:
	VADDPS (SI), Y0, Y0
	VADDPS 32(SI), Y1, Y1
	ADDQ   $64, SI
	SUBQ   $16, CX
	JGE    loop

rest:
	ADDQ   $16, CX
	JZ     done
	VADDPS (SI), Y0, Y0

done:
	VADDPS Y1, Y0, Y0
	HSUM
	VMOVSS X0, ret+16(FP)
	VZEROUPPER
	RET

// func squares8AVX2(x *float32, n int, mean float32) float32
// The sum of (x−mean)². Requires AVX, FMA, and n > 0, a multiple of 8. SI x, CX left; Y0, Y1 sums, Y2, Y3 at work, Y4 mean.
TEXT ·squares8AVX2(SB), NOSPLIT, $0-28
	MOVQ         x+0(FP), SI
	MOVQ         n+8(FP), CX
	VBROADCASTSS mean+16(FP), Y4
	VXORPS       Y0, Y0, Y0
	VXORPS       Y1, Y1, Y1
	SUBQ         $16, CX
	JL           rest

loop:
	VMOVUPS     (SI), Y2
	VMOVUPS     32(SI), Y3
	VSUBPS      Y4, Y2, Y2
	VSUBPS      Y4, Y3, Y3
	VFMADD231PS Y2, Y2, Y0
	VFMADD231PS Y3, Y3, Y1
	ADDQ        $64, SI
	SUBQ        $16, CX
	JGE         loop

rest:
	ADDQ        $16, CX
	JZ          done
	VMOVUPS     (SI), Y2
	VSUBPS      Y4, Y2, Y2
	VFMADD231PS Y2, Y2, Y0

done:
	VADDPS Y1, Y0, Y0
	HSUM
	VMOVSS X0, ret+24(FP)
	VZEROUPPER
	RET

// func affine8AVX2(dst, x, w, b *float32, n int, mean, scale float32)
// dst = (x−mean)·scale·w + b. Requires AVX, FMA, and n > 0, a multiple of 8.
// DI dst, SI x, BX w, DX b, CX n, AX bytes done; Y0 at work, Y1 mean, Y2 scale.
TEXT ·affine8AVX2(SB), NOSPLIT, $0-48
	MOVQ         dst+0(FP), DI
	MOVQ         x+8(FP), SI
	MOVQ         w+16(FP), BX
	MOVQ         b+24(FP), DX
	MOVQ         n+32(FP), CX
	VBROADCASTSS mean+40(FP), Y1
	VBROADCASTSS scale+44(FP), Y2
	XORQ         AX, AX

loop:
	VMOVUPS     (SI)(AX*1), Y0
	VSUBPS      Y1, Y0, Y0
	VMULPS      Y2, Y0, Y0
	VMOVUPS     (BX)(AX*1), Y3
	VFMADD213PS (DX)(AX*1), Y3, Y0
	VMOVUPS     Y0, (DI)(AX*1)
	ADDQ        $32, AX
	SUBQ        $8, CX
	JNZ         loop
	VZEROUPPER
	RET
