package kernel

import (
	"encoding/binary"
	"math"
)

// generic is the reference of every rung. Its sums have the same bits on every architecture: a product that is converted
// to the type it has already is never fused with the addition behind it.
var generic = Table{
	Name:     "generic",
	MR:       4,
	NR:       4,
	Tile:     tileGeneric,
	Pack:     packGeneric,
	DotF32:   dotF32Generic,
	DotF16:   dotF16Generic,
	Quantize: quantizeGeneric,
	DotInt: [16]func(y []float32, ys int, w []byte, ws int, x []byte, xs int, rows, cols, n int){
		2: dotIntGeneric(2, bytesQ4_0),
		3: dotIntGeneric(3, bytesQ4_1),
		6: dotIntGeneric(6, bytesQ5_0),
		7: dotIntGeneric(7, bytesQ5_1),
		8: dotIntGeneric(8, bytesQ8_0),
	},
	Products: productsGeneric(4, 4),
	Widen: [16]func([]float32, []byte){
		1: widenF16Generic,
		2: widenQ4_0Generic,
		3: widenQ4_1Generic,
		6: widenQ5_0Generic,
		7: widenQ5_1Generic,
		8: widenQ8_0Generic,
	},
	Narrow:  narrowGeneric,
	Max:     maxGeneric,
	Exp2Sum: exp2SumGeneric,
	Scale:   scaleGeneric,
	Add:     addGeneric,
	GELU:    geluGeneric,
	Norm:    normGeneric,
	Scores:  scoresGeneric,
	Mix:     mixGeneric,
}

func tileGeneric(c []float32, ldc int, a []float32, lda int, b []float32, kn, rows, panels int, bias []float32, ahead int) {
	checkTile(c, ldc, a, lda, b, kn, rows, panels, bias, ahead, 4, 4)
	for p := range panels {
		panel := b[p*kn*4:][:kn*4]
		r := 0
		for ; r+2 <= rows; r += 2 {
			s0, s1 := tile2x4(a[r*lda:][:kn], a[(r+1)*lda:][:kn], panel)
			put4(c[r*ldc+p*4:], s0, biasAt(bias, p*4))
			put4(c[(r+1)*ldc+p*4:], s1, biasAt(bias, p*4))
		}
		if r < rows {
			put4(c[r*ldc+p*4:], tile1x4(a[r*lda:][:kn], panel), biasAt(bias, p*4))
		}
	}
}

// tile2x4 keeps its eight sums, and all else it needs for one k, in the registers of amd64.
func tile2x4(a0, a1, b []float32) (s0, s1 [4]float32) {
	var s00, s01, s02, s03, s10, s11, s12, s13 float32
	a1 = a1[:len(a0)]
	for k, x := range a0 {
		y, w := a1[k], b[4*k:][:4]
		s00 += float32(x * w[0])
		s01 += float32(x * w[1])
		s02 += float32(x * w[2])
		s03 += float32(x * w[3])
		s10 += float32(y * w[0])
		s11 += float32(y * w[1])
		s12 += float32(y * w[2])
		s13 += float32(y * w[3])
	}
	return [4]float32{s00, s01, s02, s03}, [4]float32{s10, s11, s12, s13}
}

func tile1x4(a, b []float32) [4]float32 {
	var s0, s1, s2, s3 float32
	for k, x := range a {
		w := b[4*k:][:4]
		s0 += float32(x * w[0])
		s1 += float32(x * w[1])
		s2 += float32(x * w[2])
		s3 += float32(x * w[3])
	}
	return [4]float32{s0, s1, s2, s3}
}

// biasAt returns the biases of four sums, or nil.
func biasAt(bias []float32, at int) []float32 {
	if bias == nil {
		return nil
	}
	return bias[at:][:4]
}

func put4(c []float32, s [4]float32, bias []float32) {
	if bias != nil {
		s[0], s[1], s[2], s[3] = bias[0]+s[0], bias[1]+s[1], bias[2]+s[2], bias[3]+s[3]
	}
	copy(c[:4], s[:])
}

func packGeneric(dst, src []float32, stride, kn int) {
	checkPack(dst, src, stride, kn, 4, 1)
	if kn == 0 {
		return
	}
	r0, r1, r2, r3 := src[:kn], src[stride:][:kn], src[2*stride:][:kn], src[3*stride:][:kn]
	for k := range r0 {
		d := dst[4*k:][:4]
		d[0], d[1], d[2], d[3] = r0[k], r1[k], r2[k], r3[k]
	}
}

// sums are those of one row and column, over k mod 4.
type sums [4]float32

func (s *sums) add(w *[32]float32, x []float32) {
	s0, s1, s2, s3 := s[0], s[1], s[2], s[3]
	x = x[:32]
	for k := 0; k < 32; k += 4 {
		s0 += float32(w[k] * x[k])
		s1 += float32(w[k+1] * x[k+1])
		s2 += float32(w[k+2] * x[k+2])
		s3 += float32(w[k+3] * x[k+3])
	}
	*s = sums{s0, s1, s2, s3}
}

