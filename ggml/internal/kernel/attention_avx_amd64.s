//go:build !noasm

#include "textflag.h"
#include "half_avx_amd64.h"

// PART adds the products of eight numbers, at behind the start of the key at p and q behind that of the query at DX, to Y0.
#define PART(p, at, q) \
	HALVES(at(p), X2, Y2, X3, X4, Y3, Y4) \
	VMULPS q(DX), Y2, Y2 \
	VADDPS Y2, Y0, Y0

// func scores64AVX(s, q *float32, k *uint16, cells *int32, n int)
// Table.Scores. Requires AVX and n > 0. Lanes are added as ((0+1) + (2+3)) + ((4+5) + (6+7)).
// DI s, DX q, SI k, BX cells or 0, CX n, AX next cell, R8 its key; Y0 sum, Y1 … Y4 at work.
TEXT ·scores64AVX(SB), NOSPLIT, $0-40
	MOVQ s+0(FP), DI
	MOVQ q+8(FP), DX
	MOVQ k+16(FP), SI
	MOVQ cells+24(FP), BX
	MOVQ n+32(FP), CX
	XORQ AX, AX

loop:
	MOVQ  AX, R8
	TESTQ BX, BX
	JZ    found
	MOVL  (BX)(AX*4), R8

found:
	SHLQ         $7, R8
	ADDQ         SI, R8
	VXORPS       Y0, Y0, Y0
	PART(R8, 0, 0)
	PART(R8, 16, 32)
	PART(R8, 32, 64)
	PART(R8, 48, 96)
	PART(R8, 64, 128)
	PART(R8, 80, 160)
	PART(R8, 96, 192)
	PART(R8, 112, 224)
	VHADDPS      Y0, Y0, Y0
	VHADDPS      Y0, Y0, Y0
	VEXTRACTF128 $1, Y0, X1
	VADDPS       X1, X0, X0
	VMOVSS       X0, (DI)(AX*4)
	INCQ         AX
	CMPQ         AX, CX
	JLT          loop
	VZEROUPPER
	RET

// MIXED adds eight values at p, weighed by Y8, to sum.
#define MIXED(p, at, sum) \
	HALVES(at(p), X9, Y9, X10, X11, Y10, Y11) \
	VMULPS Y8, Y9, Y9 \
	VADDPS Y9, sum, sum

// func mix64AVX(out, p *float32, v *uint16, cells *int32, n int)
// Table.Mix. Requires AVX and n > 0.
// DI out, DX p, SI v, BX cells or 0, CX n, AX next cell, R8 its row; Y0 … Y7 sums, Y8 the weight, Y9 … Y11 values.
TEXT ·mix64AVX(SB), NOSPLIT, $0-40
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
	SHLQ         $7, R8
	ADDQ         SI, R8
	VBROADCASTSS (DX)(AX*4), Y8
	MIXED(R8, 0, Y0)
	MIXED(R8, 16, Y1)
	MIXED(R8, 32, Y2)
	MIXED(R8, 48, Y3)
	MIXED(R8, 64, Y4)
	MIXED(R8, 80, Y5)
	MIXED(R8, 96, Y6)
	MIXED(R8, 112, Y7)
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
