//go:build !noasm

package kernel

import (
	"math"
	"unsafe"
)

// The bodies take whole vectors of eight. A tail of a function that works in place goes through a vector on the stack, so
// that a value's bits do not depend on where it lies.

// tail8 is the part of x behind its last whole vector of eight, filled up.
func tail8(x []float32, fill float32) (v [8]float32, tail []float32) {
	tail = x[len(x)&^7:]
	for i := copy(v[:], tail); i < 8; i++ {
		v[i] = fill
	}
	return v, tail
}

func exp2SumAVX2(x []float32, m float32) float32 {
	var sum float32
	if n := len(x) &^ 7; n > 0 {
		sum = exp2Sum8AVX2(&x[0], n, m)
	}
	if len(x)&7 > 0 {
		v, tail := tail8(x, float32(math.Inf(-1)))
		exp2Sum8AVX2(&v[0], 8, m)
		copy(tail, v[:])
		for _, f := range tail {
			sum += f
		}
	}
	return sum
}

func geluAVX2(x []float32) {
	if n := len(x) &^ 7; n > 0 {
		gelu8AVX2(&x[0], n)
	}
	if len(x)&7 > 0 {
		v, tail := tail8(x, 0)
		gelu8AVX2(&v[0], 8)
		copy(tail, v[:])
	}
}

func normAVX2(dst, x, w, b []float32) {
	checkNorm(dst, x, w, b)
	n := len(x) &^ 7
	var sum, squares float32
	if n > 0 {
		sum = sum8AVX(&x[0], n)
	}
	for _, v := range x[n:] {
		sum += v
	}
	mean := sum / float32(len(x))
	if n > 0 {
		squares = squares8AVX2(&x[0], n, mean)
	}
	for _, v := range x[n:] {
		squares += (v - mean) * (v - mean)
	}
	scale := float32(1 / math.Sqrt(float64(squares/float32(len(x)))+normEps))
	if n > 0 {
		affine8AVX2(&dst[0], &x[0], &w[0], &b[0], n, mean, scale)
	}
	for i := n; i < len(x); i++ {
		dst[i] = (x[i]-mean)*scale*w[i] + b[i]
	}
}

// packRest packs the numbers from k on.
func packRest(dst, src []float32, stride, k, kn, nr int) {
	for ; k < kn; k++ {
		for j := range nr {
			dst[k*nr+j] = src[j*stride+k]
		}
	}
}

// packRestF16 is packRest of halves.
func packRestF16(dst []float32, src []byte, stride, k, kn, nr int) {
	for ; k < kn; k++ {
		for j := range nr {
			dst[k*nr+j] = halfAt(src[j*stride+2*k:])
		}
	}
}

func widenF16AVX2(dst []float32, src []byte) {
	checkWiden(dst, src, 1, 2)
	n := len(dst) &^ 7
	if n > 0 {
		widenF16x8AVX2(&dst[0], &src[0], n)
	}
	widenF16Generic(dst[n:], src[2*n:])
}

func widenQ4_0AVX2(dst []float32, src []byte) {
	checkWiden(dst, src, block, bytesQ4_0)
	if len(dst) > 0 {
		widenQ4_0x32AVX2(&dst[0], &src[0], len(dst)/block)
	}
}

func widenQ4_1AVX2(dst []float32, src []byte) {
	checkWiden(dst, src, block, bytesQ4_1)
	if len(dst) > 0 {
		widenQ4_1x32AVX2(&dst[0], &src[0], len(dst)/block)
	}
}

func widenQ5_0AVX2(dst []float32, src []byte) {
	checkWiden(dst, src, block, bytesQ5_0)
	if len(dst) > 0 {
		widenQ5_0x32AVX2(&dst[0], &src[0], len(dst)/block)
	}
}

func widenQ5_1AVX2(dst []float32, src []byte) {
	checkWiden(dst, src, block, bytesQ5_1)
	if len(dst) > 0 {
		widenQ5_1x32AVX2(&dst[0], &src[0], len(dst)/block)
	}
}

func widenQ8_0AVX2(dst []float32, src []byte) {
	checkWiden(dst, src, block, bytesQ8_0)
	if len(dst) > 0 {
		widenQ8_0x32AVX2(&dst[0], &src[0], len(dst)/block)
	}
}

func narrowAVX2(dst []uint16, src []float32) {
	check("dst", len(dst), len(src))
	n := len(src) &^ 7
	if n > 0 {
		narrow8AVX2(&dst[0], &src[0], n)
	}
	narrowGeneric(dst[n:], src[n:])
}

func scoresAVX2(s, q []float32, k []uint16, cells []int32, n int) {
	checkCells(q, s, k, cells, n)
	if n > 0 {
		scores64AVX2(&s[0], &q[0], &k[0], unsafe.SliceData(cells), n)
	}
}

func mixAVX2(out, p []float32, v []uint16, cells []int32, n int) {
	checkCells(out, p, v, cells, n)
	if n == 0 {
		clear(out[:headSize])
		return
	}
	mix64AVX2(&out[0], &p[0], &v[0], unsafe.SliceData(cells), n)
}

func scoresRowsAVX2(s []float32, ls int, q []float32, k []uint16, n int) {
	checkScoresRows(s, ls, q, k, n)
	if n > 0 {
		scores5x64AVX2(&s[0], ls, &q[0], &k[0], n)
	}
}

func mixRowsAVX2(out []float32, lo int, p []float32, lp int, v []uint16, rows, n int) {
	checkMixRows(out, lo, p, lp, v, rows, n)
	// As many cells as stay in the first cache until the last of their columns had its turn.
	const cells, columns = 128, 16
	var sums [MaxQueries * headSize]float32
	for i := 0; i < n; i += cells {
		for c := 0; c < headSize; c += columns {
			mix5x16AVX2(&sums[c], &p[i], lp, &v[i*headSize+c], min(cells, n-i))
		}
	}
	for r := range rows {
		copy(out[r*lo:], sums[r*headSize:][:headSize])
	}
}

//go:noescape
func exp2Sum8AVX2(x *float32, n int, m float32) float32

//go:noescape
func gelu8AVX2(x *float32, n int)

//go:noescape
func squares8AVX2(x *float32, n int, mean float32) float32

//go:noescape
func affine8AVX2(dst, x, w, b *float32, n int, mean, scale float32)

//go:noescape
func packF16x16AVX2(dst *float32, src *byte, stride, kn int)

//go:noescape
func widenF16x8AVX2(dst *float32, src *byte, n int)

//go:noescape
func widenQ4_0x32AVX2(dst *float32, src *byte, blocks int)

//go:noescape
func widenQ4_1x32AVX2(dst *float32, src *byte, blocks int)

//go:noescape
func widenQ5_0x32AVX2(dst *float32, src *byte, blocks int)

//go:noescape
func widenQ5_1x32AVX2(dst *float32, src *byte, blocks int)

//go:noescape
func widenQ8_0x32AVX2(dst *float32, src *byte, blocks int)

//go:noescape
func narrow8AVX2(dst *uint16, src *float32, n int)

//go:noescape
func scores64AVX2(s, q *float32, k *uint16, cells *int32, n int)

//go:noescape
func scores5x64AVX2(s *float32, ls int, q *float32, k *uint16, n int)

//go:noescape
func mix5x16AVX2(sums, p *float32, lp int, v *uint16, n int)

//go:noescape
func mix64AVX2(out, p *float32, v *uint16, cells *int32, n int)
