package main

import (
	"encoding/binary"
	"fmt"
	"strings"
)

// quant is a type of weights in blocks of 32: where the parts of a block lie.
type quant struct {
	name    string
	size    int // bytes a block
	fifth   int // of the fifth bits; 0 where there are none
	numbers int // of the nibbles or bytes
	minimum bool
}

var quants = []quant{
	{"Q4_0", 18, 0, 2, false},
	{"Q4_1", 20, 0, 4, true},
	{"Q5_0", 22, 2, 6, false},
	{"Q5_1", 24, 4, 8, true},
	{"Q8_0", 34, 0, 2, false},
}

// intDots is a rung of integer dots.
type intDots struct {
	isa
	vnni bool // VPDPWSSD with VEX
}

var allIntDots = []intDots{
	{isa: isa{name: "AVX2", needs: "AVX2, FMA, F16C", reg: "Y", lanes: 8, ahead: 2048, shapes: yShapes}},
	{isa: isa{name: "AVXVNNI", needs: "AVX2, FMA, F16C, AVX-VNNI", reg: "Y", lanes: 8, ahead: 2048, shapes: yShapes}, vnni: true},
}

// yShapes leave registers for a block of weights.
var yShapes = []shape{{1, 1}, {4, 1}, {4, 2}, {2, 3}, {2, 4}, {2, 5}}

const intHead = `
// Dots of quantised weights with quantised activations, whose layout integer.go gives. A block of weights becomes two
// vectors of words, and a lane takes four products: whole numbers that int32 holds, and float32 too, for in magnitude they
// are at most 4·128·32767 < 2²⁴, or 256 times 4·16·32767. They are scaled and added to the sums of the (row, column), one a
// lane. Shapes differ in nothing else, so that a value does not depend on them.
//
// The nibbles of q5_0 and q5_1 meet their fifth bits as bytes: the 16 of a block, and once more behind them, shifted. Words
// are those of the even bytes, then those of the odd. Those of q5_0 hold a byte in their high half: 256 times the weight.
`

// intConstant is what bodies need a vector of: a register where one is free, else memory.
type intConstant struct {
	name  string
	bytes []byte
	of    func(q quant) bool
}

// vector returns a vector of numbers of size bytes.
func (v isa) vector(size int, number func(i int) int) []byte {
	b := make([]byte, 4*v.lanes)
	for i := range b {
		b[i] = byte(number(i/size) >> (i % size * 8))
	}
	return b
}

func all(n int) func(int) int { return func(int) int { return n } }

// symbol is the operand of a constant in memory.
func (v isa) symbol(c intConstant) string { return fmt.Sprintf("·dotInt%s%s<>(SB)", c.name, v.name) }

// data writes a constant.
func (v isa) data(t *text, c intConstant) {
	symbol := strings.TrimSuffix(v.symbol(c), "(SB)")
	t.line("")
	for i := 0; i < len(c.bytes); i += 8 {
		t.line("DATA %s+%d(SB)/8, $0x%016X", symbol, i, binary.LittleEndian.Uint64(c.bytes[i:]))
	}
	t.line("GLOBL %s(SB), RODATA|NOPTR, $%d", symbol, len(c.bytes))
}

func (v intDots) constants() []intConstant {
	four := func(q quant) bool { return q.nibbles() && q.fifth == 0 }
	five := func(q quant) bool { return q.fifth > 0 }
	signed := func(q quant) bool { return five(q) && !q.minimum }
	unsigned := func(q quant) bool { return five(q) && q.minimum }
	return []intConstant{
		{"Nibble", v.vector(2, all(15)), four},
		{"Eight", v.vector(2, all(8)), func(q quant) bool { return q.name == "Q4_0" }},
		{"Bits", v.vector(1, func(i int) int { return 1 << (i % 8) }), five},
		{"Nibbles", v.vector(1, all(15)), five},
		{"Shift", v.vector(4, func(i int) int { return i / 4 * 4 }), five},
		{"Place", v.vector(1, func(i int) int { return i / 8 }), five},
		{"Signs", v.vector(1, all(0xF0)), signed},
		{"High", v.vector(2, all(0xFF00)), signed},
		{"Sixteen", v.vector(1, all(16)), unsigned},
		{"Low", v.vector(2, all(0x00FF)), unsigned},
	}
}

