package ggml

import (
	"fmt"
	"math"
	"sync/atomic"

	"github.com/whisperfile/whisperfile/ggml/internal/kernel"
)

// cache holds keys and values as halves, for each slot [layer][head][cell][64]. A slot's memory is asked for when the
// first row is stored there.
type cache struct {
	shape CacheShape
	slots []slot
}

type slot struct{ k, v []uint16 }

// Cache reserves a cache whose slots take memory when they are first written.
func (c *CPU) Cache(s CacheShape) (Cache, error) {
	if min(s.Layers, s.Heads, s.Slots, s.Cells) < 0 {
		return nil, errNegative
	}
	return &cache{shape: s, slots: make([]slot, s.Slots)}, nil
}

func (c *cache) Shape() CacheShape { return c.shape }

// at returns where the cells of a head begin.
func (c *cache) at(layer, head int) int {
	return (layer*c.shape.Heads + head) * c.shape.Cells * HeadSize
}

// store rounds rows to halves. A task is a chunk of rows.
type store struct {
	c            *CPU
	cache        *cache
	layer        int
	k, v         []float32
	ldk, ldv     int
	rows         int
	slots, cells []int32
	chunk        int
}

// Store implements Backend.
func (c *CPU) Store(o Store) {
	s := c.queued.stores.next(c)
	s.c, s.cache = c, o.Cache.(*cache)
	shape := s.cache.shape
	if width := shape.Heads * HeadSize; o.K.Cols != width || o.V.Cols != width || o.K.Rows != o.V.Rows || o.Layer >= shape.Layers {
		panic(fmt.Sprintf("ggml: store: %d×%d and %d×%d into layer %d of %+v", o.K.Rows, o.K.Cols, o.V.Rows, o.V.Cols, o.Layer, shape))
	}
	s.layer, s.rows = o.Layer, o.K.Rows
	s.k, s.ldk, s.v, s.ldv = o.K.slice(), o.K.Stride, o.V.slice(), o.V.Stride
	s.slots, s.cells = o.Slots.(ints)[:s.rows], o.Cells.(ints)[:s.rows]
	for r, i := range s.slots {
		if cell := s.cells[r]; cell < 0 || int(cell) >= shape.Cells {
			panic(fmt.Sprintf("ggml: store: cell %d of %d", cell, shape.Cells))
		}
		if slot := &s.cache.slots[i]; slot.k == nil {
			n := s.cache.at(shape.Layers, 0)
			slot.k, slot.v = make([]uint16, n), make([]uint16, n)
		}
	}
	s.chunk = max(1, chunkNumbers/(2*o.K.Cols))
	c.queue(s, (s.rows+s.chunk-1)/s.chunk)
}

func (s *store) run(_, i int) {
	narrow := s.c.tab.Narrow
	for r := i * s.chunk; r < min((i+1)*s.chunk, s.rows); r++ {
		slot, cell := &s.cache.slots[s.slots[r]], int(s.cells[r])*HeadSize
		for h := range s.cache.shape.Heads {
			at := s.cache.at(s.layer, h) + cell
			narrow(slot.k[at:][:HeadSize], s.k[r*s.ldk+h*HeadSize:][:HeadSize])
			narrow(slot.v[at:][:HeadSize], s.v[r*s.ldv+h*HeadSize:][:HeadSize])
		}
	}
}

// attend is attention of rows over a cache. Pairs are of a head and a group of rows, the groups of a head one behind the other, so that those of one
// slot find its keys in the cache. The cells of a pair are cut into parts, whose sums do not depend on each other. A task is one or more pairs, or
// parts of pairs where there are few of these for all threads.
type attend struct {
	c             *CPU
	dst, q        []float32
	ldd, ldq      int
	groups        []int // the rows that groups begin with, and behind them the number of rows
	cache         *cache
	layer, span   int
	slots, counts []int32
	cells         []int32
	part, parts   int            // cells of a part; parts of a pair, at most
	split         bool           // tasks are parts
	left          []atomic.Int32 // parts of a pair that are not done, where split
	units, chunk  int            // pairs or parts; a task's
}

