package kernel

import (
	"encoding/binary"
	"fmt"
	"math"
)

// stored is what the products need to know of a quantised type.
type stored struct {
	size   int   // bytes of a block, d first
	centre int32 // what is taken off a number so that it has a sign; 0 where it has one
	min    bool  // m stands behind d
	split  bool  // activations are two bytes each: the third layout below
}

// products are the types that are multiplied as whole numbers, by ggml's type number.
var products = [16]*stored{
	2: {size: bytesQ4_0, centre: 8},
	3: {size: bytesQ4_1, centre: 8, min: true},
	6: {size: bytesQ5_0, centre: 16},
	7: {size: bytesQ5_1, centre: 16, min: true},
	8: {size: bytesQ8_0},
}

// splitQ8_0 is q8_0 for rungs that multiply bytes alone.
var splitQ8_0 = &stored{size: bytesQ8_0, split: true}

// Three layouts exist. In all, a panel's block is a number of lines of 4·NR bytes, four for each column, and every rung that
// has a layout has the same.
//
// Bytes, for weights of up to five bits. A row has a block of rowBlock bytes for each 32 activations: they as a+127 with
// |a| ≤ 127, and their scale; behind all blocks a float32 sum of each 32 activations. A panel's block is a line of two words
// a column, −127 times the sum of the weights k with k%4 < 2 and of the others; 8 lines of weights, four bytes a column; and a
// line of scales. Where the type has a minimum, a line for each block follows behind all blocks: what its centred numbers
// are to be raised by, which is multiplied with the sums of the activations.
//
// Words, for weights of a byte. A row is all activations as words with |a| ≤ 32767, then one scale. A panel's block is 16
// lines of weights, two words a column, and a line of scales.
//
// Split, for weights of a byte as well. Activations are rounded as words, q = 256·high + low, and a row has 32 bytes high and
// 32 bytes low−128 for each 32 of them, all with a sign, then one scale. A panel's block is a line of double words, 128
// times the sum of a column's weights; 8 lines of weights, four bytes a column; and a line of scales.
const (
	rowBlock   = block + 4
	byteLines  = 10
	wordLines  = 17
	byteLevels = 127
	wordLevels = 32767

	// wordPad makes the rows of a tile fall on different lines of the first cache.
	wordPad = 64
)

func (f *stored) words() bool { return f.centre == 0 && !f.split }

func rowOfBytes(kn int) int { return kn / block * (rowBlock + 4) }
func rowOfWords(kn int) int { return 2*kn + wordPad }

func (f *stored) rowBytes(kn int) int {
	if f.centre == 0 {
		return rowOfWords(kn)
	}
	return rowOfBytes(kn)
}

// panelBytes is Product.PanelBytes for panels of nr columns.
func (f *stored) panelBytes(kn, nr int) int {
	n := byteLines
	if f.words() {
		n = wordLines
	} else if f.min {
		n++
	}
	return kn / block * n * 4 * nr
}

// productGeneric is the reference for tiles of up to mr rows and panels of nr columns, a multiple of 4.
func productGeneric(f *stored, mr, nr int) *Product {
	p := &Product{
		MR:         mr,
		RowBytes:   f.rowBytes,
		PanelBytes: func(kn int) int { return f.panelBytes(kn, nr) },
		Encode:     encodeBytesGeneric,
		Pack: func(dst, w []byte, stride, kn, rows int) {
			f.checkPack(dst, w, stride, kn, rows, nr)
			f.packColumns(dst, w, stride, kn, 0, nr, rows, nr)
		},
	}
	sum := f.sumOfBytes
	switch {
	case f.split:
		p.Encode, sum = encodeSplitGeneric, f.sumOfSplit
	case f.words():
		p.Encode, sum = encodeWordsGeneric, f.sumOfWords
	}
	p.Tile = func(c []float32, ldc int, a []byte, lda int, b []byte, kn, rows, panels int, bias []float32, ahead int) {
		f.checkTile(c, ldc, a, lda, b, kn, rows, panels, bias, ahead, mr, nr)
		size := f.panelBytes(kn, nr)
		for i := range panels {
			for r := range rows {
				for j := 0; j < nr; j += 4 {
					put4(c[r*ldc+i*nr+j:], sum(a[r*lda:], b[i*size:][:size], kn/block, j, nr), biasAt(bias, i*nr+j))
				}
			}
		}
	}
	return p
}

