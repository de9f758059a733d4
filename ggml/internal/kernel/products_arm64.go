//go:build !noasm

package kernel

import "unsafe"

// intBody is Product.Tile for one number of rows.
type intBody func(c *float32, ldc int, a *byte, lda int, b *byte, blocks, panels, skip int, bias *float32)

var (
	byteTilesNEON    = []intBody{tileBytes1NEON, tileBytes2NEON, tileBytes3NEON, tileBytes4NEON}
	byteTilesDOTPROD = []intBody{
		tileBytes1DOTPROD, tileBytes2DOTPROD, tileBytes3DOTPROD, tileBytes4DOTPROD, tileBytes5DOTPROD, tileBytes6DOTPROD,
	}
	splitTilesDOTPROD = []intBody{
		tileSplit1DOTPROD, tileSplit2DOTPROD, tileSplit3DOTPROD, tileSplit4DOTPROD, tileSplit5DOTPROD, tileSplit6DOTPROD,
	}
)

// packsNEON pack four columns of a panel; mins is where the lines of minimums begin.
var packsNEON = [16]func(dst, mins, w *byte, stride, blocks int){
	2: packQ4_0x4NEON, 3: packQ4_1x4NEON, 6: packQ5_0x4NEON, 7: packQ5_1x4NEON, 8: packQ8_0x4NEON,
}

// productsNEON returns the products of neon. Weights of a byte have none: products of words would be as many instructions as
// those of float32, and on some processors slower ones.
func productsNEON() (ps [16]*Product) {
	for _, typ := range []int{2, 3, 6, 7} {
		ps[typ] = products[typ].productARM(packsNEON[typ], byteTilesNEON)
	}
	return ps
}

func productsDOTPROD() (ps [16]*Product) {
	for _, typ := range []int{2, 3, 6, 7} {
		ps[typ] = products[typ].productARM(packsNEON[typ], byteTilesDOTPROD)
	}
	ps[8] = splitQ8_0.productARM(packsNEON[8], splitTilesDOTPROD)
	return ps
}

// productARM returns a product of bytes or split activations.
func (f *stored) productARM(pack func(dst, mins, w *byte, stride, blocks int), bodies []intBody) *Product {
	const nr = 16
	p := &Product{
		MR:         len(bodies),
		RowBytes:   f.rowBytes,
		PanelBytes: func(kn int) int { return f.panelBytes(kn, nr) },
		Encode:     encodeBytesNEON,
	}
	if f.split {
		p.Encode = encodeSplitNEON
	}
	p.Pack = func(dst, w []byte, stride, kn, rows int) {
		f.checkPack(dst, w, stride, kn, rows, nr)
		if kn == 0 {
			return
		}
		mins := dst[:1]
		if f.min {
			mins = dst[kn/block*byteLines*4*nr:]
		}
		for j := 0; j < nr; j += 4 {
			if j+4 <= rows {
				pack(&dst[4*j], &mins[min(4*j, len(mins)-1)], &w[j*stride], stride, kn/block)
			} else {
				f.packColumns(dst, w, stride, kn, j, j+4, rows, nr)
			}
		}
	}
	p.Tile = func(c []float32, ldc int, a []byte, lda int, b []byte, kn, rows, panels int, bias []float32, ahead int) {
		f.checkTile(c, ldc, a, lda, b, kn, rows, panels, bias, ahead, len(bodies), nr)
		if panels == 0 {
			return
		}
		if kn == 0 {
			for r := range rows {
				if bias == nil {
					clear(c[r*ldc:][:panels*nr])
				} else {
					copy(c[r*ldc:][:panels*nr], bias)
				}
			}
			return
		}
		skip := 0
		if f.min {
			skip = kn / block * 4 * nr
		}
		bodies[rows-1](&c[0], ldc, &a[0], lda, &b[0], kn/block, panels, skip, unsafe.SliceData(bias))
	}
	return p
}

func encodeBytesNEON(dst []byte, x []float32) {
	checkEncode(dst, x, rowOfBytes(len(x)))
	if len(x) > 0 {
		encodeBytes32NEON(&dst[0], &x[0], len(x)/block)
	}
}

func encodeSplitNEON(dst []byte, x []float32) {
	checkEncode(dst, x, rowOfWords(len(x)))
	if len(x) == 0 {
		encodeSplitGeneric(dst, x)
		return
	}
	encodeSplit32NEON(&dst[0], &x[0], len(x))
}

//go:noescape
func encodeBytes32NEON(dst *byte, x *float32, blocks int)

//go:noescape
func encodeSplit32NEON(dst *byte, x *float32, n int)

//go:noescape
func packQ4_0x4NEON(dst, mins, w *byte, stride, blocks int)

//go:noescape
func packQ4_1x4NEON(dst, mins, w *byte, stride, blocks int)

//go:noescape
func packQ5_0x4NEON(dst, mins, w *byte, stride, blocks int)

//go:noescape
func packQ5_1x4NEON(dst, mins, w *byte, stride, blocks int)

//go:noescape
func packQ8_0x4NEON(dst, mins, w *byte, stride, blocks int)
