package model

import (
	"encoding/json"
	"os"
	"slices"
	"testing"

	"github.com/whisperfile/whisperfile/ggml"
	"github.com/whisperfile/whisperfile/model/tinyen"
)

// vocabOf reads the vocabulary of a model file.
func vocabOf(t testing.TB, data []byte) *vocab {
	t.Helper()
	f, err := ggml.Parse(data)
	if err != nil {
		t.Fatal(err)
	}
	return newVocab(f.Header, f.Vocab)
}

// TestEncode holds the tokenizer against the ids that Hugging Face's tokenizers gives, for both of Whisper's vocabularies.
func TestEncode(t *testing.T) {
	b, err := os.ReadFile("testdata/tokens.json")
	if err != nil {
		t.Fatal(err)
	}
	var golden struct {
		Texts  []string
		TinyEn [][]int32 `json:"tiny.en"`
		Base   [][]int32
	}
	if err := json.Unmarshal(b, &golden); err != nil {
		t.Fatal(err)
	}
	check := func(t *testing.T, v *vocab, want [][]int32) {
		for i, text := range golden.Texts {
			got := v.encode(text)
			if !slices.Equal(got, want[i]) {
				t.Errorf("%q: %v, want %v", text, got, want[i])
			}
			if back := v.decode(got); back != text {
				t.Errorf("%q comes back as %q", text, back)
			}
		}
	}
	t.Run("english", func(t *testing.T) { check(t, vocabOf(t, tinyen.Data()), golden.TinyEn) })
	t.Run("multilingual", func(t *testing.T) {
		data, err := os.ReadFile(modelPath(t, "base"))
		if err != nil {
			t.Fatal(err)
		}
		check(t, vocabOf(t, data), golden.Base)
	})
}

func FuzzEncode(f *testing.F) {
	v := vocabOf(f, tinyen.Data())
	for _, s := range []string{"", "Hello, world", " \n\t x", "\xff\xfe'sé", "砸自己的脚", "♪♪♪   "} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		ids := v.encode(s)
		if back := v.decode(ids); back != s {
			t.Errorf("%q comes back as %q", s, back)
		}
		for _, id := range ids {
			if id < 0 || id >= v.eot {
				t.Errorf("%q holds the special token %d", s, id)
			}
		}
	})
}