const (
	// partCells is how many cells a part has in a step. It depends on nothing, as where sums begin anew decides upon their bits.
	partCells = 768

	// partialLen is how many numbers a partial result takes: a mix of values, the sum of its weights, and the score whose weight is 1.
	partialLen = HeadSize + 16
	partialSum = HeadSize
	partialMax = HeadSize + 1

	// A task sees as many cells as leave 8 tasks for each thread, but no fewer than minCells, about 1 µs, and no more than maxCells if it can.
	minCells, maxCells = 64, 512
)

// Attend implements Backend.
func (c *CPU) Attend(o Attend) {
	a := c.queued.attends.next(c)
	a.c, a.cache = c, o.Cache.(*cache)
	shape := a.cache.shape
	if width := shape.Heads * HeadSize; o.Q.Cols != width || o.Dst.Cols != width || o.Q.Rows != o.Dst.Rows || o.Layer >= shape.Layers {
		panic(fmt.Sprintf("ggml: attention: %d×%d = %d×%d over layer %d of %+v", o.Dst.Rows, o.Dst.Cols, o.Q.Rows, o.Q.Cols, o.Layer, shape))
	}
	rows := o.Q.Rows
	a.layer, a.span = o.Layer, o.Span
	a.dst, a.ldd, a.q, a.ldq = o.Dst.slice(), o.Dst.Stride, o.Q.slice(), o.Q.Stride
	a.slots, a.counts, a.cells = o.Slots.(ints)[:rows], o.Counts.(ints)[:rows], nil
	if o.Cells != nil {
		a.cells = o.Cells.(ints)
	}
	most := 1
	a.groups = a.groups[:0]
	for r := range rows {
		a.checkRow(r)
		most = max(most, int(a.counts[r]))
		if r == 0 || !a.joins(r) {
			a.groups = append(a.groups, r)
		}
	}
	a.groups = append(a.groups, rows)
	pairs, threads := shape.Heads*(len(a.groups)-1), c.pool.Threads()
	a.part = partCells
	if o.Regime == Window {
		a.part = most // there are rows enough for all threads
	}
	a.parts = (most + a.part - 1) / a.part
	a.units = pairs
	results := threads
	if a.split = a.parts > 1 && pairs < 4*threads; a.split {
		a.units, results = pairs*a.parts, pairs
		grow(&a.left, pairs)
		for i := range pairs {
			a.left[i].Store(int32(a.parts))
		}
	}
	grow(&c.partials, results*a.partials())
	for i := range c.scratch {
		grow(&c.scratch[i].line, kernel.MaxQueries*most)
		grow(&c.scratch[i].query, kernel.MaxQueries*HeadSize)
	}
	perTask := min(max(pairs*most/(8*threads), minCells), maxCells)
	tasks := max(1, min((pairs*most+perTask-1)/perTask, a.units))
	a.chunk = (a.units + tasks - 1) / tasks
	c.queue(a, (a.units+a.chunk-1)/a.chunk)
}

// partials is how many numbers the partial results of a pair take.
func (a *attend) partials() int { return a.parts * kernel.MaxQueries * partialLen }

// joins reports whether row r sees what the rows of the last group see, and there is room for it.
func (a *attend) joins(r int) bool {
	first := a.groups[len(a.groups)-1]
	return a.c.tab.ScoresRows != nil && a.cells == nil && r-first < kernel.MaxQueries && a.slots[r] == a.slots[first] && a.counts[r] == a.counts[first]
}

// checkRow panics where row r would see what does not exist, but for the cells of a list: at these the kernels look.
func (a *attend) checkRow(r int) {
	n, limit := int(a.counts[r]), a.cache.shape.Cells
	if n < 0 || n > limit && a.cells == nil {
		panic(fmt.Sprintf("ggml: attention: %d cells of %d", n, limit))
	}
	if n > 0 && a.cache.slots[a.slots[r]].k == nil {
		panic(fmt.Sprintf("ggml: attention: nothing was stored in slot %d", a.slots[r]))
	}
}