func (s *sums) total() float32 { return (s[0] + s[1]) + (s[2] + s[3]) }

func dotF32Generic(y []float32, ys int, w []byte, ws int, x []float32, xs int, rows, cols, n int) {
	checkDot(y, ys, w, ws, x, xs, rows, cols, n, 4)
	for c := 0; c < cols; c += 4 {
		for r := range rows {
			var wide [32]float32
			var s [4]sums
			for k := 0; k < n; k += 32 {
				b := w[r*ws+4*k:][:128]
				for i := range wide {
					wide[i] = math.Float32frombits(binary.LittleEndian.Uint32(b[4*i:]))
				}
				for i := range min(4, cols-c) {
					s[i].add(&wide, x[(c+i)*xs+k:])
				}
			}
			for i := range min(4, cols-c) {
				y[(c+i)*ys+r] = s[i].total()
			}
		}
	}
}

func dotF16Generic(y []float32, ys int, w []byte, ws int, x []float32, xs int, rows, cols, n int) {
	checkDot(y, ys, w, ws, x, xs, rows, cols, n, 2)
	for c := 0; c < cols; c += 4 {
		for r := range rows {
			var wide [32]float32
			var s [4]sums
			for k := 0; k < n; k += 32 {
				widenF16Generic(wide[:], w[r*ws+2*k:][:64])
				for i := range min(4, cols-c) {
					s[i].add(&wide, x[(c+i)*xs+k:])
				}
			}
			for i := range min(4, cols-c) {
				y[(c+i)*ys+r] = s[i].total()
			}
		}
	}
}

func narrowGeneric(dst []uint16, src []float32) {
	check("dst", len(dst), len(src))
	for i, f := range src {
		dst[i] = ToHalf(f)
	}
}

func maxGeneric(x []float32) float32 {
	check("x", len(x), 1)
	m := x[0]
	for _, v := range x {
		if v > m {
			m = v
		}
	}
	return m
}

// exp2SumGeneric splits an exponent into a whole number, which it adds to the exponent of the result, and at most a half,
// whose power is a polynomial: relative error 2.6e−9 before rounding (Remez).
func exp2SumGeneric(x []float32, m float32) float32 {
	const round = 0x1.8p23 // adding it leaves no room for a fraction
	var sum float64
	for i, v := range x {
		v = max(v-m, -125)
		whole := v + round
		f := v - (whole - round)
		p := float32(f*1.55946826e-4) + 1.34066442e-3
		p = float32(f*p) + 9.61769297e-3
		p = float32(f*p) + 5.55031055e-2
		p = float32(f*p) + 2.40226528e-1
		p = float32(f*p) + 6.93147215e-1
		p = float32(f*p) + 1
		p = math.Float32frombits(math.Float32bits(p) + math.Float32bits(whole)<<23)
		x[i] = p
		sum += float64(p)
	}
	return float32(sum)
}

func scaleGeneric(x []float32, s float32) {
	for i := range x {
		x[i] *= s
	}
}

func addGeneric(dst, x []float32) {
	check("dst", len(dst), len(x))
	for i, v := range x {
		dst[i] += v
	}
}

func geluGeneric(x []float32) {
	for i, v := range x {
		x[i] = float32(float64(v) / 2 * math.Erfc(float64(v)*(-1/math.Sqrt2)))
	}
}

// normEps is what Whisper adds to the variance; no file stores it.
const normEps = 1e-5

func normGeneric(dst, x, w, b []float32) {
	checkNorm(dst, x, w, b)
	var sum, square float64
	for _, v := range x {
		sum += float64(v)
	}
	n := float64(len(x))
	mean := sum / n
	for _, v := range x {
		d := float64(v) - mean
		square += d * d
	}
	f := 1 / math.Sqrt(square/n+normEps)
	for i, v := range x {
		dst[i] = float32((float64(v)-mean)*f)*w[i] + b[i]
	}
}

func scoresGeneric(s, q []float32, k []uint16, cells []int32, n int) {
	checkCells(q, s, k, cells, n)
	for i := range n {
		var t sums
		for d, h := range row(k, cells, i) {
			t[d&3] += float32(q[d] * FromHalf(h))
		}
		s[i] = t.total()
	}
}

func mixGeneric(out, p []float32, v []uint16, cells []int32, n int) {
	checkCells(out, p, v, cells, n)
	var sum [headSize]float32
	for i, f := range p[:n] {
		for d, h := range row(v, cells, i) {
			sum[d] += float32(f * FromHalf(h))
		}
	}
	copy(out, sum[:])
}

// row returns the row of cell i.
func row(rows []uint16, cells []int32, i int) []uint16 {
	if cells != nil {
		i = int(cells[i])
	}
	return rows[i*headSize:][:headSize]
}
