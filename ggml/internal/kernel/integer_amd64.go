//go:build !noasm

package kernel

import "unsafe"

func quantizeAVX2(dst []byte, x []float32, split bool) {
	checkQuantize(dst, x)
	if len(x) == 0 {
		quantizeGeneric(dst, x, split)
		return
	}
	quantize32AVX2(&dst[0], &x[0], len(x), split)
}

// integers sets the integer dots of t. fives is what a body of q5_0 multiplies its weights with; it and that of q5_1 want
// rows split where that is not 1.
func (t *Table) integers(fives float32, q4_0, q4_1, q5_0, q5_1, q8_0 *dotBodies[byte]) {
	t.DotInt[2] = dotInt(q4_0, bytesQ4_0, 1, t.Scale)
	t.DotInt[3] = dotInt(q4_1, bytesQ4_1, 1, t.Scale)
	t.DotInt[6] = dotInt(q5_0, bytesQ5_0, fives, t.Scale)
	t.DotInt[7] = dotInt(q5_1, bytesQ5_1, 1, t.Scale)
	t.DotInt[8] = dotInt(q8_0, bytesQ8_0, 1, t.Scale)
	t.Split[6], t.Split[7] = fives != 1, fives != 1
}

// dotInt returns DotInt for weights of a type whose blocks take size bytes, and of which bodies see times as much.
func dotInt(d *dotBodies[byte], size int, times float32, scale func(x []float32, s float32)) func(y []float32, ys int, w []byte, ws int, x []byte, xs, rows, cols, n int) {
	return func(y []float32, ys int, w []byte, ws int, x []byte, xs, rows, cols, n int) {
		checkDotInt(y, ys, w, ws, x, xs, rows, cols, n, size)
		if rows == 0 || cols == 0 {
			return
		}
		d.run(y, ys, w, ws, unsafe.Pointer(unsafe.SliceData(x)), xs, rows, cols, n, n/block*size)
		for c := range cols {
			scale(y[c*ys:][:rows], scaleAt(x[c*xs+QuantizedBytes(n)-4:])/times)
		}
	}
}

//go:noescape
func quantize32AVX2(dst *byte, x *float32, n int, split bool)
