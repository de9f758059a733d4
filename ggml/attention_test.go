package ggml

import (
	"fmt"
	"math"
	"testing"
)

// softmaxMix is softmax(q·kᵀ/8)·v for one query of 64 numbers and rows of keys and values.
func softmaxMix(q []float32, k, v [][]float32) []float64 {
	out := make([]float64, HeadSize)
	scores := make([]float64, len(k))
	largest, sum := math.Inf(-1), 0.0
	for i, key := range k {
		for d, x := range q {
			scores[i] += float64(x) * float64(key[d]) / 8
		}
		largest = max(largest, scores[i])
	}
	for i, s := range scores {
		scores[i] = math.Exp(s - largest)
		sum += scores[i]
	}
	for i, s := range scores {
		for d := range out {
			out[d] += s / sum * float64(v[i][d])
		}
	}
	return out
}

func TestSelfAttend(t *testing.T) {
	eachISA(t, func(t *testing.T, c *CPU) {
		for _, s := range []struct{ rows, keys, heads int }{{1, 1, 1}, {2, 7, 3}, {5, 16, 2}, {6, 17, 1}, {13, 100, 2}, {31, 31, 6}} {
			for _, inPlace := range []bool{false, true} {
				width := s.heads * HeadSize
				q, qs := matrix(1, s.rows, width, 4)
				k, ks := matrix(2, s.keys, width, 1)
				v, vs := matrix(3, s.keys, width, 0)
				dst, _ := matrix(4, s.rows, width, 2)
				if inPlace {
					dst = q
				}
				want := make([]float64, s.rows*width)
				for h := range s.heads {
					var keys, values [][]float32
					for i := range s.keys {
						keys = append(keys, ks[i*width+h*HeadSize:][:HeadSize])
						values = append(values, vs[i*width+h*HeadSize:][:HeadSize])
					}
					for r := range s.rows {
						at := r*width + h*HeadSize
						copy(want[at:], softmaxMix(qs[at:][:HeadSize], keys, values))
					}
				}
				c.SelfAttend(SelfAttend{Dst: dst, Q: q, K: k, V: v, Heads: s.heads})
				near(t, fmt.Sprintf("%+v in place %t", s, inPlace), contents(t, dst), want, 5e-6)
				if !inPlace && differ(contents(t, q), qs) >= 0 {
					t.Error("Q was changed")
				}
			}
		}
	})
}

func TestSelfAttendOnAnyThreads(t *testing.T) {
	q, _ := matrix(1, 40, 192, 0)
	sameOnAllCPUs(t, func(c *CPU) []float32 {
		dst, _ := matrix(2, 40, 192, 0)
		c.SelfAttend(SelfAttend{Dst: dst, Q: q, K: q, V: q, Heads: 3})
		return contents(t, dst)
	})
}

// cached is a cache with something in every cell of three slots, and what is in it.
type cached struct {
	shape CacheShape
	cache Cache
	k, v  []float32 // as halves hold them: [slot][cell][heads·64], of the last layer
}

func newCached(t *testing.T, c *CPU, cells int) *cached {
	t.Helper()
	s := &cached{shape: CacheShape{Layers: 2, Heads: 3, Slots: 3, Cells: cells}}
	var err error
	if s.cache, err = c.Cache(s.shape); err != nil {
		t.Fatal(err)
	}
	rows, width := s.shape.Slots*s.shape.Cells, s.shape.Heads*HeadSize
	k, ks := matrix(1, rows, width, 3)
	v, vs := matrix(2, rows, width, 1)
	slots, at := make(ints, rows), make(ints, rows)
	for i := range rows {
		slots[i], at[i] = int32(i/s.shape.Cells), int32(i%s.shape.Cells)
	}
	c.Store(Store{Cache: s.cache, Layer: 1, K: k, V: v, Slots: slots, Cells: at})
	c.Store(Store{Cache: s.cache, Layer: 0, K: v, V: v, Slots: slots, Cells: at})
	c.flush()
	for i := range ks {
		s.k = append(s.k, FromHalf(ToHalf(ks[i])))
		s.v = append(s.v, FromHalf(ToHalf(vs[i])))
	}
	return s
}

