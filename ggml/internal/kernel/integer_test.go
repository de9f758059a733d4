package kernel_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/whisperfile/whisperfile/ggml/internal/kernel"
)

// integerType is a type of weights that DotInt takes.
type integerType struct {
	name       string
	typ, bytes int
}

var integerTypes = []integerType{
	{"q4_0", 2, 18}, {"q4_1", 3, 20}, {"q5_0", 6, 22}, {"q5_1", 7, 24}, {"q8_0", 8, 34},
}

// weights returns n numbers as they are stored, the scales and minima of about the given size.
func (q integerType) weights(seed uint64, n int, d, m float32) []byte {
	r := rand.New(rand.NewPCG(seed, uint64(q.typ)))
	b := make([]byte, n/32*q.bytes)
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	for k := 0; k < len(b); k += q.bytes {
		binary.LittleEndian.PutUint16(b[k:], halfOf(d*(1+r.Float32())))
		if q.typ == 3 || q.typ == 7 {
			binary.LittleEndian.PutUint16(b[k+2:], halfOf(m*float32(r.NormFloat64())))
		}
	}
	return b
}

// quantized is the row that rung k makes of x.
func quantized(k *kernel.Table, x []float32, split int) []byte {
	dst := make([]byte, kernel.QuantizedBytes(len(x)))
	k.Quantize(dst, x, split)
	return dst
}

// limit is the largest integer that an activation becomes.
const limit = 32767

// values are the numbers that a quantised row stands for.
func values(row []byte, n int, split int) []float32 {
	x := make([]float32, n)
	d := math.Float32frombits(binary.LittleEndian.Uint32(row[kernel.QuantizedBytes(n)-4:]))
	for i := range x {
		at := i
		switch {
		case split == 64 && i|63 < n:
			at = i&^63 + i%64/2 + i%2*32
		case split > 0:
			at = i&^31 + i%32/2 + i%2*16
		}
		x[i] = float32(int16(binary.LittleEndian.Uint16(row[2*at:]))) * d
	}
	return x
}

// eachInteger runs f for every rung and type that the rung multiplies in integers.
func eachInteger(t *testing.T, f func(t *testing.T, k *kernel.Table, q integerType)) {
	eachRung(t, func(t *testing.T, k *kernel.Table) {
		for _, q := range integerTypes {
			if k.DotInt[q.typ] != nil {
				t.Run(q.name, func(t *testing.T) { f(t, k, q) })
			}
		}
	})
}

// TestQuantize: the bits are those of the plain code, and no number is off by more than half a step.
func TestQuantize(t *testing.T) {
	generic, err := kernel.Choose("generic")
	if err != nil {
		t.Fatal(err)
	}
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	eachRung(t, func(t *testing.T, k *kernel.Table) {
		m := newMemory(t)
		for i := range 18 {
			n, split := i/3*32, []int{0, 32, 64}[i%3]
			for name, edit := range map[string]func(x []float32){
				"normal":  func([]float32) {},
				"zero":    func(x []float32) { clear(x) },
				"largest": func(x []float32) { x[7] = math.MaxFloat32 / 2 },
				"tiny":    func(x []float32) { k.Scale(x, 0x1p-130) },
				"ties": func(x []float32) {
					for i := range x {
						x[i] = float32(i%17) - 8 + 0.5
					}
					x[0] = limit
				},
				"whole": func(x []float32) {
					for i := range x {
						x[i] = float32(2*(i&1)-1) * limit
					}
				},
				"NaN": func(x []float32) { x[n-1] = nan },
				"inf": func(x []float32) { x[n/2] = -inf },
			} {
				if n == 0 && name != "normal" {
					continue
				}
				m.bothWays(func() {
					x := normals(uint64(n), n)
					edit(x)
					want := quantized(generic, x, split)
					dst := takeOf(m, make([]byte, len(want)))
					k.Quantize(dst, takeOf(m, x), split)
					m.release(t, "n %d, %s", n, name)
					if name == "NaN" || name == "inf" {
						return
					}
					if i := slices.IndexFunc(want, func(byte) bool { return true }); !slices.Equal(dst, want) {
						for dst[i] == want[i] {
							i++
						}
						t.Fatalf("n %d, %s: byte %d is %d, not %d", n, name, i, dst[i], want[i])
					}
					largest := 0.0
					for _, v := range x {
						largest = max(largest, math.Abs(float64(v)))
					}
					for i, v := range values(dst, n, split) {
						if off := math.Abs(float64(v) - float64(x[i])); off > (largest/2+1e-30)/limit*(1+1e-5) {
							t.Fatalf("n %d, %s: %v became %v", n, name, x[i], v)
						}
					}
				})
			}
		}
	})
}

