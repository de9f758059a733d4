//go:build !noasm

package kernel

import (
	"encoding/binary"
	"math"
	"math/rand/v2"
	"testing"
)

func floats(r *rand.Rand, n int) []float32 {
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(r.NormFloat64())
	}
	return x
}

func close32(got, want float64, tol float64) bool { return math.Abs(got-want) <= tol }

func half(h uint16) float32 {
	var d [1]float32
	b := []byte{byte(h), byte(h >> 8)}
	widenF16NEON(d[:], b)
	return d[0]
}

func TestHalfNEON(t *testing.T) {
	for h := 0; h < 1<<16; h++ {
		s, e, m := h>>15, h>>10&31, h&1023
		var want float64
		switch {
		case e == 0:
			want = float64(m) * math.Exp2(-24)
		case e == 31 && m == 0:
			want = math.Inf(1)
		case e == 31:
			want = math.NaN()
		default:
			want = float64(m|1024) * math.Exp2(float64(e-25))
		}
		if s == 1 {
			want = -want
		}
		got := half(uint16(h))
		if math.IsNaN(want) != math.IsNaN(float64(got)) || !math.IsNaN(want) && float64(got) != want {
			t.Fatalf("%04x: %v want %v", h, got, want)
		}
		if math.IsNaN(want) {
			continue
		}
		var d [1]uint16
		narrowNEON(d[:], []float32{got})
		if d[0] != uint16(h) {
			t.Fatalf("narrow %04x: %04x", h, d[0])
		}
	}
}

func TestTileNEON(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for rows := 1; rows <= 6; rows++ {
		for _, kn := range []int{0, 1, 2, 3, 4, 5, 8, 13, 64, 67} {
			for panels := 1; panels <= 3; panels++ {
				for _, add := range []bool{false, true} {
					lda, ldc := kn+3, panels*16+5
					a, b, c := floats(r, rows*lda), floats(r, kn*16*panels), floats(r, rows*ldc)
					want := append([]float32(nil), c...)
					for i := range rows {
						for p := range panels {
							for j := range 16 {
								var s float32
								for k := range kn {
									s = float32(math.FMA(float64(a[i*lda+k]), float64(b[(p*kn+k)*16+j]), float64(s)))
								}
								if add {
									want[i*ldc+p*16+j] += s
								} else {
									want[i*ldc+p*16+j] = s
								}
							}
						}
					}
					tileNEON(c, ldc, a, lda, b, kn, rows, panels, add)
					for i := range c {
						if !close32(float64(c[i]), float64(want[i]), 1e-5) {
							t.Fatalf("rows %d kn %d panels %d add %v: c[%d] = %v, want %v", rows, kn, panels, add, i, c[i], want[i])
						}
					}
				}
			}
		}
	}
}

func TestPackNEON(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for kn := range 20 {
		stride := kn + 2
		src, dst := floats(r, 16*stride), make([]float32, 16*kn)
		packNEON(dst, src, stride, kn)
		for k := range kn {
			for j := range 16 {
				if dst[k*16+j] != src[j*stride+k] {
					t.Fatal(kn, k, j)
				}
			}
		}
	}
}

func TestDotNEON(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, f16 := range []bool{false, true} {
		for _, n := range []int{0, 32, 64, 96} {
			for rows := range 10 {
				for cols := range 8 {
					bytes := 4
					if f16 {
						bytes = 2
					}
					ws, xs, ys := n*bytes+3, n+1, rows+2
					w := make([]byte, rows*ws+1)[1:]
					wf := make([]float32, rows*n)
					for i := range rows {
						for k := range n {
							v := float32(r.NormFloat64())
							if f16 {
								var d [1]uint16
								narrowNEON(d[:], []float32{v})
								binary.LittleEndian.PutUint16(w[i*ws+2*k:], d[0])
								v = half(d[0])
							} else {
								binary.LittleEndian.PutUint32(w[i*ws+4*k:], math.Float32bits(v))
							}
							wf[i*n+k] = v
						}
					}
					x, y := floats(r, cols*xs), floats(r, cols*ys)
					want := append([]float32(nil), y...)
					f := dotF32NEON
					if f16 {
						f = dotF16NEON
					}
					f(y, ys, w, ws, x, xs, rows, cols, n)
					for c := range cols {
						for i := range rows {
							var s float64
							for k := range n {
								s += float64(wf[i*n+k]) * float64(x[c*xs+k])
							}
							var one [1]float32
							f(one[:], 1, w[i*ws:], ws, x[c*xs:], xs, 1, 1, n)
							if y[c*ys+i] != one[0] || !close32(float64(one[0]), s, 1e-4) {
								t.Fatalf("f16 %v n %d %dx%d (%d,%d): %v, alone %v, want %v", f16, n, rows, cols, i, c, y[c*ys+i], one[0], s)
							}
							want[c*ys+i] = y[c*ys+i]
						}
					}
					for i := range y {
						if y[i] != want[i] {
							t.Fatal("wrote outside")
						}
					}
				}
			}
		}
	}
}

