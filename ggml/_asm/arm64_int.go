package main

import "fmt"

// armTile is a body of Product.Tile for arm64. A panel of 16 columns is taken in two halves, so that all sums of a tile stay
// in registers.
type armTile struct {
	name, needs string
	kind        string // Bytes or Split
	most        int    // rows of the largest tile
	quads       bool   // SDOT; else SMLAL
}

const armTileHead = `
// A row is read in steps of four bytes, which meet as many weights of each column: eight columns at a time, in two halves of
// a panel.
//
// Bytes: activations a in [−127, 127] are stored as a+127, weights w in [−16, 15] with a sign. 127 is taken off again when
// a row is read.
`

const armWordsTileHead = `// SMLAL takes two columns and adds into words, 8 products of at most 127·16 in magnitude, then two words become one, at most
// 16·127·16 = 32512.
`

const armQuadsTileHead = `// SDOT adds four products into a double word.
//
// Split: activations q in [−32767, 32767] are stored as bytes of two kinds, q = 256·high + low + 128, all with a sign. A double
// word takes all products of high bytes, is shifted, takes 128·Σw, which the panel holds, and the products of low bytes: at
// most 32·32767·128 < 2²⁷ in magnitude at the end, and below 2³¹ on the way.
`

// armTiles returns the bodies of a rung.
func armTiles(stubs *text, tiles ...armTile) string {
	var t text
	t.WriteString(arm64Head)
	t.WriteString(armTileHead)
	if tiles[0].quads {
		t.WriteString(armQuadsTileHead)
	} else {
		t.WriteString(armWordsTileHead)
	}
	for _, v := range tiles {
		for rows := 1; rows <= v.most; rows++ {
			v.tile(&t, stubs, rows)
		}
	}
	return t.String()
}

const (
	panelBlock = (blockSteps + 2) * 64 // bytes of a block of a panel of 16 columns
	firstLine  = 64
	lastLine   = panelBlock - 64
)

// The registers of a tile: float32 sums of row r and vector j, a's numbers of row r, b's two vectors.
func (v armTile) float(r, j int) int {
	if v.quads {
		return 12 + 2*r + j
	}
	return 16 + 2*r + j
}

func (v armTile) a(r int) int { return 24 + r }

func (v armTile) b(j int) int {
	if v.quads {
		return 30 + j
	}
	return 28 + j
}

func (v armTile) tile(t, stubs *text, rows int) {
	bytes := v.kind == "Bytes"
	whole := "V0…V11 whole sums, V12…V23 float32 sums, V24…V29 a, V30 V31 b."
	if !v.quads {
		whole = "V0…V15 whole sums, V16…V23 float32 sums, V24…V27 a, V28 V29 b, V30 V31 four bytes of a, repeated."
	}
	function(t, stubs,
		fmt.Sprintf("tile%s%d%s(c *float32, ldc int, a *byte, lda int, b *byte, blocks, panels, skip int, bias *float32)", v.kind, rows, v.name), "$0-72",
		fmt.Sprintf("Product.Tile for a tile of %d × 16; skip is how many bytes of minimums lie behind the blocks of a panel. Requires %s, and blocks > 0.", rows, v.needs),
		"R0 c, R1 ldc, R2 a, R3 lda, R4 b, R5 blocks, R6 panels left, R7 skip, R8… rows of a, R14 block of b, R15 blocks left,",
		"R16 row of c, R17 bytes to the half of a line, R19 bias, R21 its half of a line; "+whole)
	for _, arg := range []string{"c+0(FP), R0", "ldc+8(FP), R1", "a+16(FP), R2", "lda+24(FP), R3", "b+32(FP), R4", "blocks+40(FP), R5", "panels+48(FP), R6", "skip+56(FP), R7"} {
		t.op("MOVD  "+arg, "")
	}
	t.op("MOVD  bias+64(FP), R19", "")
	t.op("LSL   $2, R1", "bytes")
	t.op("MOVD  $0, R17", "")
	t.line("")
	t.line("half:")
	v.point(t, rows)
	for r := range rows {
		t.op(zeroed(v.float(r, 0)), "")
		t.op(zeroed(v.float(r, 1)), "")
	}
	if bytes {
		v.minimums(t, rows)
	}
	t.op("ADD   R17, R4, R14", "")
	t.op("MOVD  R5, R15", "")
	t.line("")
	t.line("block:")
	switch {
	case !v.quads:
		v.words(t, rows)
	case bytes:
		v.zero(t, rows)
		v.lines(t, rows, true)
	default:
		v.zero(t, rows)
		v.lines(t, rows, false)
		t.op(fmt.Sprintf("FLDPQ (R14), (F%d, F%d)", v.b(0), v.b(1)), "128·Σw")
		for r := range rows {
			for j := range 2 {
				t.op(fmt.Sprintf("VSHL  $8, V%d.S4, V%d.S4", 2*r+j, 2*r+j), "")
				t.op(fmt.Sprintf("VADD  V%d.S4, V%d.S4, V%d.S4", v.b(j), 2*r+j, 2*r+j), "")
			}
		}
		v.lines(t, rows, false)
	}
	v.scale(t, rows, bytes)
	t.op(fmt.Sprintf("ADD   $%d, R14", panelBlock), "")
	t.op("SUB   $1, R15", "")
	t.op("CBNZ  R15, block", "")
	v.store(t, rows, bytes)
	t.line("")
	t.line("next:")
	t.op("EOR   $32, R17", "")
	t.op("CBNZ  R17, half", "")
	t.op("ADD   $64, R0", "")
	t.op("SUB   $32, R14", "")
	t.op("ADD   R7, R14, R4", "")
	t.op("SUB   $1, R6", "")
	t.op("CBNZ  R6, half", "")
	t.op("RET", "")
}

