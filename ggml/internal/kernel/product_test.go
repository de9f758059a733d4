package kernel_test

import (
	"encoding/binary"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/whisperfile/whisperfile/ggml/internal/kernel"
)

func TestTile(t *testing.T) {
	eachRung(t, func(t *testing.T, k *kernel.Table) {
		m := newMemory(t)
		for _, kn := range []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 15, 16, 17, 31, 33, 64} {
			for rows := 1; rows <= k.MR; rows++ {
				for panels := range 4 {
					for _, biased := range []bool{false, true} {
						m.bothWays(func() { tile(t, m, k, kn, rows, panels, biased) })
					}
				}
			}
		}
		tile(t, m, k, 1500, k.MR, 1, false)
	})
}

// biasOf returns a bias of that many columns, or none.
func biasOf(m *memory, biased bool, columns int) []float32 {
	if !biased {
		return nil
	}
	return takeOf(m, normals(5, columns))
}

// tile multiplies operands behind which there is no memory: what is ahead may be fetched all the same.
func tile(t *testing.T, m *memory, k *kernel.Table, kn, rows, panels int, biased bool) {
	t.Helper()
	lda, ldc := kn+3, panels*k.NR+5
	a := takeOf(m, normals(1, (rows-1)*lda+kn))
	b := takeOf(m, normals(2, panels*kn*k.NR))
	before := normals(3, max(0, (rows-1)*ldc+panels*k.NR))
	if panels == 0 {
		before = nil
	}
	c := takeOf(m, before)
	bias := biasOf(m, biased, panels*k.NR)
	k.Tile(c, ldc, a, lda, b, kn, rows, panels, bias, panels%2*k.MR)
	what := []any{kn, rows, panels, biased}
	var one [64]float32
	for i, got := range c {
		r, j := i/ldc, i%ldc
		if j >= panels*k.NR {
			if got != before[i] {
				t.Fatalf("kn %d, rows %d, panels %d, bias %t: c[%d] between two rows was written", append(what, i)...)
			}
			continue
		}
		panel := b[j/k.NR*kn*k.NR:][:kn*k.NR]
		var own []float32
		if bias != nil {
			own = bias[j:]
		}
		if j%k.NR == 0 {
			k.Tile(one[:], k.NR, a[r*lda:], lda, panel, kn, 1, 1, own, 0)
		}
		if !sameBits(got, one[j%k.NR]) {
			t.Fatalf("kn %d, rows %d, panels %d, bias %t: c[%d] = %v, but %v in a tile of one row", append(what, i, got, one[j%k.NR])...)
		}
		var s sum
		for x := range kn {
			s.add(a[r*lda+x], panel[x*k.NR+j%k.NR])
		}
		if own != nil {
			s.add(own[0], 1)
		}
		if s.wrong(got) {
			t.Fatalf("kn %d, rows %d, panels %d, bias %t: c[%d] = %v, not %v", append(what, i, got, s.value)...)
		}
	}
	m.release(t, "kn %d, rows %d, panels %d, bias %t", what...)
}

// TestTileNaN: a NaN stays in its row.
func TestTileNaN(t *testing.T) {
	eachRung(t, func(t *testing.T, k *kernel.Table) {
		const kn = 11
		a, b, c := normals(1, k.MR*kn), normals(2, kn*k.NR), make([]float32, k.MR*k.NR)
		a[kn+5] = float32(math.NaN())
		a[3] = float32(math.Inf(1))
		k.Tile(c, k.NR, a, kn, b, kn, k.MR, 1, nil, 0)
		for i, v := range c {
			if nan, inf := math.IsNaN(float64(v)), math.IsInf(float64(v), 0); nan != (i/k.NR == 1) || inf != (i/k.NR == 0) {
				t.Errorf("row %d has %v", i/k.NR, v)
			}
		}
	})
}

func TestPack(t *testing.T) {
	eachRung(t, func(t *testing.T, k *kernel.Table) {
		m := newMemory(t)
		for kn := range 2*32 + 2 {
			m.bothWays(func() {
				stride := kn + 5
				src := takeOf(m, normals(1, (k.NR-1)*stride+kn))
				dst := takeOf(m, make([]float32, kn*k.NR))
				k.Pack(dst, src, stride, kn)
				for i, got := range dst {
					if want := src[i%k.NR*stride+i/k.NR]; got != want {
						t.Fatalf("kn %d: dst[%d] = %v, not %v", kn, i, got, want)
					}
				}
				m.release(t, "kn %d", kn)
			})
		}
	})
}

