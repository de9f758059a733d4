package model

import (
	"context"

	"github.com/whisperfile/whisperfile/ggml"
)

// stepPrompt is the longest prompt that is decoded like a step: below it, reading each weight once is faster than
// packing the weights into panels.
const stepPrompt = 16

// prompt decodes a prompt into cells 0, 1, … and ranks k tokens that may come behind it, once for each filter. It returns
// the probability of "no speech" at the start token, which is at place sot.
func (s *Session) prompt(ctx context.Context, tokens []int32, sot int, filters []ggml.Filter, k int, dst []ggml.Picked) (noSpeech float32, err error) {
	e := s.m.engine
	b := batch{tokens: tokens, positions: make([]int32, len(tokens)), slots: make([]int32, len(tokens))}
	for i := range tokens {
		b.positions[i], b.slots[i] = int32(i), s.slot
	}
	b.cells = b.positions
	regime := ggml.Window
	if len(tokens) <= stepPrompt {
		regime = ggml.Step
	}
	s.enter()
	defer s.exit()
	x, err := e.decode(ctx, b, regime)
	if err != nil {
		return 0, err
	}
	last := len(tokens) - 1
	probe := ggml.Filter{EOT: s.m.vocab.eot, Beg: s.m.vocab.beg, Probing: true, Probe: s.m.vocab.nosp}
	if sot != last {
		var p [1]ggml.Picked
		if err := e.pick(ctx, x.Sub(sot, 1), []ggml.Filter{probe}, 1, p[:]); err != nil {
			return 0, err
		}
		noSpeech = p[0].Probe
	} else {
		filters[0].Probing, filters[0].Probe = true, probe.Probe
	}
	x = x.Sub(last, 1)
	x.Rows, x.Stride = len(filters), 0
	if err := e.pick(ctx, x, filters, k, dst); err != nil {
		return 0, err
	}
	if sot == last {
		noSpeech = dst[0].Probe
	}
	return noSpeech, nil
}

// enter waits for the session's turn, exit ends it.
func (s *Session) enter() {
	s.m.turns.draw(s.turn)
	s.m.turns.enter(s.turn)
}

func (s *Session) exit() { s.m.turns.exit() }

// step has the rows of b decoded, in one step with those of other sessions, and ranks k tokens that may come behind each.
func (s *Session) step(ctx context.Context, b batch, filters []ggml.Filter, k int, dst []ggml.Picked) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	t := s.turn
	t.rows, t.filters, t.k, t.dst = b, filters, k, dst
	return s.m.turns.step(ctx, t, s.m.engine)
}

// step decodes a row for each of any number of sequences, of any sessions, and ranks k tokens that may come behind each.
// What a row gives does not depend on the others.
func (e *engine) step(ctx context.Context, b batch, filters []ggml.Filter, k int, dst []ggml.Picked) error {
	x, err := e.decode(ctx, b, ggml.Step)
	if err != nil {
		return err
	}
	return e.pick(ctx, x, filters, k, dst)
}
