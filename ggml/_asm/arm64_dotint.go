package main

import (
	"fmt"
	"strings"
)

// armDots is a rung of integer dots of arm64.
type armDots struct {
	name, needs string
	quads       bool // SDOT and UDOT, four products of bytes a lane; else SMLAL, products of words
}

var allArmDots = []armDots{
	{name: "NEON", needs: "NEON"},
	{name: "DOTPROD", needs: "ASIMDDP", quads: true},
}

var armShapes = []shape{{1, 1}, {4, 1}, {4, 2}, {4, 3}}

const armDotHead = `
// Dots of quantised weights with quantised activations, whose layout integer.go gives. A lane takes eight products of a block,
// at most 8·128·32767 < 2²⁵ in magnitude, which double words hold exactly. They are converted, scaled and added to the
// sums of the (row, column), four lanes, which are added up at the end. Shapes differ in nothing else, so that a value does
// not depend on them.
`

const armWordsHead = `//
// Weights are opened to words, those of q4_0 and q5_0 with their sign.
`

const armQuadsHead = `//
// Weights are bytes, and an activation is two, q = 256·high + low, high with a sign and low without: 256·Σ high·w + Σ low·w.
// Weights of four and five bits are left without a sign, so that UDOT takes the low bytes, and what q4_0 and q5_0 take off
// them is taken off the sum, 8 or 16 times that of the activations. Those of q8_0 have a sign, and so SDOT takes low−128,
// and −128·Σw, which depends on the row alone, is taken off.
`

// The registers of a body behind its sums, which take up to 12.
const (
	armW     = 12 // the weights of the rows at work
	armScale = 20 // of four rows
	armMin   = 21
	armX     = 22 // to 25: activations, and before them what opening takes
	armProd  = 26 // and 27: the products of a row, and of the next
	armSum   = 28 // of the activations of a block, or what is taken off products
	armTerms = 29 // to 31: what brings a fifth bit to its number; V31 bytes of 128 for q8_0
)

// armOff holds what is taken off the products of q8_0's rows.
var armOff = [4]int{armMin, armSum, armTerms, armTerms + 1}

// file returns the bodies of Table.DotInt.
func (v armDots) file(stubs *text) string {
	var t text
	t.WriteString(arm64Head)
	t.WriteString(armDotHead)
	if v.quads {
		t.WriteString(armQuadsHead)
	} else {
		t.WriteString(armWordsHead)
	}
	t.WriteString(`
// For each number the byte of the fifth bits that has its own, and the bit in it.
DATA ·fifth` + v.name + `<>+0(SB)/8, $0x0000000000000000
DATA ·fifth` + v.name + `<>+8(SB)/8, $0x0101010101010101
DATA ·fifth` + v.name + `<>+16(SB)/8, $0x0202020202020202
DATA ·fifth` + v.name + `<>+24(SB)/8, $0x0303030303030303
DATA ·fifth` + v.name + `<>+32(SB)/8, $0x8040201008040201
DATA ·fifth` + v.name + `<>+40(SB)/8, $0x8040201008040201
GLOBL ·fifth` + v.name + `<>(SB), RODATA|NOPTR, $48
`)
	for _, q := range quants {
		for _, s := range armShapes {
			v.dot(&t, stubs, q, s)
		}
	}
	return t.String()
}

// centre is what weights without a sign are too large by.
func (q quant) centre() int {
	switch {
	case q.minimum || !q.nibbles():
		return 0
	case q.fifth > 0:
		return 16
	}
	return 8
}

// group is how many rows are opened before they meet the columns.
func (v armDots) group(s shape) int {
	if v.quads {
		return s.rows
	}
	return min(2, s.rows)
}