func TestPackF16(t *testing.T) {
	eachRung(t, func(t *testing.T, k *kernel.Table) {
		if k.PackF16 == nil {
			return
		}
		all := rand.New(rand.NewPCG(1, 2))
		m := newMemory(t)
		for kn := range 2*32 + 10 {
			m.bothWays(func() {
				stride := 2*kn + 5
				src := takeOf(m, make([]byte, (k.NR-1)*stride+2*kn))
				for i := range src {
					src[i] = byte(all.Uint32())
				}
				dst := takeOf(m, make([]float32, kn*k.NR))
				k.PackF16(dst, src, stride, kn)
				for i, got := range dst {
					at := src[i%k.NR*stride+2*(i/k.NR):]
					want := kernel.FromHalf(binary.LittleEndian.Uint16(at))
					if math.Float32bits(got) != math.Float32bits(want) {
						t.Fatalf("kn %d: dst[%d] = %v, not %v", kn, i, got, want)
					}
				}
				m.release(t, "kn %d", kn)
			})
		}
	})
}

// dots names the two dots and says how a weight is stored.
func dots(k *kernel.Table) map[string]struct {
	dot  func(y []float32, ys int, w []byte, ws int, x []float32, xs int, rows, cols, n int)
	size int
	put  func(b []byte, f float32) (stored float32)
} {
	type dot = struct {
		dot  func(y []float32, ys int, w []byte, ws int, x []float32, xs int, rows, cols, n int)
		size int
		put  func(b []byte, f float32) (stored float32)
	}
	return map[string]dot{
		"f32": {k.DotF32, 4, func(b []byte, f float32) float32 {
			binary.LittleEndian.PutUint32(b, math.Float32bits(f))
			return f
		}},
		"f16": {k.DotF16, 2, func(b []byte, f float32) float32 {
			h := halfOf(f)
			binary.LittleEndian.PutUint16(b, h)
			return valueOf(h)
		}},
	}
}