// nibbles reports whether the weights have four bits and maybe a fifth.
func (q quant) nibbles() bool { return q.name != "Q8_0" }

// file returns the bodies of Table.DotInt.
func (v intDots) file(stubs *text) string {
	var t text
	t.WriteString(amd64Head)
	if v.vnni {
		t.line(`#include "enc_amd64.h"`)
	}
	t.WriteString(intHead)
	for _, c := range v.constants() {
		v.data(&t, c)
	}
	for _, q := range quants {
		for _, s := range v.shapes {
			v.dot(&t, stubs, q, s)
		}
	}
	return t.String()
}

// intRegs are the registers of a row beside its sums.
type intRegs struct {
	scale, minimum int
	first, second  int // the weights of a block
	sum, other     int // their products
	total          int // the sum of a block of activations
}

// registers hands out those of two rows, and loads the constants that still find one.
func (v intDots) registers(t *text, q quant, s shape) (regs [2]intRegs, constants map[string]string) {
	next := s.rows * s.cols
	take := func() int {
		next++
		return next - 1
	}
	row := func() (r intRegs) {
		r.scale, r.first, r.second = take(), take(), take()
		if q.minimum {
			r.minimum = take()
		}
		// A single column may spoil the weights.
		r.sum, r.other = r.first, r.second
		if s.cols > 1 {
			r.sum = take()
		}
		if s.cols > 1 || v.vnni {
			r.other = take()
		}
		r.total = r.other
		return r
	}
	regs[0] = row()
	regs[1] = regs[0]
	if v.paired(s) {
		regs[1] = row()
	}
	if q.minimum && s.cols == 1 {
		regs[0].total = take()
		regs[1].total = regs[0].total
	}
	constants = map[string]string{}
	for _, c := range v.constants() {
		if !c.of(q) {
			continue
		}
		constants[c.name] = v.symbol(c)
		if next < 16 {
			reg := v.r(take())
			t.op(fmt.Sprintf("VMOVUPS %s, %s", constants[c.name], reg), "")
			constants[c.name] = reg
		}
	}
	return regs, constants
}

// paired reports whether the instructions of two rows take turns, so that few of them wait for the one before.
func (v intDots) paired(s shape) bool { return s.rows > 1 && s.cols == 1 }

// intBlock is what becomes of a block of a row.
type intBlock struct {
	intRegs
	constants map[string]string
	ops       []string
}

func (b *intBlock) op(format string, a ...any) { b.ops = append(b.ops, fmt.Sprintf(format, a...)) }

// intLines are the operands of a body: rows of weights, columns of activations, and the sums of their blocks.
type intLines struct {
	q            quant
	s            shape
	w, x, totals lines
}

// begin writes the head of a body, whose comment ends with what its vectors hold.
func (v isa) begin(t, stubs *text, q quant, s shape, left, vectors string) intLines {
	l := intLines{
		q: q, s: s,
		w:      lines{[]string{"DI", "R11"}, "R8"},
		x:      lines{[]string{"SI", "R10"}, "R9"},
		totals: lines{[]string{"R12", "R13"}, "R9"},
	}
	held := ""
	if q.minimum {
		held = fmt.Sprintf(" %s sums of their blocks,", strings.Join(l.totals.used(s.cols), ", "))
	}
	function(t, stubs,
		fmt.Sprintf("dot%s_%dx%d%s(y *float32, ys, yr int, w *byte, ws int, x *byte, xs int, n, groups, yn, wn int)", q.name, s.rows, s.cols, v.name), "$0-88",
		fmt.Sprintf("Table.DotInt of %s for groups of %d × %d, but for the scales of columns. Requires %s, groups > 0, and n > 0, a multiple of 32.",
			strings.ToLower(q.name), s.rows, s.cols, v.needs),
		fmt.Sprintf("BX y, AX ys, %s w, R8 ws, %s x,%s R9 xs, CX %s, DX what to prefetch, behind these rows;",
			strings.Join(l.w.used(s.rows), ", "), strings.Join(l.x.used(s.cols), ", "), held, left),
		vectors)
	return l
}

