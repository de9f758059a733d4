package ggml

import (
	"fmt"
	"math"
)

// codecs holds the reference quantiser and dequantiser of each type. Both take whole blocks.
var codecs = [...]struct {
	quantize   func(dst []byte, src []float32)
	dequantize func(dst []float32, src []byte)
}{
	F32:  {quantizeF32, dequantizeF32},
	F16:  {quantizeF16, dequantizeF16},
	Q4_0: {quantizeQ4_0, dequantizeQ4_0},
	Q4_1: {quantizeQ4_1, dequantizeQ4_1},
	Q5_0: {quantizeQ5_0, dequantizeQ5_0},
	Q5_1: {quantizeQ5_1, dequantizeQ5_1},
	Q8_0: {quantizeQ8_0, dequantizeQ8_0},
	Q2_K: {quantizeQ2_K, dequantizeQ2_K},
	Q3_K: {quantizeQ3_K, dequantizeQ3_K},
	Q4_K: {quantizeQ4_K, dequantizeQ4_K},
	Q5_K: {quantizeQ5_K, dequantizeQ5_K},
	Q6_K: {quantizeQ6_K, dequantizeQ6_K},
}

// Quantize stores src as numbers of type t in dst. The bytes are those of ggml's reference quantisers without importance
// matrix, on every machine: each operation is rounded to float32 and none is fused. len(src) must be a multiple of
// t.Block and len(dst) be t.Bytes(len(src)); otherwise Quantize panics. The values should be finite: others do no harm,
// but give bytes without meaning.
func Quantize(t Type, dst []byte, src []float32) {
	checkLengths(t, len(src), len(dst))
	codecs[t].quantize(dst, src)
}

// Dequantize turns src, numbers of type t, into dst. len(dst) must be a multiple of t.Block and len(src) be
// t.Bytes(len(dst)); otherwise Dequantize panics. src may start at any address.
func Dequantize(t Type, dst []float32, src []byte) {
	checkLengths(t, len(dst), len(src))
	codecs[t].dequantize(dst, src)
}

func checkLengths(t Type, numbers, bytes int) {
	if !t.Valid() || numbers%t.Block() != 0 || t.Bytes(numbers) != bytes {
		panic(fmt.Sprintf("ggml: %d numbers of %v in %d bytes", numbers, t, bytes))
	}
}

// The quantisers are written to a rule: a product that is added to something stands in float32(…), because Go may
// otherwise fuse the two, with one rounding less and other bytes in the file.

// nearest rounds to the nearest integer, ties to even. |v| must be below 2²²; beyond it the result has no meaning, but is
// the same on every machine.
func nearest(v float32) int {
	const shift = 3 << 22 // pushes the fraction out of the mantissa
	return int(math.Float32bits(float32(v)+shift)&0x7fffff) - 1<<22
}

// trunc rounds toward zero; values that no int32 holds become its lowest, as amd64 has it.
func trunc(v float32) int32 {
	if v > -1<<31 && v < 1<<31 {
		return int32(v)
	}
	return math.MinInt32
}

// inverse returns 1/d, or 0 for 0.
func inverse(d float32) float32 {
	if d == 0 {
		return 0
	}
	return 1 / d
}

func abs32(v float32) float32 { return math.Float32frombits(math.Float32bits(v) &^ (1 << 31)) }

// extreme returns the element of largest magnitude with its sign, the first of equal ones; 0 where there is none but zeros.
func extreme(x []float32) float32 {
	var most, largest float32
	for _, v := range x {
		if a := abs32(v); a > largest {
			most, largest = v, a
		}
	}
	return most
}

// bounds returns the smallest and the largest element.
func bounds(x []float32) (low, high float32) {
	low, high = x[0], x[0]
	for _, v := range x[1:] {
		if v < low {
			low = v
		}
		if v > high {
			high = v
		}
	}
	return low, high
}
