//go:build !noasm

package kernel

import "unsafe"

func quantizeAVX2(dst []byte, x []float32, split int) {
	checkQuantize(dst, x)
	if len(x) == 0 {
		quantizeGeneric(dst, x, split)
		return
	}
	quantize32AVX2(&dst[0], &x[0], len(x), split > 0)
	if split == 2*block {
		for q := dst[:2*len(x)]; len(q) >= 4*block; q = q[4*block:] {
			odd, even := (*[block]byte)(q[block:]), (*[block]byte)(q[2*block:])
			*odd, *even = *even, *odd
		}
	}
}

// integers sets the integer dots of t, whose bodies of q5_0 multiply 256 times the weights.
func (t *Table) integers(q4_0, q4_1, q5_0, q5_1, q8_0 *dotBodies[byte]) {
	t.DotInt[2] = dotInt(q4_0, bytesQ4_0, 1, t.Scale)
	t.DotInt[3] = dotInt(q4_1, bytesQ4_1, 1, t.Scale)
	t.DotInt[6] = dotInt(q5_0, bytesQ5_0, 256, t.Scale)
	t.DotInt[7] = dotInt(q5_1, bytesQ5_1, 1, t.Scale)
	t.DotInt[8] = dotInt(q8_0, bytesQ8_0, 1, t.Scale)
	t.Split[6], t.Split[7] = block, block
}

// pairIntegers is integers for bodies that take two blocks at a time. Those of q4_0 multiply 256 times the weights as well.
func (t *Table) pairIntegers(q4_0, q4_1, q5_0, q5_1, q8_0 *dotBodies[byte]) {
	t.integers(q4_0, q4_1, q5_0, q5_1, q8_0)
	t.DotInt[2] = dotInt(q4_0, bytesQ4_0, 256, t.Scale)
	for _, typ := range []int{2, 3, 6, 7, 8} {
		t.Split[typ] = 2 * block
	}
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
