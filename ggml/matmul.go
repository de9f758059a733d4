package ggml

import (
	"fmt"

	"github.com/whisperfile/whisperfile/ggml/internal/kernel"
)

// Windows of fewer rows are multiplied like a step: packing a weight costs as much as 15 rows of products, and the dots
// need no packing. Where they must widen the weight first they are worth it up to narrowWide rows, and where whole numbers
// are packed as they are, which takes less than one tile of products, up to fewer yet.
const (
	narrow     = 64
	narrowWide = 32
	narrowByte = 6
	narrowWord = 20
)

// Linear implements Backend.
func (c *CPU) Linear(l Linear) {
	w := l.W.(*weight)
	if l.X.Cols != w.cols || l.Dst.Cols != w.rows || l.X.Rows != l.Dst.Rows {
		panic(fmt.Sprintf("ggml: linear: %d×%d = %d×%d times %d×%d", l.Dst.Rows, l.Dst.Cols, l.X.Rows, l.X.Cols, w.rows, w.cols))
	}
	if l.X.Rows == 0 {
		return
	}
	after := epilogue{bias: vector(l.Bias, w.rows), gelu: l.GELU}
	var p *kernel.Product
	if !c.float {
		p = c.tab.Products[w.typ]
	}
	if l.Regime == Step || l.X.Rows < narrowest(w, p) {
		c.multiplyStep(l.Dst.slice(), l.Dst.Stride, l.X.slice(), l.X.Stride, l.X.Rows, w, after)
		return
	}
	g := &c.window
	g.dst, g.ldd, g.rows = l.Dst.slice(), l.Dst.Stride, l.Dst.Rows
	g.x, g.ldx = l.X.slice(), l.X.Stride
	g.w, g.epilogue, g.conv, g.p = w, after, convolution{}, p
	g.multiply()
}

// narrowest returns how many rows a window needs so that packing w is worth it.
func narrowest(w *weight, p *kernel.Product) int {
	switch {
	case p != nil && w.typ == Q8_0:
		return narrowWord
	case p != nil:
		return narrowByte
	case dotted(w):
		return narrow
	}
	return narrowWide
}

// epilogue is what happens to a sum of products: bias, then GELU.
type epilogue struct {
	bias []float32 // nil: none
	gelu bool
}

// window is the product of many rows with a weight, Dst = X·Wᵀ. A task is a group of panels, packed by the worker that
// takes it, times a span of rows times the whole depth: each weight is packed once, a tile of X stays in the first cache
// while the panels pass by, and a result is written once.
type window struct {
	c        *CPU
	dst, x   []float32
	ldd, ldx int
	rows     int
	w        *weight
	epilogue
	conv convolution
	p    *kernel.Product // nil: as float32

	mr    int // rows of a tile
	group int // panels a task
	span  int // rows a task, a multiple of the tile's
	spans int // tasks a group
}

// maxBlock is the largest block of a type.
const maxBlock = 256

// packDepth is how much of NR rows is widened before it is transposed, so that both stay in the first cache. It is a
// multiple of every type's block.
const packDepth = 2 * maxBlock

// maxGroup is the largest number of panels a task has. More than 4 gain nothing, fewer read X more often.
const maxGroup = 4

func (g *window) multiply() {
	t := g.c.tab
	g.mr = t.MR
	if g.p != nil {
		g.mr = g.p.MR
		g.round()
	}
	panels, tiles := roundUp(g.w.rows, t.NR)/t.NR, roundUp(g.rows, g.mr)/g.mr
	group, spans := split(panels, tiles, g.c.pool.Threads())
	g.group = group
	g.span = roundUp(tiles, spans) / spans * g.mr
	g.spans = roundUp(g.rows, g.span) / g.span
	depth := min(g.w.cols, packDepth)
	if g.conv.channels > 0 {
		depth = g.w.cols + g.w.cols/t.NR + 1 // NR rows in the order of the file's, and one as it is stored
	}
	for i := range g.c.scratch {
		s := &g.c.scratch[i]
		if g.p != nil {
			grow(&s.packed, group*g.p.PanelBytes(g.w.cols))
		} else {
			grow(&s.panels, group*g.w.cols*t.NR)
			s.growRows(t.NR * (depth + rowPad))
		}
		grow(&s.tile, g.mr*t.NR)
		grow(&s.line, group*t.NR+2*maxBlock)
	}
	g.c.pool.run(g, roundUp(panels, group)/group*g.spans)
}

