package ggml

import "github.com/whisperfile/whisperfile/ggml/internal/kernel"

// step is products of the same few rows with up to three weights of one shape and type as dots: every row of a weight is read once for all rows
// of X, whose results do not depend on each other. A task is a chunk of the rows of one weight.
type step struct {
	c       *CPU
	x       []float32
	ldx     int
	rows    int
	depth   int // length of a dot: a weight's columns, rounded up
	linears [3]linear
	n       int // products
	chunk   int // rows of a weight a task
	tasks   int // of a product
	group   int // rows of a weight widened at once

	stored   []float32 // X as it is, where x is padded
	ldStored int

	integers bool
	column   int    // bytes of a column in integers
	shared   bool   // the columns are rounded once for all workers, to CPU.rounded, else each does so for itself
	id       uint64 // tells what a worker has rounded from what it will
}

// linear is a weight, and where what it gives goes.
type linear struct {
	w   *weight
	dst Mat
	epilogue
}

const (
	// dotBlock is what the length of a dot must be a multiple of.
	dotBlock = 32

	// A chunk starts at a multiple of chunkUnit, so that which numbers fall into the same vector register does not depend
	// on the size of the chunks.
	chunkUnit = 16

	// maxColumns bounds the columns of one call: 16 rows of 5,120 times 64 columns take 100 µs.
	maxColumns = 64

	// wideBytes is how much of a stored weight is widened at once, to be multiplied from the first cache.
	wideBytes = 32 << 10
)

// multiplyStep queues a product as a step, where it can together with those before it.
func (c *CPU) multiplyStep(l Linear) {
	p := linear{w: l.weight(), dst: l.Dst, epilogue: l.epilogue()}
	if s := c.queued.open(l.X, p); s != nil {
		s.linears[s.n] = p
		s.n++
		s.cut()
		c.queued.stages[len(c.queued.stages)-1].chunks = s.n * s.tasks
		return
	}
	s := c.newStep(l.X, p)
	c.queue(s, s.tasks)
}

// open returns the step that was queued last, if p can be one of its products. x is what p's weight is multiplied with.
func (q *queue) open(x Mat, p linear) *step {
	if len(q.stages) == 0 {
		return nil
	}
	s, ok := q.stages[len(q.stages)-1].job.(*step)
	if !ok || s.n == len(s.linears) || x.Rows != s.rows || x.Stride != s.ldx || &x.slice()[0] != &s.x[0] {
		return nil
	}
	for _, other := range s.linears[:s.n] {
		if w := other.w; w.typ != p.w.typ || w.rows != p.w.rows || w.cols != p.w.cols || p.dst.overlaps(other.dst) {
			return nil
		}
	}
	return s
}

// newStep prepares the product of x and p.w, and queues the padding of its columns, and their rounding where they are many.
func (c *CPU) newStep(x Mat, p linear) *step {
	s := c.queued.steps.next(c)
	c.queued.ids++
	*s = step{c: c, x: x.slice(), ldx: x.Stride, rows: x.Rows, depth: roundUp(p.w.cols, dotBlock), n: 1, id: c.queued.ids}
	s.linears[0] = p
	if s.depth > p.w.cols {
		grow(&c.padded, s.rows*s.depth)
		s.stored, s.ldStored = s.x, s.ldx
		s.x, s.ldx = c.padded, s.depth
		c.queue((*padding)(s), s.rows)
	}
	if s.integers = c.integers(p.w); s.integers {
		s.column = roundUp(kernel.QuantizedBytes(p.w.cols), 64)
		if s.shared = s.rows*s.depth > roundAlone; s.shared {
			grow(&c.rounded, s.rows*s.column)
			c.queue((*rounding)(s), s.rows)
		} else {
			for i := range c.scratch {
				grow(&c.scratch[i].rounded, s.rows*s.column)
			}
		}
	}
	s.cut()
	return s
}

// cut divides the products into tasks.
func (s *step) cut() {
	w := s.linears[0].w
	s.chunk = stepChunk(s.n*w.rows, s.depth, s.rows, s.c.pool.Threads())
	s.tasks = (w.rows + s.chunk - 1) / s.chunk
	s.group = min(s.chunk, max(4, wideBytes/(4*s.depth)))
	if !s.integers && !dotted(w) {
		for i := range s.c.scratch {
			s.c.scratch[i].growRows(s.group * s.depth)
		}
	}
}