// point sets the pointers to the rows of a.
func (v armTile) point(t *text, rows int) {
	t.op("MOVD  R2, R8", "")
	for r := 1; r < rows; r++ {
		t.op(fmt.Sprintf("ADD   R3, R%d, R%d", 7+r, 8+r), "")
	}
}

func (v armTile) zero(t *text, rows int) {
	for i := range 2 * rows {
		t.op(zeroed(i), "")
	}
}

// minimums sets the float32 sums, where panels have minimums, to those times the sums of a's blocks.
func (v armTile) minimums(t *text, rows int) {
	t.op("CBZ   R7, sums", "")
	t.op(fmt.Sprintf("MOVD  $%d, R14", rowBlock), "")
	t.op("MUL   R5, R14, R15", "the blocks of a row")
	for r := range rows {
		t.op(fmt.Sprintf("ADD   R15, R%d", 8+r), "")
	}
	t.op(fmt.Sprintf("MOVD  $%d, R14", panelBlock), "")
	t.op("MADD  R14, R4, R5, R14", "behind the blocks of a panel")
	t.op("ADD   R17, R14", "")
	t.op("MOVD  R5, R15", "")
	t.line("")
	t.line("minimum:")
	t.op(fmt.Sprintf("FLDPQ (R14), (F%d, F%d)", v.b(0), v.b(1)), "")
	t.op("ADD   $64, R14", "")
	for r := range rows {
		t.op(fmt.Sprintf("FMOVS.P 4(R%d), F%d", 8+r, v.a(r)), "")
		for j := range 2 {
			t.op(fmt.Sprintf("FMLA_4S_E(%d, 0, %d, %d)", v.a(r), v.b(j), v.float(r, j)), "")
		}
	}
	t.op("SUB   $1, R15", "")
	t.op("CBNZ  R15, minimum", "")
	v.point(t, rows)
	t.line("")
	t.line("sums:")
}

// read reads 16 bytes of each row, and takes 127 off where that is wanted.
func (v armTile) read(t *text, rows int, offset bool) {
	if offset {
		t.op(fmt.Sprintf("VMOVI $129, V%d.B16", v.b(1)), "−127")
	}
	for r := range rows {
		t.op(fmt.Sprintf("FMOVQ.P 16(R%d), F%d", 8+r, v.a(r)), "")
	}
	for r := range rows {
		if offset {
			t.op(fmt.Sprintf("VADD  V%d.B16, V%d.B16, V%d.B16", v.b(1), v.a(r), v.a(r)), "")
		}
	}
}

// lines adds the products of 32 bytes of each row and 8 lines of the panel. A vector of the panel is read beside the products
// of the one before.
func (v armTile) lines(t *text, rows int, offset bool) {
	read := func(unit int) {
		t.op(fmt.Sprintf("FMOVQ %d(R14), F%d", firstLine+unit/2*64+unit%2*16, v.b(unit%2)), "")
	}
	for unit := range 2 * blockSteps {
		if unit%blockSteps == 0 {
			v.read(t, rows, offset)
			read(unit)
		}
		if unit%blockSteps != blockSteps-1 {
			read(unit + 1)
		}
		for r := range rows {
			t.op(fmt.Sprintf("SDOT_4S_E(%d, %d, %d, %d)", v.a(r), unit/2%4, v.b(unit%2), 2*r+unit%2), "")
		}
	}
}

