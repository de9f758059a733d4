package ggml

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"math/bits"
	"slices"
)

// pickChunk is how many tokens a task of picking takes: 25 µs of dots for a row of base. It does not depend on the number
// of rows or threads, since the sums of a row are added up by chunks. It is a multiple of chunkUnit, and of the bits in a
// word of a mask.
const pickChunk = 128

// picking passes over the vocabulary once: a task multiplies rows with a chunk of it, filters the logits and sums them up
// while they are at hand. ranking then chooses from the sums and from the few chunks that can hold what it looks for.
type picking struct {
	c             *CPU
	step          *step
	vocab, chunks int
	filters       []Filter
	k             int
	dst           []Picked

	// [rows][chunks]: text are the ids below Beg and time the others, both filtered; raw are all of them before.
	text, time, raw []mass
	probes          []float32 // logit of Filter.Probe, a row each
}

// mass is the largest of some logits and the sum of e^(l − largest); of none, −∞ and 0.
type mass struct{ largest, sum float32 }

// ranking is the part of picking that comes last. A task is a row.
type ranking struct{ c *CPU }

// Pick implements Backend. The error is that of ctx.
func (c *CPU) Pick(ctx context.Context, p Pick, dst []Picked) error {
	w := p.W.(*weight)
	if p.X.Cols != w.cols || len(p.Filters) != p.X.Rows || len(dst) < p.X.Rows || p.K < 1 {
		panic(fmt.Sprintf("ggml: pick: %d of %d×%d times %d×%d with %d filters into %d", p.K, p.X.Rows, p.X.Cols, w.rows, w.cols,
			len(p.Filters), len(dst)))
	}
	if err := ctx.Err(); err != nil || p.X.Rows == 0 {
		return err
	}
	q, rows := &c.picking, p.X.Rows
	q.vocab, q.chunks, q.filters, q.k, q.dst = w.rows, (w.rows+pickChunk-1)/pickChunk, p.Filters, p.K, dst
	for _, m := range []*[]mass{&q.text, &q.time, &q.raw} {
		grow(m, rows*q.chunks)
	}
	grow(&q.probes, rows)
	grow(&c.logits, rows*w.rows)
	q.step = c.newStep(p.X, linear{w: w})
	for i := range c.scratch {
		grow(&c.scratch[i].line, max(pickChunk, q.chunks))
	}
	c.queue(q, q.chunks)
	c.queue(&c.ranking, rows)
	c.flush()
	q.filters, q.dst = nil, nil
	return nil
}

func (q *picking) run(worker, i int) {
	c := q.c
	sc, s := &c.scratch[worker], q.step
	first := i * pickChunk
	n := min(pickChunk, q.vocab-first)
	for r := 0; r < n; r += s.chunk {
		s.dots(sc, c.logits[first+r:], q.vocab, s.linears[0].w, first+r, min(s.chunk, n-r))
	}
	for r := range q.filters {
		f, at, logits := &q.filters[r], r*q.chunks+i, c.logits[r*q.vocab+first:][:n]
		if f.Probing {
			q.raw[at] = c.mass(logits, sc.line)
			if id := int(f.Probe) - first; id >= 0 && id < n {
				q.probes[r] = logits[id]
			}
		}
		if f.Temperature > 0 {
			for j, l := range logits {
				logits[j] = l / f.Temperature
			}
		}
		f.remove(logits, first)
		beg := min(max(int(f.Beg)-first, 0), n)
		q.text[at], q.time[at] = c.mass(logits[:beg], sc.line), c.mass(logits[beg:], sc.line)
	}
}

// mass sums up logits, with as many numbers of scratch.
func (c *CPU) mass(logits, scratch []float32) mass {
	m := mass{largest: negInf}
	if len(logits) == 0 {
		return m
	}
	if m.largest = c.tab.Max(logits); m.largest > negInf {
		powers := scratch[:len(logits)]
		copy(powers, logits)
		c.tab.Scale(powers, math.Log2E)
		m.sum = c.tab.Exp2Sum(powers, m.largest*math.Log2E)
	}
	return m
}

// remove puts −∞ where f lets nothing come, in the logits of ids first, first+1, …
func (f *Filter) remove(logits []float32, first int) {
	for i := 0; i < len(logits) && (first+i)/64 < len(f.Mask); i += 64 {
		for word := f.Mask[(first+i)/64]; word != 0; word &= word - 1 {
			if j := i + bits.TrailingZeros64(word); j < len(logits) {
				logits[j] = negInf
			}
		}
	}
	none := func(from, to int32) {
		a, b := min(max(int(from)-first, 0), len(logits)), min(max(int(to)-first, 0), len(logits))
		for ; a < b; a++ {
			logits[a] = negInf
		}
	}
	if f.NoText {
		none(0, f.EOT)
	}
	if f.NoTime {
		none(f.Beg, math.MaxInt32)
	}
	if f.TimeFrom != 0 || f.TimeTo != 0 {
		none(f.Beg, f.TimeFrom)
		none(max(f.Beg, f.TimeTo+1), math.MaxInt32)
	}
}

var negInf = float32(math.Inf(-1))

