//go:build !noasm

#include "textflag.h"

// HSUM leaves the sum of the lanes of Y0 in X0. It takes X1.
#define HSUM \
	VEXTRACTF128 $1, Y0, X1 \
	VADDPS       X1, X0, X0 \
	VHADDPS      X0, X0, X0 \
	VHADDPS      X0, X0, X0

// func exp2Sum8AVX2(x *float32, n int, m float32) float32
// Table.Exp2Sum. Requires AVX2, FMA, and n > 0, a multiple of 8.
// A power is that of the next whole number of eighths, whose fraction comes from a table and whose whole part is added to
// the exponent, times a polynomial.
// SI x, CX left; Y0 the sum, Y1 … Y3, Y7 at work, Y4 m, Y5 −125, Y6 what rounds, Y8 … Y10 c1 … c3, Y11 the table.
TEXT ·exp2Sum8AVX2(SB), NOSPLIT, $0-28
	MOVQ         x+0(FP), SI
	MOVQ         n+8(FP), CX
	VBROADCASTSS m+16(FP), Y4
	VBROADCASTSS ·exp2Terms+0(SB), Y5
	VBROADCASTSS ·exp2Short+0(SB), Y6
	VBROADCASTSS ·exp2Short+4(SB), Y8
	VBROADCASTSS ·exp2Short+8(SB), Y9
	VBROADCASTSS ·exp2Short+12(SB), Y10
	VMOVUPS      ·exp2Eighths+0(SB), Y11
	VXORPS       Y0, Y0, Y0

loop:
	VMOVUPS     (SI), Y1
	VSUBPS      Y4, Y1, Y1
	VMAXPS      Y1, Y5, Y1       // a NaN stays
	VADDPS      Y6, Y1, Y2       // eighths in the low bits
	VSUBPS      Y6, Y2, Y3
	VSUBPS      Y3, Y1, Y1       // f
	VPERMPS     Y11, Y2, Y3
	VPSLLD      $20, Y2, Y2
	VPADDD      Y2, Y3, Y3       // 2^eighths
	VMOVAPS     Y10, Y7
	VFMADD213PS Y9, Y1, Y7
	VFMADD213PS Y8, Y1, Y7
	VMULPS      Y3, Y1, Y1
	VFMADD231PS Y7, Y1, Y3
	VMOVUPS     Y3, (SI)
	VADDPS      Y3, Y0, Y0
	ADDQ        $32, SI
	SUBQ        $8, CX
	JNZ         loop
	HSUM
	VMOVSS      X0, ret+24(FP)
	VZEROUPPER
	RET

// func gelu8AVX2(x *float32, n int)
// Table.GELU as max(x, 0) − |x|·tail(|x|). Requires AVX2, FMA, and n > 0, a multiple of 8.
// SI x, CX left; Y0 x, Y1 |x|, Y2, Y13, Y14 at work, Y3 0, Y4 all but the sign, Y5 10, Y6 … Y12 c0 … c6.
TEXT ·gelu8AVX2(SB), NOSPLIT, $0-16
	MOVQ         x+0(FP), SI
	MOVQ         n+8(FP), CX
	VBROADCASTSS ·tailTerms+0(SB), Y4
	VBROADCASTSS ·tailTerms+4(SB), Y5
	VBROADCASTSS ·tailTerms+8(SB), Y6
	VBROADCASTSS ·tailTerms+12(SB), Y7
	VBROADCASTSS ·tailTerms+16(SB), Y8
	VBROADCASTSS ·tailTerms+20(SB), Y9
	VBROADCASTSS ·tailTerms+24(SB), Y10
	VBROADCASTSS ·tailTerms+28(SB), Y11
	VBROADCASTSS ·tailTerms+32(SB), Y12
	VXORPS       Y3, Y3, Y3

loop:
	VMOVUPS     (SI), Y0
	VANDPS      Y0, Y4, Y1
	VMINPS      Y1, Y5, Y1      // a NaN stays
	VMAXPS      Y3, Y0, Y0
	VMULPS      Y1, Y1, Y13     // a²: pairs of terms shorten the chain
	VMOVAPS     Y12, Y2
	VFMADD213PS Y10, Y13, Y2    // c6·a² + c4
	VMOVAPS     Y11, Y14
	VFMADD213PS Y9, Y13, Y14    // c5·a² + c3
	VFMADD213PS Y8, Y13, Y2     // … + c2
	VFMADD213PS Y7, Y13, Y14    // … + c1
	VFMADD213PS Y6, Y13, Y2     // … + c0
	VFMADD231PS Y14, Y1, Y2
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
