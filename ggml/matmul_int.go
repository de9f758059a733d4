package ggml

import "github.com/whisperfile/whisperfile/ggml/internal/kernel"

// rounder brings the rows of a window to whole numbers, once for a product. A task is a few of them.
type rounder struct {
	c     *CPU
	x     []float32
	ldx   int
	rows  int
	cols  int
	p     *kernel.Product
	chunk int // rows a task
}

// roundChunk is how many numbers a task rounds, in about 8 µs.
const roundChunk = 1 << 15

// round fills c.rounded with the rows of X.
func (g *window) round() {
	r := &g.c.rounder
	r.x, r.ldx, r.rows, r.cols, r.p = g.x, g.ldx, g.rows, g.w.cols, g.p
	r.chunk = max(1, roundChunk/r.cols)
	grow(&g.c.rounded, r.rows*r.p.RowBytes(r.cols))
	g.c.queue(r, (r.rows+r.chunk-1)/r.chunk)
}

func (r *rounder) run(_, i int) {
	size := r.p.RowBytes(r.cols)
	for n := i * r.chunk; n < min((i+1)*r.chunk, r.rows); n++ {
		r.p.Encode(r.c.rounded[n*size:][:size], r.x[n*r.ldx:][:r.cols])
	}
}

// packInt packs the weight's rows of panel i of those packed.
func (g *window) packInt(i int) {
	nr, w := g.c.tab.NR, g.w
	row := (g.first + i) * nr
	g.p.Pack(g.c.packed[i*g.panel:][:g.panel], w.data[row*w.stride:], w.stride, w.cols, min(nr, w.rows-row))
}
