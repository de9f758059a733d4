// What kernels of stored numbers share.

// The fifth bits of a block are 32 bits in 4 bytes. q5lo and q5hi bring the byte of each number to its place, q5bit has
// its bit within the byte.
DATA ·q5lo<>+0(SB)/8, $0x0000000000000000
DATA ·q5lo<>+8(SB)/8, $0x0101010101010101
GLOBL ·q5lo<>(SB), RODATA|NOPTR, $16
DATA ·q5hi<>+0(SB)/8, $0x0202020202020202
DATA ·q5hi<>+8(SB)/8, $0x0303030303030303
GLOBL ·q5hi<>(SB), RODATA|NOPTR, $16
DATA ·q5bit<>+0(SB)/8, $0x8040201008040201
DATA ·q5bit<>+8(SB)/8, $0x8040201008040201
GLOBL ·q5bit<>(SB), RODATA|NOPTR, $16

// LOAD_BITS sets V28, V29, V27 to q5lo, q5hi, q5bit and V26 to bytes of 16.
#define LOAD_BITS \
	MOVD $·q5lo<>(SB), R3 \
	FMOVQ (R3), F28 \
	MOVD $·q5hi<>(SB), R3 \
	FMOVQ (R3), F29 \
	MOVD $·q5bit<>(SB), R3 \
	FMOVQ (R3), F27 \
	VMOVI $16, V26.B16

// NIBBLES reads the 16 bytes at p: low nibbles to F or LO, which are one register, high nibbles to HI. V31 holds bytes of 15.
#define NIBBLES(p, F, LO, HI) \
	FMOVQ.P 16(p), F \
	VUSHR   $4, LO.B16, HI.B16 \
	VAND    V31.B16, LO.B16, LO.B16

// BITS reads the 4 bytes at p: the fifth bits of low nibbles to V24 and those of high nibbles to V25, each as 16 or 0.
#define BITS(p) \
	FMOVS.P 4(p), F24 \
	VTBL    V29.B16, [V24.B16], V25.B16 \
	VTBL    V28.B16, [V24.B16], V24.B16 \
	VCMTST  V27.B16, V24.B16, V24.B16 \
	VCMTST  V27.B16, V25.B16, V25.B16 \
	VAND    V26.B16, V24.B16, V24.B16 \
	VAND    V26.B16, V25.B16, V25.B16

// TRANSPOSE turns rows a, b, c, d (V registers) of four floats into columns, in their place.
#define TRANSPOSE(a, b, c, d, t0, t1, t2, t3) \
	VTRN1 b.S4, a.S4, t0.S4 \
	VTRN2 b.S4, a.S4, t1.S4 \
	VTRN1 d.S4, c.S4, t2.S4 \
	VTRN2 d.S4, c.S4, t3.S4 \
	VTRN1 t2.D2, t0.D2, a.D2 \
	VTRN1 t3.D2, t1.D2, b.D2 \
	VTRN2 t2.D2, t0.D2, c.D2 \
	VTRN2 t3.D2, t1.D2, d.D2
