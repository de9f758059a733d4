package ggml

import (
	"context"
	"errors"
	"fmt"

	"github.com/whisperfile/whisperfile/ggml/internal/kernel"
	"github.com/whisperfile/whisperfile/ggml/internal/view"
)

// CPUOptions say how a CPU computes. The zero value works.
type CPUOptions struct {
	// ISA is the rung of instruction sets to use, such as "avx2" or "generic"; "" is the one that the environment
	// variable WHISPER_ISA names, else the best that this CPU has.
	ISA string

	// Precision says how weights of quantised types are multiplied: "" with activations rounded to whole numbers, of 16 bits
	// in steps, of 8 bits in each 32 (Q8_0: more) in windows; "float" as float32, like all other types. Types and rungs
	// without such products use float32 anyway.
	Precision string
}

// PrecisionFloat is the CPUOptions.Precision that rounds no activations.
const PrecisionFloat = "float"

// CPU is the Backend that every machine has. Failures of its operations are bugs of the caller, which panic when the
// operation is queued or done; Err, which is always nil, waits for all of them. Weights are read where they lie.
//
// Nothing is allocated by an operation once the largest shapes have been seen. A result has the same bits on any number
// of threads.
type CPU struct {
	pool    *Pool
	tab     *kernel.Table
	float   bool      // PrecisionFloat
	scratch []scratch // one a worker

	queued queue

	// Arguments of the operations that are done when they return, kept here so that a job is a pointer to what exists.
	window    window
	panelling panelling
	rounder   rounder
	packing   packing
	self      selfAttend
	picking   picking
	ranking   ranking

	panels   []float32 // a window's weight as the tiles want it, or a piece of it; the keys and values of SelfAttend: one place, so that more of the caches is left
	packed   []byte    // the same in whole numbers
	rounded  []byte    // rows of a window or columns of a step in integers
	padded   []float32 // columns of a step whose length is no multiple of the kernels' block
	edges    []float32 // operands of a convolution's first and last row
	logits   []float32
	partials []float32 // results of attention over parts of the cells: of each pair where tasks are parts, else of each worker
}

// scratch is what a worker computes in. Its slices grow before a job, never within.
type scratch struct {
	rows  []byte    // weights as float32 before they are packed, or multiplied
	tile  []float32 // results before they are added to what is there
	line  []float32 // scores; logits
	query []float32

	rounded    []byte // columns of a step in integers
	_          [64]byte
	roundedFor uint64 // id of that step; on a line of its own, since the slices are read by all and this is written
	_          [64]byte
}

// NewCPU returns a backend that computes on p, which the caller keeps and closes after it. The error names a rung that this
// CPU does not have, or a precision that does not exist.
func NewCPU(p *Pool, o CPUOptions) (*CPU, error) {
	tab, err := kernel.Choose(o.ISA)
	if err != nil {
		return nil, err
	}
	if o.Precision != "" && o.Precision != PrecisionFloat {
		return nil, fmt.Errorf("precision %q: there is %q, or none for the default", o.Precision, PrecisionFloat)
	}
	c := newCPU(p, tab)
	c.float = o.Precision == PrecisionFloat
	return c, nil
}

func newCPU(p *Pool, tab *kernel.Table) *CPU {
	c := &CPU{pool: p, tab: tab, scratch: make([]scratch, p.Threads())}
	c.window.c, c.panelling.c, c.rounder.c, c.packing.c, c.self.c, c.picking.c, c.ranking.c = c, c, c, c, c, c, c
	return c
}

// Device returns the rung and the number of threads: "CPU avx2, 2 threads".
func (c *CPU) Device() string {
	if n := c.pool.Threads(); n > 1 {
		return fmt.Sprintf("CPU %s, %d threads", c.tab.Name, n)
	}
	return fmt.Sprintf("CPU %s, 1 thread", c.tab.Name)
}

// Err does what is queued and returns nil.
func (c *CPU) Err() error {
	c.flush()
	return nil
}

// Close lets go of the scratch memory.
func (c *CPU) Close() error {
	*c = CPU{pool: c.pool, tab: c.tab, float: c.float}
	return nil
}

// floats and ints are Buffers.
type (
	floats []float32
	ints   []int32
)

func (f floats) Len() int { return len(f) }
func (i ints) Len() int   { return len(i) }

// errNegative is a size no memory can have.
var errNegative = errors.New("negative size")

// Floats reserves n zeroed numbers.
func (c *CPU) Floats(n int) (Buffer, error) {
	if n < 0 {
		return nil, errNegative
	}
	return floats(view.F32(zeroed(4 * n))), nil
}