// seen returns the cells that row r sees, or nil where they are the first ones.
func (a *attend) seen(r int) []int32 {
	if a.cells == nil {
		return nil
	}
	return a.cells[r*a.span:][:a.counts[r]]
}

func (a *attend) run(worker, i int) {
	s := &a.c.scratch[worker]
	groups := len(a.groups) - 1
	for u := i * a.chunk; u < min((i+1)*a.chunk, a.units); u++ {
		pair, from, to, result := u, 0, a.parts, worker
		if a.split {
			pair, from = u/a.parts, u%a.parts
			to, result = from+1, pair
		}
		partials := a.c.partials[result*a.partials():]
		h, first := pair/groups, a.groups[pair%groups:]
		r, rows := first[0], first[1]-first[0]
		a.mix(s, partials, h, r, rows, from, to)
		if !a.split || a.left[pair].Add(-1) == 0 {
			a.merge(partials, h, r, rows)
		}
	}
}

// mix computes parts [from, to) of one head of rows r, r+1, … of a group.
func (a *attend) mix(s *scratch, partials []float32, h, r, rows, from, to int) {
	t := a.c.tab
	from *= a.part
	n := min(to*a.part, int(a.counts[r])) - from
	if n <= 0 {
		return
	}
	slot, at := &a.cache.slots[a.slots[r]], a.cache.at(a.layer, h)
	keys, values, cells := slot.k[at:][:a.cache.shape.Cells*HeadSize], slot.v[at:][:a.cache.shape.Cells*HeadSize], a.seen(r)
	// ahead leaves out the first n cells that are seen.
	ahead := func(n int) {
		if cells != nil {
			cells = cells[n:]
		} else {
			keys, values = keys[n*HeadSize:], values[n*HeadSize:]
		}
	}
	ahead(from)
	q, scores := s.query, s.line
	for j := range rows {
		copy(q[j*HeadSize:], a.q[(r+j)*a.ldq+h*HeadSize:][:HeadSize])
	}
	t.Scale(q[:rows*HeadSize], scoreScale)
	if rows == 1 {
		t.Scores(scores, q, keys, cells, n)
	} else {
		t.ScoresRows(scores, n, q, keys, n)
	}
	for done := 0; done < n; done += a.part {
		part, partial := min(a.part, n-done), partials[(from+done)/a.part*kernel.MaxQueries*partialLen:]
		for j := range rows {
			line := scores[j*n+done:][:part]
			most := t.Max(line)
			partial[j*partialLen+partialSum], partial[j*partialLen+partialMax] = t.Exp2Sum(line, most), most
		}
		mixed, stride := partial, partialLen
		if a.parts == 1 {
			mixed, stride = a.dst[r*a.ldd+h*HeadSize:], a.ldd
		}
		if rows == 1 {
			t.Mix(mixed, scores[done:], values, cells, part)
		} else {
			t.MixRows(mixed, stride, scores[done:], n, values, rows, part)
		}
		ahead(part)
	}
}

// merge makes the result of one head of rows r, r+1, … of a group out of those of its parts. The only part of all rows is in its place already.
func (a *attend) merge(partials []float32, h, r, rows int) {
	t, parts := a.c.tab, (int(a.counts[r])+a.part-1)/a.part
	for j := range rows {
		out := a.dst[(r+j)*a.ldd+h*HeadSize:][:HeadSize]
		if parts == 0 {
			clear(out)
			continue
		}
		partial := func(p int) []float32 { return partials[(p*kernel.MaxQueries+j)*partialLen:] }
		most, sum := negInf, float32(0)
		for p := range parts {
			most = max(most, partial(p)[partialMax])
		}
		for p := range parts {
			x := partial(p)
			if x[partialMax] < most {
				weight := float32(math.Exp2(float64(x[partialMax] - most)))
				t.Scale(x[:HeadSize], weight)
				x[partialSum] *= weight
			}
			sum += x[partialSum]
			if a.parts == 1 {
				break
			}
			if p == 0 {
				copy(out, x)
			} else {
				t.Add(out, x[:HeadSize])
			}
		}
		t.Scale(out, 1/sum)
	}
}
