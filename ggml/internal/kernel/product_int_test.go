package kernel_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/whisperfile/whisperfile/ggml/internal/kernel"
)

// intTypes are the types that have products of whole numbers: the bytes of a block, and whether a minimum stands in it.
var intTypes = []struct {
	name      string
	typ, size int
	min       bool
	levels    float32 // of activations
}{
	{"q4_0", 2, 18, false, 127}, {"q4_1", 3, 20, true, 127}, {"q5_0", 6, 22, false, 127}, {"q5_1", 7, 24, true, 127}, {"q8_0", 8, 34, false, 32767},
}

// eachProduct runs f for every type of every rung that has products.
func eachProduct(t *testing.T, f func(t *testing.T, nr, typ int, p *kernel.Product)) {
	eachRung(t, func(t *testing.T, k *kernel.Table) {
		for _, q := range intTypes {
			if p := k.Products[q.typ]; p != nil {
				if p.MR > k.MR {
					t.Errorf("%s: tiles of %d rows, those of float32 have %d", q.name, p.MR, k.MR)
				}
				t.Run(q.name, func(t *testing.T) { f(t, k.NR, q.typ, p) })
			}
		}
	})
}

// stored returns n blocks of weights of a type, random but for the scale, and the minimum that centred numbers have then.
func stored(typ, n int, d, min float32) []byte {
	r := rand.New(rand.NewPCG(uint64(typ), uint64(n)))
	var b []byte
	for _, q := range intTypes {
		if q.typ != typ {
			continue
		}
		centre := float32(8)
		if q.size == 24 {
			centre = 16
		}
		for range n {
			at := len(b)
			for range q.size {
				b = append(b, byte(r.Uint32()))
			}
			binary.LittleEndian.PutUint16(b[at:], halfOf(d))
			if q.min {
				binary.LittleEndian.PutUint16(b[at+2:], halfOf(min-centre*d))
			}
		}
	}
	return b
}

func TestProductEncode(t *testing.T) {
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	eachProduct(t, func(t *testing.T, nr, typ int, p *kernel.Product) {
		m, ref := newMemory(t), kernel.ReferenceProduct(p, typ, nr)
		for _, n := range []int{0, 32, 64, 96, 128, 160, 288, 1024} {
			for name, change := range map[string]func(x []float32){
				"normal":    func([]float32) {},
				"zero":      func(x []float32) { clear(x) },
				"large":     func(x []float32) { x[n/2], x[n-1] = math.MaxFloat32, -math.MaxFloat32 },
				"small":     func(x []float32) { clear(x); x[n-3] = math.SmallestNonzeroFloat32 },
				"subnormal": func(x []float32) { x[n-1] = 1e-40 },
				"nan":       func(x []float32) { x[n-1] = nan },
				"infinite":  func(x []float32) { x[n-9], x[0] = -inf, 3 },
				"halves": func(x []float32) { // every second falls between two levels
					for i := range x {
						x[i] = float32(i%255)/2 - 63.5
					}
					x[0] = 127
				},
			} {
				x := normals(uint64(n), n)
				if n > 0 {
					change(x)
				}
				m.bothWays(func() {
					dst, want := m.take(p.RowBytes(n)), make([]byte, p.RowBytes(n))
					copy(want, dst)
					p.Encode(dst, takeOf(m, x))
					ref.Encode(want, x)
					for i := range want {
						if dst[i] != want[i] {
							t.Fatalf("%s, n %d: byte %d is %#x, not %#x", name, n, i, dst[i], want[i])
						}
					}
					m.release(t, "%s, n %d", name, n)
				})
			}
		}
	})
}

func TestProductPack(t *testing.T) {
	eachProduct(t, func(t *testing.T, nr, typ int, p *kernel.Product) {
		m, ref := newMemory(t), kernel.ReferenceProduct(p, typ, nr)
		for _, kn := range []int{0, 32, 64, 96, 160} {
			w := stored(typ, nr*kn/32, 0.37, -1.1)
			row := len(w) / nr
			for rows := 1; rows <= nr; rows++ {
				m.bothWays(func() {
					dst, want := m.take(p.PanelBytes(kn)), make([]byte, p.PanelBytes(kn))
					src := m.take(rows * row)
					copy(src, w)
					p.Pack(dst, src, row, kn, rows)
					ref.Pack(want, w, row, kn, rows)
					if !bytes.Equal(dst, want) {
						t.Fatalf("kn %d, rows %d: not the bytes of the reference", kn, rows)
					}
					m.release(t, "kn %d, rows %d", kn, rows)
				})
			}
		}
	})
}

