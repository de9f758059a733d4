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

// wide reports whether the activations have 16 bits.
func (q quant) wide() bool { return q.name == "Q8_0" }

// intDots is a rung of integer dots: vectors of eight sums of 32 bits.
type intDots struct {
	name   string
	needs  string
	vnni   bool
	evex   bool // 32 registers, masks, other names of some instructions
	shapes []shape
}

var allIntDots = []intDots{
	{"AVX2", "AVX2, FMA, F16C", false, false, []shape{{1, 1}, {4, 1}, {4, 2}, {2, 3}, {2, 4}, {2, 5}}},
	{"AVXVNNI", "AVX2, FMA, F16C, AVX-VNNI", true, false, []shape{{1, 1}, {4, 1}, {4, 2}, {2, 3}, {2, 4}, {2, 5}}},
	{"AVX512VNNI", "AVX-512 F, BW, VL, VNNI", true, true, []shape{{1, 1}, {4, 1}, {4, 2}, {4, 3}, {4, 4}, {4, 5}}},
}

const intHead = `
// Dots of quantised weights with quantised activations, whose layout integer.go gives. Eight sums of a (row, column) are
// kept, lane i having numbers 4i … 4i+3 of each block: the integers of a block are added up exactly, converted to float32,
// scaled and added. Shapes differ in nothing else, so that a value does not depend on them.
//
// Weights of four and five bits stay unsigned, 0 … 31, and activations are in [−128, 127]. %s
// Lanes of at most 4·31·128, and the terms −16·s that make the weights signed, are exact in float32 too.
//
// Weights of q8_0 are widened to 16 bits. A lane is at most 4·128·32767 < 2²⁴, so that float32 holds it.
`

// intConstants are what the bodies need, 32 bytes each: registers where some are free, else memory.
var intConstants = []struct {
	name, note string
	words      [4]uint64
}{
	{"Ones", "", [4]uint64{0x0001000100010001, 0x0001000100010001, 0x0001000100010001, 0x0001000100010001}},
	{"Nibble", "", [4]uint64{0x0F0F0F0F0F0F0F0F, 0x0F0F0F0F0F0F0F0F, 0x0F0F0F0F0F0F0F0F, 0x0F0F0F0F0F0F0F0F}},
	{"Shift", "The high nibbles are the second half of a block.", [4]uint64{0, 0, 0x0000000400000004, 0x0000000400000004}},
	{"Bit", "The bit of a number in its byte of the fifth bits.",
		[4]uint64{0x8040201008040201, 0x8040201008040201, 0x8040201008040201, 0x8040201008040201}},
	{"Sixteen", "", [4]uint64{0x1010101010101010, 0x1010101010101010, 0x1010101010101010, 0x1010101010101010}},
	{"Spread", "The byte of a number in the fifth bits.",
		[4]uint64{0, 0x0101010101010101, 0x0202020202020202, 0x0303030303030303}},
}

// wants reports whether the bodies of q want the constant.
func (v intDots) wants(q quant, constant string) bool {
	switch {
	case q.wide():
		return false
	case constant == "Ones":
		return !v.vnni
	case constant == "Bit", constant == "Spread":
		return q.fifth > 0 && !v.evex
	case constant == "Sixteen":
		return q.fifth > 0
	}
	return true
}

// file returns the bodies of Table.DotInt.
func (v intDots) file(stubs *text) string {
	var t text
	t.WriteString(amd64Head)
	if v.vnni && !v.evex {
		t.line(`#include "enc_amd64.h"`)
	}
	how := "VPMADDUBSW\n// adds two products, at most 2·31·128 in magnitude, far from where it saturates; VPMADDWD with ones adds two of those."
	if v.vnni {
		how = "VPDPBUSD\n// adds four products to 32 bits without saturating."
	}
	t.WriteString(fmt.Sprintf(intHead, how))
	for _, c := range intConstants {
		if !v.wants(quants[2], c.name) {
			continue
		}
		t.line("")
		if c.note != "" {
			t.line("// %s", c.note)
		}
		for i, w := range c.words {
			t.line("DATA ·dotInt%s%s<>+%d(SB)/8, $0x%016X", c.name, v.name, 8*i, w)
		}
		t.line("GLOBL ·dotInt%s%s<>(SB), RODATA|NOPTR, $32", c.name, v.name)
	}
	for _, q := range quants {
		for _, s := range v.shapes {
			v.dot(&t, stubs, q, s)
		}
	}
	return t.String()
}

