package model

import (
	"context"
	"math"

	"github.com/whisperfile/whisperfile/ggml"
)

// stepPrompt is the longest prompt that is decoded like a step: below it, reading each weight once is faster than
// packing the weights into panels.
const stepPrompt = 16

// window is what decoding one window gave.
type window struct {
	*sequence
	noSpeech float32
}

// decodeWindow decodes the window whose encoder output lies in the session's slot. prompt is all that stands before the
// first token; the start token is at place sot of it. left is the number of frames from the window's start to the audio's end.
func (s *Session) decodeWindow(ctx context.Context, prompt []int32, sot int, r *rules, left int) (window, error) {
	m, e := s.m, s.m.engine
	room := max(m.header.TextCtx/2-4, 0)
	w := window{sequence: &sequence{tokens: make([]token, 0, room), shift: windowFrames}}
	picked, err := s.prompt(ctx, prompt, sot, r.filter(w.sequence))
	if err != nil {
		return w, err
	}
	w.noSpeech = picked[0].Probe
	next := picked[len(picked)-1]

	w.cells = make([]int32, len(prompt), m.header.TextCtx)
	for i := range w.cells {
		w.cells[i] = int32(i)
	}
	for i := range room {
		w.add(choose(next, m.vocab), m.vocab, r.timestamps, left, i == room-1)
		if w.done || w.failed || i == room-1 {
			break
		}
		if err := ctx.Err(); err != nil {
			return w, err
		}
		cell := int32(len(w.cells))
		w.cells = append(w.cells, cell)
		s.row.tokens[0], s.row.cells[0], s.row.seen[0] = w.tokens[i].id, cell, w.cells
		s.filter[0] = r.filter(w.sequence)
		if err := e.advance(ctx, s.row, s.filter[:], s.picked[:]); err != nil {
			return w, err
		}
		next = s.picked[0]
	}
	return w, nil
}

// prompt decodes a prompt into cells 0, 1, … and ranks what may come behind it. The first Picked holds the probability
// of "no speech" at the start token, the last one the candidates; they are the same where the prompt ends with that token.
func (s *Session) prompt(ctx context.Context, tokens []int32, sot int, f ggml.Filter) ([]ggml.Picked, error) {
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
	e.mu.Lock()
	defer e.mu.Unlock()
	x, err := e.decode(ctx, b, regime)
	if err != nil {
		return nil, err
	}
	last := len(tokens) - 1
	filters := []ggml.Filter{f}
	if sot == last {
		filters[0].Probe = s.m.vocab.nosp
		x = x.Sub(last, 1)
	} else {
		filters = []ggml.Filter{{EOT: f.EOT, Beg: f.Beg, Probe: s.m.vocab.nosp}, f}
		x = x.Sub(sot, 2)
		x.Stride *= last - sot
	}
	picked := make([]ggml.Picked, len(filters))
	return picked, e.pick(ctx, x, filters, 1, picked)
}

// advance decodes a step and ranks what may come behind each of its rows.
func (e *engine) advance(ctx context.Context, b batch, filters []ggml.Filter, dst []ggml.Picked) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	x, err := e.decode(ctx, b, ggml.Step)
	if err != nil {
		return err
	}
	return e.pick(ctx, x, filters, 1, dst)
}

// choose takes the likeliest token.
func choose(p ggml.Picked, v *vocab) token {
	c := p.Candidates[0]
	t := token{id: c.ID, logp: c.LogProb, p: float32(math.Exp(float64(c.LogProb))), tid: p.Time, ptsum: p.TimeSum}
	t.pt = p.TimeP
	if t.id >= v.beg {
		t.tid, t.pt = t.id, t.p
	}
	return t
}
