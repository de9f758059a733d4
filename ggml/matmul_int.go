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
	g.c.pool.run(r, (r.rows+r.chunk-1)/r.chunk)
}

func (r *rounder) run(_, i int) {
	size := r.p.RowBytes(r.cols)
	for n := i * r.chunk; n < min((i+1)*r.chunk, r.rows); n++ {
		r.p.Encode(r.c.rounded[n*size:][:size], r.x[n*r.ldx:][:r.cols])
	}
}

// packInt makes panel i of those packed out of the rows of the weight from row on.
func (g *window) packInt(s *scratch, i, row int) {
	size, w := g.p.PanelBytes(g.w.cols), g.w
	g.p.Pack(s.packed[i*size:][:size], w.data[row*w.stride:], w.stride, w.cols, min(g.c.tab.NR, w.rows-row))
}
