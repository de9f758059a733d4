package ggml

import (
	"fmt"

	"github.com/klauspost/cpuid/v2"

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
	w := l.weight()
	if l.X.Rows == 0 {
		return
	}
	var p *kernel.Product
	if !c.float {
		p = c.tab.Products[w.typ]
	}
	if l.Regime == Step || l.X.Rows < narrowest(w, p) {
		c.multiplyStep(l)
		return
	}
	g := &c.window
	g.dst, g.ldd, g.rows = l.Dst.slice(), l.Dst.Stride, l.Dst.Rows
	g.x, g.ldx = l.X.slice(), l.X.Stride
	g.w, g.epilogue, g.conv, g.p = w, l.epilogue(), convolution{}, p
	g.multiply()
}

// weight returns l's, whose sizes must agree with those of the matrices.
func (l Linear) weight() *weight {
	w := l.W.(*weight)
	if l.X.Cols != w.cols || l.Dst.Cols != w.rows || l.X.Rows != l.Dst.Rows {
		panic(fmt.Sprintf("ggml: linear: %d×%d = %d×%d times %d×%d", l.Dst.Rows, l.Dst.Cols, l.X.Rows, l.X.Cols, w.rows, w.cols))
	}
	return w
}

func (l Linear) epilogue() epilogue {
	return epilogue{bias: vector(l.Bias, l.Dst.Cols), gelu: l.GELU}
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

// window is the product of many rows with a weight, Dst = X·Wᵀ. First a piece of the weight is packed, a panel a task. Then a task is a
// group of panels times a span of rows times the whole depth: the panels stay in the second cache while a tile of X after another passes by,
// and a result is written once.
type window struct {
	c        *CPU
	dst, x   []float32
	ldd, ldx int
	rows     int
	w        *weight
	epilogue
	conv convolution
	p    *kernel.Product // nil: as float32

	mr            int // rows of a tile
	panel         int // floats or bytes of a panel
	first, panels int // those packed
	group         int // panels a task
	span          int // rows a task, a multiple of the tile's
	spans         int // tasks a group
}

// panelling packs the panels of a window.
type panelling struct{ c *CPU }

// maxBlock is the largest block of a type.
const maxBlock = 256

const (
	// packDepth is how much of NR rows is widened before it is transposed, so that both stay in the first cache. It is a
	// multiple of every type's block.
	packDepth = 2 * maxBlock

	// maxPacked bounds what is packed at once, in bytes. That much is reserved from the start: growing would leave memory behind that was touched.
	maxPacked = 8 << 20

	// A tile of X, which comes from the third cache or further, is multiplied with all panels of a group, as many as half the second cache holds, but no
	// fewer than minGroup, which is about what it takes to fetch the next tile meanwhile, and no more than maxGroup.
	minGroup, maxGroup = 4, 8

	// maxSpan is the largest number of tiles in a task: about 60 µs of products in float32, half of which is what threads wait for each other at
	// the end. threadTasks is how many tasks a thread should get where there is enough to share out.
	maxSpan     = 8
	threadTasks = 4
)

// secondCache is the size of a core's second cache in bytes, or a small one where it is not known.
var secondCache = max(cpuid.CPU.Cache.L2, 256<<10)

func (g *window) multiply() {
	t, c := g.c.tab, g.c
	g.mr = t.MR
	bytes := 4 * g.depth() * t.NR // of a panel
	if g.p != nil {
		g.mr, bytes = g.p.MR, g.p.PanelBytes(g.depth())
		g.round()
	}
	all := roundUp(g.w.rows, t.NR) / t.NR
	g.share(all, min(max(secondCache/2/bytes, minGroup), maxGroup), c.pool.Threads())
	piece := min(max(maxPacked/bytes/g.group, 1)*g.group, all)
	if g.panel = bytes; g.p != nil {
		grow(&c.packed, max(piece*g.panel, maxPacked))
	} else {
		g.panel /= 4
		grow(&c.panels, max(piece*g.panel, maxPacked/4))
	}
	for i := range c.scratch {
		s := &c.scratch[i]
		if g.p == nil {
			s.growRows(t.NR*(min(g.depth(), packDepth)+rowPad) + g.w.cols) // a convolution's row as it is stored lies behind
		}
		grow(&s.tile, g.mr*t.NR)
		grow(&s.line, g.group*t.NR+2*maxBlock)
	}
	for g.first = 0; g.first < all; g.first += piece {
		g.panels = min(piece, all-g.first)
		c.queue(&c.panelling, g.panels)
		c.queue(g, roundUp(g.panels, g.group)/g.group*g.spans)
		c.flush()
	}
}

// share cuts the product with that many panels into tasks of up to group panels.
func (g *window) share(panels, group, threads int) {
	tiles, tasks := (g.rows+g.mr-1)/g.mr, threadTasks*threads
	for group > 1 && (panels+group-1)/group*tiles < tasks {
		group = (group + 1) / 2
	}
	groups := (panels + group - 1) / group
	g.group = (panels + groups - 1) / groups
	span := min(max(groups*tiles/tasks, 1), maxSpan)
	g.spans = (tiles + span - 1) / span
	g.span = (tiles + g.spans - 1) / g.spans * g.mr
}

// depth is the length of a row of X and of a packed weight.
func (g *window) depth() int {
	if g.conv.channels > 0 {
		return g.conv.depth()
	}
	return g.w.cols
}

// rowPad keeps the widened rows of a panel apart, so that they do not all fall on the same lines of the first cache.
const rowPad = 16

func (p *panelling) run(worker, i int) {
	g := &p.c.window
	if g.p != nil {
		g.packInt(i)
		return
	}
	g.pack(&p.c.scratch[worker], i)
}

func (g *window) run(worker, i int) {
	t, s := g.c.tab, &g.c.scratch[worker]
	panel := i / g.spans * g.group
	from, to := panel*t.NR, min((g.first+min(panel+g.group, g.panels))*t.NR, g.w.rows)-g.first*t.NR
	r := i % g.spans * g.span
	end := min(r+g.span, g.rows)
	for r < end {
		x, ldx, rows := g.x[r*g.ldx:], g.ldx, min(g.mr, end-r)
		if g.conv.channels > 0 {
			x, ldx, rows = g.tileOf(r, rows)
		}
		g.tile(s, r, rows, x, ldx, from, to)
		if g.conv.add != nil {
			g.addRows(s, r, rows, g.first*t.NR+from, g.first*t.NR+to)
		}
		r += rows
	}
}

// pack widens and transposes the weight's rows of panel i of those packed; rows behind the last are zero.
func (g *window) pack(s *scratch, i int) {
	nr, wide, panel := g.c.tab.NR, s.floats(), g.c.panels[i*g.panel:][:g.panel]
	if row := (g.first + i) * nr; g.w.typ == F16 && g.c.tab.PackF16 != nil && g.conv.channels == 0 && row+nr <= g.w.rows {
		g.c.tab.PackF16(panel, g.w.data[row*g.w.stride:], g.w.stride, g.w.cols)
		return
	}
	for k, depth := 0, g.depth(); k < depth; k += packDepth {
		kn := min(packDepth, depth-k)
		stride := kn + rowPad
		for j := range nr {
			line, row := wide[j*stride:][:kn], (g.first+i)*nr+j
			switch {
			case row >= g.w.rows:
				clear(line)
			case g.conv.channels > 0:
				g.widenConv(line, wide[nr*stride:][:g.w.cols], row, k)
			default:
				g.c.widenRow(g.w, line, row, k)
			}
		}
		g.c.tab.Pack(panel[k*nr:], wide, stride, kn)
	}
}

// tile computes columns [from, to) of the piece in rows r, r+1, … of the destination, whose operands start at x.
func (g *window) tile(s *scratch, r, rows int, x []float32, ldx int, from, to int) {
	t := g.c.tab
	column := g.first*t.NR + from
	dst := g.dst[r*g.ldd+column:]
	var bias []float32
	if g.bias != nil {
		bias = g.bias[column:][:to-from]
	}
	n := to - from
	direct := n - n%t.NR // columns that a tile may write in place
	if direct > 0 {
		g.products(dst, g.ldd, r, x, ldx, rows, from, direct, bias)
		if g.gelu {
			for i := range rows {
				t.GELU(dst[i*g.ldd:][:direct])
			}
		}
	}
	if direct < n {
		if bias != nil { // the last panel's missing columns are read
			copy(s.line, bias[direct:])
			bias = s.line[:t.NR]
		}
		g.products(s.tile, t.NR, r, x, ldx, rows, from+direct, t.NR, bias)
		for i := range rows {
			line := s.tile[i*t.NR:][:n-direct]
			if g.gelu {
				t.GELU(line)
			}
			copy(dst[i*g.ldd+direct:], line)
		}
	}
}

// products is Table.Tile, or that of whole numbers, of rows r, r+1, … with n columns of the piece, whole panels, from column from on.
func (g *window) products(c []float32, ldc, r int, x []float32, ldx, rows, from, n int, bias []float32) {
	nr := g.c.tab.NR
	at, panels := from/nr*g.panel, n/nr
	if g.p == nil {
		g.c.tab.Tile(c, ldc, x, ldx, g.c.panels[at:], g.depth(), rows, panels, bias, g.mr)
		return
	}
	line := g.p.RowBytes(g.w.cols)
	g.p.Tile(c, ldc, g.c.rounded[r*line:], line, g.c.packed[at:], g.w.cols, rows, panels, bias, g.mr)
}
