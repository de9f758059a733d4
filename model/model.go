package model

import (
	"errors"
	"fmt"
	"sync"

	"github.com/whisperfile/whisperfile/ggml"
)

// Slots is how many sessions a Model can have at once.
const Slots = 256

// Model is a Whisper model on a backend. Its sessions share the weights. It is safe for use by several goroutines.
type Model struct {
	header ggml.Header
	file   *ggml.File // holds the mapped weights
	vocab  *vocab
	*engine

	mu   sync.Mutex
	free []int32 // slots without a session
}

// Info says what a model is and what it can do.
type Info struct {
	ggml.Header
	Type         string // tiny, base, small, medium, large, or unknown; by the number of encoder layers
	Multilingual bool
	Languages    int // languages it knows; 1 for an English-only model
}

// Knows reports whether the model has a token for a language, given by its code or name. An English-only model, which has
// no such tokens, knows English.
func (i Info) Knows(language string) bool {
	k := languageID(language)
	return k >= 0 && k < i.Languages
}

// Translates reports whether the model was trained to translate into English: the English-only ones were not, nor turbo and
// the distilled ones, whose decoders are smaller than their encoders.
func (i Info) Translates() bool { return i.Multilingual && i.TextLayers == i.AudioLayers }

// Open maps the ggml file at path and hands its weights to b, which the caller owns and closes after the Model. Errors
// are a *ggml.FormatError, which wraps ggml.ErrFormat, ErrTruncated or ErrUnsupported, or those of the operating system.
func Open(path string, b ggml.Backend) (*Model, error) {
	f, err := ggml.Open(path)
	if err != nil {
		return nil, err
	}
	m, err := newModel(f, b)
	if err != nil {
		return nil, errors.Join(withPath(err, path), f.Close())
	}
	return m, nil
}

// OpenData is Open for a file that is in memory already. The bytes are not copied and must stay as they are until Close.
func OpenData(name string, data []byte, b ggml.Backend) (*Model, error) {
	f, err := ggml.Parse(data)
	if err != nil {
		return nil, withPath(err, name)
	}
	m, err := newModel(f, b)
	if err != nil {
		return nil, withPath(err, name)
	}
	return m, nil
}

// withPath puts the file's name into a FormatError that lacks it.
func withPath(err error, path string) error {
	var f *ggml.FormatError
	if errors.As(err, &f) && f.Path == "" {
		f.Path = path
	}
	return err
}

func newModel(f *ggml.File, b ggml.Backend) (*Model, error) {
	w, err := load(f, b)
	if err != nil {
		return nil, err
	}
	e, err := newEngine(f.Header, w, b)
	if err != nil {
		return nil, err
	}
	m := &Model{header: f.Header, file: f, vocab: newVocab(f.Header, f.Vocab), engine: e}
	for i := range int32(Slots) {
		m.free = append(m.free, Slots-1-i)
	}
	return m, nil
}

// Close ends the use of the file. All sessions must be closed before.
func (m *Model) Close() error {
	// A pass that was interrupted may have left operations behind, which would read the file.
	return errors.Join(m.b.Err(), m.file.Close())
}

// Info describes the model.
func (m *Model) Info() Info {
	i := Info{Header: m.header, Type: "unknown", Multilingual: m.vocab.multilingual, Languages: 1}
	switch m.header.AudioLayers {
	case 4:
		i.Type = "tiny"
	case 6:
		i.Type = "base"
	case 12:
		i.Type = "small"
	case 24:
		i.Type = "medium"
	case 32:
		i.Type = "large"
	}
	if i.Multilingual {
		i.Languages = m.vocab.languages
	}
	return i
}

// Tokens turns text into the ids of its tokens, by OpenAI's byte pair encoding.
func (m *Model) Tokens(text string) []int32 { return m.vocab.encode(text) }

// Text turns tokens into text. Special tokens and timestamps give none; ids outside the vocabulary are an error.
func (m *Model) Text(ids []int32) (string, error) {
	for _, id := range ids {
		if id < 0 || int(id) >= m.header.Vocab {
			return "", fmt.Errorf("token %d: the vocabulary has %d", id, m.header.Vocab)
		}
	}
	return m.vocab.decode(ids), nil
}
