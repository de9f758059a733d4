package ggml

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/whisperfile/whisperfile/ggml/internal/kernel"
)

// product is what Linear promises, and for each number the sum of the magnitudes that it is a sum of.
func product(x, w []float32, rows, k, n int) (sums, sizes []float64) {
	for r := range rows {
		for o := range n {
			var sum, size float64
			for i := range k {
				p := float64(x[r*k+i]) * float64(w[o*k+i])
				sum += p
				size += math.Abs(p)
			}
			sums, sizes = append(sums, sum), append(sizes, size)
		}
	}
	return sums, sizes
}

type linearCase struct {
	rows, k, n int
	typ        Type
	bias, gelu bool
}

func (l linearCase) String() string {
	return fmt.Sprintf("%dx%dx%d/type=%v/bias=%t/gelu=%t", l.rows, l.k, l.n, l.typ, l.bias, l.gelu)
}

// linearCases has every type with every epilogue once in a while, and shapes that divide by nothing.
func linearCases() []linearCase {
	var cases []linearCase
	for i, typ := range Types {
		k := typ.Block() * 3
		switch {
		case typ.Block() == 1:
			k = 100
		case typ.Block() == 256:
			k = 256
		}
		for j, rows := range []int{1, 2, 5, 6, 7, 13, narrow + 3} {
			e := i + j
			cases = append(cases, linearCase{rows, k, 7 + 6*j, typ, e%2 > 0, e/2%2 > 0})
		}
	}
	for e := range 4 {
		cases = append(cases, linearCase{narrow + 11, 32, 203, F16, e%2 > 0, e/2%2 > 0})
	}
	return append(cases, linearCase{rows: narrow + 1, k: 1600, n: 33, typ: F32, bias: true}, linearCase{rows: 70, k: 64, n: 5, typ: F32},
		linearCase{rows: 2*narrow + 1, k: 1100, n: 181, typ: F16, bias: true, gelu: true}, linearCase{rows: 70, k: 1056, n: 135, typ: Q5_0, gelu: true},
		linearCase{rows: 3, k: 1, n: 1, typ: F16})
}

// linear runs l and returns what stands in Dst, having compared it with float64.
func (l linearCase) run(t *testing.T, c *CPU, regime Regime) {
	t.Helper()
	x, xs := matrix(1, l.rows, l.k, 5)
	dst, _ := matrix(2, l.rows, l.n, 3)
	tw, w := tensor(l.typ, random(3, l.n*l.k, 0.1), l.k, l.n)
	op := Linear{Dst: dst, X: x, W: weightOf(t, c, tw), GELU: l.gelu, Regime: regime}
	var bias []float32
	if l.bias {
		op.Bias, bias = vectorOf(t, c, 4, l.n)
	}
	want, sizes := product(xs, w, l.rows, l.k, l.n)
	for i := range want {
		if l.bias {
			want[i] += float64(bias[i%l.n])
		}
		if l.gelu {
			want[i] = gelu(want[i])
		}
	}
	c.Linear(op)
	c.flush()
	tol := 4e-6 + 3e-7*slices.Max(sizes)
	if c.integers(op.W.(*weight)) {
		tol += roundingLoss(xs, w, l.k)
	}
	near(t, l.String(), contents(t, dst), want, tol)
	if i := differ(contents(t, x), xs); i >= 0 {
		t.Errorf("%v: X was changed", l)
	}
}

// roundingLoss bounds what a sum over a row of w may lose where each of x is rounded to 8 bits and a GELU follows: half a
// step, times 1.13.
func roundingLoss(x, w []float32, k int) float64 {
	var largest, most float64
	for _, v := range x {
		largest = max(largest, math.Abs(float64(v)))
	}
	for row := range slices.Chunk(w, k) {
		var sum float64
		for _, v := range row {
			sum += math.Abs(float64(v))
		}
		most = max(most, sum)
	}
	return 1.13 * largest / 254 * most
}

