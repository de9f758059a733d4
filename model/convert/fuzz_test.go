package convert

import (
	"bytes"
	"errors"
	"testing"

	"github.com/whisperfile/whisperfile/ggml"
)

func known(err error) bool {
	return errors.Is(err, ggml.ErrFormat) || errors.Is(err, ggml.ErrTruncated) || errors.Is(err, ggml.ErrUnsupported)
}

// small writes a model.bin with a few variables of every kind.
func small(version int) []byte {
	w := &ct2{version: version}
	w.ints(4, version)
	if version >= 2 {
		w.text("WhisperSpec")
		w.ints(4, 3)
	}
	w.ints(4, 6)
	w.variable("encoder/num_heads", float16s, []byte{1, 0})
	w.variable("decoder/embeddings/weight", float16s, make([]byte, 24), 3, 4)
	w.variable("encoder/conv1/weight", float32s, make([]byte, 2*80*3*4), 2, 80, 3)
	w.variable("encoder/position_encodings/encodings", float16s, make([]byte, 16), 2, 4)
	w.variable("decoder/position_encodings/encodings", int8s, make([]byte, 8), 2, 4)
	w.variable("encoder/layer_0/self_attention/linear_0/weight", float32s, nil, 0, 4)
	if version >= 3 {
		w.ints(4, 1)
		w.text("decoder/layer_3/x")
		w.text("encoder/num_heads")
	}
	return w.Bytes()
}

func FuzzCT2(f *testing.F) {
	for _, version := range []int{1, 2, 3, 4, 6} {
		f.Add(small(version))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if err := new(Model).load(data); err == nil {
			t.Fatal("a model without tokens was taken")
		} else if format := (*ggml.FormatError)(nil); !known(err) || !errors.As(err, &format) {
			t.Fatalf("an error without a place or a sentinel: %v", err)
		}
	})
}

func FuzzVocabulary(f *testing.F) {
	f.Add([]byte(`{"model":{"vocab":{"!":0,"\u0120the":1,"\u010a":2}}}`))
	f.Add([]byte(`["!","\u0120the","\u0100"]`))
	f.Add([]byte("!\n\u0120the\n\u0143\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, parse := range []func([]byte) ([][]byte, error){parseTokenizer, parseList, parseLines} {
			vocab, err := parse(data)
			if err == nil && len(vocab) != textTokens || err != nil && !known(err) {
				t.Fatalf("%d tokens, %v", len(vocab), err)
			}
		}
		if b, err := tokenBytes(string(data)); err == nil && len(b) != len(bytes.Runes(data)) {
			t.Fatalf("%q has %d bytes", data, len(b))
		}
	})
}
