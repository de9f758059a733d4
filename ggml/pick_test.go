package ggml

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/whisperfile/whisperfile/ggml/internal/kernel"
)

// logitsPick returns a Pick whose logits are the given rows, to the bit.
func logitsPick(tb testing.TB, c *CPU, rows [][]float32, filters []Filter, k int) Pick {
	tb.Helper()
	n, vocab := len(rows), len(rows[0])
	w, x := make([]float32, vocab*n), make(floats, n*n)
	for r, row := range rows {
		for id, l := range row {
			w[id*n+r] = l
		}
		x[r*n+r] = 1
	}
	tw, _ := tensor(F32, w, n, vocab)
	return Pick{X: View(x, n, n), W: weightOf(tb, c, tw), Filters: filters, K: k}
}

func pick(tb testing.TB, c *CPU, p Pick) []Picked {
	tb.Helper()
	dst := make([]Picked, p.X.Rows)
	if err := c.Pick(tb.Context(), p, dst); err != nil {
		tb.Fatal(err)
	}
	return dst
}

// picked is Pick by its description, in float64.
func picked(logits []float32, f Filter, k int) Picked {
	var p Picked
	softmax := func(x []float64) (lse float64) {
		for _, l := range x {
			lse += math.Exp(l)
		}
		return math.Log(lse)
	}
	x := make([]float64, len(logits))
	for i, l := range logits {
		x[i] = float64(l)
	}
	if f.Probing {
		p.Probe = float32(math.Exp(x[f.Probe] - softmax(x)))
	}
	for i := range x {
		id, time := int32(i), i >= int(f.Beg)
		if f.Temperature > 0 {
			x[i] /= float64(f.Temperature)
		}
		masked := i/64 < len(f.Mask) && f.Mask[i/64]>>(i%64)&1 != 0
		outside := (f.TimeFrom != 0 || f.TimeTo != 0) && (id < f.TimeFrom || id > f.TimeTo)
		if masked || f.NoText && id < f.EOT || time && (f.NoTime || outside) {
			x[i] = math.Inf(-1)
		}
	}
	lse := softmax(x)
	best, text := math.Inf(-1), math.Inf(-1)
	var all float64
	for i := range x {
		x[i] -= lse
		switch {
		case i < int(f.Beg):
			text = max(text, x[i])
		case x[i] > best:
			best, p.Time = x[i], int32(i)
			fallthrough
		default:
			all += math.Exp(x[i])
		}
	}
	if all > 0 {
		p.TimeSum, p.TimeP = float32(all), float32(math.Exp(best)/(all+1e-10))
	}
	for i, l := range x {
		if f.Mass && all > math.Exp(text) && i < int(f.Beg) {
			continue
		}
		if !math.IsInf(l, -1) {
			p.Candidates = append(p.Candidates, Candidate{int32(i), float32(l)})
		}
	}
	slices.SortStableFunc(p.Candidates, func(a, b Candidate) int { return cmp.Compare(b.LogProb, a.LogProb) })
	p.Candidates = p.Candidates[:min(k, len(p.Candidates))]
	return p
}

func samePicked(t *testing.T, what string, got, want []Picked) {
	t.Helper()
	if d := gocmp.Diff(want, got, cmpopts.EquateApprox(1e-5, 1e-5), cmpopts.EquateEmpty()); d != "" {
		t.Errorf("%s (-want +got):\n%s", what, d)
	}
}

