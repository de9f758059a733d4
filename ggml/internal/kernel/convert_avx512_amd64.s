//go:build !noasm

#include "textflag.h"

// func widenF16x16AVX512(dst *float32, src *byte, n int)
// Table.Widen of halves. Requires AVX-512 F and n > 0. DI dst, SI src, CX left; Z0, Z1 numbers.
TEXT ·widenF16x16AVX512(SB), NOSPLIT, $0-24
	MOVQ dst+0(FP), DI
	MOVQ src+8(FP), SI
	MOVQ n+16(FP), CX
	SUBQ $32, CX
	JL   rest

loop:
	VCVTPH2PS (SI), Z0
	VCVTPH2PS 32(SI), Z1
	VMOVUPS   Z0, (DI)
	VMOVUPS   Z1, 64(DI)
	ADDQ      $64, SI
	ADDQ      $128, DI
	SUBQ      $32, CX
	JGE       loop

rest:
	ADDQ      $16, CX
	JL        tail
	VCVTPH2PS (SI), Z0
	VMOVUPS   Z0, (DI)
	ADDQ      $32, SI
	ADDQ      $64, DI
	SUBQ      $16, CX

tail:
	ADDQ        $16, CX
	JZ          done
	MOVL        $1, AX
	SHLL        CX, AX
	DECL        AX
	KMOVW       AX, K1
	VCVTPH2PS.Z (SI), K1, Z0
	VMOVUPS     Z0, K1, (DI)

done:
	VZEROUPPER
	RET

// func narrow16AVX512(dst *uint16, src *float32, n int)
// Table.Narrow. Requires AVX-512 F and n > 0. DI dst, SI src, CX left; Z0 numbers.
TEXT ·narrow16AVX512(SB), NOSPLIT, $0-24
	MOVQ dst+0(FP), DI
	MOVQ src+8(FP), SI
	MOVQ n+16(FP), CX
	SUBQ $16, CX
	JL   tail

loop:
	VMOVUPS   (SI), Z0
	VCVTPS2PH $0, Z0, (DI)
	ADDQ      $64, SI
	ADDQ      $32, DI
	SUBQ      $16, CX
	JGE       loop

tail:
	ADDQ      $16, CX
	JZ        done
	MOVL      $1, AX
	SHLL      CX, AX
	DECL      AX
	KMOVW     AX, K1
	VMOVUPS.Z (SI), K1, Z0
	VCVTPS2PH $0, Z0, K1, (DI)

done:
	VZEROUPPER
	RET

// FOURTHS sets Z to four numbers of each of the rows r, r+4, r+8 and r+12.
#define FOURTHS(a, b, c, d, X, Y, Z) \
	VMOVUPS      a, X          \
	VINSERTF32X4 $1, b, Y, Y   \
	VINSERTF32X4 $2, c, Z, Z   \
	VINSERTF32X4 $3, d, Z, Z

// func pack16AVX512(dst, src *float32, stride, kn, nr int)
// dst[k·nr + j] = src[j·stride + k] for j < 16. Requires AVX-512 F, VL, and kn > 0, a multiple of 4.
// Four k of sixteen rows at a time; rows j, j+4, j+8 and j+12 share a register.
// DI dst, R8 stride, R9 nr, CX left; SI, R10 … R13, DX rows 0, 3, 6, 9, 12, 15; Z0 … Z3 rows, Z4 … Z7 pairs of them.
TEXT ·pack16AVX512(SB), NOSPLIT, $0-40
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
	LEAQ (R11)(R8*2), R12
	ADDQ R8, R12
	LEAQ (R12)(R8*2), R13
	ADDQ R8, R13
	LEAQ (R13)(R8*2), DX
	ADDQ R8, DX

loop:
	FOURTHS((SI), (R10)(R8*1), (R11)(R8*2), (R13), X0, Y0, Z0)
	FOURTHS((SI)(R8*1), (R10)(R8*2), (R12), (R13)(R8*1), X1, Y1, Z1)
	FOURTHS((SI)(R8*2), (R11), (R12)(R8*1), (R13)(R8*2), X2, Y2, Z2)
	FOURTHS((R10), (R11)(R8*1), (R12)(R8*2), (DX), X3, Y3, Z3)
	VUNPCKLPS Z1, Z0, Z4 // k, k+1 of rows 0, 1
	VUNPCKHPS Z1, Z0, Z5 // k+2, k+3
	VUNPCKLPS Z3, Z2, Z6 // of rows 2, 3
	VUNPCKHPS Z3, Z2, Z7
	VUNPCKLPD Z6, Z4, Z0
	VUNPCKHPD Z6, Z4, Z1
	VUNPCKLPD Z7, Z5, Z2
	VUNPCKHPD Z7, Z5, Z3
	VMOVUPS   Z0, (DI)
	VMOVUPS   Z1, (DI)(R9*1)
	LEAQ      (DI)(R9*2), DI
	VMOVUPS   Z2, (DI)
	VMOVUPS   Z3, (DI)(R9*1)
	LEAQ      (DI)(R9*2), DI
	ADDQ      $16, SI
	ADDQ      $16, R10
	ADDQ      $16, R11
	ADDQ      $16, R12
	ADDQ      $16, R13
	ADDQ      $16, DX
	SUBQ      $4, CX
	JNZ       loop
	VZEROUPPER
	RET
