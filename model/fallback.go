package model

import (
	"context"
	"math"
	"slices"

	"github.com/whisperfile/whisperfile/ggml"
)

// forgetful is the temperature from which on a window is decoded without what came before, which is what may have led
// the decoder astray.
const forgetful = 0.5

// copyTokens is how many tokens of text in a row are hardly ever the same as some before by chance.
const copyTokens = 12

// window is what one attempt at decoding a window gave.
type window struct {
	*sequence
	temperature, noSpeech float32

	before  []int32 // what was heard before, as far as the decoder saw it
	silent  bool    // nothing is spoken in it
	repeats bool    // it says the same thing again and again
	good    bool    // it found an end, is likely and does not repeat itself
	astray  bool    // it is nothing to go on from: it was decoded at a high temperature, or repeats itself
}

// decode decodes the window in hand: at the first temperature, and where that fails at higher ones; where it repeats itself,
// at the same one without what was heard before. Where all of them fail the likeliest attempt counts, those that found an
// end before those that did not. left is the number of frames from the window's start to the audio's end.
func (h *hearing) decode(ctx context.Context, left int) (window, error) {
	q, o := &h.search, &h.o
	q.rules, q.left, q.patience, q.penalty = h.rules, left, o.Patience, o.LengthPenalty
	var best window
	history := h.history
	for _, t := range o.temperatures() {
		if t >= forgetful {
			history = nil
		}
		w, err := h.attempt(ctx, t, history)
		if err == nil && w.repeats && !w.silent && len(w.before) > 0 {
			best, history = h.keep(best, w), nil
			w, err = h.attempt(ctx, t, nil)
		}
		switch {
		case err != nil:
			return window{}, err
		case w.good && !o.NoFallback && len(w.before) > 0 && h.copies(w.sequence):
			return h.original(ctx, t, w)
		case w.good, w.silent:
			return w, nil
		}
		best = h.keep(best, w)
	}
	return best, nil
}

// attempt decodes the window in hand once. Its sequence stays good until the next attempt.
func (h *hearing) attempt(ctx context.Context, temperature float32, history []int32) (window, error) {
	q, o := &h.search, &h.o
	w := window{temperature: temperature}
	q.prompt, w.before = h.context(history)
	q.sot = len(q.prompt) - len(h.task)
	q.temperature, q.beam, q.width = temperature, temperature == 0 && o.BeamSize > 1, 1
	switch {
	case q.beam:
		q.width = o.BeamSize
	case temperature > 0:
		q.width = o.BestOf
	}
	q.seed = mix(mix(mix(o.Seed)+uint64(h.seek)) + uint64(temperature*1000))
	s, err := q.run(ctx)
	if err != nil {
		return window{}, err
	}
	w.sequence, w.noSpeech = s, q.noSpeech
	unlikely := s.meanLogProb() < o.LogProbThreshold
	w.silent = unlikely && w.noSpeech > o.NoSpeechThreshold
	w.repeats = h.repeats(s)
	w.good = !s.failed && !w.repeats && !unlikely
	w.astray = temperature > forgetful || w.repeats
	return w, nil
}

// keep returns the better one of two attempts, the second of which may be the first there is, for good.
func (h *hearing) keep(best, w window) window {
	if best.sequence != nil && !better(w.sequence, best.sequence) {
		return best
	}
	h.kept.copyFrom(w.sequence)
	w.sequence = &h.kept
	return w
}

// original decodes the window once more, without what was heard before: w says some of that again, because it is spoken
// again or because the decoder has read it. The likelier text counts, likely without having read it.
func (h *hearing) original(ctx context.Context, temperature float32, w window) (window, error) {
	w = h.keep(window{}, w)
	other, err := h.attempt(ctx, temperature, nil)
	switch {
	case err != nil:
		return window{}, err
	case other.silent:
		return other, nil
	case other.good:
		return h.likelier(ctx, w, other)
	}
	return w, nil
}

// copies reports whether some part of a sequence is in what was heard before.
func (h *hearing) copies(s *sequence) bool {
	var text []int32
	for _, t := range s.result() {
		if t.id < h.m.vocab.eot {
			text = append(text, t.id)
		}
	}
	for i := range len(text) - copyTokens + 1 {
		for j := range len(h.heard) - copyTokens + 1 {
			if slices.Equal(text[i:i+copyTokens], h.heard[j:j+copyTokens]) {
				return true
			}
		}
	}
	return false
}

// likelier returns the one of two windows that the decoder would rather say if it had read nothing before.
func (h *hearing) likelier(ctx context.Context, a, b window) (window, error) {
	p, err := h.unread(ctx, a.sequence)
	if err != nil {
		return window{}, err
	}
	q, err := h.unread(ctx, b.sequence)
	if err != nil {
		return window{}, err
	}
	if p > q {
		return a, nil
	}
	return b, nil
}

// unread is the mean log probability of a sequence behind a prompt without what was heard before.
func (h *hearing) unread(ctx context.Context, s *sequence) (float64, error) {
	tokens, _ := h.context(nil)
	first, result := len(tokens)-1, s.result()
	filters := make([]ggml.Filter, len(result))
	for i, t := range result {
		tokens = append(tokens, t.id)
		filters[i] = ggml.Filter{EOT: h.m.vocab.eot, Beg: h.m.vocab.beg, Probing: true, Probe: t.id}
	}
	in := batch{tokens: tokens[:len(tokens)-1]}
	for i := range in.tokens {
		in.positions, in.slots = append(in.positions, int32(i)), append(in.slots, h.slot)
	}
	in.cells = in.positions
	e := h.m.engine
	h.enter()
	defer h.exit()
	x, err := e.decode(ctx, in, ggml.Window)
	if err != nil {
		return 0, err
	}
	x = x.Sub(first, len(result))
	picked := make([]ggml.Picked, len(result))
	if err := e.pick(ctx, x, filters, 1, picked); err != nil {
		return 0, err
	}
	var sum float64
	for _, p := range picked {
		sum += math.Log(max(float64(p.Probe), 1e-10))
	}
	return sum / float64(len(result)), nil
}

// better compares attempts that failed.
func better(a, b *sequence) bool {
	if a.failed != b.failed {
		return !a.failed
	}
	return a.score(0) > b.score(0)
}

// repeats reports whether a sequence says the same thing again and again.
func (h *hearing) repeats(s *sequence) bool {
	if s.looped {
		return true
	}
	tokens := s.result()
	if len(tokens) > entropyTokens && entropy(tokens) < h.o.EntropyThreshold {
		return true
	}
	ids := make([]int32, len(tokens))
	for i, t := range tokens {
		ids[i] = t.id
	}
	c := h.o.CompressionThreshold
	return c > 0 && compression(h.m.vocab.decode(ids)) > c
}
