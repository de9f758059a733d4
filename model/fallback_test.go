package model

import (
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/whisperfile/whisperfile/ggml"
)

func TestTemperatures(t *testing.T) {
	for _, c := range []struct {
		o    Options
		want []float32
	}{
		{Options{}, []float32{0, .2, .4, .6, .8, 1}},
		{Options{NoFallback: true}, []float32{0}},
		{Options{Temperature: 0.4, NoFallback: true}, []float32{0.4}},
		{Options{Temperature: 0.8}, []float32{0.8, 1}},
		{Options{Temperature: 0.9}, []float32{0.9}},
		{Options{Temperature: 1}, []float32{1}},
		{Options{TemperatureStep: 0.5}, []float32{0, .5, 1}},
		{Options{TemperatureStep: 1}, []float32{0, 1}},
		{Options{TemperatureStep: 0.3}, []float32{0, .3, .6, .9}},
		{Options{TemperatureStep: 0.1}, []float32{0, .1, .2, .3, .4, .5, .6, .7, .8, .9, 1}},
	} {
		o := c.o.withDefaults()
		if d := cmp.Diff(c.want, o.temperatures(), cmpopts.EquateApprox(0, 1e-6)); d != "" {
			t.Errorf("%g, step %g (-want +got):\n%s", c.o.Temperature, c.o.TemperatureStep, d)
		}
	}
	// However small the step, a window is not decoded for ever.
	for _, step := range []float32{1e-30, 1e-6, 0.009, float32(math.NaN()), -1, 1.5} {
		if err := (&Options{TemperatureStep: step}).Validate(); err == nil {
			t.Errorf("a step of %g is let through", step)
		}
	}
	if err := (&Options{TemperatureStep: 0.01}).Validate(); err != nil {
		t.Error(err)
	}
}

func TestBetter(t *testing.T) {
	attempt := func(failed bool, logp float32) *sequence {
		return &sequence{tokens: []token{{logp: logp}}, length: 1, failed: failed}
	}
	nothing := &sequence{failed: true}
	for _, c := range []struct {
		name string
		a, b *sequence
		want bool
	}{
		{"the likelier one", attempt(false, -1), attempt(false, -2), true},
		{"not the other", attempt(false, -2), attempt(false, -1), false},
		{"the one that found an end", attempt(false, -9), attempt(true, -1), true},
		{"not the one that found none", attempt(true, -1), attempt(false, -9), false},
		{"the likelier of two that found none", attempt(true, -1), attempt(true, -2), true},
		{"the first of equals", attempt(false, -1), attempt(false, -1), false},
		{"something rather than nothing", attempt(true, -9), nothing, true},
	} {
		if got := better(c.a, c.b); got != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
	}
}

func TestCopies(t *testing.T) {
	before := phrase(100, 100)
	for _, c := range []struct {
		name   string
		tokens []int32
		want   bool
	}{
		{"nothing", nil, false},
		{"other words", phrase(300, 50), false},
		{"a phrase of before", append(phrase(300, 20), phrase(150, copyTokens)...), true},
		{"the first one", phrase(100, copyTokens), true},
		{"the last one", append(phrase(200-copyTokens, copyTokens), 7), true},
		{"one word less", append(phrase(300, 20), phrase(150, copyTokens-1)...), false},
		{"with a timestamp in between", append(append(phrase(150, 6), tt(50), tt(60)), phrase(156, copyTokens-6)...), true},
	} {
		h := &hearing{Session: &Session{m: &Model{vocab: english}}, heard: before}
		s := &sequence{length: len(c.tokens)}
		for _, id := range c.tokens {
			s.tokens = append(s.tokens, token{id: id})
		}
		if got := h.copies(s); got != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
		h.heard = before[:copyTokens-1]
		if h.copies(s) {
			t.Errorf("%s: what is too short is a copy", c.name)
		}
	}
}

// TestUnread computes a sequence's likelihood a token at a time.
func TestUnread(t *testing.T) {
	m := randomModel(t, "base", 4, 32, 2)
	a := newAttempts(t, m, 1)
	h := &hearing{Session: a.s, o: Options{}.withDefaults(), rules: a.rules, history: []int32{5, 6}}
	h.speak("en")
	a.prompt, a.sot = h.task, 0
	s := a.samples(1, 1, 3)
	s.tokens[2].id = 0 // an exclamation mark counts as any other
	got, err := h.unread(t.Context(), &s)
	if err != nil {
		t.Fatal(err)
	}
	var want float64
	for i, k := range s.result() {
		p := a.after(s.tokens[:i], ggml.Filter{EOT: m.vocab.eot, Beg: m.vocab.beg, Probing: true, Probe: k.id}, 1)
		want += math.Log(float64(p.Probe)) / float64(len(s.result()))
	}
	if math.Abs(got-want) > 0.01 || want > -0.1 {
		t.Errorf("%d tokens: %g, one by one %g", len(s.result()), got, want)
	}
}
