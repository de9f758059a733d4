//go:build !noasm

#include "textflag.h"

// KEY starts the sum of a key at p in acc, NEXT goes on with eight more of it. v takes the numbers, q holds those of the query.
#define KEY(p, q, v, acc) \
	VCVTPH2PS (p), v \
	VMULPS    q, v, acc

#define NEXT(p, off, q, v, acc) \
	VCVTPH2PS   off(p), v \
	VFMADD231PS q, v, acc

// FOUR multiplies the keys at R8 … R11 by Y0 … Y7 and leaves the four scores in X8. Lanes are added as
// ((0+1) + (2+3)) + ((4+5) + (6+7)).
#define FOUR \
	KEY(R8, Y0, Y12, Y8)        \
	KEY(R9, Y0, Y13, Y9)        \
	KEY(R10, Y0, Y14, Y10)      \
	KEY(R11, Y0, Y15, Y11)      \
	NEXT(R8, 16, Y1, Y12, Y8)   \
	NEXT(R9, 16, Y1, Y13, Y9)   \
	NEXT(R10, 16, Y1, Y14, Y10) \
	NEXT(R11, 16, Y1, Y15, Y11) \
	NEXT(R8, 32, Y2, Y12, Y8)   \
	NEXT(R9, 32, Y2, Y13, Y9)   \
	NEXT(R10, 32, Y2, Y14, Y10) \
	NEXT(R11, 32, Y2, Y15, Y11) \
	NEXT(R8, 48, Y3, Y12, Y8)   \
	NEXT(R9, 48, Y3, Y13, Y9)   \
	NEXT(R10, 48, Y3, Y14, Y10) \
	NEXT(R11, 48, Y3, Y15, Y11) \
	NEXT(R8, 64, Y4, Y12, Y8)   \
	NEXT(R9, 64, Y4, Y13, Y9)   \
	NEXT(R10, 64, Y4, Y14, Y10) \
	NEXT(R11, 64, Y4, Y15, Y11) \
	NEXT(R8, 80, Y5, Y12, Y8)   \
	NEXT(R9, 80, Y5, Y13, Y9)   \
	NEXT(R10, 80, Y5, Y14, Y10) \
	NEXT(R11, 80, Y5, Y15, Y11) \
	NEXT(R8, 96, Y6, Y12, Y8)   \
	NEXT(R9, 96, Y6, Y13, Y9)   \
	NEXT(R10, 96, Y6, Y14, Y10) \
	NEXT(R11, 96, Y6, Y15, Y11) \
	NEXT(R8, 112, Y7, Y12, Y8)  \
	NEXT(R9, 112, Y7, Y13, Y9)  \
	NEXT(R10, 112, Y7, Y14, Y10) \
	NEXT(R11, 112, Y7, Y15, Y11) \
	VHADDPS      Y9, Y8, Y8     \
	VHADDPS      Y11, Y10, Y10  \
	VHADDPS      Y10, Y8, Y8    \
	VEXTRACTF128 $1, Y8, X9     \
	VADDPS       X9, X8, X8

// ADDRESS turns a number of a cell into the address of its row of 64 halves.
#define ADDRESS(base, r) \
	SHLQ $7, r \
	ADDQ base, r

// func scores64AVX2(s, q *float32, k *uint16, cells *int32, n int)
// Table.Scores. Requires AVX, FMA, F16C, and n > 0. Four keys at once; of the last group one at a time, four times over,
// so that lanes are always added in the same order.
// DI s, SI k, BX cells or 0, CX left, AX next cell, R8 … R11 keys; Y0 … Y7 q, Y8 … Y11 sums, Y12 … Y15 keys.
TEXT ·scores64AVX2(SB), NOSPLIT, $0-40
	MOVQ    s+0(FP), DI
	MOVQ    q+8(FP), DX
	MOVQ    k+16(FP), SI
	MOVQ    cells+24(FP), BX
	MOVQ    n+32(FP), CX
	XORQ    AX, AX
	VMOVUPS (DX), Y0
	VMOVUPS 32(DX), Y1
	VMOVUPS 64(DX), Y2
	VMOVUPS 96(DX), Y3
	VMOVUPS 128(DX), Y4
	VMOVUPS 160(DX), Y5
	VMOVUPS 192(DX), Y6
	VMOVUPS 224(DX), Y7
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