// dot is what DotInt promises for one row and column, and the bound of its rounding.
func (q integerType) dot(w, x []byte, n, split int) (s sum) {
	wide := make([]float32, n)
	generic, _ := kernel.Choose("generic")
	generic.Widen[q.typ](wide, w)
	for i, v := range values(x, n, split) {
		s.add(wide[i], v)
		s.bound += math.Abs(float64(wide[i])*float64(v)) / 16 // the parts of a minimum cancel
	}
	return s
}

func TestDotInt(t *testing.T) {
	const maxRows, maxCols = 9, 17
	eachInteger(t, func(t *testing.T, k *kernel.Table, q integerType) {
		m := newMemory(t)
		dot := k.DotInt[q.typ]
		for _, n := range []int{0, 32, 64, 96, 160, 384, 2080} {
			size := n / 32 * q.bytes
			ws, xs := size+3, kernel.QuantizedBytes(n)+1
			w, x := make([]byte, maxRows*ws), make([]byte, maxCols*xs)
			for r := range maxRows {
				copy(w[r*ws:], q.weights(uint64(r+100*n), n, 0.01, 0.1))
			}
			for c := range maxCols {
				copy(x[c*xs:], quantized(k, normals(uint64(c+100*n), n), k.Split[q.typ]))
			}
			var alone [maxRows][maxCols]float32
			for r := range maxRows {
				for c := range maxCols {
					dot(alone[r][c:], 1, w[r*ws:], ws, x[c*xs:], xs, 1, 1, n)
					if s := q.dot(w[r*ws:][:size], x[c*xs:], n, k.Split[q.typ]); s.wrong(alone[r][c]) {
						t.Fatalf("n %d: row %d, column %d = %v, not %v", n, r, c, alone[r][c], s.value)
					}
				}
			}
			for rows := range maxRows + 1 {
				for cols := range maxCols + 1 {
					m.odd = !m.odd
					ys := rows + 2
					y := takeOf(m, make([]float32, max(0, (cols-1)*ys+rows)))
					if rows == 0 || cols == 0 {
						y = nil
					}
					wb := takeOf(m, w[(maxRows-rows)*ws:maxRows*ws-3*min(rows, 1)])
					xb := takeOf(m, x[(maxCols-cols)*xs:maxCols*xs-min(cols, 1)])
					dot(y, ys, wb, ws, xb, xs, rows, cols, n)
					for i, got := range y {
						r, c := i%ys, i/ys
						want := float32(0)
						if r < rows {
							want = alone[maxRows-rows+r][maxCols-cols+c]
						}
						if !sameBits(got, want) {
							t.Fatalf("n %d, %d × %d: row %d, column %d = %v, alone %v", n, rows, cols, r, c, got, want)
						}
					}
					m.release(t, "n %d, %d × %d", n, rows, cols)
				}
			}
		}
	})
}

// TestDotIntExactly: with scales of 1 a product is a whole number, and with numbers in one lane alone, one that float32
// holds: any integer instruction that saturated would show. Blocks come alone and with another.
func TestDotIntExactly(t *testing.T) {
	eachInteger(t, func(t *testing.T, k *kernel.Table, q integerType) {
		for i := range 3 * 8 {
			n, lane := 32, i
			if i >= 8 {
				n, lane = 64, i-8
			}
			for name, x := range map[string][4]int{
				"highest": {1, 1, 1, 1}, "lowest": {-1, -1, -1, -1}, "mixed": {1, -1, 1, 1}, "pair": {-1, -1, 1, 1},
			} {
				for _, fill := range []byte{0, 0xFF, 0x80, 0x7F, 0x88, 0x0F, 0xF0, 0xA5} {
					w := bytes.Repeat([]byte{fill}, n/32*q.bytes)
					for at := 0; at < len(w); at += q.bytes {
						binary.LittleEndian.PutUint16(w[at:], halfOf(1))
						if q.typ == 3 || q.typ == 7 {
							binary.LittleEndian.PutUint16(w[at+2:], halfOf(-7))
						}
					}
					column := make([]float32, n)
					for i, sign := range x {
						column[4*lane+i] = float32(sign * limit)
					}
					row := quantized(k, column, k.Split[q.typ])
					s := q.dot(w, row, n, k.Split[q.typ])
					var got [1]float32
					if k.DotInt[q.typ](got[:], 1, w, len(w), row, 0, 1, 1, n); float64(got[0]) != s.value {
						t.Errorf("weights %#x, %s in lane %d of %d: %v, not %v", fill, name, lane, n/4, got[0], s.value)
					}
				}
			}
		}
	})
}