// group begins a group of rows and points at the operands.
func (v isa) group(t *text, l intLines) {
	group(t)
	l.w.point(t, l.s.rows)
	l.x.point(t, l.s.cols)
	if l.q.minimum {
		t.op("LEAQ (SI)(CX*2), R12", "")
		l.totals.point(t, l.s.cols)
	}
	v.pointAhead(t, l.s)
}

// prefetch fetches as many bytes as rows of n blocks have.
func (l intLines) prefetch(t *text, n int) {
	for at := 0; at < l.s.rows*n*l.q.size; at += 64 {
		t.op(fmt.Sprintf("PREFETCHT0 %d(DX)", at), "")
	}
}

// advance moves all pointers on by n blocks.
func (l intLines) advance(t *text, n int) {
	l.w.advance(t, l.s.rows, n*l.q.size)
	l.x.advance(t, l.s.cols, n*64)
	if l.q.minimum {
		l.totals.advance(t, l.s.cols, n*4)
	}
	t.op(fmt.Sprintf("ADDQ $%d, DX", l.s.rows*n*l.q.size), "")
}

func (v intDots) dot(t, stubs *text, q quant, s shape) {
	sums := s.rows * s.cols
	acc := func(r, c int) string { return v.r(c*s.rows + r) }
	l := v.begin(t, stubs, q, s, "n left",
		fmt.Sprintf("%s … %s sums, %s the scale of a block, %s weights.", v.r(0), acc(s.rows-1, s.cols-1), v.r(sums), v.r(sums+1)))
	regs, constants := v.registers(t, q, s)
	v.group(t, l)
	v.zero(t, sums)
	t.line("")
	t.line("loop:")
	l.prefetch(t, 1)
	if q.minimum && s.cols == 1 {
		t.op(fmt.Sprintf("VMOVSS %s, X%d", l.totals.at(0, 0), regs[0].total), "the other lanes are 0")
	}
	var blocks []intBlock
	for r := range s.rows {
		b := intBlock{intRegs: regs[r%2], constants: constants}
		v.open(&b, q, func(disp int) string { return l.w.at(r, disp) })
		for c := range s.cols {
			v.multiply(&b, func(disp int) string { return l.x.at(c, disp) })
			b.op("VCVTDQ2PS %s, %s", v.r(b.sum), v.r(b.sum))
			b.op("VFMADD231PS %s, %s, %s", v.r(b.sum), v.r(b.scale), acc(r, c))
			if q.minimum && s.cols > 1 {
				b.op("VMOVSS %s, X%d", l.totals.at(c, 0), b.total)
			}
			if q.minimum {
				b.op("VFMADD231PS %s, %s, %s", v.r(b.total), v.r(b.minimum), acc(r, c))
			}
		}
		blocks = append(blocks, b)
	}
	step := 1
	if v.paired(s) {
		step = 2
	}
	for ; len(blocks) > 0; blocks = blocks[step:] {
		for i := range blocks[0].ops {
			for _, b := range blocks[:step] {
				t.op(b.ops[i], "")
			}
		}
	}
	l.advance(t, 1)
	t.op("SUBQ $32, CX", "")
	t.op("JNZ  loop", "")
	v.totals(t, s)
	nextGroup(t)
}

