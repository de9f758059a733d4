package ggml

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/whisperfile/whisperfile/ggml/internal/mmap"
)

// magic opens a file: "ggml" as a number.
const magic = 0x67676d6c

// Limits of what a file may hold. The largest published model has 32 layers of 1280 and 51866 tokens.
const (
	maxVocab  = 1 << 20
	maxCtx    = 1 << 16
	maxState  = 1 << 13
	maxLayers = 1 << 7
	maxToken  = 1 << 12 // bytes of a token's text
	maxName   = 1 << 8  // bytes of a tensor's name
	maxDims   = 4
)

// melBins is the number of frequencies a mel filter weighs: those of a real Fourier transform of 400 samples.
const melBins = 201

// Header is a model's size, as the file states it.
type Header struct {
	Vocab       int // tokens
	AudioCtx    int // encoder positions, 1500 in every published model
	AudioState  int // width of the encoder, 64 for each head
	AudioHeads  int
	AudioLayers int
	TextCtx     int // decoder positions, 448 in every published model
	TextState   int // width of the decoder, that of the encoder
	TextHeads   int
	TextLayers  int
	Mels        int // mel bands: 80 or 128
	FType       int // what the matrices are stored as; see FileType
}

// fields lists the numbers of a header in their order, with the names they have in whisper.cpp.
func (h *Header) fields() [11]headerField {
	return [...]headerField{
		{"n_vocab", &h.Vocab, maxVocab},
		{"n_audio_ctx", &h.AudioCtx, maxCtx},
		{"n_audio_state", &h.AudioState, maxState},
		{"n_audio_head", &h.AudioHeads, maxState / HeadSize},
		{"n_audio_layer", &h.AudioLayers, maxLayers},
		{"n_text_ctx", &h.TextCtx, maxCtx},
		{"n_text_state", &h.TextState, maxState},
		{"n_text_head", &h.TextHeads, maxState / HeadSize},
		{"n_text_layer", &h.TextLayers, maxLayers},
		{"n_mels", &h.Mels, 128},
		{"ftype", &h.FType, math.MaxInt32},
	}
}

type headerField struct {
	name  string
	value *int
	max   int
}

// Check returns the first field that is out of range, by its name in whisper.cpp, and why: an error that wraps ErrFormat or
// ErrUnsupported.
func (h Header) Check() (field string, err error) {
	fields := h.fields()
	for _, f := range fields[:len(fields)-1] {
		if *f.value < 1 || *f.value > f.max {
			return f.name, fmt.Errorf("%d is not within 1…%d: %w", *f.value, f.max, ErrFormat)
		}
	}
	switch {
	case h.AudioState != h.AudioHeads*HeadSize:
		return "n_audio_head", fmt.Errorf("%d heads for a width of %d: %w", h.AudioHeads, h.AudioState, ErrFormat)
	case h.TextState != h.TextHeads*HeadSize:
		return "n_text_head", fmt.Errorf("%d heads for a width of %d: %w", h.TextHeads, h.TextState, ErrFormat)
	case h.TextState != h.AudioState:
		return "n_text_state", fmt.Errorf("%d, while the encoder has %d: %w", h.TextState, h.AudioState, ErrFormat)
	case h.Mels != 80 && h.Mels != 128:
		return "n_mels", fmt.Errorf("%d is neither 80 nor 128: %w", h.Mels, ErrFormat)
	}
	if _, ok := FileType(h.FType); !ok {
		return "ftype", fmt.Errorf("weights of file type %d: %w", h.FType, ErrUnsupported)
	}
	return "", nil
}

// FileType returns what the matrices of a file with this ftype are stored as. The thousands of an ftype are the version of
// the quantised formats and have no influence.
func FileType(ftype int) (Type, bool) {
	for _, t := range Types {
		if int(t.FType()) == ftype%1000 {
			return t, true
		}
	}
	return 0, false
}

// Type is what the matrices of a model with this header are stored as.
func (h Header) Type() Type {
	t, _ := FileType(h.FType)
	return t
}

// Tensors is the number of tensors of a model with this header.
func (h Header) Tensors() int { return 11 + 15*h.AudioLayers + 24*h.TextLayers }

// MelFilters turns spectra into mel bands: band b of a power spectrum p is Σ_i Coef[b·Bins + i]·p[i].
type MelFilters struct {
	Bands, Bins int // 80 or 128, and 201
	Coef        []float32
}

// File is an open model file. Its Vocab and Tensors are views of the file's bytes: they must not be written to, nor used
// after Close.
type File struct {
	Header
	Filters MelFilters
	Vocab   [][]byte // texts of the tokens from 0 on; ids above have none in the file
	Tensors []Tensor // in the file's order; Header.Tensors of them, with different names

	mapped *mmap.Map
}

// Open maps the model file at path. That takes milliseconds, for no weights are read. The whole structure of the file is
// checked: a file that is cut short, at whatever byte, is refused. Errors are a *FormatError, which wraps ErrFormat,
// ErrTruncated or ErrUnsupported, or an *fs.PathError.
func Open(path string) (*File, error) {
	m, err := mmap.Open(path)
	if err != nil {
		return nil, err
	}
	f, err := Parse(m.Data())
	if err != nil {
		if format, ok := errors.AsType[*FormatError](err); ok {
			format.Path = path
		}
		return nil, errors.Join(err, m.Close())
	}
	f.mapped = m
	return f, nil
}

// Map maps the regular file at path read-only, for readers of other layouts whose weights become tensors. data must not be
// written to, nor read after unmap. Errors are *fs.PathError.
func Map(path string) (data []byte, unmap func() error, err error) {
	m, err := mmap.Open(path)
	if err != nil {
		return nil, nil, err
	}
	return m.Data(), m.Close, nil
}

// Close unmaps the file. Further calls do nothing.
func (f *File) Close() error {
	if f.mapped == nil {
		return nil
	}
	return f.mapped.Close()
}

// Tensor returns the tensor of that name.
func (f *File) Tensor(name string) (Tensor, bool) {
	i := slices.IndexFunc(f.Tensors, func(t Tensor) bool { return t.Name == name })
	if i < 0 {
		return Tensor{}, false
	}
	return f.Tensors[i], true
}

// Matrix reports whether t is one of the matrices that are stored in the file's type: it has two dimensions and is
// neither a bias of a convolution nor a table of positions.
func (t Tensor) Matrix() bool {
	if len(t.Dims) != 2 || strings.HasSuffix(t.Name, ".positional_embedding") {
		return false
	}
	return t.Name != "encoder.conv1.bias" && t.Name != "encoder.conv2.bias"
}

// allows reports whether a file with this header may hold t in its type. Convolutions are in half precision at least.
func (h Header) allows(t Tensor) bool {
	switch {
	case t.Matrix():
		return t.Type == h.Type()
	case len(t.Dims) == 3:
		return t.Type == F32 || t.Type == F16
	default:
		return t.Type == F32
	}
}
