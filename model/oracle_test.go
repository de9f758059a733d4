package model

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/whisperfile/whisperfile/audio"
	"github.com/whisperfile/whisperfile/ggml"
	"github.com/whisperfile/whisperfile/model/internal/synth"
)

// TestOracle holds spectrum, encoder and logits against an independent computation in double precision: with random weights
// in the shapes of large-v3 and turbo on every rung of this CPU, with the published ones of tiny.en on all but the plain one,
// and with those of base on the widest.
func TestOracle(t *testing.T) {
	isas := ggml.ISAs()
	for i, isa := range isas {
		for _, g := range synth.Goldens {
			t.Run(fmt.Sprintf("model=%s/isa=%s", g.Name, isa), func(t *testing.T) {
				var b bytes.Buffer
				if err := synth.Write(&b, g.Options); err != nil {
					t.Fatal(err)
				}
				checkOracle(t, g.Name, b.Bytes(), isa)
			})
		}
		for _, name := range []string{"tiny.en", "base"} {
			t.Run(fmt.Sprintf("model=%s/isa=%s", name, isa), func(t *testing.T) {
				if widest := i == len(isas)-1; !widest && (isa == "generic" || name == "base" || testing.Short()) {
					t.Skip("slow")
				}
				data, err := os.ReadFile(modelPath(t, name))
				if err != nil {
					t.Fatal(err)
				}
				checkOracle(t, name, data, isa)
			})
		}
	}
}

// modelPath returns where scripts/get-model.sh puts a model, and skips the test where it has not been fetched.
func modelPath(t testing.TB, name string) string {
	t.Helper()
	dir := os.Getenv("WHISPER_MODELS")
	if dir == "" {
		cache, err := os.UserCacheDir()
		if err != nil {
			t.Skip(err)
		}
		dir = filepath.Join(cache, "whisperfile", "models")
	}
	p := filepath.Join(dir, "ggml-"+name+".bin")
	if _, err := os.Stat(p); err != nil {
		t.Skipf("%s is not here: scripts/get-model.sh %s", p, name)
	}
	return p
}

// openOn opens a model on the CPU.
func openOn(t testing.TB, data []byte, threads int, isa string) (*Model, ggml.Backend) {
	t.Helper()
	pool := ggml.NewPool(threads)
	t.Cleanup(pool.Close)
	b, err := ggml.NewCPU(pool, ggml.CPUOptions{ISA: isa})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	m, err := OpenData(t.Name(), data, b)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	return m, b
}

func checkOracle(t *testing.T, name string, data []byte, isa string) {
	f, err := os.Open(filepath.Join("testdata", "oracle", name+".golden"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	g, err := synth.ReadGolden(f)
	if err != nil {
		t.Fatal(err)
	}
	m, b := openOn(t, data, 2, isa)
	ctx := context.Background()

	clip, err := audio.Open(filepath.Join("..", "testdata", g.Clip))
	if err != nil {
		t.Fatal(err)
	}
	defer clip.Close()
	spectrum, err := audio.NewMel(clip, m.header.Mels, m.file.Filters.Coef)
	if err != nil {
		t.Fatal(err)
	}
	mel := make([]float32, windowFrames*m.header.Mels)
	if err := spectrum.Window(ctx, mel, 0); err != nil {
		t.Fatal(err)
	}
	compare(t, "mel", rowsOf(g.Mel), mel, 1e-4, 0)

	if err := m.encode(ctx, newTurn(), mel, 0); err != nil {
		t.Fatal(err)
	}
	y := m.matrix(m.y, 0)
	enc := make([]float32, y.Rows*y.Cols)
	for r := range y.Rows {
		if err := b.Read(ctx, enc[r*y.Cols:][:y.Cols], y.Buf, y.Off+r*y.Stride); err != nil {
			t.Fatal(err)
		}
	}
	compare(t, "encoder", rowsOf(g.Encoder), enc, 0, 1e-3)

	in := batch{tokens: g.Tokens}
	for i := range g.Tokens {
		in.positions = append(in.positions, int32(i))
		in.slots = append(in.slots, 0)
	}
	in.cells = in.positions
	n := len(g.Tokens)
	for _, regime := range []ggml.Regime{ggml.Step, ggml.Window} {
		x, err := m.decode(ctx, in, regime)
		if err != nil {
			t.Fatal(err)
		}
		out, err := b.Floats(n * m.header.Vocab)
		if err != nil {
			t.Fatal(err)
		}
		b.Linear(ggml.Linear{Dst: ggml.View(out, n, m.header.Vocab), X: x, W: m.w.tokens, Regime: regime})
		logits := make([]float32, n*m.header.Vocab)
		if err := b.Read(ctx, logits, out, 0); err != nil {
			t.Fatal(err)
		}
		compare(t, fmt.Sprintf("logits, regime %d", regime), columnsOf(g.Logits, m.header.Vocab), logits, 2e-2, 0)
	}
}

// sparse is a matrix of which some elements are known: at(i) is where number i of data stands in the whole.
type sparse struct {
	data []float32
	at   func(i int) int
}

// rowsOf is a Sample of every Step-th row.
func rowsOf(s synth.Sample) sparse {
	return sparse{s.Data, func(i int) int { return i/s.Cols*s.Step*s.Cols + i%s.Cols }}
}

// columnsOf is a Sample of every Step-th of cols columns.
func columnsOf(s synth.Sample, cols int) sparse {
	return sparse{s.Data, func(i int) int { return i/s.Cols*cols + i%s.Cols*s.Step }}
}

// compare checks what is known of a matrix: within abs, or within rel of the largest value.
func compare(t *testing.T, what string, s sparse, got []float32, abs, rel float64) {
	t.Helper()
	var worst, largest float64
	for i, x := range s.data {
		worst = max(worst, math.Abs(float64(x)-float64(got[s.at(i)])))
		largest = max(largest, math.Abs(float64(x)))
	}
	if math.IsNaN(worst) || worst > abs+rel*largest || largest == 0 {
		t.Errorf("%s: off by %.3g, largest value %.3g", what, worst, largest)
	} else {
		t.Logf("%s: off by %.3g, largest value %.3g", what, worst, largest)
	}
}
