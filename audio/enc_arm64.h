// The NEON instructions that Go's assembler lacks, and loads and stores by a register's number, for the sake of macros.
// The operands have Go's order: m the second source, n the first, d the destination. testdata/enc_arm64.txt holds words of
// another assembler for them.

#define NEON_RRR(op, m, n, d) WORD $((op) | (m)<<16 | (n)<<5 | (d))
#define NEON_RR(op, n, d)     WORD $((op) | (n)<<5 | (d))

#define FADD_4S(m, n, d)  NEON_RRR(0x4E20D400, m, n, d)
#define FSUB_4S(m, n, d)  NEON_RRR(0x4EA0D400, m, n, d) // n − m
#define FMUL_4S(m, n, d)  NEON_RRR(0x6E20DC00, m, n, d)
#define FMLA_4S(m, n, d)  NEON_RRR(0x4E20CC00, m, n, d) // d + n·m
#define FMLS_4S(m, n, d)  NEON_RRR(0x4EA0CC00, m, n, d) // d − n·m
#define FMAX_4S(m, n, d)  NEON_RRR(0x4E20F400, m, n, d)
#define FCMGT_4S(m, n, d) NEON_RRR(0x6EA0E400, m, n, d) // n > m: all ones or all zeros
#define SCVTF_4S(n, d)    NEON_RR(0x4E21D800, n, d)
#define SSHR23_4S(n, d)   NEON_RR(0x4F290400, n, d)     // signed n >> 23
#define MOV_16B(n, d)     NEON_RRR(0x4EA01C00, n, n, d)

// V register t and memory at R register n: off bytes further, a multiple of 16, or R register x further.
#define LDRQ(off, n, t)  WORD $(0x3DC00000 | (off)<<6 | (n)<<5 | (t))
#define STRQ(t, off, n)  WORD $(0x3D800000 | (off)<<6 | (n)<<5 | (t))
#define LDRQ_X(x, n, t)  NEON_RRR(0x3CE06800, x, n, t)
#define STRQ_X(t, x, n)  NEON_RRR(0x3CA06800, x, n, t)
