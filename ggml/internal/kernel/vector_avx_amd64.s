//go:build !noasm

#include "textflag.h"
#include "half_avx_amd64.h"

// HSUM leaves the sum of the lanes of Y0 in X0. It takes X1.
#define HSUM \
	VEXTRACTF128 $1, Y0, X1 \
	VADDPS       X1, X0, X0 \
	VHADDPS      X0, X0, X0 \
	VHADDPS      X0, X0, X0

// func max8AVX(x *float32, n int) float32
// The largest of x. Requires AVX and n ≥ 8. SI x, CX left, DX the last eight; Y0 … Y3 maxima.
TEXT ·max8AVX(SB), NOSPLIT, $0-20
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

// func scale8AVX(x *float32, n int, s float32)
// Table.Scale. Requires AVX and n > 0, a multiple of 8. SI x, CX left, Y0 s.
TEXT ·scale8AVX(SB), NOSPLIT, $0-20
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

// func add8AVX(dst, x *float32, n int)
// Table.Add. Requires AVX and n > 0, a multiple of 8. DI dst, SI x, CX left.
TEXT ·add8AVX(SB), NOSPLIT, $0-24
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

// func sum8AVX(x *float32, n int) float32
// The sum of x. Requires AVX and n > 0, a multiple of 8. SI x, CX left; Y0, Y1 sums.
TEXT ·sum8AVX(SB), NOSPLIT, $0-20
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

// func pack8AVX(dst, src *float32, stride, kn, nr int)
// dst[k·nr + j] = src[j·stride + k] for j < 8. Requires AVX and kn > 0, a multiple of 4.
// Four k of eight rows at a time; rows j and j+4 share a register.
// DI dst, SI src (rows 0 … 2), R10 rows 3 … 5, R11 rows 6, 7, R8 stride, CX left, R9 nr; Y0 … Y3 rows, Y4 … Y7 pairs of them.
TEXT ·pack8AVX(SB), NOSPLIT, $0-40
	MOVQ dst+0(FP), DI
	MOVQ src+8(FP), SI
	MOVQ stride+16(FP), R8
	MOVQ kn+24(FP), CX
	MOVQ nr+32(FP), R9
	SHLQ $2, R8
	SHLQ $2, R9
	LEAQ (SI)(R8*2), R10
	ADDQ R8, R10
	LEAQ (R10)(R8*2), R11
	ADDQ R8, R11

loop:
	VMOVUPS     (SI), X0
	VMOVUPS     (SI)(R8*1), X1
	VMOVUPS     (SI)(R8*2), X2
	VMOVUPS     (R10), X3
	VINSERTF128 $1, (R10)(R8*1), Y0, Y0
	VINSERTF128 $1, (R10)(R8*2), Y1, Y1
	VINSERTF128 $1, (R11), Y2, Y2
	VINSERTF128 $1, (R11)(R8*1), Y3, Y3
	VUNPCKLPS   Y1, Y0, Y4 // k, k+1 of rows 0, 1
	VUNPCKHPS   Y1, Y0, Y5 // k+2, k+3
	VUNPCKLPS   Y3, Y2, Y6 // of rows 2, 3
	VUNPCKHPS   Y3, Y2, Y7
	VUNPCKLPD   Y6, Y4, Y0
	VUNPCKHPD   Y6, Y4, Y1
	VUNPCKLPD   Y7, Y5, Y2
	VUNPCKHPD   Y7, Y5, Y3
	VMOVUPS     Y0, (DI)
	VMOVUPS     Y1, (DI)(R9*1)
	LEAQ        (DI)(R9*2), DI
	VMOVUPS     Y2, (DI)
	VMOVUPS     Y3, (DI)(R9*1)
	LEAQ        (DI)(R9*2), DI
	ADDQ        $16, SI
	ADDQ        $16, R10
	ADDQ        $16, R11
	SUBQ        $4, CX
	JNZ         loop
	VZEROUPPER
	RET


// func exp2Sum8AVX(x *float32, n int, m float32) float32
// Table.Exp2Sum. Requires AVX and n > 0, a multiple of 8. With x−m = i + f, i whole: 2^f by the polynomial, and i
// added to its exponent. SI x, CX left; Y0 the sum, Y1 … Y3, Y14, Y15 at work, Y4 m, Y5 −125, Y6 what rounds, Y7 1,
// Y8 … Y13 c1 … c6.
TEXT ·exp2Sum8AVX(SB), NOSPLIT, $0-28
	MOVQ         x+0(FP), SI
	MOVQ         n+8(FP), CX
	VBROADCASTSS m+16(FP), Y4
	VBROADCASTSS ·exp2Terms+0(SB), Y5
	VBROADCASTSS ·exp2Terms+4(SB), Y6
	VBROADCASTSS ·exp2Terms+8(SB), Y7
	VBROADCASTSS ·exp2Terms+12(SB), Y8
	VBROADCASTSS ·exp2Terms+16(SB), Y9
	VBROADCASTSS ·exp2Terms+20(SB), Y10
	VBROADCASTSS ·exp2Terms+24(SB), Y11
	VBROADCASTSS ·exp2Terms+28(SB), Y12
	VBROADCASTSS ·exp2Terms+32(SB), Y13
	VXORPS       Y0, Y0, Y0

