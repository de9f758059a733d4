package ggml

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
)

// ranking filters and ranks rows of logits. A task is a row.
type ranking struct {
	c       *CPU
	vocab   int
	filters []Filter
	k       int
	dst     []Picked
}

// Pick implements Backend. The error is that of ctx.
func (c *CPU) Pick(ctx context.Context, p Pick, dst []Picked) error {
	w := p.W.(*weight)
	if p.X.Cols != w.cols || len(p.Filters) != p.X.Rows || len(dst) < p.X.Rows || p.K < 1 {
		panic(fmt.Sprintf("ggml: pick: %d of %d×%d times %d×%d with %d filters into %d", p.K, p.X.Rows, p.X.Cols, w.rows, w.cols,
			len(p.Filters), len(dst)))
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	rows := p.X.Rows
	grow(&c.logits, rows*w.rows)
	if rows > 0 {
		c.multiplyStep(c.logits, w.rows, p.X.slice(), p.X.Stride, rows, w, epilogue{})
	}
	for i := range c.scratch {
		grow(&c.scratch[i].line, w.rows)
	}
	r := &c.ranking
	r.vocab, r.filters, r.k, r.dst = w.rows, p.Filters, p.K, dst
	c.pool.run(r, rows)
	r.filters, r.dst = nil, nil
	return nil
}

func (r *ranking) run(worker, i int) {
	logits, f, p := r.c.logits[i*r.vocab:][:r.vocab], &r.filters[i], &r.dst[i]
	powers := r.c.scratch[worker].line[:r.vocab]
	*p = Picked{Candidates: p.Candidates[:0]}
	if f.Probe != 0 {
		copy(powers, logits)
		_, sum := r.exponentials(powers)
		p.Probe = powers[f.Probe] / sum
	}
	if f.Temperature > 0 {
		for j, l := range logits {
			logits[j] = l / f.Temperature
		}
	}
	f.remove(logits)
	copy(powers, logits)
	largest, sum := r.exponentials(powers)
	if math.IsInf(float64(largest), -1) {
		return
	}
	beg := min(int(f.Beg), r.vocab)
	if f.Mass && massOver(powers[:beg], powers[beg:], r.c.tab.Max) {
		fill(logits[:beg], negInf)
	}
	times(p, logits[beg:], powers[beg:], beg, sum)
	norm := largest + float32(math.Log(float64(sum)))
	if f.Sample {
		id := draw(logits, powers, f.Draw)
		p.Candidates = append(p.Candidates, Candidate{int32(id), logits[id] - norm})
		return
	}
	p.Candidates = top(p.Candidates, logits, norm, r.k)
}

// draw returns the first id at which the sum of the powers of what is left exceeds the share u of all of it. Something
// is left.
func draw(logits, powers []float32, u float64) int {
	left := func(id int) bool { return !math.IsInf(float64(logits[id]), -1) }
	var all, sum float64
	last := 0
	for id, v := range powers {
		if left(id) {
			all += float64(v)
			last = id
		}
	}
	for id, v := range powers[:last] {
		if left(id) {
			if sum += float64(v); sum > u*all {
				return id
			}
		}
	}
	return last
}

var negInf = float32(math.Inf(-1))

// exponentials replaces x by e^(x−largest) and returns the largest of x and the sum of the powers; what was −∞ becomes
// next to 0. If all of it is −∞ it is left alone.
func (r *ranking) exponentials(x []float32) (largest, sum float32) {
	t := r.c.tab
	largest = t.Max(x)
	if math.IsInf(float64(largest), -1) {
		return largest, 0
	}
	t.Scale(x, math.Log2E)
	return largest, t.Exp2Sum(x, largest*math.Log2E)
}

// remove puts −∞ where f lets nothing come.
func (f *Filter) remove(logits []float32) {
	for i, word := range f.Mask {
		if word == 0 {
			continue
		}
		for bit := range 64 {
			if id := 64*i + bit; word>>bit&1 != 0 && id < len(logits) {
				logits[id] = negInf
			}
		}
	}
	clamp := func(id int32) int { return min(max(int(id), 0), len(logits)) }
	beg := clamp(f.Beg)
	if f.NoText {
		fill(logits[:clamp(f.EOT)], negInf)
	}
	if f.NoTime {
		fill(logits[beg:], negInf)
	}
	if f.TimeFrom != 0 || f.TimeTo != 0 {
		fill(logits[beg:max(beg, clamp(f.TimeFrom))], negInf)
		fill(logits[max(beg, clamp(f.TimeTo+1)):], negInf)
	}
}

func fill(x []float32, v float32) {
	for i := range x {
		x[i] = v
	}
}

// massOver reports whether the sum of the timestamps' powers is above the largest of the others'.
func massOver(others, timestamps []float32, largest func([]float32) float32) bool {
	return len(others) == 0 || total(timestamps) > float64(largest(others))
}

// total adds in double precision, in order.
func total(x []float32) (sum float64) {
	for _, v := range x {
		sum += float64(v)
	}
	return sum
}

// times fills in what is to be known of the timestamps, whose logits and powers are given; sum is that of all powers. The
// power of what was removed need not be 0, but too small to count.
func times(p *Picked, logits, powers []float32, beg int, sum float32) {
	best, most := -1, negInf
	for i, l := range logits {
		if l > most {
			best, most = i, l
		}
	}
	if best < 0 {
		return
	}
	all := total(powers) / float64(sum)
	p.Time = int32(beg + best)
	p.TimeSum = float32(all)
	p.TimeP = float32(float64(powers[best]) / float64(sum) / (all + 1e-10))
}

// sortAll is how many candidates are too many to insert one by one.
const sortAll = 64

// top appends the k likeliest of what is left to dst: likelier ones first, equal ones in the order of their ids. norm is
// the logarithm of the sum of the powers of all.
func top(dst []Candidate, logits []float32, norm float32, k int) []Candidate {
	least := negInf
	for id, l := range logits {
		p := l - norm
		if p <= least && (len(dst) == k || math.IsInf(float64(p), -1)) {
			continue
		}
		switch {
		case k > sortAll:
			dst = append(dst, Candidate{int32(id), p})
			continue
		case len(dst) < k:
			dst = append(dst, Candidate{})
		}
		i := len(dst) - 1
		for ; i > 0 && dst[i-1].LogProb < p; i-- {
			dst[i] = dst[i-1]
		}
		dst[i] = Candidate{int32(id), p}
		if len(dst) == k {
			least = dst[k-1].LogProb
		}
	}
	if k > sortAll {
		slices.SortStableFunc(dst, func(a, b Candidate) int { return cmp.Compare(b.LogProb, a.LogProb) })
		dst = dst[:min(k, len(dst))]
	}
	return dst
}
