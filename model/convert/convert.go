// Package convert reads Whisper models in other layouts than ggml's. So far that is CTranslate2's: a directory with
// model.bin and the vocabulary, as faster-whisper uses it.
package convert

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"

	"github.com/whisperfile/whisperfile/ggml"
)

// textTokens is the number of tokens with a text in every Whisper vocabulary; the others follow from the header.
const textTokens = 50257

// Model is a model read from another layout: what its ggml file in half precision holds. Matrices and convolutions are
// F16, all else is F32. Most tensors are views of a mapped file, so that a Model must not be used after Close.
type Model struct {
	ggml.File
	unmap func() error
}

// Close unmaps the weights. Further calls do nothing.
func (m *Model) Close() error { return m.unmap() }

// Open reads the CTranslate2 directory dir: model.bin, with weights in half or single precision (the latter are rounded to
// nearest, which takes memory of that size), and tokenizer.json, vocabulary.json or vocabulary.txt. Errors are a
// *ggml.FormatError, which wraps ggml.ErrFormat, ErrTruncated or ErrUnsupported, or an *fs.PathError.
func Open(dir string) (*Model, error) {
	path := filepath.Join(dir, "model.bin")
	data, unmap, err := ggml.Map(path)
	if err != nil {
		return nil, err
	}
	m := &Model{unmap: unmap}
	if m.Vocab, err = readVocabulary(dir); err == nil {
		err = withPath(m.load(data), path)
	}
	if err != nil {
		return nil, errors.Join(err, unmap())
	}
	return m, nil
}

// load fills all but the vocabulary from the bytes of model.bin.
func (m *Model) load(data []byte) error {
	w, err := parseWeights(data)
	if err != nil {
		return err
	}
	b := &builder{weights: w}
	m.Header = b.header()
	if b.err == nil {
		m.Filters, b.err = MelFilters(m.Mels)
	}
	if b.err == nil {
		b.tensors(m.Header)
	}
	m.Tensors = b.out
	return b.err
}

// withPath puts the file's name into a FormatError.
func withPath(err error, path string) error {
	if f, ok := errors.AsType[*ggml.FormatError](err); ok {
		f.Path = path
	}
	return err
}

// readVocabulary returns the texts of the tokens that have one, from the first file of dir that is there.
func readVocabulary(dir string) ([][]byte, error) {
	for _, source := range []struct {
		name  string
		parse func([]byte) ([][]byte, error)
	}{
		{"tokenizer.json", parseTokenizer},
		{"vocabulary.json", parseList},
		{"vocabulary.txt", parseLines},
	} {
		path := filepath.Join(dir, source.name)
		info, err := os.Stat(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if info.Size() > maxVocabulary {
			return nil, &ggml.FormatError{Path: path, Field: "file", Err: fmt.Errorf("%d bytes are too many for a vocabulary: %w", info.Size(), ggml.ErrFormat)}
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		vocab, err := source.parse(data)
		if err != nil {
			return nil, &ggml.FormatError{Path: path, Field: "vocabulary", Err: err}
		}
		return vocab, nil
	}
	return nil, &fs.PathError{Op: "find", Path: filepath.Join(dir, "tokenizer.json"), Err: fs.ErrNotExist}
}

// narrow returns numbers of single precision rounded to half, wide the reverse.
func narrow(b []byte) []byte {
	out := make([]byte, len(b)/2)
	for i := 0; i < len(out); i += 2 {
		binary.LittleEndian.PutUint16(out[i:], ggml.ToHalf(math.Float32frombits(binary.LittleEndian.Uint32(b[2*i:]))))
	}
	return out
}

func wide(b []byte) []byte {
	out := make([]byte, 2*len(b))
	for i := 0; i < len(b); i += 2 {
		binary.LittleEndian.PutUint32(out[2*i:], math.Float32bits(ggml.FromHalf(binary.LittleEndian.Uint16(b[i:]))))
	}
	return out
}