// TestProductTile multiplies activations and weights whose scales are powers of two, so that float32 rounds nothing away
// that the order of rounding could change: every rung must give the bits of the reference.
func TestProductTile(t *testing.T) {
	eachProduct(t, func(t *testing.T, nr, typ int, p *kernel.Product) {
		m, ref := newMemory(t), kernel.ReferenceProduct(p, typ, nr)
		r := rand.New(rand.NewPCG(1, 2))
		for _, kn := range []int{0, 32, 64, 96, 256} {
			x := make([]float32, p.MR*kn)
			for i := range x {
				x[i] = float32(r.IntN(255) - 127)
				if i%32 == 5 {
					x[i] = 127 // every block's largest
				}
				if typ == 8 {
					x[i] *= 258
					if i%kn == 5 {
						x[i] = 32767
					}
				}
			}
			w := stored(typ, 3*nr*kn/32, 0.5, 3)
			for rows := 1; rows <= p.MR; rows++ {
				for panels := range 4 {
					for _, biased := range []bool{false, true} {
						m.bothWays(func() {
							multiply(t, m, p, ref, nr, x, w, kn, rows, panels, biased)
						})
					}
				}
			}
		}
	})
}

// multiply compares one call with the reference.
func multiply(t *testing.T, m *memory, p, ref *kernel.Product, nr int, x []float32, w []byte, kn, rows, panels int, biased bool) {
	t.Helper()
	lda, ldc := p.RowBytes(kn)+8, panels*nr+5
	a, b := make([]byte, max(0, (rows-1)*lda+p.RowBytes(kn))), make([]byte, panels*p.PanelBytes(kn))
	for r := range rows {
		p.Encode(a[r*lda:], x[r*kn:][:kn])
	}
	stride := len(w) / (3 * nr)
	for i := range panels {
		p.Pack(b[i*p.PanelBytes(kn):], w[i*nr*stride:], stride, kn, nr)
	}
	before := normals(3, max(0, (rows-1)*ldc+panels*nr))
	if panels == 0 {
		before = nil
	}
	for i := range before {
		before[i] = float32(math.Round(float64(before[i])*64)) + 0 // no −0, which adding nothing may or may not keep
	}
	c, want := takeOf(m, before), bytesOf(before)
	bias := biasOf(m, biased, panels*nr)
	p.Tile(c, ldc, takeOf(m, a), lda, takeOf(m, b), kn, rows, panels, bias, panels%2*p.MR)
	ref.Tile(want, ldc, a, lda, b, kn, rows, panels, bias, 0)
	for i := range want {
		if !sameBits(c[i], want[i]) {
			t.Fatalf("kn %d, rows %d, panels %d, bias %t: c[%d] = %v, not %v", kn, rows, panels, biased, i, c[i], want[i])
		}
	}
	m.release(t, "kn %d, rows %d, panels %d, bias %t", kn, rows, panels, biased)
}

func bytesOf(x []float32) []float32 { return append([]float32(nil), x...) }