// Ints reserves n zeroed integers.
func (c *CPU) Ints(n int) (Buffer, error) {
	if n < 0 {
		return nil, errNegative
	}
	return make(ints, n), nil
}

// Write copies src into dst from element off on.
func (c *CPU) Write(dst Buffer, off int, src []float32) {
	c.flush()
	copy(dst.(floats)[off:][:len(src)], src)
}

// WriteInts copies src into dst from element off on.
func (c *CPU) WriteInts(dst Buffer, off int, src []int32) {
	c.flush()
	copy(dst.(ints)[off:][:len(src)], src)
}

// Read copies from src, starting at element off, into dst. The error is that of ctx.
func (c *CPU) Read(ctx context.Context, dst []float32, src Buffer, off int) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	c.flush()
	copy(dst, src.(floats)[off:][:len(dst)])
	return nil
}

// slice returns the elements of m from its first to its last.
func (m Mat) slice() []float32 {
	f := m.Buf.(floats)
	if m.Rows == 0 {
		return nil
	}
	return f[m.Off:][:(m.Rows-1)*m.Stride+m.Cols]
}

// weight is a tensor as the CPU uses it: the bytes of the caller, or the numbers of a vector.
type weight struct {
	typ        Type
	data       []byte
	rows, cols int
	stride     int       // bytes of a row
	inner      int       // fastest dimension
	vec        []float32 // all numbers, where cols or rows is 1
}

func (w *weight) Rows() int { return w.rows }
func (w *weight) Cols() int { return w.cols }

// Weight takes in t. Vectors are small and lie at any address, so they are copied; all else stays where it is.
func (c *CPU) Weight(t Tensor) (Weight, error) {
	n := len(t.Dims)
	switch {
	case !t.Type.Valid():
		return nil, fmt.Errorf("tensor %s: %v: %w", t.Name, t.Type, ErrUnsupported)
	case n < 1 || n > 3:
		return nil, fmt.Errorf("tensor %s: %d dimensions: %w", t.Name, n, ErrUnsupported)
	}
	w := &weight{typ: t.Type, rows: 1, inner: t.Dims[0]}
	if n > 1 {
		w.rows = t.Dims[n-1]
	}
	if w.rows < 1 || t.Len() < 1 {
		return nil, fmt.Errorf("tensor %s: dimensions %v: %w", t.Name, t.Dims, ErrFormat)
	}
	w.cols = t.Len() / w.rows
	w.stride = t.Type.Bytes(w.cols)
	if w.inner%t.Type.Block() != 0 {
		return nil, fmt.Errorf("tensor %s: a row of %d in %v: %w", t.Name, w.inner, t.Type, ErrFormat)
	}
	if len(t.Data) < w.rows*w.stride {
		return nil, fmt.Errorf("tensor %s: %w", t.Name, ErrTruncated)
	}
	w.data = t.Data[:w.rows*w.stride]
	if w.cols == 1 || w.rows == 1 {
		w.vec = make([]float32, w.rows*w.cols)
		c.widen(w.typ, w.vec, w.data)
	}
	return w, nil
}

// widen turns stored numbers into float32.
func (c *CPU) widen(t Type, dst []float32, src []byte) {
	if f := c.tab.Widen[t]; f != nil {
		f(dst, src)
		return
	}
	Dequantize(t, dst, src)
}

// widenRow puts numbers [from, from+len(dst)) of row i into dst; both ends are block borders.
func (c *CPU) widenRow(w *weight, dst []float32, i, from int) {
	c.widen(w.typ, dst, w.data[i*w.stride+w.typ.Bytes(from):][:w.typ.Bytes(len(dst))])
}

// vector returns the numbers of a vector of n, or nil where there is none.
func vector(w Weight, n int) []float32 {
	if w == nil {
		return nil
	}
	v := w.(*weight).vec
	if len(v) != n {
		panic(fmt.Sprintf("ggml: a vector of %d numbers where %d are needed", len(v), n))
	}
	return v
}

// grow makes *s at least n long. What it held is lost.
func grow[S ~[]E, E any](s *S, n int) {
	if len(*s) >= n {
		return
	}
	switch s := any(s).(type) {
	case *[]float32:
		*s = view.F32(zeroed(4 * n))
	case *[]byte:
		*s = zeroed(n)
	case *S:
		*s = make(S, n)
	}
}

// growRows makes the widened rows of s hold n numbers.
func (s *scratch) growRows(n int) { grow(&s.rows, 4*n) }

// floats returns the widened rows as numbers.
func (s *scratch) floats() []float32 { return view.F32(s.rows) }

func roundUp(n, m int) int { return (n + m - 1) / m * m }
