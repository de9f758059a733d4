package synth

import (
	"io"

	"github.com/whisperfile/whisperfile/ggml"
)

// Write writes the model file. It panics where the width is no multiple of the type's block.
func Write(w io.Writer, o Options) error {
	h := o.header()
	out := ggml.NewWriter(w, h, filters(h.Mels), vocab(h))
	var x []float32
	var stored []byte
	for _, p := range parts(h) {
		t := ggml.Tensor{Name: p.name, Dims: p.dims, Type: o.storage(p)}
		x, stored = resize(x, t.Len()), resize(stored, t.Type.Bytes(t.Len()))
		newSource(o.Seed, p.name).fill(x, float32(p.mean), float32(p.std))
		ggml.Quantize(t.Type, stored, x)
		t.Data = stored
		if err := out.WriteTensor(t); err != nil {
			return err
		}
	}
	return out.Flush()
}

// header is Header with the file type: the formats of quantised files are in their second version.
func (o Options) header() ggml.Header {
	h := o.Header
	h.FType = int(o.Type.FType())
	if o.Type.Quantized() {
		h.FType += 2000
	}
	return h
}

// storage is what a tensor is stored as: only matrices take the model's type.
func (o Options) storage(p part) ggml.Type {
	switch {
	case ggml.Tensor{Name: p.name, Dims: p.dims}.Matrix():
		return o.Type
	case len(p.dims) == 3 && o.Type != ggml.F32:
		return ggml.F16
	}
	return ggml.F32
}

func resize[E any](s []E, n int) []E {
	if cap(s) < n {
		return make([]E, n)
	}
	return s[:n]
}
