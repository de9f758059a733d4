package model

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/whisperfile/whisperfile/ggml"
	"github.com/whisperfile/whisperfile/model/internal/synth"
)

// stepper is a model whose slots 0, 1 and 2 hold random cross keys and values and three tokens each.
type stepper struct {
	m *Model
	t *testing.T
}

const stepSlots, stepPast = 3, 3

func newStepper(t *testing.T, data []byte, threads int, isa string) *stepper {
	m, b := openOn(t, data, threads, isa)
	e := m.engine
	rng := rand.New(rand.NewPCG(1, 2))
	k, v, _ := e.qkv()
	x := make([]float32, k.Rows*k.Cols)
	slots := make([]int32, k.Rows)
	for slot := range int32(stepSlots) {
		for i := range slots {
			slots[i] = slot
		}
		b.WriteInts(e.slots, 0, slots)
		for layer := range e.w.decoder {
			for _, mat := range []ggml.Mat{k, v} {
				for i := range x {
					x[i] = float32(rng.NormFloat64())
				}
				b.Write(mat.Buf, mat.Off, x)
			}
			b.Store(ggml.Store{Cache: e.cross, Layer: layer, K: k, V: v, Slots: e.slots, Cells: e.ids})
		}
		past := batch{
			tokens: []int32{m.vocab.sot, 11 + slot, 400 + slot}, positions: []int32{0, 1, 2}, slots: []int32{slot, slot, slot}, cells: []int32{0, 1, 2},
		}
		if _, err := e.decode(t.Context(), past, ggml.Step); err != nil {
			t.Fatal(err)
		}
	}
	return &stepper{m, t}
}

// step decodes rows first, first+1, …: row i belongs to slot i mod 3 and has a token and a cell of its own.
func (s *stepper) step(first, rows int) []ggml.Picked {
	var b batch
	filters := make([]ggml.Filter, rows)
	for r := range rows {
		i := int32(first + r)
		b.tokens = append(b.tokens, 1000+37*i)
		b.positions = append(b.positions, stepPast)
		b.slots = append(b.slots, i%stepSlots)
		b.cells = append(b.cells, 10+i)
		b.seen = append(b.seen, []int32{0, 1, 2, 10 + i})
		filters[r] = ggml.Filter{EOT: s.m.vocab.eot, Beg: s.m.vocab.beg, Mass: i%2 == 0, Probing: true, Probe: s.m.vocab.nosp}
	}
	dst := make([]ggml.Picked, rows)
	if err := s.m.step(s.t.Context(), b, filters, 6, dst); err != nil {
		s.t.Fatal(err)
	}
	return dst
}

// TestRowsAreAlone holds the bits of a row that is decoded alone, on one thread, against those it has among up to 17
// others of three sessions, on two threads: for every type and every rung of this CPU.
func TestRowsAreAlone(t *testing.T) {
	const rows = 18
	for _, typ := range ggml.Types {
		var file bytes.Buffer
		h := synth.Shrink(synth.Header("base"), max(128, typ.Block()), 1, 1)
		if err := synth.Write(&file, synth.Options{Header: h, Type: typ, Seed: 9}); err != nil {
			t.Fatal(err)
		}
		for _, isa := range ggml.ISAs() {
			// In plain Go, which is slow, one type of each kind will do.
			plain := typ == ggml.F16 || typ == ggml.Q5_1 || typ == ggml.Q8_0
			if isa == "generic" && (testing.Short() || !plain) || testing.Short() && typ != ggml.Q5_1 {
				continue
			}
			t.Run(fmt.Sprintf("type=%v/isa=%s", typ, isa), func(t *testing.T) {
				one, two := newStepper(t, file.Bytes(), 1, isa), newStepper(t, file.Bytes(), 2, isa)
				var alone []ggml.Picked
				for i := range rows {
					alone = append(alone, one.step(i, 1)...)
				}
				for i, n := range []int{2, 3, 5, 8, 17} {
					first := (rows - n) * (i % 2) // each row stands at many places
					if d := cmp.Diff(alone[first:first+n], two.step(first, n)); d != "" {
						t.Fatalf("%d rows from %d on (-alone +together):\n%s", n, first, d)
					}
				}
			})
		}
	}
}

// TestSessionsAtOnce has several sessions of one model hear at the same time what each hears alone.
func TestSessionsAtOnce(t *testing.T) {
	m := smallModel(t)
	var pcm [3][]float32
	var want [3][]Segment
	rng := rand.New(rand.NewPCG(3, 4))
	o := Options{BeamSize: 3, BestOf: 2, TemperatureStep: 1}
	for i := range pcm {
		pcm[i] = make([]float32, 16000*(i+1))
		for j := range pcm[i] {
			pcm[i][j] = float32(rng.NormFloat64()) * 0.1
		}
		want[i] = hear(t, m, pcm[i], 1000, o)
	}
	var wait sync.WaitGroup
	for i := range 6 {
		wait.Go(func() {
			if d := cmp.Diff(want[i%3], hear(t, m, pcm[i%3], 1000, o)); d != "" {
				t.Errorf("session %d (-alone +in company):\n%s", i, d)
			}
		})
	}
	wait.Wait()
}

// patience is a context that is done once it was asked so often.
type patience struct {
	context.Context
	left int
}

func (p *patience) Err() error {
	if p.left--; p.left < 0 {
		return context.Canceled
	}
	return nil
}

// TestCloseAfterInterruption closes a model whose last pass left operations in the backend's queue: they must not read the file once it is gone.
func TestCloseAfterInterruption(t *testing.T) {
	var data bytes.Buffer
	h := synth.Shrink(synth.Header("tiny.en"), ggml.HeadSize, 1, 2)
	if err := synth.Write(&data, synth.Options{Header: h, Type: ggml.F16, Seed: 1}); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "model.bin")
	if err := os.WriteFile(path, data.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	pool := ggml.NewPool(2)
	defer pool.Close()
	b, err := ggml.NewCPU(pool, ggml.CPUOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	m, err := Open(path, b)
	if err != nil {
		t.Fatal(err)
	}
	silence(m, 0)
	zeros := []int32{0}
	if _, err := m.decode(&patience{t.Context(), 1}, batch{tokens: zeros, positions: zeros, slots: zeros, cells: zeros}, ggml.Step); !errors.Is(err, context.Canceled) {
		t.Fatalf("a step that nobody wants any more: %v", err)
	}
	if err := m.Close(); err != nil {
		t.Fatal(err)
	}
	if err := b.Err(); err != nil {
		t.Fatal(err)
	}
}
