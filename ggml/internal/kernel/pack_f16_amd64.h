// Halves of sixteen rows as panels take them.

// ROWS sets DI to dst, SI, R10 … R13 and DX to rows 0, 3, 6, 9, 12 and 15 of src, R8 to stride, CX to kn, and R9 to the row behind those sixteen.
#define ROWS \
	MOVQ dst+0(FP), DI     \
	MOVQ src+8(FP), SI     \
	MOVQ stride+16(FP), R8 \
	MOVQ kn+24(FP), CX     \
	LEAQ (R8)(R8*2), R9    \
	LEAQ (SI)(R9*1), R10   \
	LEAQ (R10)(R9*1), R11  \
	LEAQ (R11)(R9*1), R12  \
	LEAQ (R12)(R9*1), R13  \
	LEAQ (R13)(R9*1), DX   \
	LEAQ (DX)(R8*1), R9

// EIGHT leaves the halves k … k+7 of the sixteen rows in Y8 … Y15, a register for each k: rows j and j+8 share a register from the start, so that each half of it is
// transposed by itself, words by words of two rows, then of four, then of eight.
#define EIGHT(off) \
	VMOVDQU     off(SI), X0                \
	VMOVDQU     off(SI)(R8*1), X1          \
	VMOVDQU     off(SI)(R8*2), X2          \
	VMOVDQU     off(R10), X3               \
	VMOVDQU     off(R10)(R8*1), X4         \
	VMOVDQU     off(R10)(R8*2), X5         \
	VMOVDQU     off(R11), X6               \
	VMOVDQU     off(R11)(R8*1), X7         \
	VINSERTI128 $1, off(R11)(R8*2), Y0, Y0 \
	VINSERTI128 $1, off(R12), Y1, Y1       \
	VINSERTI128 $1, off(R12)(R8*1), Y2, Y2 \
	VINSERTI128 $1, off(R12)(R8*2), Y3, Y3 \
	VINSERTI128 $1, off(R13), Y4, Y4       \
	VINSERTI128 $1, off(R13)(R8*1), Y5, Y5 \
	VINSERTI128 $1, off(R13)(R8*2), Y6, Y6 \
	VINSERTI128 $1, off(DX), Y7, Y7        \
	VPUNPCKLWD  Y1, Y0, Y8                 \
	VPUNPCKHWD  Y1, Y0, Y9                 \
	VPUNPCKLWD  Y3, Y2, Y10                \
	VPUNPCKHWD  Y3, Y2, Y11                \
	VPUNPCKLWD  Y5, Y4, Y12                \
	VPUNPCKHWD  Y5, Y4, Y13                \
	VPUNPCKLWD  Y7, Y6, Y14                \
	VPUNPCKHWD  Y7, Y6, Y15                \
	VPUNPCKLDQ  Y10, Y8, Y0                \
	VPUNPCKHDQ  Y10, Y8, Y1                \
	VPUNPCKLDQ  Y11, Y9, Y2                \
	VPUNPCKHDQ  Y11, Y9, Y3                \
	VPUNPCKLDQ  Y14, Y12, Y4               \
	VPUNPCKHDQ  Y14, Y12, Y5               \
	VPUNPCKLDQ  Y15, Y13, Y6               \
	VPUNPCKHDQ  Y15, Y13, Y7               \
	VPUNPCKLQDQ Y4, Y0, Y8                 \
	VPUNPCKHQDQ Y4, Y0, Y9                 \
	VPUNPCKLQDQ Y5, Y1, Y10                \
	VPUNPCKHQDQ Y5, Y1, Y11                \
	VPUNPCKLQDQ Y6, Y2, Y12                \
	VPUNPCKHQDQ Y6, Y2, Y13                \
	VPUNPCKLQDQ Y7, Y3, Y14                \
	VPUNPCKHQDQ Y7, Y3, Y15

// NEXT goes on by bytes of each row.
#define NEXT(bytes) \
	ADDQ $bytes, SI  \
	ADDQ $bytes, R10 \
	ADDQ $bytes, R11 \
	ADDQ $bytes, R12 \
	ADDQ $bytes, R13 \
	ADDQ $bytes, DX

// FETCH fetches four lines of what follows the sixteen rows, which for rows without gaps are the sixteen that come next. Rows are short and many at once: the
// processor does not fetch them ahead by itself.
#define FETCH(off) \
	PREFETCHT1 (off+0)(R9)   \
	PREFETCHT1 (off+64)(R9)  \
	PREFETCHT1 (off+128)(R9) \
	PREFETCHT1 (off+192)(R9)

// PACK is a body: wide packs eight numbers of each row from an offset on and moves DI on.
#define PACK(wide) \
	ROWS                \
	SUBQ $32, CX        \
	JL   rest           \
loop:                   \
	FETCH(0)            \
	wide(0)             \
	FETCH(256)          \
	wide(16)            \
	FETCH(512)          \
	wide(32)            \
	FETCH(768)          \
	wide(48)            \
	NEXT(64)            \
	ADDQ $1024, R9      \
	SUBQ $32, CX        \
	JGE  loop           \
rest:                   \
	ADDQ $32, CX        \
	JZ   done           \
eight:                  \
	wide(0)             \
	NEXT(16)            \
	SUBQ $8, CX         \
	JNZ  eight          \
done:                   \
	VZEROUPPER          \
	RET
