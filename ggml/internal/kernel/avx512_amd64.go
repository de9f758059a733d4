//go:build !noasm

package kernel

import "unsafe"

// avx512 is the rung of Skylake-X, Ice Lake, Zen 4 and later: AVX-512 F, BW, DQ and VL.
func avx512(t Table) Table {
	t.MR, t.NR = 12, 32
	t.Tile = tileAVX512
	t.Pack = packAVX512
	t.DotF32 = dotF32AVX512
	t.DotF16 = dotF16AVX512
	return t
}

func tileAVX512(c []float32, ldc int, a []float32, lda int, b []float32, kn, rows, panels int, add bool) {
	checkTile(c, ldc, a, lda, b, kn, rows, panels, 12, 32)
	if panels > 0 {
		tilesAVX512[rows-1](unsafe.SliceData(c), ldc, unsafe.SliceData(a), lda, unsafe.SliceData(b), kn, panels, add)
	}
}

func dotF32AVX512(y []float32, ys int, w []byte, ws int, x []float32, xs int, rows, cols, n int) {
	checkDot(y, ys, w, ws, x, xs, rows, cols, n, 4)
	dotsF32AVX512.run(y, ys, w, ws, x, xs, rows, cols, n, 4)
}

func dotF16AVX512(y []float32, ys int, w []byte, ws int, x []float32, xs int, rows, cols, n int) {
	checkDot(y, ys, w, ws, x, xs, rows, cols, n, 2)
	dotsF16AVX512.run(y, ys, w, ws, x, xs, rows, cols, n, 2)
}

func packAVX512(dst, src []float32, stride, kn int) { pack8s(dst, src, stride, kn, 32) }