// words is lines where products go into words, and then brings those to double words in the first register of each four.
func (v armTile) words(t *text, rows int) {
	for line := range blockSteps {
		if line%4 == 0 {
			v.read(t, rows, true)
		}
		t.op(fmt.Sprintf("FLDPQ %d(R14), (F%d, F%d)", firstLine+64*line, v.b(0), v.b(1)), "")
		repeat := func(r int) {
			if r < rows {
				t.op(fmt.Sprintf("VDUP  V%d.S[%d], V%d.S4", v.a(r), line%4, 30+r%2), "")
			}
		}
		multiply := "SMLAL"
		if line == 0 {
			multiply = "SMULL"
		}
		repeat(0)
		for r := range rows {
			repeat(r + 1)
			for j := range 2 {
				t.op(fmt.Sprintf("%s_8H(%d, %d, %d)", multiply, 30+r%2, v.b(j), 4*r+2*j), "")
				t.op(fmt.Sprintf("%s2_8H(%d, %d, %d)", multiply, 30+r%2, v.b(j), 4*r+2*j+1), "")
			}
		}
	}
	for r := range rows {
		for j := range 2 {
			sum := 4*r + 2*j
			t.op(fmt.Sprintf("VADDP V%d.H8, V%d.H8, V%d.H8", sum+1, sum, sum), "")
			t.op(fmt.Sprintf("SADDLP_4S(%d, %d)", sum, sum), "")
		}
	}
}

// scale adds the sums of a block to the float32 sums.
func (v armTile) scale(t *text, rows int, bytes bool) {
	t.op(fmt.Sprintf("FLDPQ %d(R14), (F%d, F%d)", lastLine, v.b(0), v.b(1)), "scales")
	for r := range rows {
		if bytes {
			t.op(fmt.Sprintf("FMOVS.P 4(R%d), F%d", 8+r, v.a(r)), "")
		}
		for j := range 2 {
			sum := 2*r + j
			if !v.quads {
				sum = 4*r + 2*j
			}
			t.op(fmt.Sprintf("SCVTF_4S(%d, %d)", sum, sum), "")
			if bytes {
				t.op(fmt.Sprintf("FMUL_4S(%d, %d, %d)", v.b(j), sum, sum), "")
				t.op(fmt.Sprintf("FMLA_4S_E(%d, 0, %d, %d)", v.a(r), sum, v.float(r, j)), "")
			} else {
				t.op(fmt.Sprintf("VFMLA V%d.S4, V%d.S4, V%d.S4", v.b(j), sum, v.float(r, j)), "")
			}
		}
	}
}

// store writes the float32 sums, times the scales of rows if those are split, to c, after the addition of
// the bias.
func (v armTile) store(t *text, rows int, bytes bool) {
	t.line("")
	if !bytes {
		for r := range rows {
			t.op(fmt.Sprintf("FMOVS (R%d), F%d", 8+r, v.a(r)), "")
			for j := range 2 {
				t.op(fmt.Sprintf("FMUL_4S_E(%d, 0, %d, %d)", v.a(r), v.float(r, j), v.float(r, j)), "")
			}
		}
	}
	t.op("ADD   R17, R0, R16", "")
	t.op("CBNZ  R19, sum", "")
	row := func(r int) {
		t.op(fmt.Sprintf("FSTPQ (F%d, F%d), (R16)", v.float(r, 0), v.float(r, 1)), "")
		if r < rows-1 {
			t.op("ADD   R1, R16", "")
		}
	}
	for r := range rows {
		row(r)
	}
	t.op("B     next", "")
	t.line("")
	t.line("sum:")
	t.op("ADD   R17, R19, R21", "")
	for r := range rows {
		t.op(fmt.Sprintf("FLDPQ (R21), (F%d, F%d)", v.b(0), v.b(1)), "")
		for j := range 2 {
			t.op(fmt.Sprintf("FADD_4S(%d, %d, %d)", v.b(j), v.float(r, j), v.float(r, j)), "")
		}
		row(r)
	}
	t.op("ADD   R17<<1, R19", "after both halves")
}