// TestProductExtremes has all activations and weights at the ends of their ranges, where the words of a sum come closest to
// their limits or wrap most often.
func TestProductExtremes(t *testing.T) {
	const kn = 64
	eachRung(t, func(t *testing.T, k *kernel.Table) {
		for _, q := range intTypes {
			p := k.Products[q.typ]
			if p == nil {
				continue
			}
			for _, fill := range []byte{0x00, 0xFF, 0xF0, 0x0F, 0x80, 0x7F, 0x88} {
				for _, sign := range []string{"+", "-", "+-", "-+", "++--"} {
					w := make([]byte, k.NR*kn/32*q.size)
					for i := range w {
						w[i] = fill
					}
					for i := 0; i < len(w); i += q.size {
						binary.LittleEndian.PutUint16(w[i:], halfOf(1))
						if q.min {
							binary.LittleEndian.PutUint16(w[i+2:], halfOf(-3))
						}
					}
					numbers := make([]float32, kn)
					if k.Widen[q.typ] == nil {
						t.Fatalf("%s: no Widen", q.name)
					}
					k.Widen[q.typ](numbers, w[:kn/32*q.size])
					x, want := make([]float32, kn), 0.0
					for i := range x {
						x[i] = q.levels
						if sign[i%len(sign)] == '-' {
							x[i] = -q.levels
						}
						want += float64(x[i]) * float64(numbers[i])
					}
					row, panel, c := make([]byte, p.RowBytes(kn)), make([]byte, p.PanelBytes(kn)), make([]float32, k.NR)
					p.Encode(row, x)
					p.Pack(panel, w, kn/32*q.size, kn, k.NR)
					p.Tile(c, k.NR, row, len(row), panel, kn, 1, 1, nil, 0)
					for j, got := range c {
						if got != float32(want) {
							t.Errorf("%s of %#x, activations %s: column %d is %v, not %v", q.name, fill, sign, j, got, want)
						}
					}
				}
			}
		}
	})
}

// TestProductRounded compares products of arbitrary numbers with what the rounded activations give in float64, and a tile
// with its rows alone.
func TestProductRounded(t *testing.T) {
	const kn = 320
	eachProduct(t, func(t *testing.T, nr, typ int, p *kernel.Product) {
		w := stored(typ, nr*kn/32, 0.0123, 0.07)
		stride := len(w) / nr
		panel := make([]byte, p.PanelBytes(kn))
		p.Pack(panel, w, stride, kn, nr)
		wide := make([]float32, nr*kn)
		widen, _ := kernel.Choose("generic")
		widen.Widen[typ](wide, w)
		x := normals(5, p.MR*kn)
		lda := p.RowBytes(kn)
		a := make([]byte, p.MR*lda)
		for r := range p.MR {
			p.Encode(a[r*lda:], x[r*kn:][:kn])
		}
		all, one := make([]float32, p.MR*nr), make([]float32, nr)
		p.Tile(all, nr, a, lda, panel, kn, p.MR, 1, nil, 0)
		for r := range p.MR {
			p.Tile(one, nr, a[r*lda:], lda, panel, kn, 1, 1, nil, 0)
			for j := range nr {
				if !sameBits(one[j], all[r*nr+j]) {
					t.Fatalf("row %d, column %d is %v, alone %v", r, j, all[r*nr+j], one[j])
				}
				var sum, size, step float64
				for b := 0; b < kn; b += 32 {
					var top float64
					for k := b; k < b+32; k++ {
						v, q := float64(x[r*kn+k]), float64(wide[j*kn+k])
						sum, size, top = sum+v*q, size+math.Abs(v*q), max(top, math.Abs(v))
					}
					for k := b; k < b+32; k++ {
						step += top / 254 * math.Abs(float64(wide[j*kn+k]))
					}
				}
				// Roundings of activations are independent of each other: far below the sum of their magnitudes.
				if d := math.Abs(sum - float64(all[r*nr+j])); d > 0.5*step/math.Sqrt(kn)*6+1e-6*size {
					t.Errorf("row %d, column %d is %v, not %v", r, j, all[r*nr+j], sum)
				}
			}
		}
	})
}

// TestProductNaN: what is not finite makes its row so, and no other.
func TestProductNaN(t *testing.T) {
	const kn = 64
	eachProduct(t, func(t *testing.T, nr, typ int, p *kernel.Product) {
		if p.MR < 3 {
			t.Skip("too few rows")
		}
		x := normals(1, 3*kn)
		x[3], x[kn+40] = float32(math.Inf(-1)), float32(math.NaN())
		lda, panel, c := p.RowBytes(kn), make([]byte, p.PanelBytes(kn)), make([]float32, 3*nr)
		a := make([]byte, 3*lda)
		for r := range 3 {
			p.Encode(a[r*lda:], x[r*kn:][:kn])
		}
		w := stored(typ, nr*kn/32, 0.1, 0.2)
		p.Pack(panel, w, len(w)/nr, kn, nr)
		p.Tile(c, nr, a, lda, panel, kn, 3, 1, nil, 0)
		for i, v := range c {
			if finite := v-v == 0; finite != (i/nr == 2) {
				t.Errorf("row %d has %v", i/nr, v)
			}
		}
	})
}