func TestWidenNEON(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	tab := neon(Table{})
	for _, typ := range []int{2, 3, 6, 7, 8} {
		size := map[int]int{2: 18, 3: 20, 6: 22, 7: 24, 8: 34}[typ]
		for blocks := range 5 {
			src := make([]byte, blocks*size+1)[1:]
			for i := range src {
				src[i] = byte(r.Uint32())
			}
			dst := make([]float32, blocks*32)
			tab.Widen[typ](dst, src)
			for i := range dst {
				b := src[i/32*size:]
				d, m := half(binary.LittleEndian.Uint16(b)), float32(0)
				b = b[2:]
				if typ == 3 || typ == 7 {
					m = half(binary.LittleEndian.Uint16(b))
					b = b[2:]
				}
				var hi int
				if typ == 6 || typ == 7 {
					hi = int(binary.LittleEndian.Uint32(b)>>(i%32)&1) << 4
					b = b[4:]
				}
				q := 0
				if typ == 8 {
					q = int(int8(b[i%32]))
				} else {
					q = int(b[i%16]>>(i%32/16*4)&15) | hi
				}
				switch typ {
				case 2:
					q -= 8
				case 6:
					q -= 16
				}
				want := float32(d * float32(q))
				if typ == 3 || typ == 7 {
					want = float32(want + m)
				}
				if dst[i] != want && want == want {
					t.Fatalf("type %d [%d]: %v want %v", typ, i, dst[i], want)
				}
			}
		}
	}
}

func TestVecNEON(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for n := range 70 {
		x := floats(r, n)
		for i := range x {
			x[i] *= 3
		}
		y := floats(r, n)
		if n > 0 {
			m := x[0]
			for _, v := range x {
				m = max(m, v)
			}
			if maxNEON(x) != m {
				t.Fatal("max", n)
			}
			e := append([]float32(nil), x...)
			s := exp2SumNEON(e, m)
			var sum float64
			for i := range e {
				want := math.Exp2(float64(x[i] - m))
				sum += want
				if !close32(float64(e[i]), want, want*1.3e-7) {
					t.Fatal("exp2", x[i]-m, e[i], want)
				}
			}
			if !close32(float64(s), sum, sum*1e-6) {
				t.Fatal("sum", n, s, sum)
			}
		}
		z := append([]float32(nil), x...)
		scaleNEON(z, 1.7)
		addNEON(z, y)
		for i := range z {
			if z[i] != float32(x[i]*1.7)+y[i] {
				t.Fatal("scale, add", n, i)
			}
		}
		g := append([]float32(nil), x...)
		geluNEON(g)
		for i := range g {
			v := float64(x[i])
			if want := v / 2 * (1 + math.Erf(v/math.Sqrt2)); !close32(float64(g[i]), want, 1e-6) {
				t.Fatal("gelu", v, g[i], want)
			}
		}
		w, b, d := floats(r, n), floats(r, n), make([]float32, n)
		normNEON(d, x, w, b)
		var mean, sq float64
		for _, v := range x {
			mean += float64(v) / float64(n)
		}
		for _, v := range x {
			sq += (float64(v) - mean) * (float64(v) - mean) / float64(n)
		}
		for i := range d {
			if want := (float64(x[i])-mean)/math.Sqrt(sq+1e-5)*float64(w[i]) + float64(b[i]); !close32(float64(d[i]), want, 1e-5) {
				t.Fatal("norm", n, i, d[i], want)
			}
		}
	}
	x := []float32{float32(math.Inf(1)), float32(math.Inf(-1)), float32(math.NaN()), 0, 1e30, -1e30, 100, -100}
	geluNEON(x)
	t.Log(x)
}

func TestAttentionNEON(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	const have = 12
	k := make([]uint16, have*64)
	narrowNEON(k, floats(r, len(k)))
	kf := make([]float64, len(k))
	for i := range k {
		kf[i] = float64(half(k[i]))
	}
	for n := range have {
		for _, list := range []bool{false, true} {
			var cells []int32
			if list {
				cells = make([]int32, n)
				for i := range cells {
					cells[i] = int32(r.IntN(have))
				}
			}
			cell := func(i int) int {
				if list {
					return int(cells[i])
				}
				return i
			}
			q, s, out := floats(r, 64), make([]float32, n), floats(r, 64)
			scoresNEON(s, q, k, cells, n)
			for i := range s {
				var want float64
				for d := range 64 {
					want += float64(q[d]) * kf[64*cell(i)+d]
				}
				if !close32(float64(s[i]), want, 1e-4) {
					t.Fatal("scores", n, i, s[i], want)
				}
			}
			mixNEON(out, s, k, cells, n)
			for d := range out {
				var want float64
				for i := range s {
					want += float64(s[i]) * kf[64*cell(i)+d]
				}
				if !close32(float64(out[d]), want, 1e-4) {
					t.Fatal("mix", n, d, out[d], want)
				}
			}
		}
	}
}