func (v armDots) dot(t, stubs *text, q quant, s shape) {
	acc := func(r, c int) int { return c*s.rows + r }
	sums := q.minimum || v.quads && q.nibbles()

	held := ""
	if sums {
		held = " R13… sums of their blocks,"
	}
	function(t, stubs,
		fmt.Sprintf("dot%s_%dx%d%s(y *float32, ys int, w *byte, ws int, x *byte, xs int, n int)", q.name, s.rows, s.cols, v.name), "$0-56",
		fmt.Sprintf("Table.DotInt of %s for %d × %d, but for the scales of columns. Requires %s, and n > 0, a multiple of 32.",
			strings.ToLower(q.name), s.rows, s.cols, v.needs),
		fmt.Sprintf("R0 y, R1 ys, R2 ws, R3 xs, R4… rows of w, R8… columns of x,%s R11 n/32, R12 rows to prefetch;", held),
		fmt.Sprintf("V0… sums, V%d… weights, V%d scales, V%d minimums, V%d… activations, V%d V%d products, V%d… terms.",
			armW, armScale, armMin, armX, armProd, armProd+1, armSum))
	for _, arg := range []string{"y+0(FP), R0", "ys+8(FP), R1", "w+16(FP), R4", "ws+24(FP), R2", "x+32(FP), R8", "xs+40(FP), R3", "n+48(FP), R11"} {
		t.op("MOVD "+arg, "")
	}
	t.op("LSL  $2, R1", "bytes")
	for r := 1; r < s.rows; r++ {
		t.op(fmt.Sprintf("ADD  R2, R%d, R%d", 3+r, 4+r), "")
	}
	t.op(fmt.Sprintf("ADD  R2, R%d, R12", 3+s.rows), "the rows after these")
	for c := 1; c < s.cols; c++ {
		t.op(fmt.Sprintf("ADD  R3, R%d, R%d", 7+c, 8+c), "")
	}
	if sums {
		for c := range s.cols {
			t.op(fmt.Sprintf("ADD  R11<<1, R%d, R%d", 8+c, 13+c), "")
		}
	}
	t.op("LSR  $5, R11", "")
	switch {
	case q.fifth > 0:
		t.op(fmt.Sprintf("MOVD $·fifth%s<>(SB), R16", v.name), "")
		t.op(fmt.Sprintf("VLD1 (R16), [V%d.B16, V%d.B16, V%d.B16]", armTerms, armTerms+1, armTerms+2), "")
	case v.quads && !q.nibbles():
		t.op(fmt.Sprintf("VMOVI $128, V%d.B16", armTerms+2), "")
	}
	for i := range s.rows * s.cols {
		t.op(zeroed(i), "")
	}
	t.line("")
	t.line("loop:")
	for at := 0; at < s.rows*q.size; at += 64 {
		t.op(fmt.Sprintf("PRFM %d(R12), PLDL1KEEP", at), "")
	}
	v.scales(t, q, s.rows)
	group := v.group(s)
	for first := 0; first < s.rows; first += group {
		v.open(t, q, first, group)
		for c := range s.cols {
			v.column(t, q, c, first+group == s.rows)
			for r := first; r < first+group; r += 2 {
				var ops [2][]string
				for i := range min(2, group) {
					ops[i] = v.products(q, r+i, first, armProd+i, acc(r+i, c))
				}
				for i, op := range ops[0] {
					t.op(op, "")
					if len(ops[1]) > 0 {
						t.op(ops[1][i], "")
					}
				}
			}
		}
	}
	for r := range s.rows {
		t.op(fmt.Sprintf("ADD  $%d, R%d", q.size, 4+r), "")
	}
	for c := range s.cols {
		t.op(fmt.Sprintf("ADD  $64, R%d", 8+c), "")
	}
	t.op(fmt.Sprintf("ADD  $%d, R12", s.rows*q.size), "")
	t.op("SUB  $1, R11", "")
	t.op("CBNZ R11, loop", "")
	t.line("")
	for c := range s.cols {
		a := acc(0, c)
		for r := 0; r < s.rows; r += 2 {
			t.op(fmt.Sprintf("FADDP_4S(%d, %d, %d)", a+min(r+1, s.rows-1), a+r, a+r), "")
		}
		t.op(fmt.Sprintf("FADDP_4S(%d, %d, %d)", a+min(2, s.rows-1), a, a), "(0+1) + (2+3)")
		store := map[int]string{1: "FMOVS", 4: "FMOVQ"}[s.rows]
		t.op(fmt.Sprintf("%s F%d, (R0)", store, a), "")
		if c < s.cols-1 {
			t.op("ADD  R1, R0", "")
		}
	}
	t.op("RET", "")
}

