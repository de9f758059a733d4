//go:build !noasm

package kernel

import "unsafe"

// intBody is Product.Tile for one number of rows.
type intBody func(c *float32, ldc int, a *byte, lda int, b *byte, blocks, panels, skip int, bias *float32, ahead int)

// packBody packs eight columns of a panel whose lines are line bytes apart. mins is where the lines of minimums begin.
type packBody func(dst, mins, w *byte, stride, blocks, line int)

var packsAVX2 = [16]packBody{2: packQ4_0x8AVX2, 3: packQ4_1x8AVX2, 6: packQ5_0x8AVX2, 7: packQ5_1x8AVX2, 8: packQ8_0x8AVX2}

// productsX86 returns the products of a rung whose panels have nr columns.
func productsX86(nr int, bytes, words [6]intBody) [16]*Product {
	var ps [16]*Product
	for typ, f := range products {
		if f != nil {
			bodies := &bytes
			if f.words() {
				bodies = &words
			}
			ps[typ] = f.productX86(packsAVX2[typ], bodies, nr)
		}
	}
	return ps
}

func (f *stored) productX86(pack packBody, bodies *[6]intBody, nr int) *Product {
	p := &Product{
		MR:         len(bodies),
		RowBytes:   rowOfBytes,
		PanelBytes: func(kn int) int { return f.panelBytes(kn, nr) },
		Encode:     encodeBytesAVX2,
	}
	per := byteLines
	if f.words() {
		p.RowBytes, p.Encode, per = rowOfWords, encodeWordsAVX2, wordLines
	}
	p.Pack = func(dst, w []byte, stride, kn, rows int) {
		f.checkPack(dst, w, stride, kn, rows, nr)
		if kn == 0 {
			return
		}
		mins := dst[:1]
		if f.min {
			mins = dst[kn/block*per*4*nr:]
		}
		for j := 0; j < nr; j += 8 {
			if j+8 <= rows {
				pack(&dst[4*j], &mins[min(4*j, len(mins)-1)], &w[j*stride], stride, kn/block, 4*nr)
			} else {
				f.packColumns(dst, w, stride, kn, j, j+8, rows, nr)
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
		bodies[rows-1](&c[0], ldc, &a[0], lda, &b[0], kn/block, panels, skip, unsafe.SliceData(bias), ahead)
	}
	return p
}

func encodeBytesAVX2(dst []byte, x []float32) {
	checkEncode(dst, x, rowOfBytes(len(x)))
	if len(x) > 0 {
		encodeBytes32AVX2(&dst[0], &x[0], len(x)/block)
	}
}

func encodeWordsAVX2(dst []byte, x []float32) {
	checkEncode(dst, x, rowOfWords(len(x)))
	if len(x) == 0 {
		encodeWordsGeneric(dst, x)
		return
	}
	encodeWords32AVX2(&dst[0], &x[0], len(x)/block)
}

var (
	byteTilesAVX2 = [...]intBody{tileBytes1AVX2, tileBytes2AVX2, tileBytes3AVX2, tileBytes4AVX2, tileBytes5AVX2, tileBytes6AVX2}
	wordTilesAVX2 = [...]intBody{tileWords1AVX2, tileWords2AVX2, tileWords3AVX2, tileWords4AVX2, tileWords5AVX2, tileWords6AVX2}

	byteTilesAVXVNNI = [...]intBody{
		tileBytes1AVXVNNI, tileBytes2AVXVNNI, tileBytes3AVXVNNI, tileBytes4AVXVNNI, tileBytes5AVXVNNI, tileBytes6AVXVNNI,
	}
	wordTilesAVXVNNI = [...]intBody{
		tileWords1AVXVNNI, tileWords2AVXVNNI, tileWords3AVXVNNI, tileWords4AVXVNNI, tileWords5AVXVNNI, tileWords6AVXVNNI,
	}

	byteTilesAVX512 = [...]intBody{
		tileBytes1AVX512, tileBytes2AVX512, tileBytes3AVX512, tileBytes4AVX512, tileBytes5AVX512, tileBytes6AVX512,
	}
	wordTilesAVX512 = [...]intBody{
		tileWords1AVX512, tileWords2AVX512, tileWords3AVX512, tileWords4AVX512, tileWords5AVX512, tileWords6AVX512,
	}

	byteTilesAVX512VNNI = [...]intBody{
		tileBytes1AVX512VNNI, tileBytes2AVX512VNNI, tileBytes3AVX512VNNI,
		tileBytes4AVX512VNNI, tileBytes5AVX512VNNI, tileBytes6AVX512VNNI,
	}
	wordTilesAVX512VNNI = [...]intBody{
		tileWords1AVX512VNNI, tileWords2AVX512VNNI, tileWords3AVX512VNNI,
		tileWords4AVX512VNNI, tileWords5AVX512VNNI, tileWords6AVX512VNNI,
	}
)

//go:noescape
func encodeBytes32AVX2(dst *byte, x *float32, blocks int)

//go:noescape
func encodeWords32AVX2(dst *byte, x *float32, blocks int)

//go:noescape
func packQ4_0x8AVX2(dst, mins, w *byte, stride, blocks, line int)

//go:noescape
func packQ4_1x8AVX2(dst, mins, w *byte, stride, blocks, line int)

//go:noescape
func packQ5_0x8AVX2(dst, mins, w *byte, stride, blocks, line int)

//go:noescape
func packQ5_1x8AVX2(dst, mins, w *byte, stride, blocks, line int)

//go:noescape
func packQ8_0x8AVX2(dst, mins, w *byte, stride, blocks, line int)