func TestDot(t *testing.T) {
	const maxRows, maxCols = 9, 17
	eachRung(t, func(t *testing.T, k *kernel.Table) {
		m := newMemory(t)
		for name, d := range dots(k) {
			for _, n := range []int{0, 32, 64, 96, 160, 384, 2080} {
				// All values at once, each by itself; then every shape must give the same bits.
				ws, xs := n*d.size+3, n+1
				w, x := make([]byte, maxRows*ws), normals(7, maxCols*xs)
				stored := normals(5, maxRows*n)
				for i, f := range stored {
					stored[i] = d.put(w[i/n*ws+i%n*d.size:], f)
				}
				var alone [maxRows][maxCols]float32
				for r := range maxRows {
					for c := range maxCols {
						d.dot(alone[r][c:], 1, w[r*ws:], ws, x[c*xs:], xs, 1, 1, n)
						var s sum
						for i := range n {
							s.add(stored[r*n+i], x[c*xs+i])
						}
						if s.wrong(alone[r][c]) {
							t.Fatalf("%s, n %d: row %d, column %d = %v, not %v", name, n, r, c, alone[r][c], s.value)
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
						// The first operands come from the end of the data, so that nothing lies behind them.
						wb := takeOf(m, w[(maxRows-rows)*ws:maxRows*ws-3*min(rows, 1)])
						xb := takeOf(m, x[(maxCols-cols)*xs:maxCols*xs-min(cols, 1)])
						d.dot(y, ys, wb, ws, xb, xs, rows, cols, n)
						for i, got := range y {
							r, c := i%ys, i/ys
							want := float32(0)
							if r < rows {
								want = alone[maxRows-rows+r][maxCols-cols+c]
							}
							if !sameBits(got, want) {
								t.Fatalf("%s, n %d, %d × %d: row %d, column %d = %v, alone %v", name, n, rows, cols, r, c, got, want)
							}
						}
						m.release(t, "%s, n %d, %d × %d", name, n, rows, cols)
					}
				}
			}
		}
	})
}

func TestScores(t *testing.T) {
	const have = 70
	keys := make([]uint16, have*64)
	for i, f := range normals(1, len(keys)) {
		keys[i] = halfOf(f)
	}
	q := normals(2, 64)
	eachRung(t, func(t *testing.T, k *kernel.Table) {
		m := newMemory(t)
		for n := range 2*16 + 2 {
			for _, listed := range []bool{false, true} {
				m.bothWays(func() {
					rows := keys[:n*64]
					var cells []int32
					if listed {
						rows, cells = keys, takeOf(m, someCells(n, have))
					}
					s := takeOf(m, make([]float32, n))
					k.Scores(s, takeOf(m, q), takeOf(m, rows), cells, n)
					for i, got := range s {
						row := rows[cell(cells, i)*64:][:64]
						var want sum
						for d := range 64 {
							want.add(q[d], valueOf(row[d]))
						}
						if want.wrong(got) {
							t.Fatalf("n %d, listed %v: s[%d] = %v, not %v", n, listed, i, got, want.value)
						}
						var alone [1]float32
						if k.Scores(alone[:], q, row, nil, 1); !sameBits(got, alone[0]) {
							t.Fatalf("n %d, listed %v: s[%d] = %v, alone %v", n, listed, i, got, alone[0])
						}
					}
					m.release(t, "n %d, listed %v", n, listed)
				})
			}
		}
	})
}

func TestMix(t *testing.T) {
	const have = 70
	values := make([]uint16, have*64)
	for i, f := range normals(1, len(values)) {
		values[i] = halfOf(f)
	}
	eachRung(t, func(t *testing.T, k *kernel.Table) {
		m := newMemory(t)
		for n := range 2*16 + 2 {
			p := normals(3, n)
			for _, listed := range []bool{false, true} {
				m.bothWays(func() {
					rows := values[:n*64]
					var cells []int32
					if listed {
						rows, cells = values, takeOf(m, someCells(n, have))
					}
					out := takeOf(m, normals(9, 64))
					k.Mix(out, takeOf(m, p), takeOf(m, rows), cells, n)
					for d, got := range out {
						var want sum
						for i := range n {
							want.add(p[i], valueOf(rows[cell(cells, i)*64+d]))
						}
						if want.wrong(got) {
							t.Fatalf("n %d, listed %v: out[%d] = %v, not %v", n, listed, d, got, want.value)
						}
					}
					m.release(t, "n %d, listed %v", n, listed)
				})
			}
		}
	})
}

// TestRowsOfQueries compares ScoresRows and MixRows with Scores and Mix of each query alone.
func TestRowsOfQueries(t *testing.T) {
	counts := []int{127, 128, 129, 300}
	for n := range 2*16 + 2 {
		counts = append(counts, n)
	}
	cells := make([]uint16, slices.Max(counts)*64)
	for i, f := range normals(1, len(cells)) {
		cells[i] = halfOf(f)
	}
	eachRung(t, func(t *testing.T, k *kernel.Table) {
		if k.ScoresRows == nil {
			return
		}
		const gap = 3
		m := newMemory(t)
		for _, n := range counts {
			all, ls := (kernel.MaxQueries-1)*(n+gap)+n, n+gap
			q, p, want := normals(2, kernel.MaxQueries*64), normals(3, all), make([]float32, n)
			m.bothWays(func() {
				before := normals(4, all)
				s := takeOf(m, before)
				k.ScoresRows(s, ls, takeOf(m, q), takeOf(m, cells[:n*64]), n)
				for i, got := range s {
					r, cell := i/ls, i%ls
					if cell == 0 {
						k.Scores(want, q[r*64:], cells, nil, n)
					}
					if cell < n && !sameBits(got, want[cell]) || cell >= n && got != before[i] {
						t.Fatalf("n %d: cell %d of query %d has %v", n, cell, r, got)
					}
				}
				m.release(t, "n %d", n)
			})
			for rows := 1; rows <= kernel.MaxQueries; rows++ {
				m.bothWays(func() {
					before, want := normals(5, (rows-1)*(64+gap)+64), make([]float32, 64)
					out := takeOf(m, before)
					k.MixRows(out, 64+gap, takeOf(m, p), ls, takeOf(m, cells[:n*64]), rows, n)
					for i, got := range out {
						r, d := i/(64+gap), i%(64+gap)
						if d == 0 {
							k.Mix(want, p[r*ls:], cells, nil, n)
						}
						if d < 64 && !sameBits(got, want[d]) || d >= 64 && got != before[i] {
							t.Fatalf("n %d: number %d of query %d of %d is %v", n, d, r, rows, got)
						}
					}
					m.release(t, "n %d, %d queries", n, rows)
				})
			}
		}
	})
}

// someCells lists n cells of have, neither in order nor each once.
func someCells(n, have int) []int32 {
	cells := make([]int32, n)
	for i := range cells {
		cells[i] = int32((i*i*7 + 3*i + have - 1) % have)
	}
	return cells
}

func cell(cells []int32, i int) int {
	if cells == nil {
		return i
	}
	return int(cells[i])
}
