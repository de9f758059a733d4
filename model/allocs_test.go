package model

import (
	"bytes"
	"testing"

	"github.com/whisperfile/whisperfile/ggml"
	"github.com/whisperfile/whisperfile/model/internal/synth"
)

// smallModel opens a random model of one head and one layer.
func smallModel(t *testing.T) *Model {
	t.Helper()
	h := synth.Shrink(synth.Header("tiny.en"), ggml.HeadSize, 1, 1)
	var b bytes.Buffer
	if err := synth.Write(&b, synth.Options{Header: h, Type: ggml.F16, Seed: 1}); err != nil {
		t.Fatal(err)
	}
	m, _ := openOn(t, b.Bytes(), 2, "")
	return m
}

func TestStepAllocatesNothing(t *testing.T) {
	m, ctx := smallModel(t), t.Context()
	b, err := m.NewBench()
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	if err := b.Encode(ctx); err != nil {
		t.Fatal(err)
	}
	for _, rows := range []int{1, 5} {
		past := 0
		n := testing.AllocsPerRun(50, func() {
			if err := b.Step(ctx, rows, past); err != nil {
				t.Fatal(err)
			}
			past++
		})
		if n > 0 {
			t.Errorf("a step of %d rows allocates %v times", rows, n)
		}
	}
}

// TestTokensAllocateNothing decodes a window in which nothing is ever said, so that it goes on to the last token there is
// room for.
func TestTokensAllocateNothing(t *testing.T) {
	m := smallModel(t)
	s, err := m.NewSession()
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	r := rulesOf(t, m.vocab, true)
	set(r.mask, m.vocab.eot)
	for id := m.vocab.beg; int(id) < m.header.Vocab; id++ {
		set(r.mask, id)
	}
	if err := m.encode(t.Context(), s.turn, make([]float32, 2*m.header.AudioCtx*m.header.Mels), s.slot); err != nil {
		t.Fatal(err)
	}
	tokens := 0
	n := testing.AllocsPerRun(2, func() {
		q := &s.search
		q.prompt, q.rules, q.left, q.width, q.temperature = []int32{m.vocab.sot}, r, windowFrames, 5, 1
		w, err := q.run(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		tokens = len(w.tokens)
	})
	t.Logf("%d tokens, %v allocations", tokens, n)
	if tokens < 50 || n > 20 {
		t.Errorf("a window of %d tokens allocates %v times", tokens, n)
	}
}