// row returns head h of a cell's keys or values.
func (s *cached) row(x []float32, slot, cell int32, h int) []float32 {
	return x[(int(slot)*s.shape.Cells+int(cell))*s.shape.Heads*HeadSize+h*HeadSize:][:HeadSize]
}

// attendRows are rows of all slots with none to all cells each; lists has their cells, in no order.
func attendRows(s *cached, n int) (slots, counts, lists ints) {
	for r := range n {
		slots = append(slots, int32(r/2%s.shape.Slots))
		counts = append(counts, int32([]int{1, s.shape.Cells, 0, 17, s.shape.Cells - 8, 5}[r%6]))
		for i := range s.shape.Cells {
			lists = append(lists, int32((i*7+r)%s.shape.Cells))
		}
	}
	return slots, counts, lists
}

func TestAttend(t *testing.T) {
	eachISA(t, func(t *testing.T, c *CPU) {
		for _, cells := range []int{40, 2*partCells + 76} {
			testAttend(t, newCached(t, c, cells), c)
		}
	})
}

func testAttend(t *testing.T, s *cached, c *CPU) {
	width := s.shape.Heads * HeadSize
	for _, n := range []int{1, 2, 5, 6, 13, 14} {
		slots, counts, lists := attendRows(s, n)
		for _, list := range []bool{false, true} {
			q, qs := matrix(5, n, width, 2)
			want := make([]float64, n*width)
			for r := range n {
				for h := range s.shape.Heads {
					var keys, values [][]float32
					for i := range counts[r] {
						if list {
							i = lists[r*s.shape.Cells+int(i)]
						}
						keys, values = append(keys, s.row(s.k, slots[r], i, h)), append(values, s.row(s.v, slots[r], i, h))
					}
					if at := r*width + h*HeadSize; counts[r] > 0 {
						copy(want[at:], softmaxMix(qs[at:][:HeadSize], keys, values))
					}
				}
			}
			op := Attend{Dst: q, Q: q, Cache: s.cache, Layer: 1, Slots: slots, Counts: counts, Regime: Regime(n % 2)}
			if list {
				op.Cells, op.Span = lists, s.shape.Cells
			}
			c.Attend(op)
			c.flush()
			near(t, fmt.Sprintf("%d rows, %d cells, list %t", n, s.shape.Cells, list), contents(t, q), want, 5e-6)
		}
	}
}

func TestAttendRowsAreIndependent(t *testing.T) {
	const rows = 17
	sameOnAllCPUs(t, func(c *CPU) (all []float32) {
		for _, cells := range []int{40, 2*partCells + 76} {
			s := newCached(t, c, cells)
			width := s.shape.Heads * HeadSize
			q, _ := matrix(5, rows, width, 0)
			for _, list := range []bool{false, true} {
				slots, counts, lists := attendRows(s, rows)
				if !list { // rows that see the same
					for r := range rows {
						slots[r], counts[r] = int32(r/7), int32(cells)
					}
				}
				run := func(from, n int) []float32 {
					dst, _ := matrix(6, n, width, 0)
					op := Attend{Dst: dst, Q: q.Sub(from, n), Cache: s.cache, Layer: 1, Slots: slots[from:], Counts: counts[from:]}
					if list {
						op.Cells, op.Span = lists[from*cells:], cells
					}
					c.Attend(op)
					c.flush()
					return contents(t, dst)
				}
				together := run(0, rows)
				for from := range rows {
					n := min(1+from%3, rows-from)
					if i := differ(run(from, n), together[from*width:(from+n)*width]); i >= 0 {
						t.Fatalf("%s, %d cells, list %t: rows %d to %d differ from themselves among %d", c.Device(), cells, list, from, from+n-1, rows)
					}
				}
				all = append(all, together...)
			}
		}
		return all
	})
}