// op returns the name of an instruction that has another one for registers above 15.
func (v intDots) op(name string) string {
	if !v.evex {
		return name
	}
	switch name {
	case "VMOVDQU":
		return "VMOVDQU32"
	case "VPAND":
		return "VPANDD"
	case "VPXOR", "VXORPS":
		return "VPXORD"
	case "VBROADCASTI128":
		return "VBROADCASTI32X4"
	}
	return name
}

// intRegs are the registers of a body beside the sums.
type intRegs struct {
	scale, minimum int
	weights, high  int // high is the second half of q8_0
	sum, second    int // second takes the activations or the second half of the products
	constants      map[string]string
}

// registers hands them out, and loads the constants that still find one.
func (v intDots) registers(t *text, q quant, next int) intRegs {
	take := func() int {
		next++
		return next - 1
	}
	r := intRegs{scale: take(), weights: take(), sum: take(), constants: map[string]string{}}
	if q.wide() {
		r.high = take()
	}
	if !v.evex && (v.vnni || q.wide()) {
		r.second = take()
	}
	if q.minimum {
		r.minimum = take()
	}
	limit := 16
	if v.evex {
		limit = 32
	}
	for _, c := range intConstants {
		if !v.wants(q, c.name) {
			continue
		}
		place := fmt.Sprintf("·dotInt%s%s<>(SB)", c.name, v.name)
		if next < limit {
			reg := fmt.Sprintf("Y%d", take())
			t.op(fmt.Sprintf("%s %s, %s", v.op("VMOVDQU"), place, reg), "")
			place = reg
		}
		r.constants[c.name] = place
	}
	return r
}

func (v intDots) dot(t, stubs *text, q quant, s shape) {
	w := lines{[]string{"DI", "R11"}, "R8"}
	x := lines{[]string{"SI", "R10"}, "R9"}
	sums := s.rows * s.cols
	acc := func(r, c int) string { return fmt.Sprintf("Y%d", c*s.rows+r) }
	column := 96
	if q.wide() {
		column = 64
	}

	function(t, stubs,
		fmt.Sprintf("dot%s_%dx%d%s(y *float32, ys int, w *byte, ws int, x *byte, xs int, n int)", q.name, s.rows, s.cols, v.name), "$0-56",
		fmt.Sprintf("Table.DotInt of %s for %d × %d. Requires %s, and n > 0, a multiple of 32.", strings.ToLower(q.name), s.rows, s.cols, v.needs),
		fmt.Sprintf("BX y, AX ys, %s w, R8 ws, %s x, R9 xs, CX n left, DX what to prefetch, the rows behind these;",
			strings.Join(w.used(s.rows), ", "), strings.Join(x.used(s.cols), ", ")),
		fmt.Sprintf("Y0 … %s sums, Y%d the scale of a block, Y%d its weights, Y%d their products.", acc(s.rows-1, s.cols-1), sums, sums+1, sums+2))
	arguments(t, "y+0", "BX", "ys+8", "AX", "w+16", "DI", "ws+24", "R8", "x+32", "SI", "xs+40", "R9", "n+48", "CX")
	t.op("SHLQ $2, AX", "bytes")
	w.point(t, s.rows)
	x.point(t, s.cols)
	t.op("MOVQ R8, DX", "")
	if s.rows > 1 {
		t.op(fmt.Sprintf("IMULQ $%d, DX", s.rows), "")
	}
	t.op("ADDQ DI, DX", "")
	regs := v.registers(t, q, sums)
	for i := range sums {
		t.op(fmt.Sprintf("%s Y%d, Y%d, Y%d", v.op("VXORPS"), i, i, i), "")
	}
	t.line("")
	t.line("loop:")
	for at := 0; at < s.rows*q.size; at += 64 {
		t.op(fmt.Sprintf("PREFETCHT0 %d(DX)", at), "")
	}
	for r := range s.rows {
		v.open(t, q, regs, func(disp int) string { return w.at(r, disp) })
		for c := range s.cols {
			v.multiply(t, q, regs, func(disp int) string { return x.at(c, disp) })
			t.op(fmt.Sprintf("VCVTDQ2PS Y%d, Y%d", regs.sum, regs.sum), "")
			if !q.wide() {
				t.op(fmt.Sprintf("VMULPS %s, Y%d, Y%d", x.at(c, 32), regs.sum, regs.sum), "")
			}
			t.op(fmt.Sprintf("VFMADD231PS Y%d, Y%d, %s", regs.sum, regs.scale, acc(r, c)), "")
			if q.minimum {
				t.op(fmt.Sprintf("VFMADD231PS %s, Y%d, %s", x.at(c, 64), regs.minimum, acc(r, c)), "")
			}
		}
	}
	w.advance(t, s.rows, q.size)
	x.advance(t, s.cols, column)
	t.op(fmt.Sprintf("ADDQ $%d, DX", s.rows*q.size), "")
	t.op("SUBQ $32, CX", "")
	t.op("JNZ  loop", "")
	isa{lanes: 8}.totals(t, s)
	t.op("VZEROUPPER", "")
	t.op("RET", "")
}

