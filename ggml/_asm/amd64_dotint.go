package main

import (
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
	{isa: isa{name: "AVX2", needs: "AVX2, FMA, F16C", reg: "Y", lanes: 8, shapes: yShapes}},
	{isa: isa{name: "AVXVNNI", needs: "AVX2, FMA, F16C, AVX-VNNI", reg: "Y", lanes: 8, shapes: yShapes}, vnni: true},
	{isa: isa{name: "AVX512", needs: "AVX-512 F, BW, VL", reg: "Z", lanes: 16,
		shapes: []shape{{1, 1}, {4, 1}, {4, 2}, {4, 3}, {4, 4}, {4, 5}, {4, 6}}}},
}

// yShapes leave registers for a block of weights.
var yShapes = []shape{{1, 1}, {4, 1}, {4, 2}, {2, 3}, {2, 4}, {2, 5}}

const intHead = `
// Dots of quantised weights with quantised activations, whose layout integer.go gives. Weights are opened to 16 bits, those
// of q4_0 and q5_0 with their sign, and a lane takes two or four products of a block, at most 4·128·32767 < 2²⁴ in
// magnitude: whole numbers that int32 and float32 hold exactly. They are scaled and added to the sums of the (row, column),
// one a lane. Shapes differ in nothing else, so that a value does not depend on them.
`

// intConstant is what bodies need a vector of: a register where one is free, else memory.
type intConstant struct {
	name  string
	words [32]uint16
	of    func(q quant, evex bool) bool
}

var intConstants = func() []intConstant {
	cs := []intConstant{
		{name: "Nibble", of: func(q quant, evex bool) bool { return q.nibbles() }},
		{name: "Bits", of: func(q quant, evex bool) bool { return q.fifth > 0 && !evex }},
		{name: "Sixteen", of: func(q quant, evex bool) bool { return q.fifth > 0 && (evex || q.minimum) }},
		{name: "Eight", of: func(q quant, evex bool) bool { return q.name == "Q4_0" }},
		{name: "Shift", of: func(q quant, evex bool) bool { return q.nibbles() && evex }},
		{name: "Signs", of: func(q quant, evex bool) bool { return q.fifth > 0 && !evex && !q.minimum }},
	}
	for i := range 32 {
		for j, w := range []uint16{15, 1 << (i % 16), 16, 8, uint16(i / 16 * 4), 0xFFF0} {
			cs[j].words[i] = w
		}
	}
	return cs
}()

// nibbles reports whether the weights have four bits and maybe a fifth.
func (q quant) nibbles() bool { return q.name != "Q8_0" }

func (v intDots) evex() bool { return v.lanes == 16 }

// file returns the bodies of Table.DotInt.
func (v intDots) file(stubs *text) string {
	var t text
	t.WriteString(amd64Head)
	if v.vnni {
		t.line(`#include "enc_amd64.h"`)
	}
	t.WriteString(intHead)
	for _, c := range intConstants {
		wanted := false
		for _, q := range quants {
			wanted = wanted || c.of(q, v.evex())
		}
		if !wanted {
			continue
		}
		t.line("")
		for i := 0; i < 2*v.lanes; i += 4 {
			w := c.words[i:]
			t.line("DATA ·dotInt%s%s<>+%d(SB)/8, $0x%04X%04X%04X%04X", c.name, v.name, 2*i, w[3], w[2], w[1], w[0])
		}
		t.line("GLOBL ·dotInt%s%s<>(SB), RODATA|NOPTR, $%d", c.name, v.name, 4*v.lanes)
	}
	for _, q := range quants {
		for _, s := range v.shapes {
			v.dot(&t, stubs, q, s)
		}
	}
	return t.String()
}

// intRegs are the registers of a body beside the sums. Vectors of 32 words need no high and no second.
type intRegs struct {
	scale, minimum int
	low, high      int // the weights of a block
	sum, second    int // their products; second is the sum of a block of activations, too
	constants      map[string]string
}

// registers hands them out, and loads the constants that still find one.
func (v intDots) registers(t *text, q quant, next int) intRegs {
	take := func() int {
		next++
		return next - 1
	}
	r := intRegs{scale: take(), low: take(), sum: take(), second: take(), constants: map[string]string{}}
	limit := 32
	if !v.evex() {
		r.high, limit = take(), 16
	}
	if q.minimum {
		r.minimum = take()
	}
	for _, c := range intConstants {
		if !c.of(q, v.evex()) {
			continue
		}
		place := fmt.Sprintf("·dotInt%s%s<>(SB)", c.name, v.name)
		if next < limit {
			reg := v.r(take())
			t.op(fmt.Sprintf("VMOVUPS %s, %s", place, reg), "")
			place = reg
		}
		r.constants[c.name] = place
	}
	return r
}

