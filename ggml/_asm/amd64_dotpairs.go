package main

import "fmt"

// allPairDots are the rungs whose vectors hold the bytes of two blocks.
var allPairDots = []pairDots{
	{isa: pairISA("AVX512", "AVX-512 F, BW, VL")},
	{isa: pairISA("AVX512VNNI", "AVX-512 F, BW, VL, VNNI"), vnni: true},
}

func pairISA(name, needs string) isa {
	return isa{name: name, needs: needs, reg: "Z", lanes: 16, ahead: 12288, shapes: []shape{{1, 1}, {4, 1}, {4, 2}, {4, 3}, {4, 4}, {4, 5}, {4, 6}}}
}

// pairDots is a rung of integer dots that take two blocks at a time.
type pairDots struct {
	isa
	vnni bool
}

const pairHead = `
// Dots of quantised weights with quantised activations, whose layout integer.go gives, split by 64. The bytes of two blocks
// become two vectors of words, of the even bytes and of the odd, and a lane takes four products: whole numbers that int32
// holds, and float32 too, for in magnitude they are at most 4·128·32767 < 2²⁴, or 256 times 4·16·32767. They are scaled, those
// of the first block in the lower half and those of the second in the upper, and added to the sums of the (row, column), one
// a lane. A last block without a second has one of zeros. Shapes differ in nothing else, so that a value does not depend on
// them. Words of q4_0 and q5_0 hold a byte in their high half: 256 times the weight.
`

// negative reports whether words are 256 times the weights, since those have a sign.
func (q quant) negative() bool { return q.nibbles() && !q.minimum }

// constants of a type of weights.
func (v pairDots) constants(q quant) []intConstant {
	if !q.nibbles() {
		return nil
	}
	list := []intConstant{
		{name: "Nibble", bytes: v.vector(1, all(15))},
		{name: "Shift", bytes: v.vector(2, func(i int) int { return i / 8 % 2 * 4 })},
	}
	if q.fifth > 0 {
		list = append(list, intConstant{name: "Sixteen", bytes: v.vector(1, all(16))})
	}
	if q.name == "Q4_0" {
		list = append(list, intConstant{name: "Eight", bytes: v.vector(1, all(8))})
	}
	if q.negative() {
		return append(list, intConstant{name: "High", bytes: v.vector(2, all(0xFF00))})
	}
	return append(list, intConstant{name: "Low", bytes: v.vector(2, all(0x00FF))})
}

// file returns the bodies of Table.DotInt.
func (v pairDots) file(stubs *text) string {
	var t text
	t.WriteString(amd64Head)
	t.WriteString(pairHead)
	written := map[string]bool{}
	for _, q := range quants {
		for _, c := range v.constants(q) {
			if !written[c.name] {
				v.data(&t, c)
			}
			written[c.name] = true
		}
	}
	for _, q := range quants {
		for _, s := range v.shapes {
			v.dot(&t, stubs, q, s)
		}
	}
	return t.String()
}

// pairRegs are the registers beside sums, and the operands of a body.
type pairRegs struct {
	intLines
	even, odd      int // words of the weights of a row
	scale, minimum int
	sum, other     int // of products; the other holds sums of activations behind them
	constants      map[string]string
}

func (v pairDots) dot(t, stubs *text, q quant, s shape) {
	sums := s.rows * s.cols
	next := sums
	take := func() int {
		next++
		return next - 1
	}
	p := pairRegs{even: take(), odd: take(), scale: take(), sum: take(), other: take(), constants: map[string]string{}}
	if q.minimum {
		p.minimum = take()
	}
	p.intLines = v.begin(t, stubs, q, s, "n left, less 64",
		fmt.Sprintf("%s … %s sums, %s and %s weights, %s scales, %s two blocks and products.",
			v.r(0), v.r(sums-1), v.r(p.even), v.r(p.odd), v.r(p.scale), v.r(p.sum)))
	for _, c := range v.constants(q) {
		p.constants[c.name] = v.symbol(c)
		if next < 32 {
			p.constants[c.name] = v.r(take())
			t.op(fmt.Sprintf("VMOVDQU32 %s, %s", v.symbol(c), p.constants[c.name]), "")
		}
	}
	mask := func(bits int, k, what string) {
		t.op(fmt.Sprintf("MOVL $0x%X, R14", bits), "")
		t.op(fmt.Sprintf("KMOVW R14, %s", k), what)
	}
	mask(0xFF00, "K2", "the second block")
	if q.minimum {
		mask(2, "K3", "its minimum, which meets the second of two sums of activations")
	}
	v.group(t, p.intLines)
	v.zero(t, sums)
	t.op("SUBQ $64, CX", "")
	t.op("JLT  rest", "")
	t.line("")
	t.line("loop:")
	p.prefetch(t, 2)
	v.blocks(t, p, true)
	p.advance(t, 2)
	t.op("SUBQ $64, CX", "")
	t.op("JGE  loop", "")
	t.line("")
	t.line("rest:")
	t.op("CMPQ CX, $-64", "")
	t.op("JEQ  done", "")
	v.blocks(t, p, false)
	t.line("")
	t.line("done:")
	v.totals(t, s)
	nextGroup(t)
}

