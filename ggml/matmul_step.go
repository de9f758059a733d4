package ggml

import "github.com/whisperfile/whisperfile/ggml/internal/kernel"

// step is the product of a few rows with a weight as dots: every row of the weight is read once for all rows of X, whose
// results do not depend on each other. A task is a chunk of the weight's rows.
type step struct {
	c        *CPU
	dst, x   []float32
	ldd, ldx int
	rows     int
	depth    int // length of a dot: the weight's columns, rounded up
	w        *weight
	epilogue
	chunk int // rows of the weight a task
	group int // rows of the weight widened at once

	integers bool
	column   int // bytes of a column in integers
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

// steps are products of the same columns with up to three weights of one shape and type. A task is one of a step.
type steps struct {
	parts [3]step
	tasks int // of each part
}

func (s *steps) run(worker, i int) { s.parts[i/s.tasks].run(worker, i%s.tasks) }

// Linears implements Backend.
func (c *CPU) Linears(l []Linear) {
	if alike(l) {
		c.multiplyStep(l...)
		return
	}
	for _, one := range l {
		c.Linear(one)
	}
}

// multiplyStep computes products that are alike, or a single one, as steps.
func (c *CPU) multiplyStep(l ...Linear) {
	w := l[0].weight()
	c.prepareStep(l[0].X, w, len(l))
	for i, one := range l {
		s := &c.steps.parts[i]
		*s = c.step
		s.w, s.epilogue = one.weight(), one.epilogue()
		s.dst, s.ldd = one.Dst.slice(), one.Dst.Stride
	}
	c.steps.tasks = (w.rows + c.step.chunk - 1) / c.step.chunk
	c.pool.run(&c.steps, len(l)*c.steps.tasks)
}

// alike reports whether l are steps of one X with weights that go through the same hands.
func alike(l []Linear) bool {
	if len(l) < 2 || len(l) > len(steps{}.parts) || l[0].X.Rows == 0 {
		return false
	}
	first, x := l[0].W.(*weight), l[0].X
	for _, one := range l {
		same := one.X.Rows == x.Rows && one.X.Stride == x.Stride && &one.X.slice()[0] == &x.slice()[0]
		if w := one.W.(*weight); one.Regime != Step || !same || w.typ != first.typ || w.rows != first.rows || w.cols != first.cols {
			return false
		}
	}
	return true
}

// prepareStep readies c.step, but for where its results go, and the columns: those of x, for as many weights like w.
func (c *CPU) prepareStep(x Mat, w *weight, weights int) {
	s := &c.step
	s.x, s.ldx, s.rows, s.w = x.slice(), x.Stride, x.Rows, w
	s.depth = roundUp(w.cols, dotBlock)
	if s.depth > w.cols {
		grow(&c.padded, s.rows*s.depth)
		for r := range s.rows {
			line := c.padded[r*s.depth:][:s.depth]
			clear(line[copy(line, s.x[r*s.ldx:][:w.cols]):])
		}
		s.x, s.ldx = c.padded, s.depth
	}
	if s.integers = c.integers(w); s.integers {
		s.column = roundUp(kernel.QuantizedBytes(w.cols), 64)
		grow(&c.rounded, s.rows*s.column)
		c.round.all()
	}
	s.chunk = stepChunk(weights*w.rows, s.depth, s.rows, c.pool.Threads())
	s.group = min(s.chunk, max(4, wideBytes/(4*s.depth)))
	for i := range c.scratch {
		sc := &c.scratch[i]
		if !dotted(s.w) && !s.integers {
			sc.growRows(s.group * s.depth)
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

// round turns the columns of a step into integers. A task is a column.
type round struct{ s *step }

// roundAlone is how many numbers are rounded in less time than it takes to share them out.
const roundAlone = 4096

func (q *round) all() {
	if s := q.s; s.rows*s.depth > roundAlone {
		s.c.pool.run(q, s.rows)
		return
	}
	for r := range q.s.rows {
		q.run(0, r)
	}
}

func (q *round) run(worker, r int) {
	s := q.s
	t := s.c.tab
	t.Quantize(s.c.rounded[r*s.column:][:s.column], s.x[r*s.ldx:][:s.depth], t.Split[s.w.typ])
}

func (s *step) run(worker, i int) {
	t, sc := s.c.tab, &s.c.scratch[worker]
	first := i * s.chunk
	n := min(s.chunk, s.w.rows-first)
	y := s.dst[first:]
	s.dots(sc, y, s.ldd, first, n)
	for c := range s.rows {
		line := y[c*s.ldd:][:n]
		if s.bias != nil {
			t.Add(line, s.bias[first:][:n])
		}
		if s.gelu {
			t.GELU(line)
		}
	}
}

// dots multiplies n rows of the weight from first on with all columns.
func (s *step) dots(sc *scratch, y []float32, ldy, first, n int) {
	if s.integers {
		w := s.w.data[first*s.w.stride:]
		for c := 0; c < s.rows; c += maxColumns {
			s.c.tab.DotInt[s.w.typ](y[c*ldy:], ldy, w, s.w.stride, s.c.rounded[c*s.column:], s.column, n, min(maxColumns, s.rows-c), s.depth)
		}
		return
	}
	if dotted(s.w) {
		dot := s.c.tab.DotF32
		if s.w.typ == F16 {
			dot = s.c.tab.DotF16
		}
		s.columns(dot, y, ldy, s.w.data[first*s.w.stride:], s.w.stride, n)
		return
	}
	wide := sc.floats()
	for r := 0; r < n; r += s.group {
		g := min(s.group, n-r)
		for j := range g {
			line := wide[j*s.depth:][:s.depth]
			clear(line[s.w.cols:])
			s.c.widenRow(s.w, line[:s.w.cols], first+r+j, 0)
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
