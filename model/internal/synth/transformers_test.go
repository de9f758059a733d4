package synth

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestTransformers makes sure that the golden files were computed with the models that Write makes.
func TestTransformers(t *testing.T) {
	for _, g := range Transformers {
		t.Run(g.Name, func(t *testing.T) {
			var file bytes.Buffer
			if err := Write(&file, g.Options); err != nil {
				t.Fatal(err)
			}
			sum := sha256.Sum256(file.Bytes())
			golden := filepath.Join(module, "model/testdata/transformers", g.Name+".json")
			if *update {
				askTransformers(t, g.Options, g.Prompt, hex.EncodeToString(sum[:]), golden)
			}
			b, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			var got struct {
				Model  string
				Tokens []int32
			}
			if err := json.Unmarshal(b, &got); err != nil {
				t.Fatal(err)
			}
			if got.Model != hex.EncodeToString(sum[:]) {
				t.Errorf("the golden file is of model %s, Write makes %x: make transformers-check computes it anew", got.Model, sum)
			}
			if len(got.Tokens) <= len(g.Prompt) {
				t.Fatalf("%d tokens", len(got.Tokens))
			}
			if d := cmp.Diff(g.Prompt, got.Tokens[:len(g.Prompt)]); d != "" {
				t.Error(d)
			}
		})
	}
}

// askTransformers computes a golden file.
func askTransformers(t *testing.T, o Options, prompt []int32, model, golden string) {
	t.Helper()
	dir := t.TempDir()
	if err := WriteTransformers(dir, o); err != nil {
		t.Fatal(err)
	}
	python := "python3"
	if p := os.Getenv("PYTHON"); p != "" {
		python = p
	}
	args := append([]string{filepath.Join(module, "scripts/transformers_check.py"), dir, golden, model}, strings.Fields(strings.Trim(fmt.Sprint(prompt), "[]"))...)
	out, err := exec.CommandContext(t.Context(), python, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	t.Logf("%s", out)
}

// TestSafetensors reads what is written for transformers by the format's description.
func TestSafetensors(t *testing.T) {
	o := Options{Header: Shrink(Header("tiny"), 64, 1, 1)}
	o.Header.AudioCtx, o.Header.TextCtx, o.Header.Vocab = 16, 8, 300
	dir := t.TempDir()
	if err := WriteTransformers(dir, o); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(filepath.Join(dir, "model.safetensors"))
	if err != nil {
		t.Fatal(err)
	}
	n := binary.LittleEndian.Uint64(b)
	var header map[string]struct {
		Dtype   string
		Shape   []int
		Offsets []int `json:"data_offsets"`
	}
	if err := json.Unmarshal(b[8:8+n], &header); err != nil {
		t.Fatal(err)
	}
	if len(header) != len(parts(o.Header)) {
		t.Errorf("%d tensors, want %d", len(header), len(parts(o.Header)))
	}
	for name, want := range map[string][]int{
		"model.encoder.conv1.weight":                          {64, 80, 3},
		"model.encoder.conv1.bias":                            {64},
		"model.encoder.embed_positions.weight":                {16, 64},
		"model.encoder.layers.0.self_attn.k_proj.weight":      {64, 64},
		"model.encoder.layers.0.self_attn_layer_norm.bias":    {64},
		"model.encoder.layer_norm.weight":                     {64},
		"model.decoder.embed_tokens.weight":                   {300, 64},
		"model.decoder.embed_positions.weight":                {8, 64},
		"model.decoder.layers.0.encoder_attn.out_proj.bias":   {64},
		"model.decoder.layers.0.encoder_attn_layer_norm.bias": {64},
		"model.decoder.layers.0.fc1.weight":                   {256, 64},
		"model.decoder.layers.0.fc2.weight":                   {64, 256},
		"model.decoder.layers.0.final_layer_norm.weight":      {64},
		"model.decoder.layer_norm.bias":                       {64},
	} {
		got := header[name]
		size := 4
		for _, d := range want {
			size *= d
		}
		if cmp.Diff(want, got.Shape) != "" || got.Dtype != "F32" || len(got.Offsets) != 2 || got.Offsets[1]-got.Offsets[0] != size || 8+int(n)+got.Offsets[1] > len(b) {
			t.Errorf("%s: %+v, want %v", name, got, want)
		}
	}
}