// stepChunk returns how many rows of a weight a task takes: few enough for about 8 tasks a thread and 25 µs a task, but
// not so few that taking a task costs more than doing it.
func stepChunk(n, depth, rows, threads int) int {
	perTask := min(n/(8*threads), (1<<20)/(depth*rows), (1<<16)/depth)
	return roundUp(max(perTask, 1), chunkUnit)
}

// dotted reports whether the dots read the stored weight itself.
func dotted(w *weight) bool {
	return w.cols%dotBlock == 0 && (w.typ == F16 || w.typ == F32)
}

// integers reports whether w is multiplied in integers.
func (c *CPU) integers(w *weight) bool { return !c.float && c.tab.DotInt[w.typ] != nil }

// padding fills the columns of a step up with zeros. A task is a column.
type padding step

func (p *padding) run(_, column int) {
	line := p.x[column*p.ldx:][:p.depth]
	clear(line[copy(line, p.stored[column*p.ldStored:][:p.linears[0].w.cols]):])
}

// rounding turns the columns of a step into integers, once for all workers. A task is a column.
type rounding step

// roundAlone is how many numbers are rounded in less time than it takes to wait until others have done it.
const roundAlone = 4096

func (r *rounding) run(_, column int) { (*step)(r).round(r.c.rounded, column) }

// round turns a column into integers.
func (s *step) round(dst []byte, column int) {
	t := s.c.tab
	t.Quantize(dst[column*s.column:][:s.column], s.x[column*s.ldx:][:s.depth], t.Split[s.linears[0].w.typ])
}

// rounded returns the columns in integers, one every s.column bytes.
func (s *step) rounded(sc *scratch) []byte {
	if s.shared {
		return s.c.rounded
	}
	if sc.roundedFor != s.id {
		for column := range s.rows {
			s.round(sc.rounded, column)
		}
		sc.roundedFor = s.id
	}
	return sc.rounded
}

func (s *step) run(worker, i int) {
	t, p, first := s.c.tab, &s.linears[i/s.tasks], i%s.tasks*s.chunk
	n := min(s.chunk, p.w.rows-first)
	y, ldy := p.dst.slice()[first:], p.dst.Stride
	s.dots(&s.c.scratch[worker], y, ldy, p.w, first, n)
	for r := range s.rows {
		line := y[r*ldy:][:n]
		if p.bias != nil {
			t.Add(line, p.bias[first:][:n])
		}
		if p.gelu {
			t.GELU(line)
		}
	}
}

// dots multiplies n rows of w, one of the weights, from first on with all columns.
func (s *step) dots(sc *scratch, y []float32, ldy int, w *weight, first, n int) {
	if s.integers {
		x, data := s.rounded(sc), w.data[first*w.stride:]
		for c := 0; c < s.rows; c += maxColumns {
			s.c.tab.DotInt[w.typ](y[c*ldy:], ldy, data, w.stride, x[c*s.column:], s.column, n, min(maxColumns, s.rows-c), s.depth)
		}
		return
	}
	if dotted(w) {
		dot := s.c.tab.DotF32
		if w.typ == F16 {
			dot = s.c.tab.DotF16
		}
		s.columns(dot, y, ldy, w.data[first*w.stride:], w.stride, n)
		return
	}
	wide := sc.floats()
	for r := 0; r < n; r += s.group {
		g := min(s.group, n-r)
		for j := range g {
			line := wide[j*s.depth:][:s.depth]
			clear(line[w.cols:])
			s.c.widenRow(w, line[:w.cols], first+r+j, 0)
		}
		s.columns(s.c.tab.DotF32, y[r:], ldy, sc.rows, 4*s.depth, g)
	}
}

// columns multiplies n rows at w, a row every stride bytes, with all columns.
func (s *step) columns(dot func(y []float32, ys int, w []byte, ws int, x []float32, xs, rows, cols, n int),
	y []float32, ldy int, w []byte, stride, n int) {
	for c := 0; c < s.rows; c += maxColumns {
		dot(y[c*ldy:], ldy, w, stride, s.x[c*s.ldx:], s.ldx, n, min(maxColumns, s.rows-c), s.depth)
	}
}
