//go:build !noasm

package kernel

import (
	"math"
	"unsafe"
)

// The functions below hand a rest shorter than a body's step to the same body in a buffer, where the body rounds
// otherwise than Go would: a number's value then does not depend on its place.

func widenF16NEON(dst []float32, src []byte) {
	checkWiden(dst, src, 1, 2)
	n := len(dst) &^ 7
	if n > 0 {
		widenF16x8NEON(&dst[0], &src[0], n)
	}
	if n < len(dst) {
		var in [16]byte
		var out [8]float32
		copy(in[:], src[2*n:2*len(dst)])
		widenF16x8NEON(&out[0], &in[0], 8)
		copy(dst[n:], out[:])
	}
}

// blocksNEON wraps a body that turns blocks of size bytes into floats.
func blocksNEON(size int, body func(dst *float32, src *byte, blocks int)) func(dst []float32, src []byte) {
	return func(dst []float32, src []byte) {
		checkWiden(dst, src, block, size)
		if n := len(dst) / block; n > 0 {
			body(&dst[0], &src[0], n)
		}
	}
}

//go:noescape
func widenF16x8NEON(dst *float32, src *byte, n int)

//go:noescape
func widenQ4_0NEON(dst *float32, src *byte, blocks int)

//go:noescape
func widenQ4_1NEON(dst *float32, src *byte, blocks int)

//go:noescape
func widenQ5_0NEON(dst *float32, src *byte, blocks int)

//go:noescape
func widenQ5_1NEON(dst *float32, src *byte, blocks int)

//go:noescape
func widenQ8_0NEON(dst *float32, src *byte, blocks int)

func narrowNEON(dst []uint16, src []float32) {
	check("dst", len(dst), len(src))
	n := len(src) &^ 7
	if n > 0 {
		narrow8NEON(&dst[0], &src[0], n)
	}
	if n < len(src) {
		var in [8]float32
		var out [8]uint16
		copy(in[:], src[n:])
		narrow8NEON(&out[0], &in[0], 8)
		copy(dst[n:len(src)], out[:])
	}
}

//go:noescape
func narrow8NEON(dst *uint16, src *float32, n int)

func maxNEON(x []float32) float32 {
	check("x", len(x), 1)
	m := x[0]
	n := len(x) &^ 15
	if n > 0 {
		m = max16NEON(&x[0], n)
	}
	for _, v := range x[n:] {
		m = max(m, v)
	}
	return m
}

//go:noescape
func max16NEON(x *float32, n int) float32

func exp2SumNEON(x []float32, m float32) float32 {
	var sum float32
	n := len(x) &^ 7
	if n > 0 {
		sum = exp2Sum8NEON(&x[0], n, m)
	}
	if n < len(x) {
		var b [8]float32
		copy(b[:], x[n:])
		exp2Sum8NEON(&b[0], 8, m)
		for _, v := range b[:copy(x[n:], b[:])] {
			sum += v
		}
	}
	return sum
}

//go:noescape
func exp2Sum8NEON(x *float32, n int, m float32) float32

func scaleNEON(x []float32, s float32) {
	n := len(x) &^ 15
	if n > 0 {
		scale16NEON(&x[0], n, s)
	}
	for i := n; i < len(x); i++ {
		x[i] *= s
	}
}

//go:noescape
func scale16NEON(x *float32, n int, s float32)

func addNEON(dst, x []float32) {
	check("dst", len(dst), len(x))
	n := len(x) &^ 15
	if n > 0 {
		add16NEON(&dst[0], &x[0], n)
	}
	for i := n; i < len(x); i++ {
		dst[i] += x[i]
	}
}

//go:noescape
func add16NEON(dst, x *float32, n int)

func geluNEON(x []float32) {
	n := len(x) &^ 3
	if n > 0 {
		gelu4NEON(&x[0], n)
	}
	if n < len(x) {
		var b [4]float32
		copy(b[:], x[n:])
		gelu4NEON(&b[0], 4)
		copy(x[n:], b[:])
	}
}

//go:noescape
func gelu4NEON(x *float32, n int)

func normNEON(dst, x, w, b []float32) {
	checkNorm(dst, x, w, b)
	n := len(x) &^ 15
	var sum, squares float32
	if n > 0 {
		sum = sum16NEON(&x[0], n)
	}
	for _, v := range x[n:] {
		sum += v
	}
	mean := sum / float32(len(x))
	if n > 0 {
		squares = squares16NEON(&x[0], n, mean)
	}
	for _, v := range x[n:] {
		squares += (v - mean) * (v - mean)
	}
	scale := float32(1 / math.Sqrt(float64(squares/float32(len(x)))+normEps))
	if n > 0 {
		affine8NEON(&dst[0], &x[0], &w[0], &b[0], n, mean, scale)
	}
	for i := n; i < len(x); i++ {
		dst[i] = (x[i]-mean)*scale*w[i] + b[i]
	}
}

//go:noescape
func sum16NEON(x *float32, n int) float32

//go:noescape
func squares16NEON(x *float32, n int, mean float32) float32

//go:noescape
func affine8NEON(dst, x, w, b *float32, n int, mean, scale float32)

func scoresNEON(s, q []float32, k []uint16, cells []int32, n int) {
	checkCells(q, s, k, cells, n)
	if n > 0 {
		scores64NEON(&s[0], &q[0], &k[0], unsafe.SliceData(cells), n)
	}
}

func mixNEON(out, p []float32, v []uint16, cells []int32, n int) {
	checkCells(out, p, v, cells, n)
	if n == 0 {
		clear(out[:headSize])
		return
	}
	mix64NEON(&out[0], &p[0], &v[0], unsafe.SliceData(cells), n)
}

//go:noescape
func scores64NEON(s, q *float32, k *uint16, cells *int32, n int)

//go:noescape
func mix64NEON(out, p *float32, v *uint16, cells *int32, n int)
