//go:build !noasm

#include "textflag.h"

// MASK sets the lowest CX bits of K1, 0 < CX < 16. It takes AX. A lane without its bit is neither read nor written.
#define MASK \
	MOVL  $1, AX \
	SHLL  CX, AX \
	DECL  AX     \
	KMOVW AX, K1

// HSUM leaves the sum of the lanes of Z0 in X0. It takes Y1.
#define HSUM \
	VEXTRACTF64X4 $1, Z0, Y1  \
	VADDPS        Y1, Y0, Y0  \
	VEXTRACTF128  $1, Y0, X1  \
	VADDPS        X1, X0, X0  \
	VHADDPS       X0, X0, X0  \
	VHADDPS       X0, X0, X0

// func max16AVX512(x *float32, n int) float32
// The largest of x. Requires AVX-512 F and n > 0. SI x, CX left; Z0 … Z3 maxima.
TEXT ·max16AVX512(SB), NOSPLIT, $0-20
	MOVQ         x+0(FP), SI
	MOVQ         n+8(FP), CX
	VBROADCASTSS (SI), Z0
	VMOVAPS      Z0, Z1
	VMOVAPS      Z0, Z2
	VMOVAPS      Z0, Z3
	SUBQ         $64, CX
	JL           rest

loop:
	VMAXPS (SI), Z0, Z0
	VMAXPS 64(SI), Z1, Z1
	VMAXPS 128(SI), Z2, Z2
	VMAXPS 192(SI), Z3, Z3
	ADDQ   $256, SI
	SUBQ   $64, CX
	JGE    loop

rest:
	ADDQ   $48, CX
	JL     tail
	VMAXPS (SI), Z0, Z0
	ADDQ   $64, SI
	SUBQ   $64, CX
	JMP    rest

tail:
	ADDQ   $16, CX
	JZ     done
	MASK
	VMAXPS (SI), Z1, K1, Z1

done:
	VMAXPS        Z1, Z0, Z0
	VMAXPS        Z3, Z2, Z2
	VMAXPS        Z2, Z0, Z0
	VEXTRACTF64X4 $1, Z0, Y1
	VMAXPS        Y1, Y0, Y0
	VEXTRACTF128  $1, Y0, X1
	VMAXPS        X1, X0, X0
	VPERMILPS     $0x4E, X0, X1
	VMAXPS        X1, X0, X0
	VPERMILPS     $0xB1, X0, X1
	VMAXPS        X1, X0, X0
	VMOVSS        X0, ret+16(FP)
	VZEROUPPER
	RET

// 2^f for |f| ≤ 1/64 as 1 + c1·f + c2·f²: relative error 5.3e−8 before rounding (Remez).
DATA ·exp2Fine<>+0(SB)/4, $0x48C00000 // 1.5·2¹⁸: adding it rounds to a part of 32
DATA ·exp2Fine<>+4(SB)/4, $0x3F3172C2
DATA ·exp2Fine<>+8(SB)/4, $0x3E75FDEF
GLOBL ·exp2Fine<>(SB), RODATA|NOPTR, $12

// The bits of 2^(j/32), less j·2¹⁸.
DATA ·exp2Parts<>+0(SB)/8, $0x3F7ECD873F800000
DATA ·exp2Parts<>+8(SB)/8, $0x3F7C980F3F7DAAC3
DATA ·exp2Parts<>+16(SB)/8, $0x3F7AA43A3F7B95C2
DATA ·exp2Parts<>+24(SB)/8, $0x3F78F4F03F79C3D3
DATA ·exp2Parts<>+32(SB)/8, $0x3F778D3A3F7837F0
DATA ·exp2Parts<>+40(SB)/8, $0x3F7670433F76F532
DATA ·exp2Parts<>+48(SB)/8, $0x3F75A15B3F75FED7
DATA ·exp2Parts<>+56(SB)/8, $0x3F7523F63F75583F
DATA ·exp2Parts<>+64(SB)/8, $0x3F74FBAF3F7504F3
DATA ·exp2Parts<>+72(SB)/8, $0x3F752C4D3F7508A4
DATA ·exp2Parts<>+80(SB)/8, $0x3F75B9BE3F75672A
DATA ·exp2Parts<>+88(SB)/8, $0x3F76A81E3F76248C
DATA ·exp2Parts<>+96(SB)/8, $0x3F77FBB83F7744FD
DATA ·exp2Parts<>+104(SB)/8, $0x3F79B9073F78CCDF
DATA ·exp2Parts<>+112(SB)/8, $0x3F7BE4BA3F7AC0C7
DATA ·exp2Parts<>+120(SB)/8, $0x3F7E83B33F7D257D
GLOBL ·exp2Parts<>(SB), RODATA|NOPTR, $128