// open reads a block of weights.
func (v intDots) open(t *text, q quant, regs intRegs, w func(disp int) string) {
	weights, sum := fmt.Sprintf("Y%d", regs.weights), fmt.Sprintf("Y%d", regs.sum)
	three := func(op, a, b, c string) { t.op(fmt.Sprintf("%s %s, %s, %s", op, a, b, c), "") }
	if q.wide() {
		t.op(fmt.Sprintf("VPMOVSXBW %s, %s", w(q.numbers), weights), "")
		t.op(fmt.Sprintf("VPMOVSXBW %s, Y%d", w(q.numbers+16), regs.high), "")
	} else {
		t.op(fmt.Sprintf("%s %s, %s", v.op("VBROADCASTI128"), w(q.numbers), weights), "")
		three("VPSRLVD", regs.constants["Shift"], weights, weights)
		three(v.op("VPAND"), regs.constants["Nibble"], weights, weights)
	}
	switch {
	case q.fifth > 0 && v.evex:
		t.op(fmt.Sprintf("KMOVD %s, K1", w(q.fifth)), "")
		t.op(fmt.Sprintf("VPADDB %s, %s, K1, %s", regs.constants["Sixteen"], weights, weights), "")
	case q.fifth > 0:
		t.op(fmt.Sprintf("VPBROADCASTD %s, %s", w(q.fifth), sum), "")
		three("VPSHUFB", regs.constants["Spread"], sum, sum)
		three("VPAND", regs.constants["Bit"], sum, sum)
		three("VPCMPEQB", regs.constants["Bit"], sum, sum)
		three("VPAND", regs.constants["Sixteen"], sum, sum)
		three("VPOR", sum, weights, weights)
	}
	half := func(disp, reg int) {
		t.op(fmt.Sprintf("VPBROADCASTW %s, X%d", w(disp), reg), "")
		t.op(fmt.Sprintf("VCVTPH2PS X%d, Y%d", reg, reg), "")
	}
	half(0, regs.scale)
	if q.minimum {
		half(2, regs.minimum)
	}
}

// multiply leaves the sums of the products of a block, by fours.
func (v intDots) multiply(t *text, q quant, regs intRegs, x func(disp int) string) {
	weights, sum, second := fmt.Sprintf("Y%d", regs.weights), fmt.Sprintf("Y%d", regs.sum), fmt.Sprintf("Y%d", regs.second)
	three := func(op, a, b, c string) { t.op(fmt.Sprintf("%s %s, %s, %s", op, a, b, c), "") }
	load := func(disp int, reg string) { t.op(fmt.Sprintf("%s %s, %s", v.op("VMOVDQU"), x(disp), reg), "") }
	if q.wide() {
		high := fmt.Sprintf("Y%d", regs.high)
		three("VPMADDWD", x(0), weights, sum)
		switch {
		case v.evex:
			three("VPDPWSSD", x(32), high, sum)
		case v.vnni:
			load(32, second)
			t.op(fmt.Sprintf("VPDPWSSD_VEX_Y(%d, %d, %d)", regs.second, regs.high, regs.sum), "")
		default:
			three("VPMADDWD", x(32), high, second)
			three("VPADDD", second, sum, sum)
		}
		return
	}
	if !v.vnni {
		three("VPMADDUBSW", x(0), weights, sum)
		three("VPMADDWD", regs.constants["Ones"], sum, sum)
		if !q.minimum {
			three("VPADDD", x(64), sum, sum)
		}
		return
	}
	if q.minimum {
		three(v.op("VPXOR"), sum, sum, sum)
	} else {
		load(64, sum)
	}
	if v.evex {
		three("VPDPBUSD", x(0), weights, sum)
		return
	}
	load(0, second)
	t.op(fmt.Sprintf("VPDPBUSD_VEX_Y(%d, %d, %d)", regs.second, regs.weights, regs.sum), "")
}