func TestCacheSlotsAreLazy(t *testing.T) {
	eachISA(t, func(t *testing.T, c *CPU) {
		kv, err := c.Cache(CacheShape{Layers: 32, Heads: 20, Slots: 1000, Cells: 1500})
		if err != nil {
			t.Fatal(err)
		}
		for i, s := range kv.(*cache).slots {
			if s.k != nil {
				t.Fatalf("slot %d has memory", i)
			}
		}
		if kv.Shape().Cells != 1500 {
			t.Errorf("shape %+v", kv.Shape())
		}
		if _, err := c.Cache(CacheShape{Layers: -1}); err == nil {
			t.Error("a cache of −1 layers was made")
		}
	})
}

func TestNorm(t *testing.T) {
	eachISA(t, func(t *testing.T, c *CPU) {
		for _, s := range []struct{ rows, cols int }{{1, 1}, {2, 7}, {13, 64}, {300, 129}} {
			x, xs := matrix(1, s.rows, s.cols, 3)
			w, ws := vectorOf(t, c, 2, s.cols)
			b, bs := vectorOf(t, c, 3, s.cols)
			var want []float64
			for r := range s.rows {
				var mean, variance float64
				for _, v := range xs[r*s.cols:][:s.cols] {
					mean += float64(v) / float64(s.cols)
				}
				for _, v := range xs[r*s.cols:][:s.cols] {
					variance += (float64(v) - mean) * (float64(v) - mean) / float64(s.cols)
				}
				for i, v := range xs[r*s.cols:][:s.cols] {
					want = append(want, (float64(v)-mean)/math.Sqrt(variance+1e-5)*float64(ws[i])+float64(bs[i]))
				}
			}
			c.Norm(Norm{Dst: x, X: x, W: w, B: b})
			c.flush()
			near(t, fmt.Sprintf("%+v", s), contents(t, x), want, 5e-6)

			sum, sums := matrix(4, s.rows, s.cols, 1)
			given, gs := matrix(5, s.rows, s.cols, 2)
			alone, _ := matrix(4, s.rows, s.cols, 0)
			for r := range s.rows {
				c.tab.Add(alone.Buf.(floats)[alone.Off+r*s.cols:][:s.cols], gs[r*s.cols:][:s.cols])
			}
			for i, v := range gs {
				sums[i] += v
			}
			c.Norm(Norm{Dst: alone, X: alone, W: w, B: b})
			c.Norm(Norm{Dst: given, X: sum, Add: given, W: w, B: b})
			c.flush()
			if i := differ(contents(t, given), contents(t, alone)); i >= 0 {
				t.Errorf("%+v: number %d is not that of the sum", s, i)
			}
			if i := differ(contents(t, sum), sums); i >= 0 {
				t.Errorf("%+v: X holds no sum at %d", s, i)
			}
		}
	})
}

func TestEmbed(t *testing.T) {
	eachISA(t, func(t *testing.T, c *CPU) {
		for _, typ := range Types {
			const state = 256
			tw, w := tensor(typ, random(1, 5*state, 1), state, 5)
			tp, pos := tensor(F32, random(2, 4*state, 1), state, 4)
			tokens, positions := ints{4, 0, 4}, ints{3, 1, 0}
			dst, _ := matrix(3, 3, state, 2)
			c.Embed(Embed{Dst: dst, W: weightOf(t, c, tw), Pos: weightOf(t, c, tp), Tokens: tokens, Positions: positions})
			var want []float64
			for r, token := range tokens {
				for i := range state {
					want = append(want, float64(w[int(token)*state+i])+float64(pos[int(positions[r])*state+i]))
				}
			}
			near(t, typ.String(), contents(t, dst), want, 1e-6)
		}
	})
}
