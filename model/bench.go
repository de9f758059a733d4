package model

import (
	"context"
	"fmt"
	"strings"

	"github.com/whisperfile/whisperfile/ggml"
)

// Bench runs the passes of a transcription one at a time and as often as wanted, so that they can be measured. The window
// it hears is silent and every token is 0: how long a pass takes does not depend on them. It is used by one goroutine at a
// time.
type Bench struct {
	s      *Session
	filter ggml.Filter
	tokens []int32 // zeros, a text context of them
	cells  []int32 // 0, 1, …
	picked []ggml.Picked
}

// NewBench takes one of m's sessions; the error is that of NewSession.
func (m *Model) NewBench() (*Bench, error) {
	s, err := m.NewSession()
	if err != nil {
		return nil, err
	}
	n := m.header.TextCtx
	b := &Bench{s: s, tokens: make([]int32, n), cells: make([]int32, n), picked: make([]ggml.Picked, n)}
	for i := range b.cells {
		b.cells[i] = int32(i)
	}
	b.filter = newRules(m.vocab, true).filter(&sequence{tokens: make([]token, 1)})
	return b, nil
}

// Close gives the session back.
func (b *Bench) Close() error { return b.s.Close() }

// Encode runs the encoder over the window and computes the cross keys and values of all layers.
func (b *Bench) Encode(ctx context.Context) error {
	e := b.s.m.engine
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.encode(ctx, b.s.mel, b.s.slot)
}

// Step decodes that many rows at positions past, past+1, … of a sequence, as the rows of several beams are decoded, and
// ranks the tokens that may come behind each of them.
func (b *Bench) Step(ctx context.Context, rows, past int) error {
	if err := b.check(rows, past); err != nil {
		return err
	}
	slots, seen, filters := make([]int32, rows), make([][]int32, rows), make([]ggml.Filter, rows)
	for i := range rows {
		slots[i], seen[i], filters[i] = b.s.slot, b.cells[:past+i+1], b.filter
	}
	t := batch{tokens: b.tokens[:rows], positions: b.cells[past:][:rows], slots: slots, cells: b.cells[past:][:rows], seen: seen}
	return b.s.m.advance(ctx, t, filters, b.picked[:rows])
}

// Prompt decodes a prompt of n tokens from position 0 on and ranks the tokens that may come behind its last one.
func (b *Bench) Prompt(ctx context.Context, n int) error {
	if err := b.check(n, 0); err != nil {
		return err
	}
	_, err := b.s.prompt(ctx, b.tokens[:n], n-1, b.filter)
	return err
}

func (b *Bench) check(rows, past int) error {
	if rows < 1 || past < 0 || past+rows > len(b.cells) {
		return fmt.Errorf("positions %d to %d: the model has %d", past, past+rows-1, len(b.cells))
	}
	return nil
}

// Work is the least that a pass must do: operations, a multiply and an add counting as two, and bytes of weights, keys
// and values that must be read.
type Work struct{ Ops, Bytes float64 }

// EncodeWork returns what Encode does: products and attention in the encoder, and the cross keys and values. Its weights
// are read once and do not matter.
func (b *Bench) EncodeWork() Work {
	h := b.s.m.header
	n, d := float64(h.AudioCtx), float64(h.AudioState)
	convolutions := 2 * (2*n*float64(h.Mels)*3*d + n*d*3*d)
	layer := 2*12*d*d*n + 4*n*n*d
	return Work{Ops: convolutions + float64(h.AudioLayers)*layer + float64(h.TextLayers)*2*2*d*d*n}
}

// StepWork returns what Step does for that many rows; the cells of their own sequence are left out.
func (b *Bench) StepWork(rows int) Work {
	layers, vocab := b.row()
	h := b.s.m.header
	w := Work{Ops: float64(rows) * (layers + vocab)}
	w.Bytes = float64(2 * 2 * h.AudioCtx * h.TextState * h.TextLayers) // keys and values in half precision
	for _, t := range b.s.m.file.Tensors {
		part, decoder := strings.CutPrefix(t.Name, "decoder.")
		if decoder && t.Matrix() && !strings.Contains(part, "cross_attn.key.") && !strings.Contains(part, "cross_attn.value.") {
			w.Bytes += float64(len(t.Data))
		}
	}
	return w
}

// PromptWork returns what Prompt does for n tokens: the vocabulary is ranked behind the last one alone.
func (b *Bench) PromptWork(n int) Work {
	layers, vocab := b.row()
	return Work{Ops: float64(n)*layers + vocab, Bytes: b.StepWork(1).Bytes}
}

// row returns the operations of a row in the decoder's layers, and in the product with the vocabulary.
func (b *Bench) row() (layers, vocab float64) {
	h := b.s.m.header
	d, l := float64(h.TextState), float64(h.TextLayers)
	return l * (2*14*d*d + 4*float64(h.AudioCtx)*d), 2 * float64(h.Vocab) * d
}
