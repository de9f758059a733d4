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

// FETCH fetches the cell that lies 12 KB behind the one at off(p): a core reads faster where more than the next few lines are under way.
#define FETCH(off, p) \
	PREFETCHT0 (12288+off)(p) \
	PREFETCHT0 (12352+off)(p)

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
	FETCH(0, R8)
	FETCH(0, R9)
	FETCH(0, R10)
	FETCH(0, R11)
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
	FETCH(0, R8)
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

// QUERY multiplies sixteen numbers of four keys, in Z20 … Z23, by those of a query. op is VMULPS, which begins the sums, or VFMADD231PS.
#define QUERY(op, at, a, b, c, d) \
	VMOVUPS at(BX), Z24 \
	op      Z20, Z24, a \
	op      Z21, Z24, b \
	op      Z22, Z24, c \
	op      Z23, Z24, d

// CHUNK does that for the five queries at BX with keys at SI and at o1, o2 and o3 behind it: sum 4·r + j is that of query r with key j.
#define CHUNK(op, off, o1, o2, o3) \
	VCVTPH2PS off(SI), Z20                   \
	VCVTPH2PS (off+o1)(SI), Z21              \
	VCVTPH2PS (off+o2)(SI), Z22              \
	VCVTPH2PS (off+o3)(SI), Z23              \
	QUERY(op, 0+2*off, Z0, Z1, Z2, Z3)       \
	QUERY(op, 256+2*off, Z4, Z5, Z6, Z7)     \
	QUERY(op, 512+2*off, Z8, Z9, Z10, Z11)   \
	QUERY(op, 768+2*off, Z12, Z13, Z14, Z15) \
	QUERY(op, 1024+2*off, Z16, Z17, Z18, Z19)

// FOLD makes one vector of a and b, in a: what low selects of both and what high does, added up.
#define FOLD(op, low, high, a, b) \
	op     $low, b, a, Z24 \
	op     $high, b, a, a  \
	VADDPS Z24, a, a

// TWENTY leaves the scores of four keys in the quarters of Z0, for queries 0, 2, 1 and 3, and in X16 for query 4. Lanes are added as FOUR does.
#define TWENTY(o1, o2, o3) \
	CHUNK(VMULPS, 0, o1, o2, o3)           \
	CHUNK(VFMADD231PS, 32, o1, o2, o3)     \
	CHUNK(VFMADD231PS, 64, o1, o2, o3)     \
	CHUNK(VFMADD231PS, 96, o1, o2, o3)     \
	FOLD(VSHUFF64X2, 0x44, 0xEE, Z0, Z8)   \
	FOLD(VSHUFF64X2, 0x44, 0xEE, Z1, Z9)   \
	FOLD(VSHUFF64X2, 0x44, 0xEE, Z2, Z10)  \
	FOLD(VSHUFF64X2, 0x44, 0xEE, Z3, Z11)  \
	FOLD(VSHUFF64X2, 0x44, 0xEE, Z4, Z12)  \
	FOLD(VSHUFF64X2, 0x44, 0xEE, Z5, Z13)  \
	FOLD(VSHUFF64X2, 0x44, 0xEE, Z6, Z14)  \
	FOLD(VSHUFF64X2, 0x44, 0xEE, Z7, Z15)  \
	FOLD(VSHUFF64X2, 0x44, 0xEE, Z16, Z18) \
	FOLD(VSHUFF64X2, 0x44, 0xEE, Z17, Z19) \
	FOLD(VSHUFPS, 0x88, 0xDD, Z0, Z1)      \
	FOLD(VSHUFPS, 0x88, 0xDD, Z2, Z3)      \
	FOLD(VSHUFPS, 0x88, 0xDD, Z4, Z5)      \
	FOLD(VSHUFPS, 0x88, 0xDD, Z6, Z7)      \
	FOLD(VSHUFPS, 0x88, 0xDD, Z16, Z17)    \
	FOLD(VSHUFPS, 0x88, 0xDD, Z0, Z2)      \
	FOLD(VSHUFPS, 0x88, 0xDD, Z4, Z6)      \
	FOLD(VSHUFF32X4, 0x88, 0xDD, Z0, Z4)   \
	VEXTRACTF64X4 $1, Z16, Y17             \
	VSHUFPS       $0x88, Y17, Y16, Y24     \
	VSHUFPS       $0xDD, Y17, Y16, Y16     \
	VADDPS        Y24, Y16, Y16            \
	VEXTRACTF32X4 $1, Y16, X17             \
	VADDPS        X17, X16, X16

// func scores5x64AVX512(s *float32, ls int, q *float32, k *uint16, n int)
// Table.ScoresRows, five rows of it. Requires AVX-512 F, VL, and n > 0. Four keys at once; of the last group one at a time, four times over.
// DI, R9 rows 0 and 3 of s, R8 ls in bytes, BX q, SI keys, CX left; Z0 … Z19 sums, Z20 … Z23 keys, Z24 q.
TEXT ·scores5x64AVX512(SB), NOSPLIT, $0-40
	MOVQ s+0(FP), DI
	MOVQ ls+8(FP), R8
	MOVQ q+16(FP), BX
	MOVQ k+24(FP), SI
	MOVQ n+32(FP), CX
	SHLQ $2, R8
	LEAQ (R8)(R8*2), R9
	ADDQ DI, R9
	SUBQ $4, CX
	JL   rest