func TestLinear(t *testing.T) {
	eachISA(t, func(t *testing.T, c *CPU) {
		for _, c.float = range []bool{true, false} {
			for _, l := range linearCases() {
				for _, regime := range []Regime{Step, Window} {
					l.run(t, c, regime)
				}
			}
		}
	})
}

// TestLinears: several products together have the bits that each has alone, whether or not they can share their work.
func TestLinears(t *testing.T) {
	const k, n = 96, 203
	eachISA(t, func(t *testing.T, c *CPU) {
		for _, types := range [][]Type{{F16}, {F16, F16, F16}, {F32, F32}, {Q5_0, Q5_0, Q5_0}, {Q8_0, Q8_0}, {Q4_K, Q4_K, Q4_K}, {F16, Q5_0, F16}, {Q5_0, Q5_0, Q5_0, Q5_0}} {
			for _, rows := range []int{0, 1, 5, narrow + 3} {
				for _, regime := range []Regime{Step, Window} {
					depth := k
					if types[0].Block() > k {
						depth = types[0].Block()
					}
					x, _ := matrix(1, max(rows, 1), depth, 2)
					x = x.Sub(0, rows)
					var together []Linear
					var want [][]float32
					for i, typ := range types {
						tw, _ := tensor(typ, random(uint64(i), n*depth, 0.1), depth, n)
						l := Linear{X: x, W: weightOf(t, c, tw), GELU: i == 1, Regime: regime}
						if i != 1 {
							l.Bias, _ = vectorOf(t, c, uint64(i), n)
						}
						l.Dst, _ = matrix(2, max(rows, 1), n, i)
						l.Dst = l.Dst.Sub(0, rows)
						c.Linear(l)
						c.flush()
						if rows > 0 {
							want = append(want, contents(t, l.Dst))
						}
						l.Dst, _ = matrix(3, max(rows, 1), n, i)
						l.Dst = l.Dst.Sub(0, rows)
						together = append(together, l)
					}
					for _, l := range together {
						c.Linear(l)
					}
					c.flush()
					for i := range want {
						if at := differ(contents(t, together[i].Dst), want[i]); at >= 0 {
							t.Errorf("%v, %d rows, regime %d: number %d of product %d is not the one of Linear", types, rows, regime, at, i)
						}
					}
				}
			}
		}
	})
}

// TestQueue: operations that wait for each other in the queue, more than it holds, have the bits that they have one by one.
func TestQueue(t *testing.T) {
	const state, rows = 128, 2
	sameOnAllCPUs(t, func(c *CPU) []float32 {
		f16, _ := tensor(F16, random(1, state*state, 0.1), state, state)
		q5, _ := tensor(Q5_0, random(2, state*state, 0.1), state, state)
		weights := []Weight{weightOf(t, c, f16), weightOf(t, c, q5)}
		bias, _ := vectorOf(t, c, 3, state)
		var slots, cells, counts Buffer = ints{0, 1}, ints{0, 0}, ints{1, 1}
		run := func(wait func()) []float32 {
			kv, _ := c.Cache(CacheShape{Layers: 1, Heads: state / HeadSize, Slots: 2, Cells: 1})
			x, _ := matrix(4, rows, state, 1)
			y, _ := matrix(5, rows, state, 2)
			for i := range 3 * maxQueued {
				w := weights[i/2%2]
				for _, op := range []func(){
					func() { c.Norm(Norm{Dst: y, X: x, W: bias, B: bias}) },
					func() { c.Linear(Linear{Dst: x, X: y, W: w, Bias: bias}) },
					func() { c.Linear(Linear{Dst: x, X: y, W: w}) }, // in the same place
					func() { c.Store(Store{Cache: kv, K: y, V: x, Slots: slots, Cells: cells}) },
					func() { c.Attend(Attend{Dst: x, Q: y, Cache: kv, Slots: slots, Counts: counts}) },
				} {
					op()
					wait()
				}
			}
			c.flush()
			return contents(t, x)
		}
		want := run(c.flush)
		if i := differ(run(func() {}), want); i >= 0 {
			t.Errorf("%s: number %d is another where operations are queued", c.Device(), i)
		}
		return want
	})
}

