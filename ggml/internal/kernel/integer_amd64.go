//go:build !noasm

package kernel

import "unsafe"

// quantize8AVX2 returns Quantize for unsigned weights that are too large by offset, or that have a minimum where it is 0.
func quantize8AVX2(offset int) func(dst []byte, x []float32) {
	return func(dst []byte, x []float32) {
		checkQuantize(dst, x, len(x)/block*bytesBlock8)
		if len(x) > 0 {
			quantize8x32AVX2(&dst[0], &x[0], len(x)/block, offset)
		}
	}
}

func quantize16AVX2(dst []byte, x []float32) {
	checkQuantize(dst, x, 2*len(x)+4)
	if len(x) == 0 {
		quantize16Generic(dst, x)
		return
	}
	quantize16x32AVX2(&dst[0], &x[0], len(x)/block)
}

// integers sets the integer dots of t.
func (t *Table) integers(q4_0, q4_1, q5_0, q5_1, q8_0 *dotBodies[byte]) {
	t.DotInt[2] = dotInt(q4_0, 2, bytesQ4_0)
	t.DotInt[3] = dotInt(q4_1, 3, bytesQ4_1)
	t.DotInt[6] = dotInt(q5_0, 6, bytesQ5_0)
	t.DotInt[7] = dotInt(q5_1, 7, bytesQ5_1)
	scale := t.Scale
	raw := dotInt(q8_0, 8, bytesQ8_0)
	t.DotInt[8] = func(y []float32, ys int, w []byte, ws int, x []byte, xs, rows, cols, n int) {
		raw(y, ys, w, ws, x, xs, rows, cols, n)
		if rows == 0 {
			return
		}
		for c := range cols {
			scale(y[c*ys:][:rows], scaleAt(x[c*xs+2*n:]))
		}
	}
}

// dotInt returns DotInt for weights of a type whose blocks take size bytes.
func dotInt(d *dotBodies[byte], typ, size int) func(y []float32, ys int, w []byte, ws int, x []byte, xs, rows, cols, n int) {
	return func(y []float32, ys int, w []byte, ws int, x []byte, xs, rows, cols, n int) {
		checkDotInt(y, ys, w, ws, x, xs, rows, cols, n, size, QuantizedBytes(typ, n))
		d.run(y, ys, w, ws, unsafe.Pointer(unsafe.SliceData(x)), xs, rows, cols, n, n/block*size)
	}
}

//go:noescape
func quantize8x32AVX2(dst *byte, x *float32, blocks, offset int)

//go:noescape
func quantize16x32AVX2(dst *byte, x *float32, blocks int)