// EXP2 leaves 2^(x−m) in power. A number x−m to the nearest part of 32 has the whole number in the bits above five, which becomes the exponent, and its part in those
// five, the place in the table. The rest of x−m is for c1 and c2. x−m is a product and a sum because a Zen has more room for these than for sums.
#define EXP2(x, power, whole, terms) \
	VFMADD213PS Z4, Z17, x          \
	VMAXPS      x, Z5, x            \
	VADDPS      Z6, x, power        \
	VSUBPS      Z6, power, whole    \
	VSUBPS      whole, x, x         \
	VPSLLD      $18, power, whole   \
	VPERMI2PS   Z11, Z10, power     \
	VPADDD      whole, power, power \
	VMOVAPS     Z9, terms           \
	VFMADD213PS Z8, x, terms        \
	VMULPS      power, x, x         \
	VFMADD231PS terms, x, power

// func exp2Sum16AVX512(x *float32, n int, m float32) float32
// Table.Exp2Sum. Requires AVX-512 F and n > 0. Rows of scores follow each other: the next one is fetched meanwhile.
// SI x, CX left, R8 bytes of x; Z0, Z7 sums, Z1 … Z3, Z12 and Z13 … Z16 at work, Z4 −m, Z5 −125, Z6 what rounds, Z8, Z9 c1, c2, Z10,
// Z11 the table, Z17 ones.
TEXT ·exp2Sum16AVX512(SB), NOSPLIT, $0-28
	MOVQ         x+0(FP), SI
	MOVQ         n+8(FP), CX
	LEAQ         (CX*4), R8
	VBROADCASTSS m+16(FP), Z4
	VBROADCASTSS ·exp2Terms+0(SB), Z5
	VBROADCASTSS ·exp2Fine<>+0(SB), Z6
	VBROADCASTSS ·exp2Fine<>+4(SB), Z8
	VBROADCASTSS ·exp2Fine<>+8(SB), Z9
	VMOVUPS      ·exp2Parts<>+0(SB), Z10
	VMOVUPS      ·exp2Parts<>+64(SB), Z11
	VBROADCASTSS ·exp2Terms+8(SB), Z17
	VPXORD       Z0, Z0, Z0
	VPXORD       Z7, Z7, Z7
	VSUBPS       Z4, Z0, Z4
	SUBQ         $32, CX
	JL           rest

loop:
	PREFETCHT0 (SI)(R8*1)
	PREFETCHT0 64(SI)(R8*1)
	VMOVUPS    (SI), Z1
	VMOVUPS    64(SI), Z13
	EXP2(Z1, Z2, Z3, Z12)
	EXP2(Z13, Z14, Z15, Z16)
	VMOVUPS    Z2, (SI)
	VMOVUPS    Z14, 64(SI)
	VADDPS     Z2, Z0, Z0
	VADDPS     Z14, Z7, Z7
	ADDQ       $128, SI
	SUBQ       $32, CX
	JGE        loop

rest:
	ADDQ    $16, CX
	JL      tail
	VMOVUPS (SI), Z1
	EXP2(Z1, Z2, Z3, Z12)
	VMOVUPS Z2, (SI)
	VADDPS  Z2, Z0, Z0
	ADDQ    $64, SI
	SUBQ    $16, CX

tail:
	ADDQ      $16, CX
	JZ        done
	MASK
	VMOVUPS.Z (SI), K1, Z1
	EXP2(Z1, Z2, Z3, Z12)
	VMOVUPS   Z2, K1, (SI)
	VADDPS    Z2, Z7, K1, Z7

done:
	VADDPS Z7, Z0, Z0
	HSUM
	VMOVSS X0, ret+24(FP)
	VZEROUPPER
	RET

