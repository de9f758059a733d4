//go:build !noasm

package kernel

import "unsafe"

// avx2 is the rung of Haswell, Zen and whatever came after them: AVX2, FMA and F16C.
func avx2(t Table) Table {
	t.Tile = tileAVX2
	t.PackF16 = packF16AVX2
	t.DotF32 = dotF32AVX2
	t.DotF16 = dotF16AVX2
	t.Quantize = quantizeAVX2
	t.Widen[1] = widenF16AVX2
	t.Widen[2] = widenQ4_0AVX2
	t.Widen[3] = widenQ4_1AVX2
	t.Widen[6] = widenQ5_0AVX2
	t.Widen[7] = widenQ5_1AVX2
	t.Widen[8] = widenQ8_0AVX2
	t.Widen[10] = widenQ2_KAVX2
	t.Widen[11] = widenQ3_KAVX2
	t.Widen[12] = widenQ4_KAVX2
	t.Widen[13] = widenQ5_KAVX2
	t.Widen[14] = widenQ6_KAVX2
	t.Narrow = narrowAVX2
	t.Exp2Sum = exp2SumAVX2
	t.GELU = geluAVX2
	t.Norm = normAVX2
	t.Scores = scoresAVX2
	t.Mix = mixAVX2
	t.ScoresRows = scoresRowsAVX2
	t.MixRows = mixRowsAVX2
	t.Products = productsX86(16, byteTilesAVX2, wordTilesAVX2)
	t.integers(&dotsQ4_0AVX2, &dotsQ4_1AVX2, &dotsQ5_0AVX2, &dotsQ5_1AVX2, &dotsQ8_0AVX2)
	return t
}

// avxVNNI is the rung of Alder Lake and its like: AVX-VNNI beside AVX2.
func avxVNNI(t Table) Table {
	t.Products = productsX86(16, byteTilesAVXVNNI, wordTilesAVXVNNI)
	t.integers(&dotsQ4_0AVXVNNI, &dotsQ4_1AVXVNNI, &dotsQ5_0AVXVNNI, &dotsQ5_1AVXVNNI, &dotsQ8_0AVXVNNI)
	return t
}

func tileAVX2(c []float32, ldc int, a []float32, lda int, b []float32, kn, rows, panels int, bias []float32, ahead int) {
	checkTile(c, ldc, a, lda, b, kn, rows, panels, bias, ahead, 6, 16)
	if panels > 0 {
		tilesAVX2[rows-1](unsafe.SliceData(c), ldc, unsafe.SliceData(a), lda, unsafe.SliceData(b), kn, panels, unsafe.SliceData(bias), ahead)
	}
}

func packF16AVX2(dst []float32, src []byte, stride, kn int) {
	checkPack(dst, src, stride, kn, 16, 2)
	n := kn &^ 7
	if n > 0 {
		packF16x16AVX2(&dst[0], &src[0], stride, n)
	}
	packRestF16(dst, src, stride, n, kn, 16)
}

func dotF32AVX2(y []float32, ys int, w []byte, ws int, x []float32, xs int, rows, cols, n int) {
	checkDot(y, ys, w, ws, x, xs, rows, cols, n, 4)
	dotsF32AVX2.run(y, ys, w, ws, unsafe.Pointer(unsafe.SliceData(x)), xs, rows, cols, n, 4*n)
}

func dotF16AVX2(y []float32, ys int, w []byte, ws int, x []float32, xs int, rows, cols, n int) {
	checkDot(y, ys, w, ws, x, xs, rows, cols, n, 2)
	dotsF16AVX2.run(y, ys, w, ws, unsafe.Pointer(unsafe.SliceData(x)), xs, rows, cols, n, 2*n)
}
