package ggml

import (
	"fmt"
	"testing"

	"github.com/whisperfile/whisperfile/ggml/internal/kernel"
)

// eachBench runs f on every rung, with the threads a program would have.
func eachBench(b *testing.B, name string, f func(b *testing.B, c *CPU)) {
	for _, tab := range kernel.Tables() {
		b.Run(name+"/isa="+tab.Name, func(b *testing.B) { f(b, testCPU(b, tab, DefaultThreads())) })
	}
}

func dense(rows, cols int) Mat { return View(floats(random(1, rows*cols, 1)), rows, cols) }

// perSecond reports n units a run as billions a second.
func perSecond(b *testing.B, n float64, unit string) {
	b.ReportMetric(n*float64(b.N)/b.Elapsed().Seconds()/1e9, unit)
}

// The shapes of base: q, k, v and o; up; down. GFLOP/s are to be held against tools that measure the machine's peak.
func BenchmarkLinearWindow(b *testing.B) {
	const rows = 1500
	for _, typ := range []Type{F16, Q5_0, Q8_0} {
		for _, s := range [][2]int{{512, 512}, {512, 2048}, {2048, 512}} {
			k, n := s[0], s[1]
			eachBench(b, fmt.Sprintf("type=%v/k=%d/n=%d", typ, k, n), func(b *testing.B, c *CPU) {
				tw, _ := tensor(typ, random(2, k*n, 0.1), k, n)
				w := weightOf(b, c, tw)
				bias, _ := vectorOf(b, c, 3, n)
				op := Linear{Dst: dense(rows, n), X: dense(rows, k), W: w, Bias: bias, GELU: n > k, Regime: Window}
				for b.Loop() {
					c.Linear(op)
					c.flush()
				}
				perSecond(b, 2*rows*float64(k)*float64(n), "GFLOP/s")
			})
		}
	}
}

// Weights of 77 MB in F16, as base's decoder reads in a step.
func BenchmarkLinearStep(b *testing.B) {
	const k, n = 512, 75000
	for _, typ := range []Type{F16, Q5_0, Q8_0} {
		tw, _ := tensor(typ, random(2, k*n, 0.1), k, n)
		for _, rows := range []int{1, 5, 16} {
			eachBench(b, fmt.Sprintf("type=%v/rows=%d", typ, rows), func(b *testing.B, c *CPU) {
				w := weightOf(b, c, tw)
				op := Linear{Dst: dense(rows, n), X: dense(rows, k), W: w}
				for b.Loop() {
					c.Linear(op)
					c.flush()
				}
				perSecond(b, float64(len(tw.Data)), "GB/s")
			})
		}
	}
}

// A layer of base's encoder.
func BenchmarkSelfAttend(b *testing.B) {
	const rows, heads = 1500, 8
	eachBench(b, "heads=8", func(b *testing.B, c *CPU) {
		m := func() Mat { return dense(rows, heads*HeadSize) }
		op := SelfAttend{Dst: m(), Q: m(), K: m(), V: m(), Heads: heads}
		for b.Loop() {
			c.SelfAttend(op)
		}
		perSecond(b, 4*rows*rows*heads*HeadSize, "GFLOP/s")
	})
}

// Cross attention of a layer of base in a step.
func BenchmarkAttend(b *testing.B) {
	const cells, heads = 1500, 8
	for _, rows := range []int{1, 5} {
		eachBench(b, fmt.Sprintf("rows=%d/cells=%d", rows, cells), func(b *testing.B, c *CPU) {
			kv, _ := c.Cache(CacheShape{Layers: 1, Heads: heads, Slots: 1, Cells: cells})
			slots, order := make(ints, cells), make(ints, cells)
			for i := range order {
				order[i] = int32(i)
			}
			x := dense(cells, heads*HeadSize)
			c.Store(Store{Cache: kv, K: x, V: x, Slots: slots, Cells: order})
			c.flush()
			counts := make(ints, rows)
			for i := range counts {
				counts[i] = cells
			}
			op := Attend{Dst: dense(rows, heads*HeadSize), Q: x.Sub(0, rows), Cache: kv, Slots: slots, Counts: counts}
			for b.Loop() {
				c.Attend(op)
				c.flush()
			}
		})
	}
}

func BenchmarkPick(b *testing.B) {
	const vocab, state = 51865, 512
	eachBench(b, "rows=1", func(b *testing.B, c *CPU) {
		tw, _ := tensor(F16, random(2, vocab*state, 0.1), state, vocab)
		p := Pick{X: dense(1, state), W: weightOf(b, c, tw), K: 5,
			Filters: []Filter{{EOT: 50257, Beg: 50364, Mass: true, Probing: true, Probe: 50362, Mask: make([]uint64, 811)}}}
		dst := make([]Picked, 1)
		for b.Loop() {
			if err := c.Pick(b.Context(), p, dst); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkConv(b *testing.B) {
	const frames, channels, out = 3000, 512, 512
	eachBench(b, "stride=2", func(b *testing.B, c *CPU) {
		tw, _ := tensor(F16, random(2, 3*channels*out, 0.1), 3, channels, out)
		bias, _ := vectorOf(b, c, 3, out)
		op := Conv{Dst: dense(frames/2, out), X: dense(frames, channels), W: weightOf(b, c, tw), Bias: bias, Stride: 2}
		for b.Loop() {
			c.Conv(op)
		}
		perSecond(b, 2*frames/2*3*channels*out, "GFLOP/s")
	})
}
