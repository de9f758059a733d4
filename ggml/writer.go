package ggml

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
)

// Writer writes a model file, from front to back. What Parse would refuse is an error here. The first error sticks: it is
// returned from then on, and nothing more is written.
type Writer struct {
	w      *bufio.Writer
	header Header
	names  map[string]bool
	err    error
}

// NewWriter writes all that stands before the tensors. Errors are returned by the methods.
func NewWriter(w io.Writer, h Header, f MelFilters, vocab [][]byte) *Writer {
	z := &Writer{w: bufio.NewWriterSize(w, 1<<16), header: h, names: make(map[string]bool)}
	if field, err := h.Check(); err != nil {
		z.fail(field, err)
	}
	if f.Bands != h.Mels || f.Bins != melBins || len(f.Coef) != f.Bands*f.Bins {
		z.fail("mel filters", fmt.Errorf("%d bands of %d bins in %d numbers: %w", f.Bands, f.Bins, len(f.Coef), ErrFormat))
	}
	if len(vocab) > h.Vocab {
		z.fail("number of tokens", fmt.Errorf("%d for a vocabulary of %d: %w", len(vocab), h.Vocab, ErrFormat))
	}
	z.ints(magic)
	for _, field := range h.fields() {
		z.ints(*field.value)
	}
	z.ints(f.Bands, f.Bins)
	coef := make([]byte, 4*len(f.Coef))
	quantizeF32(coef, f.Coef)
	z.bytes(coef)
	z.ints(len(vocab))
	for i, text := range vocab {
		if len(text) > maxToken {
			z.fail(fmt.Sprintf("token %d", i), fmt.Errorf("%d bytes: %w", len(text), ErrFormat))
		}
		z.ints(len(text))
		z.bytes(text)
	}
	return z
}

// WriteTensor writes a record.
func (w *Writer) WriteTensor(t Tensor) error {
	switch {
	case w.err != nil:
		return w.err
	case len(w.names) == w.header.Tensors():
		w.fail(t.Name, fmt.Errorf("the model has only %d tensors: %w", len(w.names), ErrFormat))
	case w.names[t.Name]:
		w.fail(t.Name, fmt.Errorf("the tensor is there twice: %w", ErrFormat))
	case t.Name == "" || len(t.Name) > maxName || len(t.Dims) > maxDims || !t.Type.Valid() || !w.header.allows(t):
		w.fail(t.Name, fmt.Errorf("%v numbers in %d dimensions: %w", t.Type, len(t.Dims), ErrUnsupported))
	case t.Cols()%t.Type.Block() != 0 || t.Len() < 1 || len(t.Data) != t.Type.Bytes(t.Len()):
		w.fail(t.Name, fmt.Errorf("%v numbers of shape %v in %d bytes: %w", t.Type, t.Dims, len(t.Data), ErrFormat))
	}
	w.names[t.Name] = true
	w.ints(len(t.Dims), len(t.Name), int(t.Type))
	w.ints(t.Dims...)
	w.bytes([]byte(t.Name))
	w.bytes(t.Data)
	return w.err
}

// Flush hands over what is buffered. It must be called once after the last tensor; that one is missing is an error.
func (w *Writer) Flush() error {
	if have, want := len(w.names), w.header.Tensors(); have < want {
		w.fail("tensors", fmt.Errorf("%d of %d are there: %w", have, want, ErrTruncated))
	}
	if w.err == nil {
		w.err = w.w.Flush()
	}
	return w.err
}

func (w *Writer) fail(field string, err error) {
	if w.err == nil {
		w.err = fmt.Errorf("%s: %w", field, err)
	}
}

func (w *Writer) ints(values ...int) {
	for _, v := range values {
		w.bytes(binary.LittleEndian.AppendUint32(nil, uint32(v)))
	}
}

func (w *Writer) bytes(b []byte) {
	if w.err == nil {
		_, w.err = w.w.Write(b)
	}
}

// Write writes f as a whole, so that Parse gives it back.
func (f *File) Write(w io.Writer) error {
	z := NewWriter(w, f.Header, f.Filters, f.Vocab)
	for _, t := range f.Tensors {
		if err := z.WriteTensor(t); err != nil {
			return err
		}
	}
	return z.Flush()
}