func zeroed(reg int) string { return fmt.Sprintf("VEOR V%d.B16, V%d.B16, V%d.B16", reg, reg, reg) }

// scales reads the scales of the rows, each into a lane, and their minimums.
func (v armDots) scales(t *text, q quant, rows int) {
	lane := "H"
	if q.minimum {
		lane = "S" // a scale and a minimum
	}
	t.op(fmt.Sprintf("VLD1R (R4), [V%d.%s%d]", armScale, lane, map[string]int{"H": 8, "S": 4}[lane]), "")
	for r := 1; r < rows; r++ {
		t.op(fmt.Sprintf("VLD1 (R%d), V%d.%s[%d]", 4+r, armScale, lane, r), "")
	}
	if q.minimum {
		t.op(fmt.Sprintf("VUZP2 V%d.H8, V%d.H8, V%d.H8", armScale, armScale, armMin), "")
		t.op(fmt.Sprintf("VUZP1 V%d.H8, V%d.H8, V%d.H8", armScale, armScale, armScale), "")
		t.op(fmt.Sprintf("FCVTL_4S(%d, %d)", armMin, armMin), "")
	}
	t.op(fmt.Sprintf("FCVTL_4S(%d, %d)", armScale, armScale), "")
}

// open reads a block of some rows.
func (v armDots) open(t *text, q quant, first, group int) {
	const nibble, centre, lowBits, highBits = armX, armX + 1, armX + 2, armX + 3
	three := func(op string, a, b, c int) { t.op(fmt.Sprintf("%s V%d.B16, V%d.B16, V%d.B16", op, a, b, c), "") }
	if q.nibbles() {
		t.op(fmt.Sprintf("VMOVI $15, V%d.B16", nibble), "")
		switch {
		case q.fifth > 0:
			t.op(fmt.Sprintf("VMOVI $16, V%d.B16", centre), "")
		case !v.quads && !q.minimum:
			t.op(fmt.Sprintf("VMOVI $8, V%d.B16", centre), "")
		}
	}
	for r := range group {
		row := 4 + first + r
		low, high := armW+2*r, armW+2*r+1
		if !v.quads {
			low, high = armProd, armProd+1
		}
		t.op(fmt.Sprintf("FMOVQ %d(R%d), F%d", q.numbers, row, low), "")
		if !q.nibbles() {
			t.op(fmt.Sprintf("FMOVQ %d(R%d), F%d", q.numbers+16, row, high), "")
		} else {
			if q.fifth > 0 {
				t.op(fmt.Sprintf("FMOVS %d(R%d), F%d", q.fifth, row, armSum), "")
				for i, bits := range []int{lowBits, highBits} {
					t.op(fmt.Sprintf("VTBL V%d.B16, [V%d.B16], V%d.B16", armTerms+i, armSum, bits), "")
					three("VCMTST", armTerms+2, bits, bits)
					three("VAND", centre, bits, bits)
				}
			}
			t.op(fmt.Sprintf("VUSHR $4, V%d.B16, V%d.B16", low, high), "")
			three("VAND", nibble, low, low)
			if q.fifth > 0 {
				three("VORR", lowBits, low, low)
				three("VORR", highBits, high, high)
			}
		}
		if v.quads {
			if !q.nibbles() {
				off := armOff[r]
				t.op(zeroed(off), "")
				t.op(fmt.Sprintf("SDOT_4S(%d, %d, %d)", armTerms+2, low, off), "")
				t.op(fmt.Sprintf("SDOT_4S(%d, %d, %d)", armTerms+2, high, off), "")
			}
			continue
		}
		for i, reg := range []int{low, high} {
			if q.centre() > 0 {
				three("VSUB", centre, reg, reg)
			}
			t.op(fmt.Sprintf("SXTL_8H(%d, %d)", reg, armW+4*r+2*i), "")
			t.op(fmt.Sprintf("SXTL2_8H(%d, %d)", reg, armW+4*r+2*i+1), "")
		}
	}
}