func TestPickRules(t *testing.T) {
	// Ids 0 to 3 are text, 4 ends the text, 5 is special, 6 to 9 are timestamps.
	classes := Filter{EOT: 4, Beg: 6}
	ln := func(p float64) float32 { return float32(math.Log(p)) }
	rising := []float32{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}
	spread := []float32{ln(.2), ln(.1), ln(.05), ln(.05), ln(.1), ln(.05), ln(.15), ln(.15), ln(.1), ln(.05)} // times .45
	for _, test := range []struct {
		name   string
		logits []float32
		filter func(f *Filter)
		k      int
		ids    []int32
	}{
		{"all", rising, func(*Filter) {}, 3, []int32{9, 8, 7}},
		{"mask", rising, func(f *Filter) { f.Mask = []uint64{1<<9 | 1<<7 | 1<<63} }, 3, []int32{8, 6, 5}},
		{"no text", rising, func(f *Filter) { f.NoText = true }, 10, []int32{9, 8, 7, 6, 5, 4}},
		{"no time", rising, func(f *Filter) { f.NoTime = true }, 2, []int32{5, 4}},
		{"bounds", rising, func(f *Filter) { f.TimeFrom, f.TimeTo = 7, 8 }, 3, []int32{8, 7, 5}},
		{"equal ones", make([]float32, 10), func(f *Filter) {}, 4, []int32{0, 1, 2, 3}},
		{"no mass", spread, func(f *Filter) {}, 2, []int32{0, 6}},
		{"mass", spread, func(f *Filter) { f.Mass = true }, 9, []int32{6, 7, 8, 9}},
		{"mass of few", spread, func(f *Filter) { f.Mass, f.TimeFrom, f.TimeTo = true, 8, 9 }, 2, []int32{0, 1}},
		{"mass without times", spread, func(f *Filter) { f.Mass, f.NoTime = true, true }, 1, []int32{0}},
		{"mass without others", spread, func(f *Filter) { f.Mass, f.Mask = true, []uint64{63} }, 1, []int32{6}},
		{"nothing left", rising, func(f *Filter) { f.NoTime, f.Mask = true, []uint64{1023} }, 3, nil},
		{"cold", rising, func(f *Filter) { f.Temperature = 0.1 }, 2, []int32{9, 8}},
		{"probe", rising, func(f *Filter) { f.Probing, f.Probe, f.Mask, f.Temperature = true, 5, []uint64{1 << 5}, 2 }, 1, []int32{9}},
	} {
		t.Run(test.name, func(t *testing.T) {
			eachISA(t, func(t *testing.T, c *CPU) {
				f := classes
				test.filter(&f)
				got := pick(t, c, logitsPick(t, c, [][]float32{test.logits}, []Filter{f}, test.k))
				var ids []int32
				for _, c := range got[0].Candidates {
					ids = append(ids, c.ID)
				}
				if !slices.Equal(ids, test.ids) {
					t.Errorf("ids %v, want %v", ids, test.ids)
				}
				want := picked(test.logits, f, test.k)
				if test.ids == nil {
					want = Picked{}
				}
				samePicked(t, test.name, got, []Picked{want})
			})
		})
	}
}

func TestPickOfAVocabulary(t *testing.T) {
	const vocab, beg = 1777, 1500
	mask := make([]uint64, vocab/64+1)
	for i := range vocab {
		if i%5 == 1 {
			mask[i/64] |= 1 << (i % 64)
		}
	}
	filters := []Filter{
		{EOT: beg - 100, Beg: beg},
		{EOT: beg - 100, Beg: beg, Mask: mask, Probing: true, Probe: 17, Mass: true},
		{EOT: beg - 100, Beg: beg, Temperature: 0.7, TimeFrom: beg, TimeTo: beg + 50},
		{EOT: beg - 100, Beg: beg, Mask: mask[:3], NoText: true, Temperature: 1.3},
		{EOT: beg - 100, Beg: beg, NoTime: true, Mass: true},
	}
	var rows [][]float32
	for r := range filters {
		rows = append(rows, random(uint64(r), vocab, 4))
	}
	for _, k := range []int{1, 5, sortAll + 1, vocab} {
		eachISA(t, func(t *testing.T, c *CPU) {
			got := pick(t, c, logitsPick(t, c, rows, filters, k))
			var want []Picked
			for r := range rows {
				want = append(want, picked(rows[r], filters[r], k))
			}
			samePicked(t, fmt.Sprintf("k=%d", k), got, want)
		})
	}
}

// The same row with other rows, on any threads, gets the same candidates to the bit.
func TestPickRowsAreIndependent(t *testing.T) {
	const rows, vocab, state = 5, 999, 96
	x, _ := matrix(1, rows, state, 0)
	tw, _ := tensor(F16, random(2, vocab*state, 0.3), state, vocab)
	filters := make([]Filter, rows)
	for i := range filters {
		filters[i] = Filter{EOT: 500, Beg: 600, Probing: true, Probe: 3, Mass: i%2 > 0}
	}
	for _, tab := range kernel.Tables() {
		var want []Picked
		for _, n := range threadCounts {
			c := testCPU(t, tab, n)
			got := pick(t, c, Pick{X: x, W: weightOf(t, c, tw), Filters: filters, K: 3})
			if want == nil {
				want = got
			}
			for r := range rows {
				alone := pick(t, c, Pick{X: x.Sub(r, 1), W: weightOf(t, c, tw), Filters: filters[r : r+1], K: 3})
				if d := gocmp.Diff(want[r], alone[0]) + gocmp.Diff(want[r], got[r]); d != "" {
					t.Errorf("isa=%s, %d threads, row %d:\n%s", tab.Name, n, r, d)
				}
			}
		}
	}
}

func TestPickIsCancelled(t *testing.T) {
	c := testCPU(t, kernel.Tables()[0], 1)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	p := logitsPick(t, c, [][]float32{{1, 2}}, make([]Filter, 1), 1)
	if err := c.Pick(ctx, p, make([]Picked, 1)); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}
