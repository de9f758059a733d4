package ggml

import "fmt"

// norm is layer norm by rows. A task is a chunk of them.
type norm struct {
	c        *CPU
	dst, x   []float32
	ldd, ldx int
	add      []float32 // nil: nothing
	lda      int
	rows     int
	w, b     []float32
	chunk    int
}

// chunkNumbers is about how many numbers a task of little work for each takes: 2 to 10 µs.
const chunkNumbers = 16 << 10

// Norm implements Backend.
func (c *CPU) Norm(o Norm) {
	if o.X.Rows != o.Dst.Rows || o.X.Cols != o.Dst.Cols {
		panic(fmt.Sprintf("ggml: norm: %d×%d of %d×%d", o.Dst.Rows, o.Dst.Cols, o.X.Rows, o.X.Cols))
	}
	n := c.queued.norms.next(c)
	n.c, n.dst, n.ldd, n.x, n.ldx, n.rows = c, o.Dst.slice(), o.Dst.Stride, o.X.slice(), o.X.Stride, o.X.Rows
	n.add, n.lda = nil, o.Add.Stride
	if o.Add.Buf != nil {
		if o.Add.Rows != o.X.Rows || o.Add.Cols != o.X.Cols {
			panic(fmt.Sprintf("ggml: norm: %d×%d added to %d×%d", o.Add.Rows, o.Add.Cols, o.X.Rows, o.X.Cols))
		}
		n.add = o.Add.slice()
	}
	n.w, n.b = vector(o.W, o.X.Cols), vector(o.B, o.X.Cols)
	n.chunk = max(1, chunkNumbers/len(n.w))
	c.queue(n, (n.rows+n.chunk-1)/n.chunk)
}

func (n *norm) run(_, i int) {
	t, cols := n.c.tab, len(n.w)
	for r := i * n.chunk; r < min((i+1)*n.chunk, n.rows); r++ {
		x := n.x[r*n.ldx:][:cols]
		if n.add != nil {
			t.Add(x, n.add[r*n.lda:][:cols])
		}
		t.Norm(n.dst[r*n.ldd:][:cols], x, n.w, n.b)
	}
}
