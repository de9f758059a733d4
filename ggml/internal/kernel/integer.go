package kernel

import (
	"encoding/binary"
	"math"
)

// Activations that meet quantised weights are rounded to 16 bits with one scale a row: with the largest magnitude a of the
// row, q = round(x·32767/a) and d = a/32767. What that adds to the error of a product is far below what ggml's 8 bits a
// block of 32 add: those leave an error of a/254 in the block that has the largest number, these one of a/65534 everywhere.
//
// A row of n is stored as
//
//	n int16 q; split by 32 or 64 the even ones of each so many come before the odd ones, and a last 32 are split by themselves
//	n/32 float32, the sums of the q of a block, which are exact and meet the minimum of q4_1 and q5_1
//	the float32 d
//
// all little-endian. So that nothing divides by zero, a is at least 2⁻¹⁰⁰.
const least = 0x1p-100

// QuantizedBytes returns the size of a row of n activations as Table.Quantize rounds it.
func QuantizedBytes(n int) int { return 2*n + 4*(n/block) + 4 }

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
	const round = 0x1.8p23 // adding it leaves no room for a fraction
	if !(v > -0x1p22 && v < 0x1p22) {
		return -limit - 1 // behind infinities and what is no number, the scale decides
	}
	return min(int32(math.Float32bits(float32(v)+round)-math.Float32bits(round)), limit)
}

func quantizeGeneric(dst []byte, x []float32, split int) {
	checkQuantize(dst, x)
	a := largest(x)
	by, sums := 32767/a, dst[2*len(x):]
	for i := 0; i < len(x); i += block {
		var sum int32
		for j, v := range x[i:][:block] {
			q := toInt(float32(v*by), 32767)
			binary.LittleEndian.PutUint16(dst[2*place(i+j, len(x), split):], uint16(q))
			sum += q
		}
		binary.LittleEndian.PutUint32(sums, math.Float32bits(float32(sum)))
		sums = sums[4:]
	}
	binary.LittleEndian.PutUint32(sums, math.Float32bits(a/32767))
}

// place is where number i of n is stored.
func place(i, n, split int) int {
	if split == 0 {
		return i
	}
	if i >= n/split*split {
		split = block
	}
	first := i / split * split
	return first + (i-first)/2 + i%2*(split/2)
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

// add adds the product with a block of activations of the given sum, but for their scale.
func (o *opened) add(to float32, x []byte, sum float32) float32 {
	var s0, s1, s2, s3 int32
	for q := o.q[:]; len(q) >= 4; q, x = q[4:], x[8:] {
		four := binary.LittleEndian.Uint64(x)
		s0 += q[0] * int32(int16(four))
		s1 += q[1] * int32(int16(four>>16))
		s2 += q[2] * int32(int16(four>>32))
		s3 += q[3] * int32(int64(four)>>48)
	}
	s := s0 + s1 + s2 + s3
	to += float32(float32(s) * o.d)
	if o.m != 0 {
		to += float32(sum * o.m)
	}
	return to
}

// dotIntGeneric returns DotInt for weights of a type whose blocks take size bytes.
func dotIntGeneric(typ, size int) func(y []float32, ys int, w []byte, ws int, x []byte, xs, rows, cols, n int) {
	return func(y []float32, ys int, w []byte, ws int, x []byte, xs, rows, cols, n int) {
		const together = 8
		checkDotInt(y, ys, w, ws, x, xs, rows, cols, n, size)
		for c := 0; c < cols; c += together {
			for r := range rows {
				var o opened
				var sum [together]float32
				for k := range n / block {
					o.open(typ, w[r*ws+k*size:][:size])
					for i := range min(together, cols-c) {
						at := x[(c+i)*xs:]
						sum[i] = o.add(sum[i], at[2*block*k:], scaleAt(at[2*n+4*k:]))
					}
				}
				for i := range min(together, cols-c) {
					y[(c+i)*ys+r] = sum[i] * scaleAt(x[(c+i)*xs+QuantizedBytes(n)-4:])
				}
			}
		}
	}
}
