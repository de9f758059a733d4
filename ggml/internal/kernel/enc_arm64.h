// The NEON instructions that Go's assembler lacks, with the operands in Go's order. Operands are V register numbers, 0–31:
// m the second source, n the first, d the destination. testdata/enc_arm64.txt holds words of another assembler for them.

#define NEON_RRR(op, m, n, d) WORD $((op) | (m)<<16 | (n)<<5 | (d))
#define NEON_RR(op, n, d)     WORD $((op) | (n)<<5 | (d))

#define FADD_4S(m, n, d)  NEON_RRR(0x4E20D400, m, n, d)
#define FSUB_4S(m, n, d)  NEON_RRR(0x4EA0D400, m, n, d) // n − m
#define FMUL_4S(m, n, d)  NEON_RRR(0x6E20DC00, m, n, d)
#define FMAX_4S(m, n, d)  NEON_RRR(0x4E20F400, m, n, d)
#define FMIN_4S(m, n, d)  NEON_RRR(0x4EA0F400, m, n, d)
#define FMAXNM_4S(m, n, d) NEON_RRR(0x4E20C400, m, n, d) // of a number and what is none, the number
#define FCMGT_4S(m, n, d) NEON_RRR(0x6EA0E400, m, n, d) // n > m: all ones or all zeros
#define FADDP_4S(m, n, d) NEON_RRR(0x6E20D400, m, n, d) // n's pairs, then m's
#define FMAXP_4S(m, n, d) NEON_RRR(0x6E20F400, m, n, d)

// d = n · m, and d += n · m, of the low (high) half of signed integers, at twice the width.
#define SMULL_8H(m, n, d)  NEON_RRR(0x0E20C000, m, n, d)
#define SMULL2_8H(m, n, d) NEON_RRR(0x4E20C000, m, n, d)
#define SMLAL_8H(m, n, d)  NEON_RRR(0x0E208000, m, n, d)
#define SMLAL2_8H(m, n, d) NEON_RRR(0x4E208000, m, n, d)
#define SMULL_4S(m, n, d)  NEON_RRR(0x0E60C000, m, n, d)
#define SMLAL_4S(m, n, d)  NEON_RRR(0x0E608000, m, n, d)
#define SMLAL2_4S(m, n, d) NEON_RRR(0x4E608000, m, n, d)

// Dot product: to each double word of d four products of bytes of n and m, signed or unsigned, or of n and the four bytes
// m[i]. Needs ASIMDDP.
#define SDOT_4S(m, n, d)      NEON_RRR(0x4E809400, m, n, d)
#define UDOT_4S(m, n, d)      NEON_RRR(0x6E809400, m, n, d)
#define SDOT_4S_E(m, i, n, d) NEON_RRR(0x4F80E000 | ((i)&1)<<21 | ((i)>>1)<<11, m, n, d)

// d += n · m[i], and d = n · m[i]
#define FMLA_4S_E(m, i, n, d) NEON_RRR(0x4F801000 | ((i)&1)<<21 | ((i)>>1)<<11, m, n, d)
#define FMUL_4S_E(m, i, n, d) NEON_RRR(0x4F809000 | ((i)&1)<<21 | ((i)>>1)<<11, m, n, d)

#define FABS_4S(n, d)   NEON_RR(0x4EA0F800, n, d)
#define FRINTN_4S(n, d) NEON_RR(0x4E218800, n, d) // to nearest even
#define FCVTNS_4S(n, d) NEON_RR(0x4E21A800, n, d) // the same, as integers
#define SCVTF_4S(n, d)  NEON_RR(0x4E21D800, n, d)

// The largest of n's unsigned integers.
#define UMAXV_4S(n, d) NEON_RR(0x6EB0A800, n, d)

// The sums of n's pairs of signed integers, at twice the width; d += those.
#define SADDLP_8H(n, d) NEON_RR(0x4E202800, n, d)
#define SADALP_8H(n, d) NEON_RR(0x4E206800, n, d)
#define SADDLP_4S(n, d) NEON_RR(0x4E602800, n, d)

// The low (high) half of d: n's signed integers at half the width, the nearest that fits.
#define SQXTN_4H(n, d)   NEON_RR(0x0E614800, n, d)
#define SQXTN2_8H(n, d)  NEON_RR(0x4E614800, n, d)
#define SQXTN_8B(n, d)   NEON_RR(0x0E214800, n, d)
#define SQXTN2_16B(n, d) NEON_RR(0x4E214800, n, d)

// The low (high) four halves of n to floats; the floats of n to the low (high) four halves of d.
#define FCVTL_4S(n, d)  NEON_RR(0x0E217800, n, d)
#define FCVTL2_4S(n, d) NEON_RR(0x4E217800, n, d)
#define FCVTN_4H(n, d)  NEON_RR(0x0E216800, n, d)
#define FCVTN2_8H(n, d) NEON_RR(0x4E216800, n, d)

// The low (high) half of n's signed integers, at twice the width.
#define SXTL_8H(n, d)  NEON_RR(0x0F08A400, n, d)
#define SXTL2_8H(n, d) NEON_RR(0x4F08A400, n, d)
#define SXTL_4S(n, d)  NEON_RR(0x0F10A400, n, d)
#define SXTL2_4S(n, d) NEON_RR(0x4F10A400, n, d)
