//go:build !noasm

package kernel

import (
	"math"
	"unsafe"
)

func maxAVX(x []float32) float32 {
	check("x", len(x), 1)
	if len(x) >= 8 {
		return max8AVX(&x[0], len(x))
	}
	v, _ := tail8(x, x[0])
	return max8AVX(&v[0], 8)
}

func scaleAVX(x []float32, s float32) {
	n := len(x) &^ 7
	if n > 0 {
		scale8AVX(&x[0], n, s)
	}
	scaleGeneric(x[n:], s)
}

func addAVX(dst, x []float32) {
	check("dst", len(dst), len(x))
	n := len(x) &^ 7
	if n > 0 {
		add8AVX(&dst[0], &x[0], n)
	}
	addGeneric(dst[n:], x[n:])
}

func packAVX(dst, src []float32, stride, kn int) {
	checkPack(dst, src, stride, kn, 16, 1)
	n := kn &^ 3
	if n > 0 {
		pack8AVX(&dst[0], &src[0], stride, n, 16)
		pack8AVX(&dst[8], &src[8*stride], stride, n, 16)
	}
	packRest(dst, src, stride, n, kn, 16)
}

func exp2SumAVX(x []float32, m float32) float32 {
	var sum float32
	if n := len(x) &^ 7; n > 0 {
		sum = exp2Sum8AVX(&x[0], n, m)
	}
	if len(x)&7 > 0 {
		v, tail := tail8(x, float32(math.Inf(-1)))
		exp2Sum8AVX(&v[0], 8, m)
		copy(tail, v[:])
		for _, f := range tail {
			sum += f
		}
	}
	return sum
}

func geluAVX(x []float32) {
	if n := len(x) &^ 7; n > 0 {
		gelu8AVX(&x[0], n)
	}
	if len(x)&7 > 0 {
		v, tail := tail8(x, 0)
		gelu8AVX(&v[0], 8)
		copy(tail, v[:])
	}
}

func normAVX(dst, x, w, b []float32) {
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
		squares = squares8AVX(&x[0], n, mean)
	}
	for _, v := range x[n:] {
		squares += (v - mean) * (v - mean)
	}
	scale := float32(1 / math.Sqrt(float64(squares/float32(len(x)))+normEps))
	if n > 0 {
		affine8AVX(&dst[0], &x[0], &w[0], &b[0], n, mean, scale)
	}
	for i := n; i < len(x); i++ {
		dst[i] = (x[i]-mean)*scale*w[i] + b[i]
	}
}

func scoresAVX(s, q []float32, k []uint16, cells []int32, n int) {
	checkCells(q, s, k, cells, n)
	if n > 0 {
		scores64AVX(&s[0], &q[0], &k[0], unsafe.SliceData(cells), n)
	}
}

func mixAVX(out, p []float32, v []uint16, cells []int32, n int) {
	checkCells(out, p, v, cells, n)
	if n == 0 {
		clear(out[:headSize])
		return
	}
	mix64AVX(&out[0], &p[0], &v[0], unsafe.SliceData(cells), n)
}

func widenF16AVX(dst []float32, src []byte) {
	checkWiden(dst, src, 1, 2)
	n := len(dst) &^ 7
	if n > 0 {
		widenF16x8AVX(&dst[0], &src[0], n)
	}
	widenF16Generic(dst[n:], src[2*n:])
}

//go:noescape
func max8AVX(x *float32, n int) float32

//go:noescape
func scale8AVX(x *float32, n int, s float32)

//go:noescape
func add8AVX(dst, x *float32, n int)

//go:noescape
func sum8AVX(x *float32, n int) float32

//go:noescape
func pack8AVX(dst, src *float32, stride, kn, nr int)

//go:noescape
func exp2Sum8AVX(x *float32, n int, m float32) float32

//go:noescape
func gelu8AVX(x *float32, n int)

//go:noescape
func squares8AVX(x *float32, n int, mean float32) float32

//go:noescape
func affine8AVX(dst, x, w, b *float32, n int, mean, scale float32)

//go:noescape
func widenF16x8AVX(dst *float32, src *byte, n int)

//go:noescape
func scores64AVX(s, q *float32, k *uint16, cells *int32, n int)

//go:noescape
func mix64AVX(out, p *float32, v *uint16, cells *int32, n int)