// productsGeneric returns the references for all types.
func productsGeneric(mr, nr int) (ps [16]*Product) {
	for typ, f := range products {
		if f != nil {
			ps[typ] = productGeneric(f, mr, nr)
		}
	}
	return ps
}

// checkPack and checkTile are the checks of a Product.
func (f *stored) checkPack(dst, w []byte, stride, kn, rows, nr int) {
	natural(stride, kn)
	if kn%block != 0 || rows < 1 || rows > nr {
		panic(fmt.Sprintf("kernel: a panel of %d rows of %d numbers, not 1 to %d of a multiple of %d", rows, kn, nr, block))
	}
	check("dst", len(dst), f.panelBytes(kn, nr))
	check("w", len(w), span(rows, stride, kn/block*f.size))
}

func (f *stored) checkTile(c []float32, ldc int, a []byte, lda int, b []byte, kn, rows, panels int, bias []float32, ahead, mr, nr int) {
	natural(ldc, lda, kn, panels)
	if kn%block != 0 || rows < 1 || rows > mr || lda%4 != 0 {
		panic(fmt.Sprintf("kernel: a tile of %d rows of %d numbers every %d bytes, not 1 to %d of a multiple of %d", rows, kn, lda, mr, block))
	}
	if panels > 0 {
		check("c", len(c), span(rows, ldc, panels*nr))
		checkBias(bias, ahead, panels*nr)
		check("a", len(a), span(rows, lda, f.rowBytes(kn)))
		check("b", len(b), panels*f.panelBytes(kn, nr))
	}
}

func checkEncode(dst []byte, x []float32, size int) {
	if len(x)%block != 0 {
		panic(fmt.Sprintf("kernel: a row of %d numbers, not a multiple of %d", len(x), block))
	}
	check("dst", len(dst), size)
}

func putFloat(b []byte, f float32) { binary.LittleEndian.PutUint32(b, math.Float32bits(f)) }
func floatAt(b []byte) float32     { return math.Float32frombits(binary.LittleEndian.Uint32(b)) }
func wordAt(b []byte) int32        { return int32(int16(binary.LittleEndian.Uint16(b))) }

func encodeBytesGeneric(dst []byte, x []float32) {
	checkEncode(dst, x, rowOfBytes(len(x)))
	sums := dst[len(x)/block*rowBlock:]
	for ; len(x) > 0; x, dst, sums = x[block:], dst[rowBlock:], sums[4:] {
		a := largest(x[:block])
		by := byteLevels / a
		for i, v := range x[:block] {
			dst[i] = byte(toInt(float32(v*by), byteLevels) + byteLevels)
		}
		putFloat(dst[block:], a/byteLevels)
		var s [8]float32
		for i := range s {
			s[i] = (x[i] + x[i+8]) + (x[i+16] + x[i+24])
		}
		putFloat(sums, ((s[0]+s[1])+(s[2]+s[3]))+((s[4]+s[5])+(s[6]+s[7])))
	}
}

func encodeWordsGeneric(dst []byte, x []float32) {
	checkEncode(dst, x, rowOfWords(len(x)))
	a := largest(x)
	by := wordLevels / a
	for i, v := range x {
		binary.LittleEndian.PutUint16(dst[2*i:], uint16(toInt(float32(v*by), wordLevels)))
	}
	putFloat(dst[2*len(x):], a/wordLevels)
}

// numbers returns the whole numbers of a block, centred.
func (f *stored) numbers(b []byte) (q [block]int32) {
	if f.centre == 0 {
		for i, v := range b[2:bytesQ8_0] {
			q[i] = int32(int8(v))
		}
		return q
	}
	var fifth uint32
	if f.centre == 16 {
		fifth = binary.LittleEndian.Uint32(b[f.size-20:])
	}
	for i, v := range b[f.size-16:][:16] {
		q[i] = int32(uint32(v&15)|fifth>>i&1<<4) - f.centre
		q[i+16] = int32(uint32(v>>4)|fifth>>(i+16)&1<<4) - f.centre
	}
	return q
}

