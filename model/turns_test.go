package model

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/whisperfile/whisperfile/audio"
	"github.com/whisperfile/whisperfile/ggml"
)

// TestCompanyChangesNothing: what a session hears is the same whether it is alone or among others, be they greedy, with
// beams or samples.
func TestCompanyChangesNothing(t *testing.T) {
	m := randomModel(t, "tiny.en", 1, 64, 0)
	kinds := []func(attempts) sequence{
		func(a attempts) sequence { return a.greedy() },
		func(a attempts) sequence { return a.beams(3) },
		func(a attempts) sequence { return a.samples(2, 0.4, 7) },
		func(a attempts) sequence { return a.beams(8) },
		func(a attempts) sequence { return a.samples(5, 0.9, 1) },
	}
	var alone, together [5][]int32
	hear := func(i int) (ids []int32) {
		for _, t := range kinds[i](newAttempts(t, m, uint64(i))).tokens {
			ids = append(ids, t.id)
		}
		return ids
	}
	tokens := 0
	for i := range kinds {
		alone[i] = hear(i)
		tokens += len(alone[i])
	}
	if tokens < 10*len(kinds) {
		t.Errorf("%d tokens are too few to tell", tokens)
	}
	var wg sync.WaitGroup
	for i := range kinds {
		wg.Go(func() { together[i] = hear(i) })
	}
	wg.Wait()
	if d := gocmp.Diff(alone, together); d != "" {
		t.Errorf("alone (-) and in company (+):\n%s", d)
	}
	if n := cap(m.turns.batch.turns); n < 2 {
		t.Errorf("a step served at most %d sessions", n)
	}
}

// TestTurnOrder lets several wait while somebody computes, and sees who comes next.
func TestTurnOrder(t *testing.T) {
	pass := func(windows, ticket, over int) *turn {
		w := newTurn()
		w.windows, w.ticket, w.over = windows, uint64(ticket), over
		return w
	}
	step := func(windows int) *turn {
		w := pass(windows, 0, 0)
		w.rows.tokens = make([]int32, 1)
		return w
	}
	for name, c := range map[string]struct {
		passes, steps []*turn
		searching     int
		stepped       bool
		want          int // index of the pass, or −1 for the step
	}{
		"first come":                   {passes: []*turn{pass(0, 2, 0), pass(0, 1, 0)}, want: 1},
		"fewest windows":               {passes: []*turn{pass(5, 1, 0), pass(0, 9, 0)}, want: 1},
		"passed over for too long":     {passes: []*turn{pass(5, 1, maxPassedOver), pass(0, 9, 0)}, want: 0},
		"step after pass":              {passes: []*turn{pass(1, 1, 0)}, steps: []*turn{step(1)}, searching: 1, want: -1},
		"pass after step":              {passes: []*turn{pass(1, 1, 0)}, steps: []*turn{step(1)}, searching: 1, stepped: true, want: 0},
		"young step before old pass":   {passes: []*turn{pass(2, 1, 0)}, steps: []*turn{step(0), step(7)}, searching: 2, stepped: true, want: -1},
		"old pass that waited":         {passes: []*turn{pass(2, 1, maxPassedOver)}, steps: []*turn{step(0)}, searching: 1, want: 0},
		"a step waits for all":         {passes: []*turn{pass(2, 1, 0)}, steps: []*turn{step(0)}, searching: 2, want: 0},
		"a pass goes before old steps": {passes: []*turn{pass(0, 1, 0)}, steps: []*turn{step(3)}, searching: 1, stepped: true, want: 0},
	} {
		ts := turns{passes: slices.Clone(c.passes), steps: slices.Clone(c.steps), searching: c.searching, stepped: c.stepped}
		ts.next()
		got := -2
		for i, w := range append(slices.Clone(c.steps), c.passes...) {
			if len(w.granted) > 0 {
				got = max(i-len(c.steps), -1)
			}
		}
		if got != c.want {
			t.Errorf("%s: %d, want %d", name, got, c.want)
		}
	}
}

// TestStepsAreBounded: more rows than a step takes wait for the next one, first come first served.
func TestStepsAreBounded(t *testing.T) {
	var ts turns
	for range maxStepRows/5 + 3 {
		w := newTurn()
		w.rows.tokens = make([]int32, 5)
		ts.steps = append(ts.steps, w)
	}
	all := slices.Clone(ts.steps)
	ts.searching = len(all)
	ts.next()
	if n := maxStepRows / 5; !slices.Equal(ts.batch.turns, all[:n]) || !slices.Equal(ts.steps, all[n:]) {
		t.Errorf("a step of %d, %d wait", len(ts.batch.turns), len(ts.steps))
	}
}

// fragile panics in a Pick of several rows.
type fragile struct{ ggml.Backend }

func (f fragile) Pick(ctx context.Context, p ggml.Pick, dst []ggml.Picked) error {
	if p.X.Rows > 1 {
		panic("broken")
	}
	return f.Backend.Pick(ctx, p, dst)
}

// TestPanicsStayAlone: where a step ends in a panic everyone in it hears of it, and those who come later find no trace.
func TestPanicsStayAlone(t *testing.T) {
	m := randomModel(t, "tiny.en", 1, 64, 1)
	whole := m.b
	m.b = fragile{whole}
	var ended [2]any
	var wg sync.WaitGroup
	m.turns.searching = 2
	for i := range ended {
		wg.Go(func() {
			defer func() {
				if v := recover(); v != nil {
					ended[i] = v
				}
			}()
			s, err := m.NewSession()
			if err != nil {
				t.Error(err)
				return
			}
			defer s.Close()
			b := batch{tokens: []int32{1}, positions: []int32{0}, slots: []int32{s.slot}, cells: []int32{0}, seen: [][]int32{{0}}}
			if err := m.encode(t.Context(), s.turn, s.mel, s.slot); err != nil {
				t.Error(err)
			}
			ended[i] = s.step(t.Context(), b, make([]ggml.Filter, 1), 1, make([]ggml.Picked, 1))
		})
	}
	wg.Wait()
	if slices.Index(ended[:], any("broken")) < 0 || slices.IndexFunc(ended[:], func(v any) bool { err, _ := v.(error); return errors.Is(err, errStep) }) < 0 {
		t.Errorf("the two ended with %v", ended)
	}
	m.b, m.turns.searching = whole, 0
	s, err := m.NewSession()
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if _, err := s.Transcribe(ctx, &samples{make([]float32, audio.SampleRate), 1 << 20}, Options{}, func(Segment) error { return nil }); err != nil {
		t.Error(err)
	}
}