func TestLinearOfNoRows(t *testing.T) {
	eachISA(t, func(t *testing.T, c *CPU) {
		tw, _ := tensor(F16, random(3, 64, 1), 32, 2)
		for _, regime := range []Regime{Step, Window} {
			c.Linear(Linear{Dst: View(floats{}, 0, 2), X: View(floats{}, 0, 32), W: weightOf(t, c, tw), Regime: regime})
			c.flush()
		}
	})
}

// linearOf returns the product of rows of x, at their places in the step, as f16 or any type.
func linearOf(tb testing.TB, c *CPU, tw Tensor, x Mat, regime Regime) []float32 {
	tb.Helper()
	w := weightOf(tb, c, tw)
	dst, _ := matrix(2, x.Rows, w.Rows(), 1)
	bias, _ := vectorOf(tb, c, 4, w.Rows())
	c.Linear(Linear{Dst: dst, X: x, W: w, Bias: bias, GELU: true, Regime: regime})
	c.flush()
	return contents(tb, dst)
}

// A row of a step has the same bits alone and at any place among others, on any number of threads.
func TestStepRowsAreIndependent(t *testing.T) {
	const rows, k, n = 17, 256, 67
	for _, typ := range []Type{F16, F32, Q4_0, Q5_1, Q8_0, Q4_K} {
		x, _ := matrix(1, rows, k, 0)
		tw, _ := tensor(typ, random(3, n*k, 0.1), k, n)
		sameOnAllCPUs(t, func(c *CPU) []float32 {
			all := linearOf(t, c, tw, x, Step)
			for count := 1; count <= rows; count++ {
				got := linearOf(t, c, tw, x.Sub(0, count), Step)
				if i := differ(got, all[:count*n]); i >= 0 {
					t.Fatalf("%s, %v: number %d of %d rows is %v, of %d rows %v", c.Device(), typ, i, count, got[i], rows, all[i])
				}
			}
			shifted, _ := matrix(1, rows, k, 0)
			copy(shifted.Buf.(floats)[shifted.Off:], x.Sub(rows-1, 1).slice())
			w := weightOf(t, c, tw)
			dst, _ := c.Floats(rows * n)
			c.Linear(Linear{Dst: View(dst, rows, n), X: x, W: w})
			c.flush()
			last := slices.Clone(dst.(floats)[(rows-1)*n:])
			c.Linear(Linear{Dst: View(dst, rows, n), X: shifted, W: w})
			c.flush()
			if i := differ(dst.(floats)[:n], last); i >= 0 {
				t.Fatalf("%s, %v: number %d of a row differs between its places in the step", c.Device(), typ, i)
			}
			return all
		})
	}
}

func TestWindowOnAnyThreads(t *testing.T) {
	for _, l := range []linearCase{{rows: 100, k: 64, n: 100, typ: F16}, {rows: narrowWide, k: 768, n: 90, typ: Q4_K}, {rows: 50, k: 96, n: 107, typ: Q5_1},
		{rows: 50, k: 128, n: 107, typ: Q8_0}, {rows: 71, k: 600, n: 130, typ: F32}} {
		x, _ := matrix(1, l.rows, l.k, 2)
		tw, _ := tensor(l.typ, random(3, l.n*l.k, 0.1), l.k, l.n)
		sameOnAllCPUs(t, func(c *CPU) []float32 { return linearOf(t, c, tw, x, Window) })
	}
}