// TestDotIntNotFinite: a column with a NaN or an infinity gives nothing that looks like a number, and spoils no other.
func TestDotIntNotFinite(t *testing.T) {
	eachInteger(t, func(t *testing.T, k *kernel.Table, q integerType) {
		const n, rows, cols = 96, 4, 3
		w, xs := q.weights(1, rows*n, 0.01, 0.1), kernel.QuantizedBytes(n)
		for _, bad := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
			var x []byte
			for c := range cols {
				column := normals(uint64(c), n)
				if c == 1 {
					column[40] = float32(bad)
				}
				x = append(x, quantized(k, column, k.Split[q.typ])...)
			}
			y := make([]float32, rows*cols)
			k.DotInt[q.typ](y, rows, w, len(w)/rows, x, xs, rows, cols, n)
			for i, v := range y {
				finite := !math.IsNaN(float64(v)) && !math.IsInf(float64(v), 0)
				if finite != (i/rows != 1) {
					t.Errorf("%v in column 1: row %d, column %d = %v", bad, i%rows, i/rows, v)
				}
			}
		}
	})
}

// FuzzDotInt holds every rung against the plain code: the same bytes from Quantize, the same sums but for rounding.
func FuzzDotInt(f *testing.F) {
	for i := range integerTypes {
		f.Add(uint64(i), uint8(i), uint8(3), float32(1), float32(0.01))
	}
	f.Add(uint64(9), uint8(4), uint8(17), float32(1e30), float32(1e-6))
	f.Fuzz(func(t *testing.T, seed uint64, typ, blocks uint8, size, d float32) {
		q, n := integerTypes[int(typ)%len(integerTypes)], int(blocks)%70*32
		size = float32(math.Max(1e-30, math.Min(1e30, math.Abs(float64(size)))))
		d = float32(math.Max(1e-6, math.Min(1, math.Abs(float64(d)))))
		w, x := q.weights(seed, n, d, d), normals(seed, n)
		for i := range x {
			x[i] *= size
		}
		for _, k := range kernel.Tables() {
			if k.DotInt[q.typ] == nil {
				continue
			}
			split := k.Split[q.typ]
			want := quantized(kernel.Tables()[0], x, split)
			s := q.dot(w, want, n, split)
			if got := quantized(k, x, split); string(got) != string(want) {
				t.Fatalf("%s, %s, n %d: another rounding than that of the plain code", k.Name, q.name, n)
			}
			var y [1]float32
			if k.DotInt[q.typ](y[:], 1, w, len(w), want, 0, 1, 1, n); s.wrong(y[0]) {
				t.Fatalf("%s, %s, n %d: %v, not %v", k.Name, q.name, n, y[0], s.value)
			}
		}
	})
}

// BenchmarkDotInt reads weights from memory, 48 MB of them, as a step of the decoder does.
func BenchmarkDotInt(b *testing.B) {
	const n = 512
	for _, q := range integerTypes {
		row := n / 32 * q.bytes
		rows := 48 << 20 / row &^ 63
		w := q.weights(1, rows*n, 0.01, 0.1)
		for _, cols := range []int{1, 2, 3, 5, 8, 16} {
			eachBench(b, fmt.Sprintf("type=%s/%%s/cols=%d", q.name, cols), func(b *testing.B, k *kernel.Table) {
				if k.DotInt[q.typ] == nil {
					b.Skip("no integers")
				}
				xs := (kernel.QuantizedBytes(n) + 63) &^ 63 // as steps have it
				x, y := make([]byte, cols*xs), make([]float32, 64*cols)
				for c := range cols {
					k.Quantize(x[c*xs:][:kernel.QuantizedBytes(n)], normals(uint64(c), n), k.Split[q.typ])
				}
				for b.Loop() {
					for r := 0; r < rows; r += 64 {
						k.DotInt[q.typ](y, 64, w[r*row:], row, x, xs, 64, cols, n)
					}
				}
				rate(b, float64(rows*row), "GB/s")
			})
		}
	}
}