func (v intDots) dot(t, stubs *text, q quant, s shape) {
	w := lines{[]string{"DI", "R11"}, "R8"}
	x := lines{[]string{"SI", "R10"}, "R9"}
	totals := lines{[]string{"R12", "R13"}, "R9"}
	sums := s.rows * s.cols
	acc := func(r, c int) string { return v.r(c*s.rows + r) }
	held := ""
	if q.minimum {
		held = fmt.Sprintf(" %s sums of their blocks,", strings.Join(totals.used(s.cols), ", "))
	}

	function(t, stubs,
		fmt.Sprintf("dot%s_%dx%d%s(y *float32, ys int, w *byte, ws int, x *byte, xs int, n int)", q.name, s.rows, s.cols, v.name), "$0-56",
		fmt.Sprintf("Table.DotInt of %s for %d × %d, but for the scales of columns. Requires %s, and n > 0, a multiple of 32.",
			strings.ToLower(q.name), s.rows, s.cols, v.needs),
		fmt.Sprintf("BX y, AX ys, %s w, R8 ws, %s x,%s R9 xs, CX n left, DX what to prefetch, the rows behind these;",
			strings.Join(w.used(s.rows), ", "), strings.Join(x.used(s.cols), ", "), held),
		fmt.Sprintf("%s … %s sums, %s the scale of a block, %s weights, %s products.", v.r(0), acc(s.rows-1, s.cols-1), v.r(sums), v.r(sums+1), v.r(sums+2)))
	arguments(t, "y+0", "BX", "ys+8", "AX", "w+16", "DI", "ws+24", "R8", "x+32", "SI", "xs+40", "R9", "n+48", "CX")
	t.op("SHLQ $2, AX", "bytes")
	w.point(t, s.rows)
	x.point(t, s.cols)
	if q.minimum {
		t.op("LEAQ (SI)(CX*2), R12", "")
		totals.point(t, s.cols)
	}
	t.op("MOVQ R8, DX", "")
	if s.rows > 1 {
		t.op(fmt.Sprintf("IMULQ $%d, DX", s.rows), "")
	}
	t.op("ADDQ DI, DX", "")
	regs := v.registers(t, q, sums)
	v.zero(t, sums)
	t.line("")
	t.line("loop:")
	for at := 0; at < s.rows*q.size; at += 64 {
		t.op(fmt.Sprintf("PREFETCHT0 %d(DX)", at), "")
	}
	for r := range s.rows {
		v.open(t, q, regs, func(disp int) string { return w.at(r, disp) })
		for c := range s.cols {
			v.multiply(t, regs, func(disp int) string { return x.at(c, disp) })
			t.op(fmt.Sprintf("VCVTDQ2PS %s, %s", v.r(regs.sum), v.r(regs.sum)), "")
			t.op(fmt.Sprintf("VFMADD231PS %s, %s, %s", v.r(regs.sum), v.r(regs.scale), acc(r, c)), "")
			if q.minimum {
				t.op(fmt.Sprintf("VMOVSS %s, X%d", totals.at(c, 0), regs.second), "the other lanes are 0")
				t.op(fmt.Sprintf("VFMADD231PS %s, %s, %s", v.r(regs.second), v.r(regs.minimum), acc(r, c)), "")
			}
		}
	}
	w.advance(t, s.rows, q.size)
	x.advance(t, s.cols, 64)
	if q.minimum {
		totals.advance(t, s.cols, 4)
	}
	t.op(fmt.Sprintf("ADDQ $%d, DX", s.rows*q.size), "")
	t.op("SUBQ $32, CX", "")
	t.op("JNZ  loop", "")
	v.totals(t, s)
	t.op("VZEROUPPER", "")
	t.op("RET", "")
}

