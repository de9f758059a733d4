// The instructions of amd64 that Go's assembler lacks, with the operands in Go's order. Operands are numbers of Y registers,
// 0–15: m the second source, n the first, d the destination. testdata/enc_amd64.txt holds bytes of another assembler for them.

#define VEX3(map, w, pp, l, op, m, n, d) \
	BYTE $0xC4; \
	BYTE $(((((d)>>3)&1)^1)<<7 | 1<<6 | ((((m)>>3)&1)^1)<<5 | (map)); \
	BYTE $((w)<<7 | (((n)&15)^15)<<3 | (l)<<2 | (pp)); \
	BYTE $(op); \
	BYTE $(0xC0 | ((d)&7)<<3 | ((m)&7))

// AVX-VNNI: d += unsigned bytes of n · signed bytes of m, by fours; d += signed words of n · m, by twos.
#define VPDPBUSD_VEX_Y(m, n, d) VEX3(2, 0, 1, 1, 0x50, m, n, d)
#define VPDPWSSD_VEX_Y(m, n, d) VEX3(2, 0, 1, 1, 0x52, m, n, d)