// FuzzProduct holds the rungs against the reference. The first bytes become activations as they are, which must be rounded to
// the same bytes; then all bytes become weights and small whole numbers, scaled so that float32 has nothing to round.
func FuzzProduct(f *testing.F) {
	for i := range intTypes {
		f.Add(byte(i), byte(i*7), []byte("\x00\x01\x7f\x80\x81\xff a window of whole numbers"))
	}
	f.Fuzz(func(t *testing.T, which, shape byte, data []byte) {
		q, blocks := intTypes[int(which)%len(intTypes)], int(shape)%4+1
		if len(data) == 0 {
			return
		}
		kn := 32 * blocks
		wide, small := make([]float32, kn), make([]float32, kn)
		at := func(i int) byte { return data[i%len(data)] }
		for i := range wide {
			wide[i] = math.Float32frombits(uint32(at(4*i)) | uint32(at(4*i+1))<<8 | uint32(at(4*i+2))<<16 | uint32(at(4*i+3))<<24)
			if wide[i]-wide[i] != 0 {
				wide[i] = 0
			}
			small[i] = max(-127, float32(int8(at(i))))
			if i%32 == int(shape>>3) {
				small[i] = 127
			}
			if q.levels > 127 {
				small[i] *= 258
			}
		}
		small[kn-1] = q.levels
		for _, k := range kernel.Tables() {
			p := k.Products[q.typ]
			if p == nil {
				continue
			}
			ref := kernel.ReferenceProduct(p, q.typ, k.NR)
			row, same := make([]byte, p.RowBytes(kn)), make([]byte, p.RowBytes(kn))
			for _, x := range [][]float32{wide, small} {
				p.Encode(row, x)
				if ref.Encode(same, x); !bytes.Equal(row, same) {
					t.Fatalf("%s, %s: a row of %v", k.Name, q.name, x)
				}
			}
			w := make([]byte, k.NR*blocks*q.size)
			for i := range w {
				w[i] = at(i * 3)
			}
			for i := 0; i < len(w); i += q.size {
				binary.LittleEndian.PutUint16(w[i:], halfOf(float32(int(1)<<(at(i)%3))))
				if q.min {
					binary.LittleEndian.PutUint16(w[i+2:], halfOf(float32(int8(at(i+1)))))
				}
			}
			panel, c := make([]byte, 2*p.PanelBytes(kn)), make([]float32, 2*k.NR)
			for i, way := range []*kernel.Product{p, ref} {
				way.Pack(panel[i*p.PanelBytes(kn):], w, blocks*q.size, kn, k.NR)
				way.Tile(c[i*k.NR:], k.NR, row, len(row), panel[i*p.PanelBytes(kn):], kn, 1, 1, nil, 0)
			}
			if !bytes.Equal(panel[:p.PanelBytes(kn)], panel[p.PanelBytes(kn):]) {
				t.Fatalf("%s, %s: not the panel of the reference", k.Name, q.name)
			}
			for j := range k.NR {
				if !sameBits(c[j], c[k.NR+j]) {
					t.Fatalf("%s, %s: column %d is %v, not %v", k.Name, q.name, j, c[j], c[k.NR+j])
				}
			}
		}
	})
}

