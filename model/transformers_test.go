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
// equal where keys and values are kept as they are, a little off with the halves that the caches hold.
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
		isas := ggml.ISAs()
		if testing.Short() {
			isas = isas[len(isas)-1:]
		}
		for _, isa := range isas {
			for name, within := range map[string]float64{"float32": 1e-4, "halves": 1e-2} {
				if name == "float32" && isa == "generic" && testing.Short() {
					continue
				}
				t.Run(fmt.Sprintf("model=%s/isa=%s/caches=%s", g.Name, isa, name), func(t *testing.T) {
					m, backend := openOn(t, file.Bytes(), 2, isa)
					if name == "float32" {
						backend = exact{backend}
						if m, err = OpenData(g.Name, file.Bytes(), backend); err != nil {
							t.Fatal(err)
						}
						t.Cleanup(func() { m.Close() })
					}
					if err := m.encode(t.Context(), newTurn(), mel, 0); err != nil {
						t.Fatal(err)
					}
					want.check(t, m, backend, len(g.Prompt), within)
				})
			}
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

// check decodes the prompt at once, then a token at a time: each the likeliest that has not come yet.
func (g transformersGolden) check(t *testing.T, m *Model, backend ggml.Backend, prompt int, within float64) {
	n := m.header.Vocab
	got := slices.Clone(g.Tokens[:prompt])
	out, err := backend.Floats(prompt * n)
	if err != nil {
		t.Fatal(err)
	}
	logits := make([]float32, prompt*n)
	var worst float64
	for at := 0; at < len(g.Tokens); {
		in, regime := batch{tokens: got[at:]}, ggml.Step
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
		m.norm(x)
		logits = logits[:len(in.tokens)*n]
		backend.Linear(ggml.Linear{Dst: ggml.View(out, len(in.tokens), n), X: x, W: m.w.tokens, Regime: regime})
		if err := backend.Read(t.Context(), logits, out, 0); err != nil {
			t.Fatal(err)
		}
		for i := range in.tokens {
			for k, w := range g.Logits[at+i] {
				worst = max(worst, math.Abs(float64(logits[i*n+k*g.Step]-w)))
			}
		}
		at += len(in.tokens)
		if last := logits[len(logits)-n:]; len(got) < len(g.Tokens) {
			got = append(got, likeliest(last, got))
		}
	}
	t.Logf("logits off by %.2g", worst)
	if !(worst <= within) {
		t.Errorf("logits off by %g, more than %g", worst, within)
	}
	if !slices.Equal(got, g.Tokens) {
		t.Errorf("tokens %v, want %v", got, g.Tokens)
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