func (r *ranking) run(worker, row int) {
	q, line := &r.c.picking, r.c.scratch[worker].line
	f, p := &q.filters[row], &q.dst[row]
	logits, chunks := r.c.logits[row*q.vocab:][:q.vocab], row*q.chunks
	text, time := q.text[chunks:][:q.chunks], q.time[chunks:][:q.chunks]
	*p = Picked{Candidates: p.Candidates[:0]}
	if f.Probing {
		raw := q.raw[chunks:][:q.chunks]
		largest := most(raw)
		p.Probe = float32(math.Exp(float64(q.probes[row]-largest)) / r.c.above(raw, largest, line))
	}
	largestText, largestTime := most(text), most(time)
	largest := max(largestText, largestTime)
	times := r.c.above(time, largest, line)
	sum := r.c.above(text, largest, line) + times
	if !(sum > 0) {
		return
	}
	if times > 0 {
		best := float64(find(logits, time, int(f.Beg), largestTime))
		share := times / sum
		p.Time, p.TimeSum = int32(best), float32(share)
		p.TimeP = float32(math.Exp(float64(largestTime-largest)) / sum / (share + 1e-10))
	}
	c := choice{logits: logits, text: text, time: time, beg: int(f.Beg), norm: largest + float32(math.Log(sum))}
	if f.Mass && times > math.Exp(float64(largestText-largest)) {
		c.text = nil
	}
	if f.Sample {
		id := c.draw(f.Draw, largest)
		p.Candidates = append(p.Candidates, Candidate{int32(id), logits[id] - c.norm})
		return
	}
	p.Candidates = c.top(p.Candidates, q.k)
}

// most returns the largest logit.
func most(parts []mass) float32 {
	m := negInf
	for _, p := range parts {
		m = max(m, p.largest)
	}
	return m
}

// above returns the sum of e^(l − largest), with as many numbers of scratch as there are parts.
func (c *CPU) above(parts []mass, largest float32, scratch []float32) (sum float64) {
	if largest == negInf {
		return 0
	}
	powers := scratch[:len(parts)]
	for i, p := range parts {
		powers[i] = p.largest
	}
	c.tab.Scale(powers, math.Log2E)
	c.tab.Exp2Sum(powers, largest*math.Log2E)
	for i, p := range parts {
		sum += float64(p.sum) * float64(powers[i])
	}
	return sum
}

func (m mass) above(largest float32) float64 {
	if m.sum == 0 {
		return 0
	}
	return float64(m.sum) * math.Exp(float64(m.largest-largest))
}

// find returns the first id from beg on whose logit is the largest of time.
func find(logits []float32, time []mass, beg int, largest float32) int {
	for i, m := range time {
		if m.largest != largest {
			continue
		}
		for id := max(beg, i*pickChunk); id < min((i+1)*pickChunk, len(logits)); id++ {
			if logits[id] == largest {
				return id
			}
		}
	}
	return 0
}

// choice is what a row may choose from: the text, unless it is nil, and the timestamps.
type choice struct {
	logits     []float32
	text, time []mass
	beg        int
	norm       float32 // logarithm of the sum of the powers of all
}

// chunk returns the ids of chunk i that may be chosen, and the largest logit among them.
func (c *choice) chunk(i int) (from, to int, largest float32) {
	from, to = i*pickChunk, min((i+1)*pickChunk, len(c.logits))
	largest = c.time[i].largest
	if c.text == nil {
		return min(max(from, c.beg), to), to, largest
	}
	return from, to, max(largest, c.text[i].largest)
}

// draw returns the first id at which the sum of the powers of what may be chosen exceeds the share u of all of it. There
// is something to choose.
func (c *choice) draw(u float64, largest float32) (id int) {
	weight := func(i int) float64 {
		w := c.time[i].above(largest)
		if c.text != nil {
			w += c.text[i].above(largest)
		}
		return w
	}
	var all, sum float64
	last := 0 // chunk with something to choose
	for i := range c.time {
		if w := weight(i); w > 0 {
			all += w
			last = i
		}
	}
	for i := range last {
		w := weight(i)
		if sum+w > u*all {
			last = i
			break
		}
		sum += w
	}
	from, to, _ := c.chunk(last)
	for i, l := range c.logits[from:to] {
		if l == negInf {
			continue
		}
		id = from + i
		if sum += math.Exp(float64(l - largest)); sum > u*all {
			break
		}
	}
	return id
}

// sortAll is how many candidates are too many to insert one by one.
const sortAll = 64

// top appends the k likeliest to dst: likelier ones first, equal ones in the order of their ids.
func (c *choice) top(dst []Candidate, k int) []Candidate {
	least := negInf
	for i := range c.time {
		from, to, largest := c.chunk(i)
		if len(dst) == k && largest-c.norm <= least {
			continue
		}
		for j, l := range c.logits[from:to] {
			p := l - c.norm
			if p <= least && (len(dst) == k || p == negInf) {
				continue
			}
			if k > sortAll {
				dst = append(dst, Candidate{int32(from + j), p})
				continue
			}
			if len(dst) < k {
				dst = append(dst, Candidate{})
			}
			at := len(dst) - 1
			for ; at > 0 && dst[at-1].LogProb < p; at-- {
				dst[at] = dst[at-1]
			}
			dst[at] = Candidate{int32(from + j), p}
			if len(dst) == k {
				least = dst[k-1].LogProb
			}
		}
	}
	if k > sortAll {
		slices.SortStableFunc(dst, func(a, b Candidate) int { return cmp.Compare(b.LogProb, a.LogProb) })
		dst = dst[:min(k, len(dst))]
	}
	return dst
}
