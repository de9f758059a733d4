package synth

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"flag"
	"io"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/whisperfile/whisperfile/ggml"
)

var update = flag.Bool("update", false, "compute the golden files anew, with python3 and numpy ($PYTHON names another python)")

const module = "../../.." // from this directory

// TestGolden makes sure that the golden files were computed with the models that Write makes.
func TestGolden(t *testing.T) {
	for _, g := range Goldens {
		t.Run(g.Name, func(t *testing.T) {
			var file bytes.Buffer
			if err := Write(&file, g.Options); err != nil {
				t.Fatal(err)
			}
			golden := filepath.Join(module, "model/testdata/oracle", g.Name+".golden")
			if *update {
				oracle(t, file.Bytes(), golden)
			}
			f, err := os.Open(golden)
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			got, err := ReadGolden(f)
			if err != nil {
				t.Fatal(err)
			}
			if sum := sha256.Sum256(file.Bytes()); got.Model != hex.EncodeToString(sum[:]) {
				t.Errorf("the golden file is of model %s, Write makes %x: make oracle computes it anew", got.Model, sum)
			}
			if rest, err := io.ReadAll(f); err != nil || len(rest) != 0 {
				t.Errorf("%d bytes behind the arrays, %v", len(rest), err)
			}
			h := g.Options.Header
			if got.Mel.Cols != h.Mels || got.Encoder.Cols != h.AudioState || got.Logits.Rows != len(got.Tokens) {
				t.Errorf("shapes %v %v %v do not go with the header", got.Mel, got.Encoder, got.Logits)
			}
		})
	}
}

// oracle computes a golden file from a model.
func oracle(t *testing.T, model []byte, golden string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "model.bin")
	if err := os.WriteFile(path, model, 0o666); err != nil {
		t.Fatal(err)
	}
	python := "python3"
	if p := os.Getenv("PYTHON"); p != "" {
		python = p
	}
	cmd := exec.CommandContext(t.Context(), python, filepath.Join(module, "scripts/oracle.py"), path,
		filepath.Join(module, "testdata/austen-0890.wav"), golden,
		"50258", "50259", "50360", "50365", "400", "13") // start, English, transcribe, 0.00 s and two words
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	t.Logf("%s", out)
}

// TestWrite makes every type, and reads it back.
func TestWrite(t *testing.T) {
	h := Shrink(Header("tiny"), 256, 1, 1)
	h.AudioCtx, h.TextCtx, h.Vocab = 16, 8, 300
	for _, typ := range ggml.Types {
		t.Run(typ.String(), func(t *testing.T) {
			t.Parallel()
			f := write(t, Options{Header: h, Type: typ})
			for _, p := range parts(h) {
				tensor, ok := f.Tensor(p.name)
				if !ok {
					t.Fatal("no tensor", p.name)
				}
				x := make([]float32, tensor.Len())
				ggml.Dequantize(tensor.Type, x, tensor.Data)
				checkSpread(t, p, x)
			}
		})
	}
}

// TestHeader makes every published header, and reads it back.
func TestHeader(t *testing.T) {
	names := Names
	if testing.Short() {
		names = []string{"tiny.en", "base", "large-v3-turbo"} // one for each vocabulary
	}
	for _, name := range names {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := Shrink(Header(name), 64, 1, 1)
			f := write(t, Options{Header: h, Type: ggml.Q8_0})
			if len(f.Vocab) != 50257 || string(f.Vocab[220]) != " " || string(f.Vocab[0]) != "!" {
				t.Errorf("%d tokens, 220 is %q, 0 is %q", len(f.Vocab), f.Vocab[220], f.Vocab[0])
			}
		})
	}
}

// write makes a model and parses it.
func write(t *testing.T, o Options) *ggml.File {
	t.Helper()
	var b bytes.Buffer
	if err := Write(&b, o); err != nil {
		t.Fatal(err)
	}
	f, err := ggml.Parse(b.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(o.header(), f.Header); d != "" {
		t.Error(d)
	}
	return f
}

// checkSpread compares mean and deviation with what a part asks for.
func checkSpread(t *testing.T, p part, x []float32) {
	t.Helper()
	var sum, squares float64
	for _, v := range x {
		sum += float64(v)
		squares += (float64(v) - p.mean) * (float64(v) - p.mean)
	}
	n := float64(len(x))
	mean, std := sum/n, math.Sqrt(squares/n)
	if math.Abs(mean-p.mean) > 5*p.std/math.Sqrt(n)+0.1*p.std || std < 0.8*p.std || std > 1.25*p.std {
		t.Errorf("%s: mean %g, deviation %g, want %g, %g", p.name, mean, std, p.mean, p.std)
	}
}
