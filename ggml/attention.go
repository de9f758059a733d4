package ggml

import (
	"fmt"
	"math"
)

// scoreScale goes into the keys here, and into the queries of Attend, so that the softmax is a power of two: 1/√64 · log₂e.
const scoreScale = math.Log2E / 8

// selfAttend is attention in two passes: the scores of a tile of queries with all keys, their softmax, and their product
// with all values, none of which leaves the caches. A task is a tile of queries of one head.
type selfAttend struct {
	c            *CPU
	dst, q, k, v Mat
	heads        int
	keyPanels    int // panels of NR keys, [64][NR] each
	tiles        int
}

// packing is what comes before selfAttend: a task packs NR keys and their values, for all heads.
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
	a.tiles = roundUp(o.Q.Rows, t.MR) / t.MR
	grow(&c.panels, a.heads*(a.keysLen()+a.valuesLen()))
	for i := range c.scratch {
		s := &c.scratch[i]
		grow(&s.line, t.MR*a.keyPanels*t.NR)
		grow(&s.tile, t.NR*HeadSize)
	}
	c.queue(&c.packing, a.keyPanels)
	c.queue(a, a.heads*a.tiles)
	c.flush()
}

func (a *selfAttend) keysLen() int   { return a.keyPanels * a.c.tab.NR * HeadSize }
func (a *selfAttend) valuesLen() int { return a.k.Rows * HeadSize }

// packed returns the packed keys and values of head h: [64][NR] a panel of keys, and [keys][NR] a panel of NR columns of values, which
// NR divides.
func (a *selfAttend) packed(h int) (keys, values []float32) {
	n := a.keysLen()
	both := a.c.panels[h*(n+a.valuesLen()):]
	return both[:n], both[n:][:a.valuesLen()]
}

func (p *packing) run(worker, i int) {
	a := &p.c.self
	nr := p.c.tab.NR
	first := i * nr
	n := min(nr, a.k.Rows-first)
	for h := range a.heads {
		keys, values := a.packed(h)
		a.packKeys(keys[first*HeadSize:][:nr*HeadSize], h, first, n, p.c.scratch[worker].tile)
		v := a.v.slice()[first*a.v.Stride+h*HeadSize:]
		for key := range n {
			for at := 0; at < HeadSize; at += nr {
				copy(values[at*a.v.Rows+(first+key)*nr:][:nr], v[key*a.v.Stride+at:])
			}
		}
	}
}

// packKeys packs a panel of n keys; columns behind the last are zero.
func (a *selfAttend) packKeys(panel []float32, h, first, n int, last []float32) {
	t := a.c.tab
	src, stride := a.k.slice()[first*a.k.Stride+h*HeadSize:], a.k.Stride
	if n < t.NR {
		clear(last[n*HeadSize : t.NR*HeadSize])
		for j := range n {
			copy(last[j*HeadSize:][:HeadSize], src[j*stride:])
		}
		src, stride = last, HeadSize
	}
	t.Pack(panel, src, stride, HeadSize)
	t.Scale(panel, scoreScale)
}

func (a *selfAttend) run(worker, i int) {
	t, s := a.c.tab, &a.c.scratch[worker]
	h, r := i/a.tiles, i%a.tiles*t.MR
	rows, keys := min(t.MR, a.q.Rows-r), a.k.Rows
	packedKeys, packedValues := a.packed(h)

	q := a.q.slice()[r*a.q.Stride+h*HeadSize:]
	ld := a.keyPanels * t.NR
	t.Tile(s.line, ld, q, a.q.Stride, packedKeys, HeadSize, rows, a.keyPanels, nil, t.MR)

	// The scores behind the last key are of no key: the sums end before them.
	var sums [maxTile]float32
	for j := range rows {
		line := s.line[j*ld:][:keys]
		sums[j] = t.Exp2Sum(line, t.Max(line))
	}
	dst := a.dst.slice()[r*a.dst.Stride+h*HeadSize:]
	t.Tile(dst, a.dst.Stride, s.line, ld, packedValues, keys, rows, HeadSize/t.NR, nil, 0)
	for j := range rows {
		t.Scale(dst[j*a.dst.Stride:][:HeadSize], 1/sums[j])
	}
}

// maxTile is the largest MR.
const maxTile = 32
