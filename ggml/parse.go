package ggml

import (
	"encoding/binary"
	"fmt"
	"math"
)

// Parse reads a model file that lies in memory. The File's Vocab and Tensors are views of data. Errors are as those of
// Open, without a path.
func Parse(data []byte) (*File, error) {
	r := &parser{data: data}
	f := &File{}
	r.header(&f.Header)
	r.filters(&f.Filters, f.Mels)
	r.vocab(f)
	r.tensors(f)
	if r.err != nil {
		return nil, r.err
	}
	return f, nil
}

// parser walks over a file and remembers the first thing that is wrong. From then on all its numbers are 0.
type parser struct {
	data []byte
	off  int
	err  error
}

// fail records what is wrong with the field at off.
func (r *parser) fail(off int, field string, err error) {
	if r.err == nil {
		r.err = &FormatError{Offset: int64(off), Field: field, Err: err}
	}
}

// take returns the next n bytes, or nil.
func (r *parser) take(n int, field string) []byte {
	if r.err != nil {
		return nil
	}
	if left := len(r.data) - r.off; n > left {
		r.fail(r.off, field, fmt.Errorf("%d bytes where %d are needed: %w", left, n, ErrTruncated))
		return nil
	}
	b := r.data[r.off : r.off+n : r.off+n]
	r.off += n
	return b
}

// int returns the next 32 bits as a signed number.
func (r *parser) int(field string) int {
	b := r.take(4, field)
	if b == nil {
		return 0
	}
	return int(int32(binary.LittleEndian.Uint32(b)))
}

// count is int for a number that must lie within lo…hi.
func (r *parser) count(field string, lo, hi int) int {
	off := r.off
	n := r.int(field)
	if r.err == nil && (n < lo || n > hi) {
		r.fail(off, field, fmt.Errorf("%d is not within %d…%d: %w", n, lo, hi, ErrFormat))
		return 0
	}
	return n
}

func (r *parser) header(h *Header) {
	if m := r.int("magic"); r.err == nil && uint32(m) != magic {
		r.fail(0, "magic", fmt.Errorf("%#08x instead of %#08x: %w", uint32(m), uint32(magic), ErrFormat))
	}
	start := r.off
	fields := h.fields()
	for _, f := range fields {
		*f.value = r.int(f.name)
	}
	if r.err != nil {
		return
	}
	if name, err := h.Check(); err != nil {
		for i, f := range fields {
			if f.name == name {
				r.fail(start+4*i, name, err)
			}
		}
	}
}

func (r *parser) filters(m *MelFilters, mels int) {
	m.Bands = r.count("mel filter bands", mels, mels)
	m.Bins = r.count("mel filter bins", melBins, melBins)
	b := r.take(4*m.Bands*m.Bins, "mel filters")
	m.Coef = make([]float32, len(b)/4)
	dequantizeF32(m.Coef, b)
}

func (r *parser) vocab(f *File) {
	n := r.count("number of tokens", 0, f.Header.Vocab)
	if r.err == nil && n > (len(r.data)-r.off)/4 {
		r.fail(r.off, "tokens", fmt.Errorf("%d bytes for %d tokens: %w", len(r.data)-r.off, n, ErrTruncated))
	}
	if r.err != nil {
		return
	}
	f.Vocab = make([][]byte, n)
	left := r.data[r.off:]
	for i := range f.Vocab {
		if len(left) >= 4 {
			if n := binary.LittleEndian.Uint32(left); n <= maxToken && int(n) <= len(left)-4 {
				f.Vocab[i], left = left[4:4+n:4+n], left[4+n:]
				continue
			}
		}
		r.off = len(r.data) - len(left)
		r.take(r.count("length of a token", 0, maxToken), "text of a token") // says what is wrong
		return
	}
	r.off = len(r.data) - len(left)
}

func (r *parser) tensors(f *File) {
	if r.err != nil {
		return
	}
	want := f.Header.Tensors()
	f.Tensors = make([]Tensor, 0, want)
	names := make(map[string]bool, want)
	for i := range want {
		start := r.off
		if start == len(r.data) {
			r.fail(start, "tensors", fmt.Errorf("%d of %d are there: %w", i, want, ErrTruncated))
			return
		}
		t := r.tensor()
		switch {
		case r.err != nil:
			return
		case names[t.Name]:
			r.fail(start, t.Name, fmt.Errorf("the tensor is there twice: %w", ErrFormat))
		case !f.allows(t):
			r.fail(start, t.Name, fmt.Errorf("%v numbers in a file of %v matrices: %w", t.Type, f.Type(), ErrUnsupported))
		}
		names[t.Name] = true
		f.Tensors = append(f.Tensors, t)
	}
	if r.off < len(r.data) {
		r.fail(r.off, "end", fmt.Errorf("%d bytes behind the last tensor: %w", len(r.data)-r.off, ErrFormat))
	}
}

// tensor reads a record.
func (r *parser) tensor() Tensor {
	start := r.off
	dims := r.count("number of dimensions", 0, maxDims)
	name := r.count("length of a tensor's name", 1, maxName)
	typ := Type(r.int("type of a tensor"))
	if r.err == nil && !typ.Valid() {
		r.fail(start+8, "type of a tensor", fmt.Errorf("%v: %w", typ, ErrUnsupported))
	}
	if r.err != nil {
		return Tensor{}
	}
	t := Tensor{Type: typ, Dims: make([]int, dims)}
	// No type stores more than 256 numbers in 84 bytes, so that more than 4 a byte cannot be there; and their bytes must be
	// countable in an int.
	limit := min(4*int64(len(r.data)), math.MaxInt/4)
	n := 1
	for i := range t.Dims {
		off := r.off
		d := r.count("dimension of a tensor", 1, math.MaxInt32)
		if r.err != nil {
			return Tensor{}
		}
		if int64(n) > limit/int64(d) {
			r.fail(off, "dimension of a tensor", fmt.Errorf("%d times %d numbers in a file of %d bytes: %w", n, d, len(r.data), ErrTruncated))
			return Tensor{}
		}
		t.Dims[i], n = d, n*d
	}
	t.Name = string(r.take(name, "name of a tensor"))
	if r.err == nil && t.Cols()%typ.Block() != 0 {
		r.fail(start, t.Name, fmt.Errorf("rows of %d numbers, which is no multiple of the %d in a block of %v: %w", t.Cols(), typ.Block(), typ, ErrFormat))
	}
	if r.err != nil {
		return Tensor{}
	}
	t.Data = r.take(typ.Bytes(n), t.Name)
	return t
}