// func scale16AVX512(x *float32, n int, s float32)
// Table.Scale. Requires AVX-512 F and n > 0. SI x, CX left, Z0 s.
TEXT ·scale16AVX512(SB), NOSPLIT, $0-20
	MOVQ         x+0(FP), SI
	MOVQ         n+8(FP), CX
	VBROADCASTSS s+16(FP), Z0
	SUBQ         $16, CX
	JL           tail

loop:
	VMULPS  (SI), Z0, Z1
	VMOVUPS Z1, (SI)
	ADDQ    $64, SI
	SUBQ    $16, CX
	JGE     loop

tail:
	ADDQ     $16, CX
	JZ       done
	MASK
	VMULPS.Z (SI), Z0, K1, Z1
	VMOVUPS  Z1, K1, (SI)

done:
	VZEROUPPER
	RET

// func add16AVX512(dst, x *float32, n int)
// Table.Add. Requires AVX-512 F and n > 0. DI dst, SI x, CX left. What follows dst and x is fetched: a processor stops at the ends of pages, and the rows of a
// stream are half of one.
TEXT ·add16AVX512(SB), NOSPLIT, $0-24
	MOVQ dst+0(FP), DI
	MOVQ x+8(FP), SI
	MOVQ n+16(FP), CX
	SUBQ $16, CX
	JL   tail

loop:
	PREFETCHT0 4096(DI)
	PREFETCHT0 4096(SI)
	VMOVUPS    (DI), Z0
	VADDPS     (SI), Z0, Z0
	VMOVUPS    Z0, (DI)
	ADDQ       $64, SI
	ADDQ       $64, DI
	SUBQ       $16, CX
	JGE        loop

tail:
	ADDQ      $16, CX
	JZ        done
	MASK
	VMOVUPS.Z (DI), K1, Z0
	VADDPS.Z  (SI), Z0, K1, Z0
	VMOVUPS   Z0, K1, (DI)

done:
	VZEROUPPER
	RET

// GELU replaces Z0. See gelu8AVX2.
#define GELU \
	VPANDD      Z0, Z4, Z1   \
	VMINPS      Z1, Z5, Z1   \
	VMAXPS      Z3, Z0, Z0   \
	VMULPS      Z1, Z1, Z13  \
	VMOVAPS     Z12, Z2      \
	VFMADD213PS Z10, Z13, Z2 \
	VMOVAPS     Z11, Z14     \
	VFMADD213PS Z9, Z13, Z14 \
	VFMADD213PS Z8, Z13, Z2  \
	VFMADD213PS Z7, Z13, Z14 \
	VFMADD213PS Z6, Z13, Z2  \
	VFMADD231PS Z14, Z1, Z2  \
	VMULPS      Z2, Z2, Z2   \
	VMULPS      Z2, Z2, Z2   \
	VMULPS      Z2, Z2, Z2   \
	VMULPS      Z2, Z2, Z2   \
	VDIVPS      Z2, Z1, Z1   \
	VSUBPS      Z1, Z0, Z0

// func gelu16AVX512(x *float32, n int)
// Table.GELU. Requires AVX-512 F and n > 0.
// SI x, CX left; Z0 x, Z1 |x|, Z2, Z13, Z14 at work, Z3 0, Z4 all but the sign, Z5 10, Z6 … Z12 c0 … c6.
TEXT ·gelu16AVX512(SB), NOSPLIT, $0-16
	MOVQ         x+0(FP), SI
	MOVQ         n+8(FP), CX
	VBROADCASTSS ·tailTerms+0(SB), Z4
	VBROADCASTSS ·tailTerms+4(SB), Z5
	VBROADCASTSS ·tailTerms+8(SB), Z6
	VBROADCASTSS ·tailTerms+12(SB), Z7
	VBROADCASTSS ·tailTerms+16(SB), Z8
	VBROADCASTSS ·tailTerms+20(SB), Z9
	VBROADCASTSS ·tailTerms+24(SB), Z10
	VBROADCASTSS ·tailTerms+28(SB), Z11
	VBROADCASTSS ·tailTerms+32(SB), Z12
	VPXORD       Z3, Z3, Z3
	SUBQ         $16, CX
	JL           tail

loop:
	VMOVUPS (SI), Z0
	GELU
	VMOVUPS Z0, (SI)
	ADDQ    $64, SI
	SUBQ    $16, CX
	JGE     loop

