//go:build !noasm

package kernel

import "unsafe"

func quantizeAVX2(dst []byte, x []float32) {
	checkQuantize(dst, x)
	if len(x) == 0 {
		quantizeGeneric(dst, x)
		return
	}
	quantize32AVX2(&dst[0], &x[0], len(x))
}

// integers sets the integer dots of t.
func (t *Table) integers(q4_0, q4_1, q5_0, q5_1, q8_0 *dotBodies[byte]) {
	t.DotInt[2] = dotInt(q4_0, bytesQ4_0, t.Scale)
	t.DotInt[3] = dotInt(q4_1, bytesQ4_1, t.Scale)
	t.DotInt[6] = dotInt(q5_0, bytesQ5_0, t.Scale)
	t.DotInt[7] = dotInt(q5_1, bytesQ5_1, t.Scale)
	t.DotInt[8] = dotInt(q8_0, bytesQ8_0, t.Scale)
}

// dotInt returns DotInt for weights of a type whose blocks take size bytes.
func dotInt(d *dotBodies[byte], size int, scale func(x []float32, s float32)) func(y []float32, ys int, w []byte, ws int, x []byte, xs, rows, cols, n int) {
	return func(y []float32, ys int, w []byte, ws int, x []byte, xs, rows, cols, n int) {
		checkDotInt(y, ys, w, ws, x, xs, rows, cols, n, size)
		if rows == 0 || cols == 0 {
			return
		}
		d.run(y, ys, w, ws, unsafe.Pointer(unsafe.SliceData(x)), xs, rows, cols, n, n/block*size)
		for c := range cols {
			scale(y[c*ys:][:rows], scaleAt(x[c*xs+QuantizedBytes(n)-4:]))
		}
	}
}

//go:noescape
func quantize32AVX2(dst *byte, x *float32, n int)