func TestShareKeepsThreadsBusy(t *testing.T) {
	for _, rows := range []int{48, 256, 1500} {
		for _, n := range []int{384, 512, 1536, 2048, 1280, 5120} {
			for _, threads := range []int{1, 2, 4, 7, 8, 16} {
				for _, nr := range []int{16, 32} {
					g, panels := window{rows: rows, mr: 6}, n/nr
					g.share(panels, maxGroup, threads)
					tasks := (panels + g.group - 1) / g.group * g.spans
					rounds := (tasks + threads - 1) / threads
					// What is paid, in tiles times panels, against what would be if nothing were wasted.
					busy := float64(panels*rows/6) / float64(threads*rounds*g.group*g.span/6)
					if busy < 0.7 || rows == 1500 && busy < 0.85 {
						t.Errorf("%d×%d on %d threads: groups of %d, spans of %d: %.0f %% busy", rows, n, threads, g.group, g.span, 100*busy)
					}
				}
			}
		}
	}
}

// TestGELUIsTheSameAtAnyPlace: tasks cut rows at multiples of chunkUnit, so a number must not care where in a call it is.
func TestGELUIsTheSameAtAnyPlace(t *testing.T) {
	x := random(9, 331, 2)
	for _, tab := range kernel.Tables() {
		whole := slices.Clone(x)
		tab.GELU(whole)
		for from := 0; from < len(x); from += chunkUnit {
			for to := min(from+chunkUnit, len(x)); ; to = min(to+chunkUnit, len(x)) {
				part := slices.Clone(x[from:to])
				tab.GELU(part)
				if i := differ(part, whole[from:to]); i >= 0 {
					t.Fatalf("isa=%s: gelu(%v) is %v in [%d, %d), else %v", tab.Name, x[from+i], part[i], from, to, whole[from+i])
				}
				if to == len(x) {
					break
				}
			}
		}
	}
}

func TestNoAllocations(t *testing.T) {
	eachISA(t, func(t *testing.T, c *CPU) {
		const state = 128 // two heads
		var b Backend = c
		x, _ := matrix(1, 64, state, 0)
		y, _ := matrix(2, 64, state, 0)
		f16, _ := tensor(F16, random(3, state*state, 0.1), state, state)
		q5, _ := tensor(Q5_0, random(3, state*state, 0.1), state, state)
		w, q := weightOf(t, c, f16), weightOf(t, c, q5)
		v, _ := vectorOf(t, c, 4, state)
		kv, _ := c.Cache(CacheShape{Layers: 1, Heads: 2, Slots: 2, Cells: 8})
		var slots, cells, counts Buffer = ints{0, 1, 0}, ints{0, 0, 1}, ints{1, 1, 2}
		three := x.Sub(0, 3)
		for name, f := range map[string]func(){
			"window": func() { b.Linear(Linear{Dst: y, X: x, W: w, Bias: v, GELU: true, Regime: Window}) },
			"step":   func() { b.Linear(Linear{Dst: y.Sub(0, 3), X: three, W: w, Bias: v}) },
			"q5_0":   func() { b.Linear(Linear{Dst: y.Sub(0, 3), X: three, W: q, Bias: v}) },
			"bytes":  func() { b.Linear(Linear{Dst: y, X: x, W: q, Bias: v, Regime: Window}) },
			"norm":   func() { b.Norm(Norm{Dst: y, X: x, W: v, B: v}) },
			"attend": func() {
				b.Store(Store{Cache: kv, K: three, V: three, Slots: slots, Cells: cells})
				b.Attend(Attend{Dst: y.Sub(0, 3), Q: three, Cache: kv, Slots: slots, Counts: counts})
			},
			"self": func() { b.SelfAttend(SelfAttend{Dst: y, Q: x, K: x, V: x, Heads: 2}) },
		} {
			run := func() {
				f()
				c.flush()
			}
			run()
			if n := testing.AllocsPerRun(20, run); n > 0 {
				t.Errorf("%s allocates %v times", name, n)
			}
		}
	})
}