// func mix64AVX2(out, p *float32, v *uint16, cells *int32, n int)
// Table.Mix. Requires AVX, FMA, F16C, and n > 0.
// DI out, DX p, SI v, BX cells or 0, CX n, AX next cell, R8 its row; Y0 … Y7 sums, Y8 the weight, Y9 … Y15 values.
TEXT ·mix64AVX2(SB), NOSPLIT, $0-40
	MOVQ   out+0(FP), DI
	MOVQ   p+8(FP), DX
	MOVQ   v+16(FP), SI
	MOVQ   cells+24(FP), BX
	MOVQ   n+32(FP), CX
	XORQ   AX, AX
	VXORPS Y0, Y0, Y0
	VXORPS Y1, Y1, Y1
	VXORPS Y2, Y2, Y2
	VXORPS Y3, Y3, Y3
	VXORPS Y4, Y4, Y4
	VXORPS Y5, Y5, Y5
	VXORPS Y6, Y6, Y6
	VXORPS Y7, Y7, Y7

loop:
	MOVQ  AX, R8
	TESTQ BX, BX
	JZ    found
	MOVL  (BX)(AX*4), R8

found:
	ADDRESS(SI, R8)
	VBROADCASTSS (DX)(AX*4), Y8
	NEXT(R8, 0, Y8, Y9, Y0)
	NEXT(R8, 16, Y8, Y10, Y1)
	NEXT(R8, 32, Y8, Y11, Y2)
	NEXT(R8, 48, Y8, Y12, Y3)
	NEXT(R8, 64, Y8, Y13, Y4)
	NEXT(R8, 80, Y8, Y14, Y5)
	NEXT(R8, 96, Y8, Y15, Y6)
	NEXT(R8, 112, Y8, Y9, Y7)
	INCQ         AX
	CMPQ         AX, CX
	JLT          loop
	VMOVUPS      Y0, (DI)
	VMOVUPS      Y1, 32(DI)
	VMOVUPS      Y2, 64(DI)
	VMOVUPS      Y3, 96(DI)
	VMOVUPS      Y4, 128(DI)
	VMOVUPS      Y5, 160(DI)
	VMOVUPS      Y6, 192(DI)
	VMOVUPS      Y7, 224(DI)
	VZEROUPPER
	RET

// QUERY multiplies eight numbers of two keys, in Y10 and Y11, by those of a query. op is VMULPS, which begins the sums, or VFMADD231PS.
#define QUERY(op, at, a, b) \
	VMOVUPS at(BX), Y12 \
	op      Y10, Y12, a \
	op      Y11, Y12, b

// CHUNK does that for the five queries at BX with the keys at SI and at other behind it: sum 2·r + j is that of query r with key j.
#define CHUNK(op, off, other) \
	VCVTPH2PS off(SI), Y10         \
	VCVTPH2PS (off+other)(SI), Y11 \
	QUERY(op, 0+2*off, Y0, Y1)     \
	QUERY(op, 256+2*off, Y2, Y3)   \
	QUERY(op, 512+2*off, Y4, Y5)   \
	QUERY(op, 768+2*off, Y6, Y7)   \
	QUERY(op, 1024+2*off, Y8, Y9)

// PAIR leaves the scores of the two keys for two queries, with sums a, b and c, d, in X: of the first, then of the second. Lanes are added as FOUR does.
#define PAIR(a, b, c, d, X) \
	VHADDPS      b, a, a    \
	VHADDPS      d, c, c    \
	VHADDPS      c, a, a    \
	VEXTRACTF128 $1, a, X12 \
	VADDPS       X12, X, X

// TEN leaves the scores in X0, X4 and X8, the last query's once more.
#define TEN(other) \
	CHUNK(VMULPS, 0, other)        \
	CHUNK(VFMADD231PS, 16, other)  \
	CHUNK(VFMADD231PS, 32, other)  \
	CHUNK(VFMADD231PS, 48, other)  \
	CHUNK(VFMADD231PS, 64, other)  \
	CHUNK(VFMADD231PS, 80, other)  \
	CHUNK(VFMADD231PS, 96, other)  \
	CHUNK(VFMADD231PS, 112, other) \
	PAIR(Y0, Y1, Y2, Y3, X0)       \
	PAIR(Y4, Y5, Y6, Y7, X4)       \
	VHADDPS      Y9, Y8, Y8        \
	VHADDPS      Y8, Y8, Y8        \
	VEXTRACTF128 $1, Y8, X9        \
	VADDPS       X9, X8, X8

