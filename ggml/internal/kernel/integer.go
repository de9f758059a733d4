package kernel

import (
	"encoding/binary"
	"math"
)

// Activations for weights of four and five bits are rounded to 8 bits in blocks of 32, as ggml's Q8: with the largest
// magnitude a of a block, q = round(x·127/a) and d = a/127. A block takes 96 bytes, laid out for vectors of eight:
//
//	32 signed bytes q
//	8 times the float32 d
//	8 terms, of s[i] = q[4i] + … + q[4i+3]: the int32 −8·s[i] (q4_0) or −16·s[i] (q5_0), which turn the sum of products of
//	unsigned weights into that of signed ones; or the float32 d·s[i] (q4_1, q5_1), which the weights' minimum multiplies
//
// Activations for q8_0 are rounded to 16 bits with one scale a row, q = round(x·32767/a), d = a/32767: the n int16 q, then
// the float32 d. So they are no coarser than those of 8 bits a block where no block's a is below 1/258 of the row's.
//
// All is little-endian. So that nothing divides by zero, a is at least 2⁻¹⁰⁰.
const (
	bytesBlock8 = 32 + 8*4 + 8*4
	least       = 0x1p-100
)

// QuantizedBytes returns the size of a row of n activations as Table.Quantize rounds it for weights of ggml's type
// number typ.
func QuantizedBytes(typ, n int) int {
	if typ == 8 {
		return 2*n + 4
	}
	return n / block * bytesBlock8
}

// largest returns the largest magnitude in x, or a NaN where there is one, and at least the constant least.
func largest(x []float32) float32 {
	bits := math.Float32bits(least)
	for _, v := range x {
		bits = max(bits, math.Float32bits(v)&^(1<<31)) // what is no number has the largest bits
	}
	return math.Float32frombits(bits)
}

// toInt rounds to the nearest integer, ties to even, in [−limit−1, limit].
func toInt(v float32, limit int32) int32 {
	const round = 0x1.8p23
	if !(v > -0x1p22 && v < 0x1p22) {
		return -limit - 1 // behind infinities and what is no number, the scale decides
	}
	return min(int32(math.Float32bits(float32(v)+round)-math.Float32bits(round)), limit)
}

// quantize8Generic returns Quantize for unsigned weights that are too large by offset, or have a minimum.
func quantize8Generic(offset int32, minimum bool) func(dst []byte, x []float32) {
	return func(dst []byte, x []float32) { quantize8(dst, x, offset, minimum) }
}

func quantize8(dst []byte, x []float32, offset int32, minimum bool) {
	checkQuantize(dst, x, len(x)/block*bytesBlock8)
	for ; len(x) > 0; dst, x = dst[bytesBlock8:], x[block:] {
		a := largest(x[:block])
		d, by := a/127, 127/a
		for i := range 8 {
			var s int32
			for j, v := range x[4*i:][:4] {
				q := toInt(float32(v*by), 127)
				dst[4*i+j] = byte(q)
				s += q
			}
			term := uint32(-offset * s)
			if minimum {
				term = math.Float32bits(d * float32(s))
			}
			binary.LittleEndian.PutUint32(dst[32+4*i:], math.Float32bits(d))
			binary.LittleEndian.PutUint32(dst[64+4*i:], term)
		}
	}
}

// quantize16Generic is Quantize for q8_0.
func quantize16Generic(dst []byte, x []float32) {
	checkQuantize(dst, x, 2*len(x)+4)
	a := largest(x)
	by := 32767 / a
	for i, v := range x {
		binary.LittleEndian.PutUint16(dst[2*i:], uint16(toInt(float32(v*by), 32767)))
	}
	binary.LittleEndian.PutUint32(dst[2*len(x):], math.Float32bits(a/32767))
}

func scaleAt(b []byte) float32 { return math.Float32frombits(binary.LittleEndian.Uint32(b)) }

// opened are the integers of a block of weights, w = d·q + m. Those with a minimum are unsigned, the others signed.
type opened struct {
	q    [block]int32
	d, m float32
}

func (o *opened) nibbles(qs []byte, fifth uint32, offset int32) {
	for i, q := range qs[:16] {
		o.q[i] = int32(uint32(q&15)|fifth>>i&1<<4) - offset
		o.q[i+16] = int32(uint32(q>>4)|fifth>>(i+16)&1<<4) - offset
	}
}

func (o *opened) open(typ int, b []byte) {
	o.d = halfAt(b)
	switch typ {
	case 2:
		o.nibbles(b[2:], 0, 8)
	case 3:
		o.m = halfAt(b[2:])
		o.nibbles(b[4:], 0, 0)
	case 6:
		o.nibbles(b[6:], binary.LittleEndian.Uint32(b[2:]), 16)
	case 7:
		o.m = halfAt(b[2:])
		o.nibbles(b[8:], binary.LittleEndian.Uint32(b[4:]), 0)
	case 8:
		for i, q := range b[2:bytesQ8_0] {
			o.q[i] = int32(int8(q))
		}
	}
}

// dot8 adds the product with a block of activations of 8 bits to sum.
func (o *opened) dot8(sum float32, x []byte) float32 {
	var s, all int32
	for i, q := range x[:block] {
		s += o.q[i] * int32(int8(q))
		all += int32(int8(q))
	}
	d := scaleAt(x[32:])
	sum += float32(float32(float32(s)*d) * o.d)
	if o.m != 0 {
		sum += float32(o.m * float32(d*float32(all)))
	}
	return sum
}

// dot16 does with a block of activations of 16 bits, whose scale is left to the end.
func (o *opened) dot16(sum float32, x []byte) float32 {
	var s int32
	for i, w := range &o.q {
		s += w * int32(int16(binary.LittleEndian.Uint16(x[2*i:])))
	}
	return sum + float32(float32(s)*o.d)
}

// dotIntGeneric returns DotInt for weights of a type whose blocks take size bytes.
func dotIntGeneric(typ, size int) func(y []float32, ys int, w []byte, ws int, x []byte, xs, rows, cols, n int) {
	return func(y []float32, ys int, w []byte, ws int, x []byte, xs, rows, cols, n int) {
		const together = 8
		checkDotInt(y, ys, w, ws, x, xs, rows, cols, n, size, QuantizedBytes(typ, n))
		for c := 0; c < cols; c += together {
			for r := range rows {
				var o opened
				var sum [together]float32
				for k := range n / block {
					o.open(typ, w[r*ws+k*size:][:size])
					for i := range min(together, cols-c) {
						if at := (c + i) * xs; typ == 8 {
							sum[i] = o.dot16(sum[i], x[at+2*block*k:])
						} else {
							sum[i] = o.dot8(sum[i], x[at+bytesBlock8*k:])
						}
					}
				}
				for i := range min(together, cols-c) {
					if typ == 8 {
						sum[i] *= scaleAt(x[(c+i)*xs+2*n:])
					}
					y[(c+i)*ys+r] = sum[i]
				}
			}
		}
	}
}