func TestProductShort(t *testing.T) {
	eachProduct(t, func(t *testing.T, nr, typ int, p *kernel.Product) {
		const kn = 64
		w := stored(typ, nr*kn/32, 1, 1)
		f := func(n int) []float32 { return make([]float32, n) }
		row, panel, stride := p.RowBytes(kn), p.PanelBytes(kn), len(w)/nr
		for name, call := range map[string]func(){
			"encode dst": func() { p.Encode(make([]byte, row-1), f(kn)) },
			"encode x":   func() { p.Encode(make([]byte, row), f(kn-1)) },
			"pack dst":   func() { p.Pack(make([]byte, panel-1), w, stride, kn, nr) },
			"pack w":     func() { p.Pack(make([]byte, panel), w[1:], stride, kn, nr) },
			"pack rows":  func() { p.Pack(make([]byte, panel), w, stride, kn, nr+1) },
			"pack kn":    func() { p.Pack(make([]byte, panel), w, stride, kn-16, nr) },
			"tile c":     func() { p.Tile(f(2*nr-1), nr, make([]byte, 2*row), row, make([]byte, panel), kn, 2, 1, nil, 0) },
			"tile a":     func() { p.Tile(f(2*nr), nr, make([]byte, 2*row-1), row, make([]byte, panel), kn, 2, 1, nil, 0) },
			"tile b":     func() { p.Tile(f(4*nr), 2*nr, make([]byte, 2*row), row, make([]byte, 2*panel-1), kn, 2, 2, nil, 0) },
			"tile bias":  func() { p.Tile(f(2*nr), nr, make([]byte, 2*row), row, make([]byte, panel), kn, 2, 1, f(nr-1), 0) },
			"tile lda":   func() { p.Tile(f(2*nr), nr, make([]byte, 3*row), row+2, make([]byte, panel), kn, 2, 1, nil, 0) },
			"tile rows":  func() { p.Tile(f(99*nr), nr, make([]byte, 99*row), row, make([]byte, panel), kn, p.MR+1, 1, nil, 0) },
			"tile -1":    func() { p.Tile(f(4*nr), -1, make([]byte, 2*row), row, make([]byte, panel), kn, 2, 1, nil, 0) },
		} {
			func() {
				defer func() {
					if recover() == nil {
						t.Errorf("%s: no panic", name)
					}
				}()
				call()
			}()
		}
	})
}

// BenchmarkProductTile multiplies one panel that stays in the first cache; the peak of float32 is that of BenchmarkTile.
func BenchmarkProductTile(b *testing.B) {
	const kn = 512
	for _, q := range intTypes {
		eachBench(b, fmt.Sprintf("type=%s/%%s", q.name), func(b *testing.B, k *kernel.Table) {
			p := k.Products[q.typ]
			if p == nil {
				b.Skip("none")
			}
			lda, panel, c, w := p.RowBytes(kn), make([]byte, p.PanelBytes(kn)), make([]float32, p.MR*k.NR), stored(q.typ, k.NR*kn/32, 1, 1)
			a, x := make([]byte, p.MR*lda), normals(1, kn)
			for r := range p.MR {
				p.Encode(a[r*lda:], x)
			}
			p.Pack(panel, w, len(w)/k.NR, kn, k.NR)
			for b.Loop() {
				p.Tile(c, k.NR, a, lda, panel, kn, p.MR, 1, nil, 0)
			}
			rate(b, float64(2*kn*p.MR*k.NR), "GFLOP/s")
		})
	}
}

func BenchmarkProductPack(b *testing.B) {
	const kn = 512
	for _, q := range intTypes {
		eachBench(b, fmt.Sprintf("type=%s/%%s", q.name), func(b *testing.B, k *kernel.Table) {
			p := k.Products[q.typ]
			if p == nil {
				b.Skip("none")
			}
			panel, w := make([]byte, p.PanelBytes(kn)), stored(q.typ, k.NR*kn/32, 1, 1)
			for b.Loop() {
				p.Pack(panel, w, len(w)/k.NR, kn, k.NR)
			}
			rate(b, float64(kn*k.NR), "values/ns")
		})
	}
}

func BenchmarkProductEncode(b *testing.B) {
	const kn = 512
	for _, q := range intTypes[3:] {
		eachBench(b, fmt.Sprintf("type=%s/%%s", q.name), func(b *testing.B, k *kernel.Table) {
			p := k.Products[q.typ]
			if p == nil {
				b.Skip("none")
			}
			row, x := make([]byte, p.RowBytes(kn)), normals(1, kn)
			for b.Loop() {
				p.Encode(row, x)
			}
			rate(b, kn, "values/ns")
		})
	}
}