// open reads a block of weights, and its scale and minimum.
func (v intDots) open(b *intBlock, q quant, w func(disp int) string) {
	first, second := v.r(b.first), v.r(b.second)
	switch {
	case q.fifth > 0:
		v.openFive(b, q, w)
	case !q.nibbles():
		b.op("VPMOVSXBW %s, %s", w(q.numbers), first)
		b.op("VPMOVSXBW %s, %s", w(q.numbers+16), second)
	default:
		b.op("VPMOVZXBW %s, %s", w(q.numbers), first)
		b.op("VPSRLW $4, %s, %s", first, second)
		b.op("VPAND %s, %s, %s", b.constants["Nibble"], first, first)
		if q.name == "Q4_0" {
			b.op("VPSUBW %s, %s, %s", b.constants["Eight"], second, second)
			b.op("VPSUBW %s, %s, %s", b.constants["Eight"], first, first)
		}
	}
	// Of four halves the first is the scale, the second the minimum if there is one.
	b.op("VCVTPH2PS %s, X%d", w(0), b.scale)
	if q.minimum {
		b.op("VMOVSHDUP X%d, X%d", b.scale, b.minimum)
		b.op("VBROADCASTSS X%d, %s", b.minimum, v.r(b.minimum))
	}
	b.op("VBROADCASTSS X%d, %s", b.scale, v.r(b.scale))
}

// openFive reads a block of nibbles with fifth bits.
func (v intDots) openFive(b *intBlock, q quant, w func(disp int) string) {
	bytes, bits := v.r(b.second), v.r(b.first)
	b.op("VPBROADCASTD %s, %s", w(q.fifth), bits)
	b.op("VBROADCASTI128 %s, %s", w(q.numbers), bytes)
	b.op("VPSHUFB %s, %s, %s", b.constants["Place"], bits, bits)
	b.op("VPSRLVD %s, %s, %s", b.constants["Shift"], bytes, bytes)
	b.op("VPAND %s, %s, %s", b.constants["Bits"], bits, bits)
	b.op("VPAND %s, %s, %s", b.constants["Nibbles"], bytes, bytes)
	b.op("VPCMPEQB %s, %s, %s", b.constants["Bits"], bits, bits)
	if q.minimum {
		b.op("VPAND %s, %s, %s", b.constants["Sixteen"], bits, bits)
		b.op("VPOR %s, %s, %s", bits, bytes, bytes)
		b.op("VPAND %s, %s, %s", b.constants["Low"], bytes, bits)
		b.op("VPSRLW $8, %s, %s", bytes, bytes)
		return
	}
	b.op("VPANDN %s, %s, %s", b.constants["Signs"], bits, bits) // without its bit a number is its nibble − 16
	b.op("VPOR %s, %s, %s", bits, bytes, bytes)
	b.op("VPSLLW $8, %s, %s", bytes, bits)
	b.op("VPAND %s, %s, %s", b.constants["High"], bytes, bytes)
}

// multiply leaves the sums of the products of a block, by twos or fours.
func (v intDots) multiply(b *intBlock, x func(disp int) string) {
	b.op("VPMADDWD %s, %s, %s", x(0), v.r(b.first), v.r(b.sum))
	if v.vnni {
		b.op("VMOVDQU %s, %s", x(32), v.r(b.other))
		b.op("VPDPWSSD_VEX_Y(%d, %d, %d)", b.other, b.second, b.sum)
	} else {
		b.op("VPMADDWD %s, %s, %s", x(32), v.r(b.second), v.r(b.other))
		b.op("VPADDD %s, %s, %s", v.r(b.other), v.r(b.sum), v.r(b.sum))
	}
}

// intTable writes the tables of the bodies of a rung: the first shape is that of one row and column, the others have 1, 2, … columns.
func (v isa) intTable(t *text) {
	t.line("")
	t.line("// The integer dots of %s.", strings.ToLower(v.name))
	t.line("var (")
	for _, q := range quants {
		body := func(s shape) string { return fmt.Sprintf("dot%s_%dx%d%s", q.name, s.rows, s.cols, v.name) }
		var rows, bodies []string
		for _, s := range v.shapes[1:] {
			rows, bodies = append(rows, fmt.Sprint(s.rows)), append(bodies, body(s))
		}
		t.line("\tdots%s%s = dotBodies[byte]{", q.name, v.name)
		t.line("\t\tone:  %s,", body(v.shapes[0]))
		t.line("\t\trows: []int{%s},", strings.Join(rows, ", "))
		t.line("\t\tcols: []dotBody[byte]{%s},", strings.Join(bodies, ", "))
		t.line("\t}")
	}
	t.line(")")
}
