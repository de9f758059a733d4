//go:build !noasm

#include "textflag.h"
#include "pack_f16_amd64.h"

#define WIDE16(off, X, Y) \
	VCVTPH2PS    X, Y0       \
	VEXTRACTI128 $1, Y, X    \
	VCVTPH2PS    X, Y1       \
	VMOVUPS      Y0, off(DI) \
	VMOVUPS      Y1, (off+32)(DI)

#define WIDE256(off) \
	EIGHT(off)            \
	WIDE16(0, X8, Y8)     \
	WIDE16(64, X9, Y9)    \
	WIDE16(128, X10, Y10) \
	WIDE16(192, X11, Y11) \
	WIDE16(256, X12, Y12) \
	WIDE16(320, X13, Y13) \
	WIDE16(384, X14, Y14) \
	WIDE16(448, X15, Y15) \
	ADDQ $512, DI

// func packF16x16AVX2(dst *float32, src *byte, stride, kn int)
// Table.PackF16 of panels of 16: dst[k·16 + j] = src[j·stride + 2·k] as a float, for j < 16. Requires AVX2, F16C, and kn > 0, a multiple of 8.
TEXT ·packF16x16AVX2(SB), NOSPLIT, $0-32
	PACK(WIDE256)
