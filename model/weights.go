package model

import (
	"fmt"
	"slices"

	"github.com/whisperfile/whisperfile/ggml"
)

// weights are a model's tensors as the backend holds them.
type weights struct {
	conv1, conv2 affine
	audioPos     ggml.Weight // [audio ctx][state]
	encoder      []block
	encoderNorm  affine

	tokens      ggml.Weight // [vocabulary][state]
	textPos     ggml.Weight // [text ctx][state]
	decoder     []block
	decoderNorm affine
}

// affine is a weight with its bias: a linear layer, a convolution or a layer norm.
type affine struct{ w, b ggml.Weight }

// block is a transformer layer; cross and crossNorm are the decoder's alone.
type block struct {
	norm      affine
	attn      attention
	crossNorm affine
	cross     attention
	mlpNorm   affine
	up, down  affine
}

// attention has no bias for its keys: a constant there changes no softmax.
type attention struct {
	q, k, v, out affine
}

// loader takes tensors from a file by name, and remembers the first that is not as the header demands.
type loader struct {
	f   *ggml.File
	b   ggml.Backend
	err error
}

// load takes in all tensors of a file. Their names and shapes follow from the header.
func load(f *ggml.File, b ggml.Backend) (*weights, error) {
	h := f.Header
	if err := supported(h); err != nil {
		return nil, err
	}
	l := &loader{f: f, b: b}
	w := &weights{
		conv1:       l.conv("encoder.conv1", h.Mels, h.AudioState),
		conv2:       l.conv("encoder.conv2", h.AudioState, h.AudioState),
		audioPos:    l.tensor("encoder.positional_embedding", h.AudioState, h.AudioCtx),
		encoderNorm: l.norm("encoder.ln_post", h.AudioState),
		tokens:      l.tensor("decoder.token_embedding.weight", h.TextState, h.Vocab),
		textPos:     l.tensor("decoder.positional_embedding", h.TextState, h.TextCtx),
		decoderNorm: l.norm("decoder.ln", h.TextState),
	}
	for i := range h.AudioLayers {
		w.encoder = append(w.encoder, l.block(fmt.Sprintf("encoder.blocks.%d.", i), h.AudioState, false))
	}
	for i := range h.TextLayers {
		w.decoder = append(w.decoder, l.block(fmt.Sprintf("decoder.blocks.%d.", i), h.TextState, true))
	}
	return w, l.err
}

// supported refuses headers that are sound but of no Whisper model: the ids of special tokens follow from the size of the
// vocabulary, and a window is always 30 s.
func supported(h ggml.Header) error {
	for _, f := range []struct {
		name string
		bad  bool
		n    int
	}{
		{"n_vocab", h.Vocab < 51864 || h.Vocab > 51866, h.Vocab},
		{"n_audio_ctx", h.AudioCtx != windowFrames/2, h.AudioCtx},
		{"n_text_ctx", h.TextCtx < minTextCtx, h.TextCtx},
		{"n_text_state", h.TextState != h.AudioState, h.TextState},
	} {
		if f.bad {
			return &ggml.FormatError{Field: f.name, Err: fmt.Errorf("%d is not a Whisper model's: %w", f.n, ggml.ErrUnsupported)}
		}
	}
	return nil
}

// minTextCtx leaves room for a prompt of the task's tokens and a few more behind it.
const minTextCtx = 32

// tensor takes in the tensor of that name and shape (ggml's order, fastest first).
func (l *loader) tensor(name string, dims ...int) ggml.Weight {
	if l.err != nil {
		return nil
	}
	t, ok := l.f.Tensor(name)
	if !ok {
		l.err = &ggml.FormatError{Field: name, Err: fmt.Errorf("the tensor is missing: %w", ggml.ErrFormat)}
		return nil
	}
	if !slices.Equal(t.Dims, dims) {
		l.err = &ggml.FormatError{Field: name, Err: fmt.Errorf("shape %v where the header demands %v: %w", t.Dims, dims, ggml.ErrFormat)}
		return nil
	}
	w, err := l.b.Weight(t)
	if err != nil {
		l.err = fmt.Errorf("%s: %w", name, err)
	}
	return w
}

func (l *loader) linear(name string, in, out int) affine {
	return affine{l.tensor(name+".weight", in, out), l.tensor(name+".bias", out)}
}

func (l *loader) norm(name string, n int) affine {
	return affine{l.tensor(name+".weight", n), l.tensor(name+".bias", n)}
}

func (l *loader) conv(name string, in, out int) affine {
	return affine{l.tensor(name+".weight", 3, in, out), l.tensor(name+".bias", 1, out)}
}

func (l *loader) attention(name string, n int) attention {
	return attention{
		q:   l.linear(name+".query", n, n),
		k:   affine{w: l.tensor(name+".key.weight", n, n)},
		v:   l.linear(name+".value", n, n),
		out: l.linear(name+".out", n, n),
	}
}

func (l *loader) block(name string, n int, cross bool) block {
	b := block{
		norm:    l.norm(name+"attn_ln", n),
		attn:    l.attention(name+"attn", n),
		mlpNorm: l.norm(name+"mlp_ln", n),
		up:      l.linear(name+"mlp.0", n, 4*n),
		down:    l.linear(name+"mlp.2", 4*n, n),
	}
	if cross {
		b.crossNorm = l.norm(name+"cross_attn_ln", n)
		b.cross = l.attention(name+"cross_attn", n)
	}
	return b
}
