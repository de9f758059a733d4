package ggml

import (
	"fmt"
	"math"
)

// queryScale goes into the queries, so that the softmax is a power of two: 1/√64 · log₂e.
const queryScale = math.Log2E / 8

// selfAttend is attention in two passes: the scores of a tile of queries with all keys, their softmax, and their product
// with all values, none of which leaves the caches. A task is a tile of queries of one head.
type selfAttend struct {
	c            *CPU
	dst, q, k, v Mat
	heads        int
	keyPanels    int // panels of NR keys, [64][NR] each
	valuePanels  int // panels of NR columns of the values, [keys][NR] each
	tiles        int
}

// packing is what comes before selfAttend: a task packs the keys or the values of a head.
type packing struct{ c *CPU }

// SelfAttend implements Backend.
func (c *CPU) SelfAttend(o SelfAttend) {
	width := o.Heads * HeadSize
	if o.Q.Cols != width || o.K.Cols != width || o.V.Cols != width || o.Dst.Cols != width ||
		o.Dst.Rows != o.Q.Rows || o.K.Rows != o.V.Rows || o.K.Rows == 0 {
		panic(fmt.Sprintf("ggml: self-attention of %d heads: %d×%d = %d×%d, %d×%d, %d×%d", o.Heads, o.Dst.Rows, o.Dst.Cols,
			o.Q.Rows, o.Q.Cols, o.K.Rows, o.K.Cols, o.V.Rows, o.V.Cols))
	}
	t, a := c.tab, &c.self
	a.dst, a.q, a.k, a.v, a.heads = o.Dst, o.Q, o.K, o.V, o.Heads
	a.keyPanels = roundUp(o.K.Rows, t.NR) / t.NR
	a.valuePanels = roundUp(HeadSize, t.NR) / t.NR
	a.tiles = roundUp(o.Q.Rows, t.MR) / t.MR
	grow(&c.heads, a.heads*(a.keysLen()+a.valuesLen()))
	for i := range c.scratch {
		s := &c.scratch[i]
		grow(&s.query, t.MR*HeadSize)
		grow(&s.line, t.MR*a.keyPanels*t.NR)
		grow(&s.tile, max(t.MR*a.valuePanels*t.NR, t.NR*HeadSize))
	}
	c.pool.run(&c.packing, 2*a.heads)
	c.pool.run(a, a.heads*a.tiles)
}

func (a *selfAttend) keysLen() int   { return a.keyPanels * a.c.tab.NR * HeadSize }
func (a *selfAttend) valuesLen() int { return a.valuePanels * a.c.tab.NR * a.k.Rows }

// packed returns the packed keys and values of head h.
func (a *selfAttend) packed(h int) (keys, values []float32) {
	n := a.keysLen()
	both := a.c.heads[h*(n+a.valuesLen()):]
	return both[:n], both[n:][:a.valuesLen()]
}

func (p *packing) run(worker, i int) {
	a, h := &p.c.self, i/2
	keys, values := a.packed(h)
	if i%2 == 0 {
		a.packKeys(keys, h, p.c.scratch[worker].tile)
	} else {
		a.packValues(values, h)
	}
}

func (a *selfAttend) packKeys(dst []float32, h int, last []float32) {
	t, k := a.c.tab, a.k.slice()
	for p := range a.keyPanels {
		first := p * t.NR
		src, stride := k[first*a.k.Stride+h*HeadSize:], a.k.Stride
		if n := a.k.Rows - first; n < t.NR {
			clear(last[n*HeadSize : t.NR*HeadSize])
			for j := range n {
				copy(last[j*HeadSize:][:HeadSize], src[j*stride:])
			}
			src, stride = last, HeadSize
		}
		t.Pack(dst[first*HeadSize:], src, stride, HeadSize)
	}
}

func (a *selfAttend) packValues(dst []float32, h int) {
	nr, v := a.c.tab.NR, a.v.slice()
	for p := range a.valuePanels {
		n := min(nr, HeadSize-p*nr)
		for key := range a.v.Rows {
			line := dst[(p*a.v.Rows+key)*nr:][:nr]
			clear(line[copy(line, v[key*a.v.Stride+h*HeadSize+p*nr:][:n]):])
		}
	}
}

func (a *selfAttend) run(worker, i int) {
	t, s := a.c.tab, &a.c.scratch[worker]
	h, r := i/a.tiles, i%a.tiles*t.MR
	rows, keys := min(t.MR, a.q.Rows-r), a.k.Rows
	packedKeys, packedValues := a.packed(h)

	q := a.q.slice()[r*a.q.Stride+h*HeadSize:]
	for j := range rows {
		line := s.query[j*HeadSize:][:HeadSize]
		copy(line, q[j*a.q.Stride:])
		t.Scale(line, queryScale)
	}
	ld := a.keyPanels * t.NR
	t.Tile(s.line, ld, s.query, HeadSize, packedKeys, HeadSize, rows, a.keyPanels, nil, 0)

	// The scores behind the last key are of no key: the sums end before them.
	var sums [maxTile]float32
	for j := range rows {
		line := s.line[j*ld:][:keys]
		sums[j] = t.Exp2Sum(line, t.Max(line))
	}
	width := a.valuePanels * t.NR
	t.Tile(s.tile, width, s.line, ld, packedValues, keys, rows, a.valuePanels, nil, 0)

	dst := a.dst.slice()[r*a.dst.Stride+h*HeadSize:]
	for j := range rows {
		line := dst[j*a.dst.Stride:][:HeadSize]
		copy(line, s.tile[j*width:])
		t.Scale(line, 1/sums[j])
	}
}

// maxTile is the largest MR.
const maxTile = 32