// column reads a block of column c, and moves on to the next sum when it is the last time.
func (v armDots) column(t *text, q quant, c int, last bool) {
	x := 8 + c
	if !v.quads {
		t.op(fmt.Sprintf("FLDPQ (R%d), (F%d, F%d)", x, armX, armX+1), "")
		t.op(fmt.Sprintf("FLDPQ 32(R%d), (F%d, F%d)", x, armX+2, armX+3), "")
	} else {
		t.op(fmt.Sprintf("FLDPQ (R%d), (F%d, F%d)", x, armX+2, armX+3), "")
		t.op(fmt.Sprintf("FLDPQ 32(R%d), (F%d, F%d)", x, armProd, armProd+1), "")
		for i, from := range []int{armX + 2, armProd} {
			t.op(fmt.Sprintf("VUZP2 V%d.B16, V%d.B16, V%d.B16", from+1, from, armX+2*i), "high bytes")
			t.op(fmt.Sprintf("VUZP1 V%d.B16, V%d.B16, V%d.B16", from+1, from, armX+2*i+1), "low bytes")
		}
		if !q.nibbles() {
			for i := range 2 {
				low := armX + 2*i + 1
				t.op(fmt.Sprintf("VEOR V%d.B16, V%d.B16, V%d.B16", armTerms+2, low, low), "")
			}
		}
	}
	if q.minimum || v.quads && q.nibbles() {
		post, step := "", ""
		if last {
			post, step = ".P", "4"
		}
		t.op(fmt.Sprintf("FMOVS%s %s(R%d), F%d", post, step, 13+c, armSum), "the other lanes are 0")
	}
	if v.quads && q.centre() > 0 {
		t.op(fmt.Sprintf("FCVTNS_4S(%d, %d)", armSum, armSum), "")
		t.op(fmt.Sprintf("VSHL $%d, V%d.S4, V%d.S4", map[int]int{8: 3, 16: 4}[q.centre()], armSum, armSum), "")
	}
}

// products multiplies row r with the column that was read and adds to sum; first is the first row that is open.
func (v armDots) products(q quant, r, first, prod, sum int) []string {
	var ops []string
	op := func(format string, a ...any) { ops = append(ops, fmt.Sprintf(format, a...)) }
	if v.quads {
		w := armW + 2*(r-first)
		low := map[bool]string{true: "UDOT_4S", false: "SDOT_4S"}[q.nibbles()]
		op("%s", zeroed(prod))
		op("SDOT_4S(%d, %d, %d)", armX, w, prod)
		op("SDOT_4S(%d, %d, %d)", armX+2, w+1, prod)
		op("VSHL $8, V%d.S4, V%d.S4", prod, prod)
		op("%s(%d, %d, %d)", low, armX+1, w, prod)
		op("%s(%d, %d, %d)", low, armX+3, w+1, prod)
		off := armSum
		if !q.nibbles() {
			off = armOff[r]
		}
		if !q.minimum {
			op("VSUB V%d.S4, V%d.S4, V%d.S4", off, prod, prod)
		}
	} else {
		w, multiply := armW+4*(r-first), "SMULL"
		for i := range 4 {
			op("%s_4S(%d, %d, %d)", multiply, armX+i, w+i, prod)
			op("SMLAL2_4S(%d, %d, %d)", armX+i, w+i, prod)
			multiply = "SMLAL"
		}
	}
	op("SCVTF_4S(%d, %d)", prod, prod)
	op("FMLA_4S_E(%d, %d, %d, %d)", armScale, r, prod, sum)
	if q.minimum {
		op("FMLA_4S_E(%d, %d, %d, %d)", armMin, r, armSum, sum)
	}
	return ops
}