loop:
	FETCH(0, SI)
	FETCH(128, SI)
	FETCH(256, SI)
	FETCH(384, SI)
	TWENTY(128, 256, 384)
	VMOVUPS       X0, (DI)
	VEXTRACTF32X4 $2, Z0, (DI)(R8*1)
	VEXTRACTF32X4 $1, Z0, (DI)(R8*2)
	VEXTRACTF32X4 $3, Z0, (R9)
	VMOVUPS       X16, (R9)(R8*1)
	ADDQ          $512, SI
	ADDQ          $16, DI
	ADDQ          $16, R9
	SUBQ          $4, CX
	JGE           loop

rest:
	ADDQ $4, CX
	JZ   done

one:
	TWENTY(0, 0, 0)
	VEXTRACTF32X4 $2, Z0, X1
	VEXTRACTF32X4 $1, Z0, X2
	VEXTRACTF32X4 $3, Z0, X3
	VMOVSS        X0, (DI)
	VMOVSS        X1, (DI)(R8*1)
	VMOVSS        X2, (DI)(R8*2)
	VMOVSS        X3, (R9)
	VMOVSS        X16, (R9)(R8*1)
	ADDQ          $128, SI
	ADDQ          $4, DI
	ADDQ          $4, R9
	DECQ          CX
	JNZ           one

done:
	VZEROUPPER
	RET

// ROW adds the values in Z20 … Z23 times the weight at p to four sums.
#define ROW(p, a, b, c, d) \
	VBROADCASTSS p, Z24      \
	VFMADD231PS  Z20, Z24, a \
	VFMADD231PS  Z21, Z24, b \
	VFMADD231PS  Z22, Z24, c \
	VFMADD231PS  Z23, Z24, d

// func mix5x64AVX512(out *float32, lo int, p *float32, lp int, v *uint16, rows, n int)
// Table.MixRows: five rows are summed up, rows of them stored. Requires AVX-512 F and rows > 0.
// DI out, BX, R9 rows 0 and 3 of p, R8 lp in bytes, SI values, CX left; Z0 … Z19 sums, Z20 … Z23 values, Z24 the weight.
TEXT ·mix5x64AVX512(SB), NOSPLIT, $0-56
	MOVQ p+16(FP), BX
	MOVQ lp+24(FP), R8
	MOVQ v+32(FP), SI
	MOVQ n+48(FP), CX
	SHLQ $2, R8
	LEAQ (R8)(R8*2), R9
	ADDQ BX, R9
	VPXORD Z0, Z0, Z0
	VPXORD Z1, Z1, Z1
	VPXORD Z2, Z2, Z2
	VPXORD Z3, Z3, Z3
	VPXORD Z4, Z4, Z4
	VPXORD Z5, Z5, Z5
	VPXORD Z6, Z6, Z6
	VPXORD Z7, Z7, Z7
	VPXORD Z8, Z8, Z8
	VPXORD Z9, Z9, Z9
	VPXORD Z10, Z10, Z10
	VPXORD Z11, Z11, Z11
	VPXORD Z12, Z12, Z12
	VPXORD Z13, Z13, Z13
	VPXORD Z14, Z14, Z14
	VPXORD Z15, Z15, Z15
	VPXORD Z16, Z16, Z16
	VPXORD Z17, Z17, Z17
	VPXORD Z18, Z18, Z18
	VPXORD Z19, Z19, Z19
	TESTQ CX, CX
	JZ    store

loop:
	FETCH(0, SI)
	VCVTPH2PS (SI), Z20
	VCVTPH2PS 32(SI), Z21
	VCVTPH2PS 64(SI), Z22
	VCVTPH2PS 96(SI), Z23
	ROW((BX), Z0, Z1, Z2, Z3)
	ROW((BX)(R8*1), Z4, Z5, Z6, Z7)
	ROW((BX)(R8*2), Z8, Z9, Z10, Z11)
	ROW((R9), Z12, Z13, Z14, Z15)
	ROW((R9)(R8*1), Z16, Z17, Z18, Z19)
	ADDQ      $128, SI
	ADDQ      $4, BX
	ADDQ      $4, R9
	DECQ      CX
	JNZ       loop

store:
	MOVQ      out+0(FP), DI
	MOVQ      lo+8(FP), R8
	MOVQ      rows+40(FP), CX
	SHLQ      $2, R8
	VMOVUPS   Z0, (DI)
	VMOVUPS   Z1, 64(DI)
	VMOVUPS   Z2, 128(DI)
	VMOVUPS   Z3, 192(DI)
	DECQ      CX
	JZ        done
	ADDQ      R8, DI
	VMOVUPS   Z4, (DI)
	VMOVUPS   Z5, 64(DI)
	VMOVUPS   Z6, 128(DI)
	VMOVUPS   Z7, 192(DI)
	DECQ      CX
	JZ        done
	ADDQ      R8, DI
	VMOVUPS   Z8, (DI)
	VMOVUPS   Z9, 64(DI)
	VMOVUPS   Z10, 128(DI)
	VMOVUPS   Z11, 192(DI)
	DECQ      CX
	JZ        done
	ADDQ      R8, DI
	VMOVUPS   Z12, (DI)
	VMOVUPS   Z13, 64(DI)
	VMOVUPS   Z14, 128(DI)
	VMOVUPS   Z15, 192(DI)
	DECQ      CX
	JZ        done
	ADDQ      R8, DI
	VMOVUPS   Z16, (DI)
	VMOVUPS   Z17, 64(DI)
	VMOVUPS   Z18, 128(DI)
	VMOVUPS   Z19, 192(DI)

done:
	VZEROUPPER
	RET
