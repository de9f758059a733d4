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
	s       *Session
	tokens  []int32 // zeros, a text context of them
	cells   []int32 // 0, 1, …
	slots   []int32 // the session's
	seen    [][]int32
	filters []ggml.Filter
	picked  []ggml.Picked
}

// NewBench takes one of m's sessions; the error is that of NewSession.
func (m *Model) NewBench() (*Bench, error) {
	s, err := m.NewSession()
	if err != nil {
		return nil, err
	}
	n := m.header.TextCtx
	b := &Bench{
		s: s, tokens: make([]int32, n), cells: make([]int32, n), slots: make([]int32, n),
		seen: make([][]int32, n), filters: make([]ggml.Filter, n), picked: make([]ggml.Picked, n),
	}
	r, err := newRules(m.vocab, true, &Options{})
	if err != nil {
		return nil, err
	}
	f := r.filter(&sequence{tokens: make([]token, 1)})
	for i := range b.cells {
		b.cells[i], b.slots[i], b.filters[i] = int32(i), s.slot, f
	}
	return b, nil
}

// Close gives the session back.
func (b *Bench) Close() error { return b.s.Close() }

// Encode runs the encoder over the window and computes the cross keys and values of all layers.
func (b *Bench) Encode(ctx context.Context) error {
	return b.s.m.encode(ctx, b.s.turn, b.s.mel, b.s.slot)
}

// Step decodes that many rows at positions past, past+1, … of a sequence, as the rows of several beams are decoded, and
// ranks the tokens that may come behind each of them.
func (b *Bench) Step(ctx context.Context, rows, past int) error {
	if err := b.check(rows, past); err != nil {
		return err
	}
	for i := range rows {
		b.seen[i] = b.cells[:past+i+1]
	}
	at := b.cells[past:][:rows]
	t := batch{tokens: b.tokens[:rows], positions: at, slots: b.slots[:rows], cells: at, seen: b.seen[:rows]}
	return b.s.step(ctx, t, b.filters[:rows], 1, b.picked[:rows])
}

// Prompt decodes a prompt of n tokens from position 0 on and ranks the tokens that may come behind its last one.
func (b *Bench) Prompt(ctx context.Context, n int) error {
	if err := b.check(n, 0); err != nil {
		return err
	}
	_, err := b.s.prompt(ctx, b.tokens[:n], n-1, b.filters[:1], 1, b.picked[:1])
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

// EncodeWork returns what Encode does: products and attention in the encoder, and the cross keys and values.
func (b *Bench) EncodeWork() Work {
	h := b.s.m.header
	n, d := float64(h.AudioCtx), float64(h.AudioState)
	convolutions := 2 * (2*n*float64(h.Mels)*3*d + n*d*3*d)
	layer := 2*12*d*d*n + 4*n*n*d
	w := Work{Ops: convolutions + float64(h.AudioLayers)*layer + float64(h.TextLayers)*2*2*d*d*n}
	for _, t := range b.s.m.file.Tensors {
		if strings.HasPrefix(t.Name, "encoder.") || crossed(t.Name) {
			w.Bytes += float64(len(t.Data))
		}
	}
	return w
}

// crossed reports whether a tensor of the decoder is multiplied once a window, not in a step.
func crossed(name string) bool {
	return strings.Contains(name, "cross_attn.key.") || strings.Contains(name, "cross_attn.value.")
}

// StepWork returns what Step does for that many rows; the cells of their own sequence are left out.
func (b *Bench) StepWork(rows int) Work {
	layers, vocab := b.row()
	h := b.s.m.header
	w := Work{Ops: float64(rows) * (layers + vocab)}
	w.Bytes = float64(2 * 2 * h.AudioCtx * h.TextState * h.TextLayers) // keys and values in half precision
	for _, t := range b.s.m.file.Tensors {
		if strings.HasPrefix(t.Name, "decoder.") && t.Matrix() && !crossed(t.Name) {
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
