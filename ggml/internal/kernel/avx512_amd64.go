//go:build !noasm

package kernel

import (
	"math"
	"unsafe"
)

// avx512 is the rung of Skylake-X, Ice Lake, Zen 4 and later: AVX-512 F, BW, DQ and VL. Its bodies take any length, the
// last vector under a mask.
func avx512(t Table) Table {
	t.MR, t.NR = 12, 32
	t.Tile = tileAVX512
	t.Pack = packAVX512
	t.PackF16 = packF16AVX512
	t.DotF32 = dotF32AVX512
	t.DotF16 = dotF16AVX512
	t.Widen[1] = widenF16AVX512
	t.Narrow = narrowAVX512
	t.Max = maxAVX512
	t.Exp2Sum = exp2SumAVX512
	t.Scale = scaleAVX512
	t.Add = addAVX512
	t.GELU = geluAVX512
	t.Norm = normAVX512
	t.Scores = scoresAVX512
	t.Mix = mixAVX512
	t.ScoresRows = scoresRowsAVX512
	t.MixRows = mixRowsAVX512
	t.pairIntegers(&dotsQ4_0AVX512, &dotsQ4_1AVX512, &dotsQ5_0AVX512, &dotsQ5_1AVX512, &dotsQ8_0AVX512)
	t.Products = productsX86(32, byteTilesAVX512, wordTilesAVX512)
	return t
}

// avx512VNNI is the rung of Ice Lake, Zen 4 and later: AVX-512 with VNNI.
func avx512VNNI(t Table) Table {
	t.pairIntegers(&dotsQ4_0AVX512VNNI, &dotsQ4_1AVX512VNNI, &dotsQ5_0AVX512VNNI, &dotsQ5_1AVX512VNNI, &dotsQ8_0AVX512VNNI)
	t.Products = productsX86(32, byteTilesAVX512VNNI, wordTilesAVX512VNNI)
	return t
}

func tileAVX512(c []float32, ldc int, a []float32, lda int, b []float32, kn, rows, panels int, bias []float32, ahead int) {
	checkTile(c, ldc, a, lda, b, kn, rows, panels, bias, ahead, 12, 32)
	if panels > 0 {
		tilesAVX512[rows-1](unsafe.SliceData(c), ldc, unsafe.SliceData(a), lda, unsafe.SliceData(b), kn, panels, unsafe.SliceData(bias), ahead)
	}
}

func packAVX512(dst, src []float32, stride, kn int) {
	checkPack(dst, src, stride, kn, 32, 1)
	n := kn &^ 3
	if n > 0 {
		pack16AVX512(&dst[0], &src[0], stride, n, 32)
		pack16AVX512(&dst[16], &src[16*stride], stride, n, 32)
	}
	packRest(dst, src, stride, n, kn, 32)
}

func packF16AVX512(dst []float32, src []byte, stride, kn int) {
	checkPack(dst, src, stride, kn, 32, 2)
	n := kn &^ 7
	if n > 0 {
		packF16x16AVX512(&dst[0], &src[0], stride, n)
		packF16x16AVX512(&dst[16], &src[16*stride], stride, n)
	}
	packRestF16(dst, src, stride, n, kn, 32)
}

func dotF32AVX512(y []float32, ys int, w []byte, ws int, x []float32, xs int, rows, cols, n int) {
	checkDot(y, ys, w, ws, x, xs, rows, cols, n, 4)
	dotsF32AVX512.run(y, ys, w, ws, unsafe.Pointer(unsafe.SliceData(x)), xs, rows, cols, n, 4*n)
}

func dotF16AVX512(y []float32, ys int, w []byte, ws int, x []float32, xs int, rows, cols, n int) {
	checkDot(y, ys, w, ws, x, xs, rows, cols, n, 2)
	dotsF16AVX512.run(y, ys, w, ws, unsafe.Pointer(unsafe.SliceData(x)), xs, rows, cols, n, 2*n)
}

func widenF16AVX512(dst []float32, src []byte) {
	checkWiden(dst, src, 1, 2)
	if len(dst) > 0 {
		widenF16x16AVX512(&dst[0], &src[0], len(dst))
	}
}

