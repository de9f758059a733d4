package ggml

import (
	"fmt"

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

// attend is attention of rows over a cache. A task is one or more pairs of a head and a group of rows, the groups of a head one behind
// the other, so that those of one slot find its keys in the cache.
type attend struct {
	c             *CPU
	dst, q        []float32
	ldd, ldq      int
	groups        []int // the rows that groups begin with, and behind them the number of rows
	cache         *cache
	layer, span   int
	slots, counts []int32
	cells         []int32
	chunk         int
}

// chunkCells is how many cells a task sees at least: about 5 µs where they come from memory.
const chunkCells = 256

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
	for i := range c.scratch {
		grow(&c.scratch[i].line, kernel.MaxQueries*most)
		grow(&c.scratch[i].query, kernel.MaxQueries*HeadSize)
	}
	pairs := shape.Heads * (len(a.groups) - 1)
	tasks := max(1, min((pairs*most+chunkCells-1)/chunkCells, pairs))
	a.chunk = (pairs + tasks - 1) / tasks
	c.queue(a, (pairs+a.chunk-1)/a.chunk)
}

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
	for p := i * a.chunk; p < min((i+1)*a.chunk, a.cache.shape.Heads*groups); p++ {
		h, first := p/groups, a.groups[p%groups:]
		a.group(s, h, first[0], first[1]-first[0])
	}
}

// group computes one head of rows r, r+1, … of a group.
func (a *attend) group(s *scratch, h, r, rows int) {
	t, n := a.c.tab, int(a.counts[r])
	out := a.dst[r*a.ldd+h*HeadSize:]
	if n == 0 {
		for j := range rows {
			clear(out[j*a.ldd:][:HeadSize])
		}
		return
	}
	slot, at := &a.cache.slots[a.slots[r]], a.cache.at(a.layer, h)
	end := at + a.cache.shape.Cells*HeadSize
	q, scores, cells := s.query, s.line, a.seen(r)
	for j := range rows {
		copy(q[j*HeadSize:], a.q[(r+j)*a.ldq+h*HeadSize:][:HeadSize])
	}
	t.Scale(q[:rows*HeadSize], scoreScale)
	if rows == 1 {
		t.Scores(scores, q, slot.k[at:end], cells, n)
	} else {
		t.ScoresRows(scores, n, q, slot.k[at:end], n)
	}
	var sums [kernel.MaxQueries]float32
	for j := range rows {
		line := scores[j*n:][:n]
		sums[j] = t.Exp2Sum(line, t.Max(line))
	}
	if rows == 1 {
		t.Mix(out, scores, slot.v[at:end], cells, n)
	} else {
		t.MixRows(out, a.ldd, scores, n, slot.v[at:end], rows, n)
	}
	for j := range rows {
		t.Scale(out[j*a.ldd:][:HeadSize], 1/sums[j])
	}
}