// packColumns packs columns [from, to) of a panel of nr, those from rows on as zeros.
func (f *stored) packColumns(dst, w []byte, stride, kn, from, to, rows, nr int) {
	line, blocks := 4*nr, kn/block
	per := byteLines
	if f.words() {
		per = wordLines
	}
	for b := range blocks {
		p := dst[b*per*line:][:per*line]
		for j := from; j < to; j++ {
			var q [block]int32
			var d, m float32
			if j < rows {
				at := w[j*stride+b*f.size:][:f.size]
				q, d = f.numbers(at), halfAt(at)
				if f.min {
					m = float32(d*float32(f.centre)) + halfAt(at[2:])
				}
			}
			putFloat(p[(per-1)*line+4*j:], d)
			if f.min {
				putFloat(dst[(blocks*per+b)*line+4*j:], m)
			}
			if f.words() {
				for k, v := range q {
					binary.LittleEndian.PutUint16(p[k/2*line+4*j+k%2*2:], uint16(v))
				}
				continue
			}
			var sums [2]int32
			for k, v := range q {
				p[(1+k/4)*line+4*j+k%4] = byte(v)
				sums[k%4/2] += v
			}
			if f.split {
				binary.LittleEndian.PutUint32(p[4*j:], uint32(128*(sums[0]+sums[1])))
				continue
			}
			binary.LittleEndian.PutUint16(p[4*j:], uint16(-byteLevels*sums[0]))
			binary.LittleEndian.PutUint16(p[4*j+2:], uint16(-byteLevels*sums[1]))
		}
	}
}

// sumOfBytes multiplies a row with columns j … j+3 of a panel.
func (f *stored) sumOfBytes(row, panel []byte, blocks, j, nr int) (total [4]float32) {
	line := 4 * nr
	if f.min {
		sums, mins := row[blocks*rowBlock:], panel[blocks*byteLines*line:]
		for b := range blocks {
			for c := range total {
				total[c] += float32(floatAt(sums[4*b:]) * floatAt(mins[b*line+4*(j+c):]))
			}
		}
	}
	for b := range blocks {
		a, w := row[b*rowBlock:][:rowBlock], panel[b*byteLines*line+4*j:]
		start := w[:16]
		s0, s1 := wordAt(start)+wordAt(start[2:]), wordAt(start[4:])+wordAt(start[6:])
		s2, s3 := wordAt(start[8:])+wordAt(start[10:]), wordAt(start[12:])+wordAt(start[14:])
		for k := range block / 4 {
			v, q := a[4*k:][:4], w[(1+k)*line:][:16]
			a0, a1, a2, a3 := int32(v[0]), int32(v[1]), int32(v[2]), int32(v[3])
			s0 += a0*int32(int8(q[0])) + a1*int32(int8(q[1])) + a2*int32(int8(q[2])) + a3*int32(int8(q[3]))
			s1 += a0*int32(int8(q[4])) + a1*int32(int8(q[5])) + a2*int32(int8(q[6])) + a3*int32(int8(q[7]))
			s2 += a0*int32(int8(q[8])) + a1*int32(int8(q[9])) + a2*int32(int8(q[10])) + a3*int32(int8(q[11]))
			s3 += a0*int32(int8(q[12])) + a1*int32(int8(q[13])) + a2*int32(int8(q[14])) + a3*int32(int8(q[15]))
		}
		d, scales := floatAt(a[block:]), w[(byteLines-1)*line:]
		for c, s := range [4]int32{s0, s1, s2, s3} {
			total[c] += float32(float32(s) * float32(d*floatAt(scales[4*c:])))
		}
	}
	return total
}

// sumOfWords is that for words.
func (f *stored) sumOfWords(row, panel []byte, blocks, j, nr int) (total [4]float32) {
	line := 4 * nr
	for b := range blocks {
		a, w := row[2*b*block:][:2*block], panel[b*wordLines*line+4*j:]
		var s0, s1, s2, s3 int32
		for k := range block / 2 {
			v, q := a[4*k:][:4], w[k*line:][:16]
			a0, a1 := wordAt(v), wordAt(v[2:])
			s0 += a0*wordAt(q) + a1*wordAt(q[2:])
			s1 += a0*wordAt(q[4:]) + a1*wordAt(q[6:])
			s2 += a0*wordAt(q[8:]) + a1*wordAt(q[10:])
			s3 += a0*wordAt(q[12:]) + a1*wordAt(q[14:])
		}
		scales := w[(wordLines-1)*line:]
		for c, s := range [4]int32{s0, s1, s2, s3} {
			total[c] += float32(float32(s) * floatAt(scales[4*c:]))
		}
	}
	scale := floatAt(row[2*block*blocks:])
	for c := range total {
		total[c] *= scale
	}
	return total
}