func narrowAVX512(dst []uint16, src []float32) {
	check("dst", len(dst), len(src))
	if len(src) > 0 {
		narrow16AVX512(&dst[0], &src[0], len(src))
	}
}

func maxAVX512(x []float32) float32 {
	check("x", len(x), 1)
	return max16AVX512(&x[0], len(x))
}

func exp2SumAVX512(x []float32, m float32) float32 {
	if len(x) == 0 {
		return 0
	}
	return exp2Sum16AVX512(&x[0], len(x), m)
}

func scaleAVX512(x []float32, s float32) {
	if len(x) > 0 {
		scale16AVX512(&x[0], len(x), s)
	}
}

func addAVX512(dst, x []float32) {
	check("dst", len(dst), len(x))
	if len(x) > 0 {
		add16AVX512(&dst[0], &x[0], len(x))
	}
}

func geluAVX512(x []float32) {
	if len(x) > 0 {
		gelu16AVX512(&x[0], len(x))
	}
}

func normAVX512(dst, x, w, b []float32) {
	checkNorm(dst, x, w, b)
	if len(x) == 0 {
		return
	}
	n := float32(len(x))
	mean := sum16AVX512(&x[0], len(x)) / n
	squares := squares16AVX512(&x[0], len(x), mean)
	scale := float32(1 / math.Sqrt(float64(squares/n)+normEps))
	affine16AVX512(&dst[0], &x[0], &w[0], &b[0], len(x), mean, scale)
}

func scoresAVX512(s, q []float32, k []uint16, cells []int32, n int) {
	checkCells(q, s, k, cells, n)
	if n > 0 {
		scores64AVX512(&s[0], &q[0], &k[0], unsafe.SliceData(cells), n)
	}
}

func mixAVX512(out, p []float32, v []uint16, cells []int32, n int) {
	checkCells(out, p, v, cells, n)
	if n == 0 {
		clear(out[:headSize])
		return
	}
	mix64AVX512(&out[0], &p[0], &v[0], unsafe.SliceData(cells), n)
}

func scoresRowsAVX512(s []float32, ls int, q []float32, k []uint16, n int) {
	checkScoresRows(s, ls, q, k, n)
	if n > 0 {
		scores5x64AVX512(&s[0], ls, &q[0], &k[0], n)
	}
}

func mixRowsAVX512(out []float32, lo int, p []float32, lp int, v []uint16, rows, n int) {
	checkMixRows(out, lo, p, lp, v, rows, n)
	mix5x64AVX512(&out[0], lo, unsafe.SliceData(p), lp, unsafe.SliceData(v), rows, n)
}

//go:noescape
func pack16AVX512(dst, src *float32, stride, kn, nr int)

//go:noescape
func packF16x16AVX512(dst *float32, src *byte, stride, kn int)

//go:noescape
func widenF16x16AVX512(dst *float32, src *byte, n int)

//go:noescape
func narrow16AVX512(dst *uint16, src *float32, n int)

//go:noescape
func max16AVX512(x *float32, n int) float32

//go:noescape
func exp2Sum16AVX512(x *float32, n int, m float32) float32

//go:noescape
func scale16AVX512(x *float32, n int, s float32)

//go:noescape
func add16AVX512(dst, x *float32, n int)

//go:noescape
func gelu16AVX512(x *float32, n int)

//go:noescape
func sum16AVX512(x *float32, n int) float32

//go:noescape
func squares16AVX512(x *float32, n int, mean float32) float32

//go:noescape
func affine16AVX512(dst, x, w, b *float32, n int, mean, scale float32)

//go:noescape
func scores64AVX512(s, q *float32, k *uint16, cells *int32, n int)

//go:noescape
func scores5x64AVX512(s *float32, ls int, q *float32, k *uint16, n int)

//go:noescape
func mix5x64AVX512(out *float32, lo int, p *float32, lp int, v *uint16, rows, n int)

//go:noescape
func mix64AVX512(out, p *float32, v *uint16, cells *int32, n int)