// func scores5x64AVX2(s *float32, ls int, q *float32, k *uint16, n int)
// Table.ScoresRows. Requires AVX, FMA, F16C, and n > 0. Two keys at once, a last one twice.
// DI, R9 rows 0 and 3 of s, R8 ls in bytes, BX q, SI keys, CX left; Y0 … Y9 sums, Y10, Y11 keys, Y12 q.
TEXT ·scores5x64AVX2(SB), NOSPLIT, $0-40
	MOVQ s+0(FP), DI
	MOVQ ls+8(FP), R8
	MOVQ q+16(FP), BX
	MOVQ k+24(FP), SI
	MOVQ n+32(FP), CX
	SHLQ $2, R8
	LEAQ (R8)(R8*2), R9
	ADDQ DI, R9
	SUBQ $2, CX
	JL   rest

loop:
	TEN(128)
	VMOVLPS X0, (DI)
	VMOVHPS X0, (DI)(R8*1)
	VMOVLPS X4, (DI)(R8*2)
	VMOVHPS X4, (R9)
	VMOVLPS X8, (R9)(R8*1)
	ADDQ    $256, SI
	ADDQ    $8, DI
	ADDQ    $8, R9
	SUBQ    $2, CX
	JGE     loop

rest:
	ADDQ       $2, CX
	JZ         done
	TEN(0)
	VMOVSS     X0, (DI)
	VEXTRACTPS $2, X0, (DI)(R8*1)
	VMOVSS     X4, (DI)(R8*2)
	VEXTRACTPS $2, X4, (R9)
	VMOVSS     X8, (R9)(R8*1)

done:
	VZEROUPPER
	RET

// ROW adds the values in Y10 and Y11 times the weight at p to two sums.
#define ROW(p, a, b) \
	VBROADCASTSS p, Y12      \
	VFMADD231PS  Y10, Y12, a \
	VFMADD231PS  Y11, Y12, b

// func mix5x16AVX2(sums, p *float32, lp int, v *uint16, n int)
// Sixteen columns of Table.MixRows: sums[64·r + d] += Σ_i p[r·lp + i]·v[64·i + d] for r < 5, d < 16. Requires AVX, FMA, F16C, and n > 0.
// DI sums, BX, R9 rows 0 and 3 of p, R8 lp in bytes, SI values, CX left; Y0 … Y9 sums, Y10, Y11 values, Y12 the weight.
TEXT ·mix5x16AVX2(SB), NOSPLIT, $0-40
	MOVQ sums+0(FP), DI
	MOVQ p+8(FP), BX
	MOVQ lp+16(FP), R8
	MOVQ v+24(FP), SI
	MOVQ n+32(FP), CX
	SHLQ $2, R8
	LEAQ (R8)(R8*2), R9
	ADDQ BX, R9
	VMOVUPS (DI), Y0
	VMOVUPS 32(DI), Y1
	VMOVUPS 256(DI), Y2
	VMOVUPS 288(DI), Y3
	VMOVUPS 512(DI), Y4
	VMOVUPS 544(DI), Y5
	VMOVUPS 768(DI), Y6
	VMOVUPS 800(DI), Y7
	VMOVUPS 1024(DI), Y8
	VMOVUPS 1056(DI), Y9

loop:
	VCVTPH2PS (SI), Y10
	VCVTPH2PS 16(SI), Y11
	ROW((BX), Y0, Y1)
	ROW((BX)(R8*1), Y2, Y3)
	ROW((BX)(R8*2), Y4, Y5)
	ROW((R9), Y6, Y7)
	ROW((R9)(R8*1), Y8, Y9)
	ADDQ      $128, SI
	ADDQ      $4, BX
	ADDQ      $4, R9
	DECQ      CX
	JNZ       loop
	VMOVUPS   Y0, (DI)
	VMOVUPS   Y1, 32(DI)
	VMOVUPS   Y2, 256(DI)
	VMOVUPS   Y3, 288(DI)
	VMOVUPS   Y4, 512(DI)
	VMOVUPS   Y5, 544(DI)
	VMOVUPS   Y6, 768(DI)
	VMOVUPS   Y7, 800(DI)
	VMOVUPS   Y8, 1024(DI)
	VMOVUPS   Y9, 1056(DI)
	VZEROUPPER
	RET
