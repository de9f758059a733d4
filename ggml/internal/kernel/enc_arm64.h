// The NEON instructions that Go's assembler lacks, with the operands in Go's order. Operands are V register numbers, 0–31:
// m the second source, n the first, d the destination. testdata/enc_arm64.txt holds words of another assembler for them.

#define NEON_RRR(op, m, n, d) WORD $((op) | (m)<<16 | (n)<<5 | (d))
#define NEON_RR(op, n, d)     WORD $((op) | (n)<<5 | (d))

#define FADD_4S(m, n, d)  NEON_RRR(0x4E20D400, m, n, d)
#define FSUB_4S(m, n, d)  NEON_RRR(0x4EA0D400, m, n, d) // n − m
#define FMUL_4S(m, n, d)  NEON_RRR(0x6E20DC00, m, n, d)
#define FMAX_4S(m, n, d)  NEON_RRR(0x4E20F400, m, n, d)
#define FMIN_4S(m, n, d)  NEON_RRR(0x4EA0F400, m, n, d)
#define FCMGT_4S(m, n, d) NEON_RRR(0x6EA0E400, m, n, d) // n > m: all ones or all zeros
#define FADDP_4S(m, n, d) NEON_RRR(0x6E20D400, m, n, d) // n's pairs, then m's
#define FMAXP_4S(m, n, d) NEON_RRR(0x6E20F400, m, n, d)

// d += n · m[i], and d = n · m[i]
#define FMLA_4S_E(m, i, n, d) NEON_RRR(0x4F801000 | ((i)&1)<<21 | ((i)>>1)<<11, m, n, d)
#define FMUL_4S_E(m, i, n, d) NEON_RRR(0x4F809000 | ((i)&1)<<21 | ((i)>>1)<<11, m, n, d)

#define FABS_4S(n, d)   NEON_RR(0x4EA0F800, n, d)
#define FRINTN_4S(n, d) NEON_RR(0x4E218800, n, d) // to nearest even
#define FCVTNS_4S(n, d) NEON_RR(0x4E21A800, n, d) // the same, as integers
#define SCVTF_4S(n, d)  NEON_RR(0x4E21D800, n, d)

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
