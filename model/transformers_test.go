package model

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/whisperfile/whisperfile/ggml"
	"github.com/whisperfile/whisperfile/model/internal/synth"
)

// TestTransformers holds logits and greedy tokens against those of Hugging Face's transformers, for random models: all but
// equal with float32 caches, a little off with caches of halves; and then close to what halves alone make of the former, but for
// keys and values that lie between two halves and are rounded to one by the one, to the other by the other.
func TestTransformers(t *testing.T) {
	for _, g := range synth.Transformers {
		var file bytes.Buffer
		if err := synth.Write(&file, g.Options); err != nil {
			t.Fatal(err)
		}
		b, err := os.ReadFile(filepath.Join("testdata", "transformers", g.Name+".json"))
		if err != nil {
			t.Fatal(err)
		}
		var want transformersGolden
		if err := json.Unmarshal(b, &want); err != nil {
			t.Fatal(err)
		}
		mel := synth.Mel(g.Options)
		for _, isa := range ggml.ISAs() {
			if isa == "generic" && len(ggml.ISAs()) > 1 && (testing.Short() || g.Name != "tiny.en") {
				continue // plain Go takes long
			}
			t.Run(fmt.Sprintf("model=%s/isa=%s", g.Name, isa), func(t *testing.T) {
				_, cpu := openOn(t, file.Bytes(), 2, isa)
				on := func(b ggml.Backend) transformersGolden {
					m, err := OpenData(g.Name, file.Bytes(), b)
					if err != nil {
						t.Fatal(err)
					}
					defer m.Close()
					if err := m.encode(t.Context(), newTurn(), mel, 0); err != nil {
						t.Fatal(err)
					}
					return want.decode(t, m, b, len(g.Prompt))
				}
				real := on(cpu)
				want.compare(t, "float32 caches", on(exact{cpu, false}), 1e-4)
				want.compare(t, "caches of halves", real, 1e-2)
				on(exact{cpu, true}).compare(t, "caches of halves, beside exact attention over halves", real, 1e-3)
			})
		}
	}
}

// transformersGolden is a file of scripts/transformers_check.py: a prompt with the likeliest tokens behind it, none twice, and every
// Step-th logit behind each of them.
type transformersGolden struct {
	Tokens []int32
	Step   int
	Logits [][]float32
}

// decode decodes the prompt at once, then a token at a time: each the likeliest that has not come yet.
func (g transformersGolden) decode(t *testing.T, m *Model, backend ggml.Backend, prompt int) transformersGolden {
	n := m.header.Vocab
	got := transformersGolden{slices.Clone(g.Tokens[:prompt]), g.Step, nil}
	out, err := backend.Floats(prompt * n)
	if err != nil {
		t.Fatal(err)
	}
	logits := make([]float32, prompt*n)
	for at := 0; at < len(g.Tokens); {
		in, regime := batch{tokens: got.Tokens[at:]}, ggml.Step
		for i := range in.tokens {
			in.positions, in.slots = append(in.positions, int32(at+i)), append(in.slots, 0)
		}
		in.cells = in.positions
		if at == 0 {
			regime = ggml.Window
		}
		x, err := m.decode(t.Context(), in, regime)
		if err != nil {
			t.Fatal(err)
		}
		logits = logits[:len(in.tokens)*n]
		backend.Linear(ggml.Linear{Dst: ggml.View(out, len(in.tokens), n), X: x, W: m.w.tokens, Regime: regime})
		if err := backend.Read(t.Context(), logits, out, 0); err != nil {
			t.Fatal(err)
		}
		for i := range in.tokens {
			var row []float32
			for k := 0; k < n; k += g.Step {
				row = append(row, logits[i*n+k])
			}
			got.Logits = append(got.Logits, row)
		}
		at += len(in.tokens)
		if last := logits[len(logits)-n:]; len(got.Tokens) < len(g.Tokens) {
			got.Tokens = append(got.Tokens, likeliest(last, got.Tokens))
		}
	}
	return got
}

// compare fails where logits differ by more than within, or a token does.
func (g transformersGolden) compare(t *testing.T, what string, got transformersGolden, within float64) {
	t.Helper()
	var worst float64
	for i, row := range g.Logits {
		for k, w := range row {
			worst = max(worst, math.Abs(float64(got.Logits[i][k]-w)))
		}
	}
	t.Logf("%s: logits off by %.2g", what, worst)
	if !(worst <= within) {
		t.Errorf("%s: logits off by %g, more than %g", what, worst, within)
	}
	if !slices.Equal(got.Tokens, g.Tokens) {
		t.Errorf("%s: tokens %v, want %v", what, got.Tokens, g.Tokens)
	}
}

// likeliest returns the place of the largest number that is not in but: random models like to repeat themselves.
func likeliest(x []float32, but []int32) int32 {
	best := int32(-1)
	for i := range int32(len(x)) {
		if (best < 0 || x[i] > x[best]) && !slices.Contains(but, i) {
			best = i
		}
	}
	return best
}