tail:
	ADDQ      $16, CX
	JZ        done
	MASK
	VMOVUPS.Z (SI), K1, Z0
	GELU
	VMOVUPS   Z0, K1, (SI)

done:
	VZEROUPPER
	RET

// func sum16AVX512(x *float32, n int) float32
// The sum of x. Requires AVX-512 F, VL, and n > 0. SI x, CX left; Z0, Z1 sums.
TEXT ·sum16AVX512(SB), NOSPLIT, $0-20
	MOVQ   x+0(FP), SI
	MOVQ   n+8(FP), CX
	VPXORD Z0, Z0, Z0
	VPXORD Z1, Z1, Z1
	SUBQ   $32, CX
	JL     rest

loop:
	VADDPS (SI), Z0, Z0
	VADDPS 64(SI), Z1, Z1
	ADDQ   $128, SI
	SUBQ   $32, CX
	JGE    loop

rest:
	ADDQ   $16, CX
	JL     tail
	VADDPS (SI), Z0, Z0
	ADDQ   $64, SI
	SUBQ   $16, CX

tail:
	ADDQ   $16, CX
	JZ     done
	MASK
	VADDPS (SI), Z1, K1, Z1

done:
	VADDPS Z1, Z0, Z0
	HSUM
	VMOVSS X0, ret+16(FP)
	VZEROUPPER
	RET

// func squares16AVX512(x *float32, n int, mean float32) float32
// The sum of (x−mean)². Requires AVX-512 F and n > 0. SI x, CX left; Z0 the sum, Z1 at work, Z4 mean.
TEXT ·squares16AVX512(SB), NOSPLIT, $0-28
	MOVQ         x+0(FP), SI
	MOVQ         n+8(FP), CX
	VBROADCASTSS mean+16(FP), Z4
	VPXORD       Z0, Z0, Z0
	SUBQ         $16, CX
	JL           tail

loop:
	VMOVUPS     (SI), Z1
	VSUBPS      Z4, Z1, Z1
	VFMADD231PS Z1, Z1, Z0
	ADDQ        $64, SI
	SUBQ        $16, CX
	JGE         loop

tail:
	ADDQ        $16, CX
	JZ          done
	MASK
	VMOVUPS.Z   (SI), K1, Z1
	VSUBPS.Z    Z4, Z1, K1, Z1
	VFMADD231PS Z1, Z1, Z0

done:
	HSUM
	VMOVSS X0, ret+24(FP)
	VZEROUPPER
	RET

// func affine16AVX512(dst, x, w, b *float32, n int, mean, scale float32)
// dst = (x−mean)·scale·w + b. Requires AVX-512 F and n > 0.
// DI dst, SI x, BX w, DX b, CX left, R8 bytes done; Z0, Z3 at work, Z1 mean, Z2 scale.
TEXT ·affine16AVX512(SB), NOSPLIT, $0-48
	MOVQ         dst+0(FP), DI
	MOVQ         x+8(FP), SI
	MOVQ         w+16(FP), BX
	MOVQ         b+24(FP), DX
	MOVQ         n+32(FP), CX
	VBROADCASTSS mean+40(FP), Z1
	VBROADCASTSS scale+44(FP), Z2
	XORQ         R8, R8
	SUBQ         $16, CX
	JL           tail

loop:
	VMOVUPS     (SI)(R8*1), Z0
	VSUBPS      Z1, Z0, Z0
	VMULPS      Z2, Z0, Z0
	VMOVUPS     (BX)(R8*1), Z3
	VFMADD213PS (DX)(R8*1), Z3, Z0
	VMOVUPS     Z0, (DI)(R8*1)
	ADDQ        $64, R8
	SUBQ        $16, CX
	JGE         loop

tail:
	ADDQ        $16, CX
	JZ          done
	MASK
	VMOVUPS.Z   (SI)(R8*1), K1, Z0
	VSUBPS      Z1, Z0, Z0
	VMULPS      Z2, Z0, Z0
	VMOVUPS.Z   (BX)(R8*1), K1, Z3
	VFMADD213PS (DX)(R8*1), Z3, K1, Z0
	VMOVUPS     Z0, K1, (DI)(R8*1)

done:
	VZEROUPPER
	RET
