package ggml

import "fmt"

// convolution is what a window needs to know where its rows are not those of X: row t of the operand is rows t·stride−1,
// t·stride and t·stride+1 of X with the gaps between them, and in the edges, where one of them is missing, a copy.
type convolution struct {
	channels    int // 0: none
	ldx         int // from one row of X to the next
	stride      int
	first, last []float32 // the operands of the first row and of the last; last is nil where no row is missing there
	add         *weight
}

// depth is the length of an operand.
func (e *convolution) depth() int { return 2*e.ldx + e.channels }

// Conv implements Backend.
func (c *CPU) Conv(v Conv) {
	w := v.W.(*weight)
	frames, channels := v.X.Rows, v.X.Cols
	if w.cols != 3*channels || w.inner != 3 || v.Dst.Cols != w.rows || v.X.Stride < channels ||
		v.Stride < 1 || frames < 1 || v.Dst.Rows != (frames-1)/v.Stride+1 {
		panic(fmt.Sprintf("ggml: conv: %d×%d = %d×%d (stride %d) by %d×%d at every %d", v.Dst.Rows, v.Dst.Cols,
			frames, channels, v.X.Stride, w.rows, w.cols, v.Stride))
	}
	c.flush() // the rows at the edges are copied here
	x := v.X.slice()
	g := &c.window
	g.dst, g.ldd, g.rows = v.Dst.slice(), v.Dst.Stride, v.Dst.Rows
	g.x, g.ldx = x, 0
	g.w, g.epilogue = w, epilogue{bias: vector(v.Bias, w.rows), gelu: true}

	e := &g.conv
	g.p = nil
	*e = convolution{channels: channels, ldx: v.X.Stride, stride: v.Stride}
	depth := e.depth()
	grow(&c.edges, 2*depth)
	clear(c.edges)
	e.first = c.edges[:depth]
	copy(e.first[e.ldx:], x)
	if t := (v.Dst.Rows - 1) * v.Stride; t > 0 && t+1 == frames {
		e.last = c.edges[depth:][:depth]
		copy(e.last, x[(t-1)*e.ldx:])
	}
	if v.Add != nil {
		e.add = v.Add.(*weight)
		if e.add.cols != w.rows || e.add.rows < v.Dst.Rows {
			panic(fmt.Sprintf("ggml: conv: %d×%d added to %d×%d", e.add.rows, e.add.cols, v.Dst.Rows, w.rows))
		}
	}
	g.multiply()
}

// tileOf returns the operand of row r and of as many of the following ones, up to rows, as lie at equal distances.
func (g *window) tileOf(r, rows int) (x []float32, ldx, n int) {
	e := &g.conv
	switch {
	case r == 0:
		return e.first, 0, 1
	case e.last != nil && r == g.rows-1:
		return e.last, 0, 1
	case e.last != nil:
		rows = min(rows, g.rows-1-r)
	}
	return g.x[(r*e.stride-1)*e.ldx:], e.stride * e.ldx, rows
}

// widenConv puts numbers from k on of row i of the weight, in the order of an operand, into line. Those of the gaps are zero.
func (g *window) widenConv(line, stored []float32, i, k int) {
	g.c.widenRow(g.w, stored, i, 0)
	e := &g.conv
	for len(line) > 0 {
		position, c := k/e.ldx, k%e.ldx
		n := min(e.ldx-c, len(line))
		there := min(max(e.channels-c, 0), n)
		for j := range line[:there] {
			line[j] = stored[3*(c+j)+position]
		}
		clear(line[there:n])
		line, k = line[n:], k+n
	}
}

// addRows adds columns [from, to) of the weight Add to rows r, r+1, … of the destination.
func (g *window) addRows(s *scratch, r, rows, from, to int) {
	block := g.conv.add.typ.Block()
	lo, hi := from-from%block, roundUp(to, block)
	for i := range rows {
		g.c.widenRow(g.conv.add, s.line[:hi-lo], r+i, lo)
		g.c.tab.Add(g.dst[(r+i)*g.ldd+from:][:to-from], s.line[from-lo:][:to-from])
	}
}