// open reads a block of weights.
func (v intDots) open(t *text, q quant, regs intRegs, w func(disp int) string) {
	three := func(op string, a string, b, c int) { t.op(fmt.Sprintf("%s %s, %s, %s", op, a, v.r(b), v.r(c)), "") }
	switch {
	case !q.nibbles() && v.evex():
		t.op(fmt.Sprintf("VPMOVSXBW %s, %s", w(q.numbers), v.r(regs.low)), "")
	case !q.nibbles():
		t.op(fmt.Sprintf("VPMOVSXBW %s, %s", w(q.numbers), v.r(regs.low)), "")
		t.op(fmt.Sprintf("VPMOVSXBW %s, %s", w(q.numbers+16), v.r(regs.high)), "")
	case v.evex():
		v.openEVEX(t, q, regs, w)
	default:
		t.op(fmt.Sprintf("VPMOVZXBW %s, %s", w(q.numbers), v.r(regs.low)), "")
		three("VPSRLW", "$4", regs.low, regs.high)
		three("VPAND", regs.constants["Nibble"], regs.low, regs.low)
		for i, reg := range []int{regs.low, regs.high} {
			switch {
			case q.name == "Q4_0":
				three("VPSUBW", regs.constants["Eight"], reg, reg)
			case q.fifth > 0:
				t.op(fmt.Sprintf("VPBROADCASTW %s, %s", w(q.fifth+2*i), v.r(regs.sum)), "")
				three("VPAND", regs.constants["Bits"], regs.sum, regs.sum)
				three("VPCMPEQW", regs.constants["Bits"], regs.sum, regs.sum)
				if q.minimum {
					three("VPAND", regs.constants["Sixteen"], regs.sum, regs.sum)
				} else {
					three("VPANDN", regs.constants["Signs"], regs.sum, regs.sum) // without its bit a number is its nibble − 16
				}
				three("VPOR", v.r(regs.sum), reg, reg)
			}
		}
	}
	// Of four halves the first is the scale, the second the minimum if there is one.
	t.op(fmt.Sprintf("VCVTPH2PS %s, X%d", w(0), regs.scale), "")
	if q.minimum {
		t.op(fmt.Sprintf("VMOVSHDUP X%d, X%d", regs.scale, regs.minimum), "")
		t.op(fmt.Sprintf("VBROADCASTSS X%d, %s", regs.minimum, v.r(regs.minimum)), "")
	}
	t.op(fmt.Sprintf("VBROADCASTSS X%d, %s", regs.scale, v.r(regs.scale)), "")
}

// openEVEX reads a block of nibbles to 32 words.
func (v intDots) openEVEX(t *text, q quant, regs intRegs, w func(disp int) string) {
	low := v.r(regs.low)
	t.op(fmt.Sprintf("VBROADCASTI32X4 %s, Y%d", w(q.numbers), regs.low), "")
	t.op(fmt.Sprintf("VPMOVZXBW Y%d, %s", regs.low, low), "")
	t.op(fmt.Sprintf("VPSRLVW %s, %s, %s", regs.constants["Shift"], low, low), "")
	t.op(fmt.Sprintf("VPANDD %s, %s, %s", regs.constants["Nibble"], low, low), "")
	switch {
	case q.name == "Q4_0":
		t.op(fmt.Sprintf("VPSUBW %s, %s, %s", regs.constants["Eight"], low, low), "")
	case q.minimum && q.fifth > 0:
		t.op(fmt.Sprintf("KMOVD %s, K1", w(q.fifth)), "")
		t.op(fmt.Sprintf("VPADDW %s, %s, K1, %s", regs.constants["Sixteen"], low, low), "")
	case q.fifth > 0:
		t.op(fmt.Sprintf("KMOVD %s, K1", w(q.fifth)), "")
		t.op("KNOTD K1, K1", "")
		t.op(fmt.Sprintf("VPSUBW %s, %s, K1, %s", regs.constants["Sixteen"], low, low), "")
	}
}

// multiply leaves the sums of the products of a block, by twos or fours.
func (v intDots) multiply(t *text, regs intRegs, x func(disp int) string) {
	t.op(fmt.Sprintf("VPMADDWD %s, %s, %s", x(0), v.r(regs.low), v.r(regs.sum)), "")
	switch {
	case v.vnni:
		t.op(fmt.Sprintf("VMOVDQU %s, %s", x(32), v.r(regs.second)), "")
		t.op(fmt.Sprintf("VPDPWSSD_VEX_Y(%d, %d, %d)", regs.second, regs.high, regs.sum), "")
	case !v.evex():
		t.op(fmt.Sprintf("VPMADDWD %s, %s, %s", x(32), v.r(regs.high), v.r(regs.second)), "")
		t.op(fmt.Sprintf("VPADDD %s, %s, %s", v.r(regs.second), v.r(regs.sum), v.r(regs.sum)), "")
	}
}
