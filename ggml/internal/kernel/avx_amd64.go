//go:build !noasm

package kernel

import "unsafe"

// avx is the rung of Sandy Bridge and Bulldozer: AVX without fused products, conversion of halves and vectors of 256 bits of
// whole numbers. Quantised weights go to float32 in plain Go.
func avx(t Table) Table {
	t.MR, t.NR = 6, 16
	t.Tile = tileAVX
	t.Pack = packAVX
	t.DotF32 = dotF32AVX
	t.DotF16 = dotF16AVX
	clear(t.DotInt[:])
	clear(t.Products[:])
	t.Widen[0] = widenF32
	t.Widen[1] = widenF16AVX
	t.Max = maxAVX
	t.Exp2Sum = exp2SumAVX
	t.Scale = scaleAVX
	t.Add = addAVX
	t.GELU = geluAVX
	t.Norm = normAVX
	t.Scores = scoresAVX
	t.Mix = mixAVX
	return t
}

func tileAVX(c []float32, ldc int, a []float32, lda int, b []float32, kn, rows, panels int, bias []float32, ahead int) {
	checkTile(c, ldc, a, lda, b, kn, rows, panels, bias, ahead, 6, 16)
	if panels > 0 {
		tilesAVX[rows-1](unsafe.SliceData(c), ldc, unsafe.SliceData(a), lda, unsafe.SliceData(b), kn, panels, unsafe.SliceData(bias), ahead)
	}
}

func dotF32AVX(y []float32, ys int, w []byte, ws int, x []float32, xs int, rows, cols, n int) {
	checkDot(y, ys, w, ws, x, xs, rows, cols, n, 4)
	dotsF32AVX.run(y, ys, w, ws, unsafe.Pointer(unsafe.SliceData(x)), xs, rows, cols, n, 4*n)
}

func dotF16AVX(y []float32, ys int, w []byte, ws int, x []float32, xs int, rows, cols, n int) {
	checkDot(y, ys, w, ws, x, xs, rows, cols, n, 2)
	dotsF16AVX.run(y, ys, w, ws, unsafe.Pointer(unsafe.SliceData(x)), xs, rows, cols, n, 2*n)
}
