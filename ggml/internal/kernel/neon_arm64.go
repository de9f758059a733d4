//go:build !noasm

package kernel

import "unsafe"

// neon returns the rung for every 64-bit ARM processor: what t holds, with bodies in Advanced SIMD of ARMv8.0.
// A number in a body's name is what its length must be a multiple of.
func neon(t Table) Table {
	t.MR, t.NR = 6, 16
	t.Tile = tileNEON
	t.Pack = packNEON
	t.DotF32 = dotF32NEON
	t.DotF16 = dotF16NEON
	t.Quantize = quantizeNEON
	t.DotInt = dotIntsARM(&dotsIntNEON)
	t.Products = productsNEON()
	t.Widen[0] = widenF32
	t.Widen[1] = widenF16NEON
	t.Widen[2] = blocksNEON(bytesQ4_0, widenQ4_0NEON)
	t.Widen[3] = blocksNEON(bytesQ4_1, widenQ4_1NEON)
	t.Widen[6] = blocksNEON(bytesQ5_0, widenQ5_0NEON)
	t.Widen[7] = blocksNEON(bytesQ5_1, widenQ5_1NEON)
	t.Widen[8] = blocksNEON(bytesQ8_0, widenQ8_0NEON)
	t.Narrow = narrowNEON
	t.Max = maxNEON
	t.Exp2Sum = exp2SumNEON
	t.Scale = scaleNEON
	t.Add = addNEON
	t.GELU = geluNEON
	t.Norm = normNEON
	t.Scores = scoresNEON
	t.Mix = mixNEON
	return t
}

func tileNEON(c []float32, ldc int, a []float32, lda int, b []float32, kn, rows, panels int, bias []float32, ahead int) {
	checkTile(c, ldc, a, lda, b, kn, rows, panels, bias, ahead, 6, 16)
	if panels > 0 {
		body := tileBodies[rows-1]
		body(&c[0], ldc, unsafe.SliceData(a), lda, unsafe.SliceData(b), kn, panels, unsafe.SliceData(bias))
	}
}

var tileBodies = [...]func(c *float32, ldc int, a *float32, lda int, b *float32, kn, panels int, bias *float32){
	tile1NEON, tile2NEON, tile3NEON, tile4NEON, tile5NEON, tile6NEON,
}

//go:noescape
func tile1NEON(c *float32, ldc int, a *float32, lda int, b *float32, kn, panels int, bias *float32)

//go:noescape
func tile2NEON(c *float32, ldc int, a *float32, lda int, b *float32, kn, panels int, bias *float32)

//go:noescape
func tile3NEON(c *float32, ldc int, a *float32, lda int, b *float32, kn, panels int, bias *float32)

//go:noescape
func tile4NEON(c *float32, ldc int, a *float32, lda int, b *float32, kn, panels int, bias *float32)

//go:noescape
func tile5NEON(c *float32, ldc int, a *float32, lda int, b *float32, kn, panels int, bias *float32)

//go:noescape
func tile6NEON(c *float32, ldc int, a *float32, lda int, b *float32, kn, panels int, bias *float32)

func packNEON(dst, src []float32, stride, kn int) {
	checkPack(dst, src, stride, kn, 16, 1)
	if kn > 0 {
		for j := 0; j < 16; j += 4 {
			pack4NEON(&dst[j], &src[j*stride], stride, kn)
		}
	}
}

//go:noescape
func pack4NEON(dst, src *float32, stride, kn int)

// dotBody multiplies four rows, or one, with one to three columns, which are X.
type dotBody[X float32 | byte] func(y *float32, ys int, w *byte, ws int, x *X, xs int, n int)

// dotBodies holds the bodies for one row and for four, by the number of columns less one.
type dotBodies[X float32 | byte] struct{ one, four []dotBody[X] }

var (
	dotsF32 = dotBodies[float32]{
		one:  []dotBody[float32]{dot1x1F32NEON, dot1x2F32NEON, dot1x3F32NEON},
		four: []dotBody[float32]{dot4x1F32NEON, dot4x2F32NEON, dot4x3F32NEON},
	}
	dotsF16 = dotBodies[float32]{
		one:  []dotBody[float32]{dot1x1F16NEON, dot1x2F16NEON, dot1x3F16NEON},
		four: []dotBody[float32]{dot4x1F16NEON, dot4x2F16NEON, dot4x3F16NEON},
	}
)

func dotF32NEON(y []float32, ys int, w []byte, ws int, x []float32, xs int, rows, cols, n int) {
	checkDot(y, ys, w, ws, x, xs, rows, cols, n, 4)
	dotsF32.run(y, ys, w, ws, x, xs, rows, cols, n)
}

func dotF16NEON(y []float32, ys int, w []byte, ws int, x []float32, xs int, rows, cols, n int) {
	checkDot(y, ys, w, ws, x, xs, rows, cols, n, 2)
	dotsF16.run(y, ys, w, ws, x, xs, rows, cols, n)
}

// run takes every group of rows through all columns while it is in the cache.
func (d *dotBodies[X]) run(y []float32, ys int, w []byte, ws int, x []X, xs int, rows, cols, n int) {
	if n == 0 && rows > 0 {
		for c := range cols {
			clear(y[c*ys:][:rows])
		}
		return
	}
	for r := 0; r < rows; {
		bodies, step := d.four, 4
		if rows-r < 4 {
			bodies, step = d.one, 1
		}
		for c := 0; c < cols; {
			wide := min(len(bodies), cols-c)
			if cols-c == 4 && wide == 3 {
				wide = 2
			}
			bodies[wide-1](&y[c*ys+r], ys, &w[r*ws], ws, &x[c*xs], xs, n)
			c += wide
		}
		r += step
	}
}

//go:noescape
func dot1x1F32NEON(y *float32, ys int, w *byte, ws int, x *float32, xs int, n int)

//go:noescape
func dot1x2F32NEON(y *float32, ys int, w *byte, ws int, x *float32, xs int, n int)

//go:noescape
func dot1x3F32NEON(y *float32, ys int, w *byte, ws int, x *float32, xs int, n int)

//go:noescape
func dot4x1F32NEON(y *float32, ys int, w *byte, ws int, x *float32, xs int, n int)

//go:noescape
func dot4x2F32NEON(y *float32, ys int, w *byte, ws int, x *float32, xs int, n int)

//go:noescape
func dot4x3F32NEON(y *float32, ys int, w *byte, ws int, x *float32, xs int, n int)

//go:noescape
func dot1x1F16NEON(y *float32, ys int, w *byte, ws int, x *float32, xs int, n int)

//go:noescape
func dot1x2F16NEON(y *float32, ys int, w *byte, ws int, x *float32, xs int, n int)

//go:noescape
func dot1x3F16NEON(y *float32, ys int, w *byte, ws int, x *float32, xs int, n int)

//go:noescape
func dot4x1F16NEON(y *float32, ys int, w *byte, ws int, x *float32, xs int, n int)

//go:noescape
func dot4x2F16NEON(y *float32, ys int, w *byte, ws int, x *float32, xs int, n int)

//go:noescape
func dot4x3F16NEON(y *float32, ys int, w *byte, ws int, x *float32, xs int, n int)