// split divides a product into groups of panels and spans of rows so that the last round of tasks keeps all threads busy.
// Packing a panel costs as much as 2.5 tiles; X is fetched once for each group.
func split(panels, tiles, threads int) (group, spans int) {
	best := 0.0
	for _, g := range [...]int{maxGroup, 2, 1} {
		for s := 1; s <= min(tiles, 4*threads); s++ {
			tasks := (panels + g - 1) / g * s
			task := float64(g) * (float64((tiles+s-1)/s) + 2.5) * (1 + 0.1/float64(g*g))
			// The eighth of a task is for the threads that end late.
			cost := (float64((tasks+threads-1)/threads) + 0.125) * task
			if best == 0 || cost < best {
				best, group, spans = cost, g, s
			}
			if threads == 1 {
				break
			}
		}
	}
	return group, spans
}

// rowPad keeps the widened rows of a panel apart, so that they do not all fall on the same lines of the first cache.
const rowPad = 16

func (g *window) run(worker, i int) {
	t, s := g.c.tab, &g.c.scratch[worker]
	n := g.w.rows
	first := i / g.spans * g.group
	last := min(first+g.group, roundUp(n, t.NR)/t.NR)
	for p := first; p < last; p++ {
		if g.p != nil {
			g.packInt(s, p-first, p*t.NR)
			continue
		}
		panel := s.panels[(p-first)*g.w.cols*t.NR:][:g.w.cols*t.NR]
		if g.conv.channels > 0 {
			g.packConv(s, panel, p*t.NR)
		} else {
			g.pack(s, panel, p*t.NR)
		}
	}
	from, to := first*t.NR, min(last*t.NR, n)
	r, end := i%g.spans*g.span, min((i%g.spans+1)*g.span, g.rows)
	for r < end {
		x, ldx, rows := g.x[r*g.ldx:], g.ldx, min(g.mr, end-r)
		if g.conv.channels > 0 {
			x, ldx, rows = g.tileOf(r, rows)
		}
		g.tile(s, r, rows, x, ldx, from, to)
		if g.conv.add != nil {
			g.addRows(s, r, rows, from, to)
		}
		r += rows
	}
}

// pack widens and transposes NR rows of the weight from row on; rows behind the last are zero.
func (g *window) pack(s *scratch, panel []float32, row int) {
	nr := g.c.tab.NR
	wide := s.floats()
	for k := 0; k < g.w.cols; k += packDepth {
		kn := min(packDepth, g.w.cols-k)
		stride := kn + rowPad
		for j := range nr {
			if row+j < g.w.rows {
				g.c.widenRow(g.w, wide[j*stride:][:kn], row+j, k)
			} else {
				clear(wide[j*stride:][:kn])
			}
		}
		g.c.tab.Pack(panel[k*nr:], wide, stride, kn)
	}
}

// tile computes columns [from, to) of rows r, r+1, … of the destination, whose operands start at x.
func (g *window) tile(s *scratch, r, rows int, x []float32, ldx int, from, to int) {
	t := g.c.tab
	var bias []float32
	direct := to - from // columns that a tile may write in place
	direct -= direct % t.NR
	if direct > 0 {
		if g.bias != nil {
			bias = g.bias[from:][:direct]
		}
		dst := g.dst[r*g.ldd+from:]
		g.products(s, dst, g.ldd, r, x, ldx, rows, 0, direct/t.NR, bias)
		if g.gelu {
			for i := range rows {
				t.GELU(dst[i*g.ldd:][:direct])
			}
		}
	}
	if from += direct; from < to {
		n := to - from
		if g.bias != nil {
			bias = s.line[:t.NR] // the last panel's missing columns are read
			copy(bias, g.bias[from:to])
		}
		g.products(s, s.tile, t.NR, r, x, ldx, rows, direct/t.NR, 1, bias)
		for i := range rows {
			line := s.tile[i*t.NR:][:n]
			if g.gelu {
				t.GELU(line)
			}
			copy(g.dst[(r+i)*g.ldd+from:], line)
		}
	}
}

// products is Table.Tile, or that of whole numbers, of rows r, r+1, … with panels first, first+1, … of those packed.
func (g *window) products(s *scratch, c []float32, ldc, r int, x []float32, ldx, rows, first, panels int, bias []float32) {
	k := g.w.cols
	if g.p == nil {
		g.c.tab.Tile(c, ldc, x, ldx, s.panels[first*k*g.c.tab.NR:], k, rows, panels, bias, 0)
		return
	}
	ld := g.p.RowBytes(k)
	g.p.Tile(c, ldc, g.c.rounded[r*ld:], ld, s.packed[first*g.p.PanelBytes(k):], k, rows, panels, bias, 0)
}
