//go:build !noasm

#include "textflag.h"

// KEY starts the sum of a key at p in acc, NEXT goes on with sixteen more of it. v takes the numbers, q holds those of the
// query.
#define KEY(p, q, v, acc) \
	VCVTPH2PS (p), v \
	VMULPS    q, v, acc

#define NEXT(p, off, q, v, acc) \
	VCVTPH2PS   off(p), v \
	VFMADD231PS q, v, acc

// HALVE adds the high eight lanes of Z to the low ones.
#define HALVE(Z, Y) \
	VEXTRACTF64X4 $1, Z, Y12 \
	VADDPS        Y12, Y, Y

// FOUR multiplies the keys at R8 … R11 by Z0 … Z3 and leaves the four scores in X8. Lanes are added as i + (i+8), then
// ((0+1) + (2+3)) + ((4+5) + (6+7)).
#define FOUR \
	KEY(R8, Z0, Z12, Z8)        \
	KEY(R9, Z0, Z13, Z9)        \
	KEY(R10, Z0, Z14, Z10)      \
	KEY(R11, Z0, Z15, Z11)      \
	NEXT(R8, 32, Z1, Z12, Z8)   \
	NEXT(R9, 32, Z1, Z13, Z9)   \
	NEXT(R10, 32, Z1, Z14, Z10) \
	NEXT(R11, 32, Z1, Z15, Z11) \
	NEXT(R8, 64, Z2, Z12, Z8)   \
	NEXT(R9, 64, Z2, Z13, Z9)   \
	NEXT(R10, 64, Z2, Z14, Z10) \
	NEXT(R11, 64, Z2, Z15, Z11) \
	NEXT(R8, 96, Z3, Z12, Z8)   \
	NEXT(R9, 96, Z3, Z13, Z9)   \
	NEXT(R10, 96, Z3, Z14, Z10) \
	NEXT(R11, 96, Z3, Z15, Z11) \
	HALVE(Z8, Y8)               \
	HALVE(Z9, Y9)               \
	HALVE(Z10, Y10)             \
	HALVE(Z11, Y11)             \
	VHADDPS      Y9, Y8, Y8     \
	VHADDPS      Y11, Y10, Y10  \
	VHADDPS      Y10, Y8, Y8    \
	VEXTRACTF128 $1, Y8, X9     \
	VADDPS       X9, X8, X8

// ADDRESS turns a number of a cell into the address of its row of 64 halves.
#define ADDRESS(base, r) \
	SHLQ $7, r \
	ADDQ base, r

// func scores64AVX512(s, q *float32, k *uint16, cells *int32, n int)
// Table.Scores. Requires AVX-512 F and n > 0. Four keys at once; of the last group one at a time, four times over, so
// that lanes are always added in the same order.
// DI s, SI k, BX cells or 0, CX left, AX next cell, R8 … R11 keys; Z0 … Z3 q, Z8 … Z11 sums, Z12 … Z15 keys.
TEXT ·scores64AVX512(SB), NOSPLIT, $0-40
	MOVQ    s+0(FP), DI
	MOVQ    q+8(FP), DX
	MOVQ    k+16(FP), SI
	MOVQ    cells+24(FP), BX
	MOVQ    n+32(FP), CX
	XORQ    AX, AX
	VMOVUPS (DX), Z0
	VMOVUPS 64(DX), Z1
	VMOVUPS 128(DX), Z2
	VMOVUPS 192(DX), Z3
	SUBQ    $4, CX
	JL      rest

loop:
	TESTQ BX, BX
	JZ    inOrder
	MOVL  (BX)(AX*4), R8
	MOVL  4(BX)(AX*4), R9
	MOVL  8(BX)(AX*4), R10
	MOVL  12(BX)(AX*4), R11
	ADDRESS(SI, R8)
	ADDRESS(SI, R9)
	ADDRESS(SI, R10)
	ADDRESS(SI, R11)
	JMP   four

inOrder:
	MOVQ AX, R8
	ADDRESS(SI, R8)
	LEAQ 128(R8), R9
	LEAQ 256(R8), R10
	LEAQ 384(R8), R11

four:
	FOUR
	VMOVUPS X8, (DI)(AX*4)
	ADDQ    $4, AX
	SUBQ    $4, CX
	JGE     loop

rest:
	ADDQ $4, CX
	JZ   done

one:
	MOVQ  AX, R8
	TESTQ BX, BX
	JZ    found
	MOVL  (BX)(AX*4), R8

found:
	ADDRESS(SI, R8)
	MOVQ   R8, R9
	MOVQ   R8, R10
	MOVQ   R8, R11
	FOUR
	VMOVSS X8, (DI)(AX*4)
	INCQ   AX
	DECQ   CX
	JNZ    one

done:
	VZEROUPPER
	RET

// func mix64AVX512(out, p *float32, v *uint16, cells *int32, n int)
// Table.Mix. Requires AVX-512 F and n > 0.
// DI out, DX p, SI v, BX cells or 0, CX n, AX next cell, R8 its row; Z0 … Z3 sums, Z4 the weight, Z5 … Z8 values.
TEXT ·mix64AVX512(SB), NOSPLIT, $0-40
	MOVQ   out+0(FP), DI
	MOVQ   p+8(FP), DX
	MOVQ   v+16(FP), SI
	MOVQ   cells+24(FP), BX
	MOVQ   n+32(FP), CX
	XORQ   AX, AX
	VPXORD Z0, Z0, Z0
	VPXORD Z1, Z1, Z1
	VPXORD Z2, Z2, Z2
	VPXORD Z3, Z3, Z3

loop:
	MOVQ  AX, R8
	TESTQ BX, BX
	JZ    found
	MOVL  (BX)(AX*4), R8

found:
	ADDRESS(SI, R8)
	VBROADCASTSS (DX)(AX*4), Z4
	NEXT(R8, 0, Z4, Z5, Z0)
	NEXT(R8, 32, Z4, Z6, Z1)
	NEXT(R8, 64, Z4, Z7, Z2)
	NEXT(R8, 96, Z4, Z8, Z3)
	INCQ         AX
	CMPQ         AX, CX
	JLT          loop
	VMOVUPS      Z0, (DI)
	VMOVUPS      Z1, 64(DI)
	VMOVUPS      Z2, 128(DI)
	VMOVUPS      Z3, 192(DI)
	VZEROUPPER
	RET
