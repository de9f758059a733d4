package transcript

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/whisperfile/whisperfile/ggml"
	"github.com/whisperfile/whisperfile/model"
	"github.com/whisperfile/whisperfile/model/tinyen"
)

// vocabularies are those of the model that is committed and of the larger one where that is here, with names for the
// tokens that no file stores.
func vocabularies(t *testing.T) map[string][]string {
	t.Helper()
	files := map[string]*ggml.File{}
	f, err := ggml.Parse(tinyen.Data())
	if err != nil {
		t.Fatal(err)
	}
	files["tiny.en"] = f
	if cache, err := os.UserCacheDir(); err == nil {
		if f, err := ggml.Open(filepath.Join(cache, "whisperfile", "models", "ggml-base.bin")); err == nil {
			t.Cleanup(func() { f.Close() })
			files["base"] = f
		}
	}
	all := map[string][]string{}
	for name, f := range files {
		for _, text := range f.Vocab {
			all[name] = append(all[name], string(text))
		}
		for id := len(f.Vocab); id < f.Header.Vocab; id++ {
			all[name] = append(all[name], fmt.Sprintf("[_extra_token_%d]", id))
		}
	}
	return all
}

// written is what full JSON says of the segments.
type written struct {
	Transcription []struct {
		Text   string
		Tokens []struct {
			ID   int32
			Text string
		}
	}
}

func throughJSON(t *testing.T, segments []model.Segment) written {
	t.Helper()
	var b bytes.Buffer
	if err := WriteJSONFull(&b, &Transcript{Model: tiny, Segments: segments}); err != nil {
		t.Fatal(err)
	}
	var w written
	if err := json.Unmarshal(b.Bytes(), &w); err != nil {
		t.Fatal(err)
	}
	if len(w.Transcription) != len(segments) {
		t.Fatalf("%d segments, want %d", len(w.Transcription), len(segments))
	}
	return w
}

// TestEveryTokenThroughJSON writes each token as a segment of its own and reads it back.
func TestEveryTokenThroughJSON(t *testing.T) {
	for name, texts := range vocabularies(t) {
		var segments []model.Segment
		for id, text := range texts {
			if testing.Short() && id > 2000 {
				break
			}
			segments = append(segments, model.Segment{Text: strings.ToValidUTF8(text, "\uFFFD"), Tokens: []model.Token{{ID: int32(id), Text: text, Start: -1, End: -1}}})
		}
		for id, s := range throughJSON(t, segments).Transcription {
			want := segments[id].Text
			if s.Text != want || len(s.Tokens) != 1 || s.Tokens[0].Text != want || s.Tokens[0].ID != int32(id) {
				t.Errorf("%s: token %d, %q: %+v", name, id, texts[id], s)
			}
		}
	}
}

// TestCharactersOverTokens writes text whose characters are spread over tokens.
func TestCharactersOverTokens(t *testing.T) {
	const text = " naïve – “quoted” \\ \" \t 你好，世界！ 日本語 Привет नमस्ते שלום 𝔘𝔫𝔦 👍🏽 👩‍👩‍👧‍👦 \u2028 \x7f \x01"
	rng := rand.New(rand.NewPCG(1, 2))
	var segments []model.Segment
	for range 200 {
		s := model.Segment{Text: text}
		for rest := text; rest != ""; {
			n := min(len(rest), 1+rng.IntN(5))
			s.Tokens = append(s.Tokens, model.Token{ID: int32(len(s.Tokens)), Text: rest[:n], Start: -1, End: -1})
			rest = rest[n:]
		}
		segments = append(segments, s)
	}
	for i, s := range throughJSON(t, segments).Transcription {
		var joined strings.Builder
		for _, k := range s.Tokens {
			if strings.ContainsRune(k.Text, utf8.RuneError) {
				t.Errorf("segment %d: token %d is broken: %q", i, k.ID, k.Text)
			}
			joined.WriteString(k.Text)
		}
		if s.Text != text || joined.String() != text {
			t.Errorf("segment %d: %q of %q, want %q", i, s.Text, joined.String(), text)
		}
	}
}