// blocks multiplies a pair of blocks, or a last one alone, of all rows and columns.
func (v pairDots) blocks(t *text, p pairRegs, pair bool) {
	op := func(format string, a ...any) { t.op(fmt.Sprintf(format, a...), "") }
	sum, other := v.r(p.sum), v.r(p.other)
	total := "VMOVSD"
	if !pair {
		total = "VMOVSS"
	}
	for r := range p.s.rows {
		v.open(t, p, func(disp int) string { return p.w.at(r, disp) }, pair)
		for c := range p.s.cols {
			even, odd := p.x.at(c, 0), p.x.at(c, 64)
			if !pair {
				even, odd = sum, other
				op("VMOVDQU32 %s, Y%d", p.x.at(c, 0), p.sum)
				op("VMOVDQU32 %s, Y%d", p.x.at(c, 32), p.other)
			}
			op("VPMADDWD %s, %s, %s", even, v.r(p.even), sum)
			if v.vnni {
				op("VPDPWSSD %s, %s, %s", odd, v.r(p.odd), sum)
			} else {
				op("VPMADDWD %s, %s, %s", odd, v.r(p.odd), other)
				op("VPADDD %s, %s, %s", other, sum, sum)
			}
			op("VCVTDQ2PS %s, %s", sum, sum)
			op("VFMADD231PS %s, %s, %s", sum, v.r(p.scale), v.r(c*p.s.rows+r))
			if p.q.minimum {
				op("%s %s, X%d", total, p.totals.at(c, 0), p.other)
				op("VFMADD231PS %s, %s, %s", other, v.r(p.minimum), v.r(c*p.s.rows+r))
			}
		}
	}
}

// open reads two blocks of a row, or a last one alone, with their scales and minima.
func (v pairDots) open(t *text, p pairRegs, w func(disp int) string, pair bool) {
	op := func(format string, a ...any) { t.op(fmt.Sprintf(format, a...), "") }
	q, even, odd := p.q, v.r(p.even), v.r(p.odd)
	// halves takes a half of each block, that of the second into the lanes of its mask.
	halves := func(disp, to int, second string) {
		op("VPBROADCASTW %s, Y%d", w(disp), to)
		if pair {
			op("VPBROADCASTW %s, %s, Y%d", w(q.size+disp), second, to)
		}
		op("VCVTPH2PS Y%d, %s", to, v.r(to))
	}
	halves(0, p.scale, "K2")
	if q.minimum {
		halves(2, p.minimum, "K3")
	}
	if !q.nibbles() {
		op("VMOVDQU32 %s, Y%d", w(q.numbers), p.even)
		if pair {
			op("VINSERTI64X4 $1, %s, %s, %s", w(q.size+q.numbers), even, even)
		}
		op("VPSRAW $8, %s, %s", even, odd)
		op("VPSLLW $8, %s, %s", even, even)
		op("VPSRAW $8, %s, %s", even, even)
		return
	}

	op("VBROADCASTI32X4 %s, %s", w(q.numbers), even)
	if pair {
		op("VBROADCASTI32X4 %s, K2, %s", w(q.size+q.numbers), even)
	}
	if q.fifth > 0 {
		op("MOVL %s, R14", w(q.fifth))
		if pair {
			op("MOVL %s, R15", w(q.size+q.fifth))
			op("SHLQ $32, R15")
			op("ORQ  R15, R14")
		}
		op("KMOVQ R14, K1")
	}
	op("VPSRLVW %s, %s, %s", p.constants["Shift"], even, even)
	if q.fifth > 0 && !q.minimum {
		// (x and 15) or not 15: without its fifth bit a number is its nibble − 16.
		op("VPTERNLOGD $0xF3, %s, %s, %s", p.constants["Nibble"], p.constants["Nibble"], even)
	} else {
		op("VPANDD %s, %s, %s", p.constants["Nibble"], even, even)
	}
	if q.fifth > 0 {
		op("VPADDB %s, %s, K1, %s", p.constants["Sixteen"], even, even)
	}
	if q.name == "Q4_0" {
		op("VPSUBB %s, %s, %s", p.constants["Eight"], even, even)
	}
	if q.negative() {
		op("VPANDD %s, %s, %s", p.constants["High"], even, odd)
		op("VPSLLW $8, %s, %s", even, even)
	} else {
		op("VPSRLW $8, %s, %s", even, odd)
		op("VPANDD %s, %s, %s", p.constants["Low"], even, even)
	}
}