loop:
	VMOVUPS     (SI), Y1
	VSUBPS      Y4, Y1, Y1
	VMAXPS      Y1, Y5, Y1       // a NaN stays
	VADDPS      Y6, Y1, Y2       // i in the low bits
	VSUBPS      Y6, Y2, Y3
	VSUBPS      Y3, Y1, Y1       // f
	VMULPS      Y1, Y1, Y14      // f²: pairs of terms shorten the chain
	VMOVAPS     Y13, Y3
	VMULPS      Y1, Y3, Y3
	VADDPS      Y12, Y3, Y3
	VMOVAPS     Y11, Y15
	VMULPS      Y1, Y15, Y15
	VADDPS      Y10, Y15, Y15
	VMULPS      Y14, Y3, Y3
	VADDPS      Y15, Y3, Y3
	VMOVAPS     Y9, Y15
	VMULPS      Y1, Y15, Y15
	VADDPS      Y8, Y15, Y15
	VMULPS      Y14, Y3, Y3
	VADDPS      Y15, Y3, Y3
	VMULPS      Y1, Y3, Y3
	VADDPS      Y7, Y3, Y3
	VEXTRACTF128 $1, Y2, X14
	VEXTRACTF128 $1, Y3, X15
	VPSLLD      $23, X2, X2
	VPSLLD      $23, X14, X14
	VPADDD      X2, X3, X3
	VPADDD      X14, X15, X15
	VINSERTF128 $1, X15, Y3, Y3
	VMOVUPS     Y3, (SI)
	VADDPS      Y3, Y0, Y0
	ADDQ        $32, SI
	SUBQ        $8, CX
	JNZ         loop
	HSUM
	VMOVSS      X0, ret+24(FP)
	VZEROUPPER
	RET

// func gelu8AVX(x *float32, n int)
// Table.GELU as max(x, 0) − |x|·tail(|x|). Requires AVX and n > 0, a multiple of 8.
// SI x, CX left; Y0 x, Y1 |x|, Y2, Y13, Y14 at work, Y3 0, Y4 all but the sign, Y5 10, Y6 … Y12 c0 … c6.
TEXT ·gelu8AVX(SB), NOSPLIT, $0-16
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
	VMULPS      Y13, Y2, Y2
	VADDPS      Y10, Y2, Y2    // c6·a² + c4
	VMOVAPS     Y11, Y14
	VMULPS      Y13, Y14, Y14
	VADDPS      Y9, Y14, Y14    // c5·a² + c3
	VMULPS      Y13, Y2, Y2
	VADDPS      Y8, Y2, Y2     // … + c2
	VMULPS      Y13, Y14, Y14
	VADDPS      Y7, Y14, Y14    // … + c1
	VMULPS      Y13, Y2, Y2
	VADDPS      Y6, Y2, Y2     // … + c0
	VMULPS      Y1, Y14, Y14
	VADDPS      Y14, Y2, Y2
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

// func squares8AVX(x *float32, n int, mean float32) float32
// The sum of (x−mean)². Requires AVX and n > 0, a multiple of 8. SI x, CX left; Y0, Y1 sums, Y2, Y3 at work, Y4 mean.
TEXT ·squares8AVX(SB), NOSPLIT, $0-28
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
	VMULPS      Y2, Y2, Y2
	VADDPS      Y2, Y0, Y0
	VMULPS      Y3, Y3, Y3
	VADDPS      Y3, Y1, Y1
	ADDQ        $64, SI
	SUBQ        $16, CX
	JGE         loop

rest:
	ADDQ        $16, CX
	JZ          done
	VMOVUPS     (SI), Y2
	VSUBPS      Y4, Y2, Y2
	VMULPS      Y2, Y2, Y2
	VADDPS      Y2, Y0, Y0

done:
	VADDPS Y1, Y0, Y0
	HSUM
	VMOVSS X0, ret+24(FP)
	VZEROUPPER
	RET

// func affine8AVX(dst, x, w, b *float32, n int, mean, scale float32)
// dst = (x−mean)·scale·w + b. Requires AVX and n > 0, a multiple of 8.
// DI dst, SI x, BX w, DX b, CX n, AX bytes done; Y0 at work, Y1 mean, Y2 scale.
TEXT ·affine8AVX(SB), NOSPLIT, $0-48
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
	VMULPS      (BX)(AX*1), Y0, Y0
	VADDPS      (DX)(AX*1), Y0, Y0
	VMOVUPS     Y0, (DI)(AX*1)
	ADDQ        $32, AX
	SUBQ        $8, CX
	JNZ         loop
	VZEROUPPER
	RET

// func widenF16x8AVX(dst *float32, src *byte, n int)
// Table.Widen of halves. Requires AVX and n > 0, a multiple of 8. DI dst, SI src, CX left; Y0 numbers, Y1, Y2 at work,
// Y3 1, by which what is no number becomes quiet.
TEXT ·widenF16x8AVX(SB), NOSPLIT, $0-24
	MOVQ         dst+0(FP), DI
	MOVQ         src+8(FP), SI
	MOVQ         n+16(FP), CX
	VBROADCASTSS ·exp2Terms+8(SB), Y3

loop:
	HALVES((SI), X0, Y0, X1, X2, Y1, Y2)
	VMULPS  Y3, Y0, Y0
	VMOVUPS Y0, (DI)
	ADDQ    $16, SI
	ADDQ    $32, DI
	SUBQ    $8, CX
	JNZ     loop
	VZEROUPPER
	RET
