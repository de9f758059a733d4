//go:build !noasm

#include "textflag.h"
#include "pack_f16_amd64.h"

#define WIDE512(off) \
	EIGHT(off)             \
	VCVTPH2PS Y8, Z8       \
	VCVTPH2PS Y9, Z9       \
	VCVTPH2PS Y10, Z10     \
	VCVTPH2PS Y11, Z11     \
	VCVTPH2PS Y12, Z12     \
	VCVTPH2PS Y13, Z13     \
	VCVTPH2PS Y14, Z14     \
	VCVTPH2PS Y15, Z15     \
	VMOVUPS   Z8, 0(DI)    \
	VMOVUPS   Z9, 128(DI)  \
	VMOVUPS   Z10, 256(DI) \
	VMOVUPS   Z11, 384(DI) \
	VMOVUPS   Z12, 512(DI) \
	VMOVUPS   Z13, 640(DI) \
	VMOVUPS   Z14, 768(DI) \
	VMOVUPS   Z15, 896(DI) \
	ADDQ      $1024, DI

// func packF16x16AVX512(dst *float32, src *byte, stride, kn int)
// Half of Table.PackF16: dst[k·32 + j] = src[j·stride + 2·k] as a float, for j < 16. Requires AVX-512 F, AVX2, and kn > 0, a multiple of 8.
TEXT ·packF16x16AVX512(SB), NOSPLIT, $0-32
	PACK(WIDE512)
