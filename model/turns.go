package model

import (
	"context"
	"errors"
	"slices"
	"sync"

	"github.com/whisperfile/whisperfile/ggml"
)

const (
	// maxStepRows is how many rows a step takes at most. The weights are read once for all of them, and from some 16 rows on
	// it is no longer the reading that takes the time.
	maxStepRows = 64

	// maxPassedOver is how often a pass lets others go first.
	maxPassedOver = 8
)

// turns hands the backend from one session to the next. A turn is a pass (a layer of an encoder, or a prompt) or a step,
// which takes the rows of all searches together.
//
// Those who have heard the fewest windows go first, so that a short clip does not wait behind a long one; among equals
// an encoder that has begun goes on, and passes and steps alternate. Whoever was passed over often enough goes first.
//
// What a row of a step gives does not depend on the others, so neither does a text depend on the company it was made in.
type turns struct {
	mu        sync.Mutex
	busy      bool
	stepped   bool // the last turn was a step
	tickets   uint64
	searching int     // searches that stand between two steps or wait for one
	passes    []*turn // who waits for a pass
	steps     []*turn // who waits for a step, the first one first
	batch     stepBatch
	stats     Stats
}

// turn is how a session waits. It is used again and again.
type turn struct {
	granted chan struct{}
	windows int    // heard before
	ticket  uint64 // order of arrival; an encoder keeps it from layer to layer
	over    int    // how often it was passed over

	// Of a step: what is asked for, and what came of it. The one that leads computes for all of batch.
	rows    batch
	filters []ggml.Filter
	k       int
	dst     []ggml.Picked
	leads   bool
	err     error
}

// newTurn returns one for a session that has heard nothing yet.
func newTurn() *turn { return &turn{granted: make(chan struct{}, 1)} }

// draw gives w the next place in the order of arrival.
func (t *turns) draw(w *turn) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.tickets++
	w.ticket = t.tickets
}

// enter waits for a pass; exit ends it. Who ends one encoder's layer and enters the next gives others the chance to go
// first.
func (t *turns) enter(w *turn) {
	t.mu.Lock()
	t.passes = append(t.passes, w)
	t.next()
	t.mu.Unlock()
	<-w.granted
}

func (t *turns) exit() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.busy = false
	t.next()
}

// join and leave bracket a search. Between its steps a search only chooses tokens, so that a step is worth waiting until
// all of them have come.
func (t *turns) join() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.searching++
}

func (t *turns) leave() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.searching--
	t.next()
}

// errStep is what the others get where a step ends in a panic.
var errStep = errors.New("the step was given up")

// step waits for a step and computes it on e, or waits for somebody else to have done so.
func (t *turns) step(ctx context.Context, w *turn, e *engine) error {
	w.leads, w.err = false, errStep
	t.mu.Lock()
	t.steps = append(t.steps, w)
	t.next()
	t.mu.Unlock()
	<-w.granted
	if !w.leads {
		return w.err
	}
	defer t.finish()
	all := &t.batch
	if len(all.turns) == 1 {
		w.err = e.step(ctx, w.rows, w.filters, w.k, w.dst)
		return w.err
	}
	all.gather()
	// One that is no longer wanted must not end the others.
	err := e.step(context.WithoutCancel(ctx), all.rows, all.filters, all.k, all.picked)
	all.scatter(err)
	return w.err
}

// finish ends a step and lets those go who waited for its result.
func (t *turns) finish() {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, w := range t.batch.turns {
		if !w.leads {
			w.granted <- struct{}{}
		}
	}
	t.busy = false
	t.next()
}

// next grants the next turn where there is one to grant. mu is held.
func (t *turns) next() {
	if t.busy {
		return
	}
	pass, step := t.nextPass(), t.stepReady()
	switch {
	case pass == nil && !step:
		return
	case pass == nil, step && !t.passFirst(pass):
		t.grantStep()
	default:
		t.grantPass(pass)
	}
	t.busy = true
}

// nextPass returns the pass that is first in line.
func (t *turns) nextPass() *turn {
	var first *turn
	for _, w := range t.passes {
		if first == nil || before(w, first) {
			first = w
		}
	}
	return first
}

func before(a, b *turn) bool {
	if x, y := a.over >= maxPassedOver, b.over >= maxPassedOver; x != y {
		return x
	}
	if a.windows != b.windows {
		return a.windows < b.windows
	}
	return a.ticket < b.ticket
}

// stepReady reports whether all have come whom a step may wait for, or as many as it takes.
func (t *turns) stepReady() bool {
	rows := 0
	for _, w := range t.steps {
		rows += len(w.rows.tokens)
	}
	return len(t.steps) > 0 && (len(t.steps) >= t.searching || rows >= maxStepRows)
}

// passFirst reports whether a pass goes before a step that is ready.
func (t *turns) passFirst(pass *turn) bool {
	youngest := pass.windows
	for _, w := range t.steps {
		youngest = min(youngest, w.windows)
	}
	return pass.over >= maxPassedOver || t.stepped && youngest == pass.windows
}

func (t *turns) grantPass(w *turn) {
	t.stepped = false
	t.passes = slices.DeleteFunc(t.passes, func(p *turn) bool { return p == w })
	t.passedOver()
	w.over = 0
	w.granted <- struct{}{}
}

func (t *turns) grantStep() {
	t.stepped = true
	all := t.batch.turns[:0]
	rows := 0
	for _, w := range t.steps {
		if len(all) > 0 && rows+len(w.rows.tokens) > maxStepRows {
			break
		}
		rows += len(w.rows.tokens)
		all = append(all, w)
	}
	t.steps = slices.Delete(t.steps, 0, len(all))
	t.batch.turns = all
	t.stats.count(rows)
	t.passedOver()
	all[0].leads = true
	all[0].granted <- struct{}{}
}

// passedOver counts for those who wait on.
func (t *turns) passedOver() {
	for _, w := range t.passes {
		w.over++
	}
}

// stepBatch is what several sessions ask of one step.
type stepBatch struct {
	turns   []*turn
	rows    batch
	filters []ggml.Filter
	k       int
	picked  []ggml.Picked
}

// gather puts the rows of all behind each other.
func (b *stepBatch) gather() {
	r := &b.rows
	r.tokens, r.positions, r.slots, r.cells, r.seen = r.tokens[:0], r.positions[:0], r.slots[:0], r.cells[:0], r.seen[:0]
	b.filters, b.picked, b.k = b.filters[:0], b.picked[:0], 0
	for _, w := range b.turns {
		r.tokens = append(r.tokens, w.rows.tokens...)
		r.positions = append(r.positions, w.rows.positions...)
		r.slots = append(r.slots, w.rows.slots...)
		r.cells = append(r.cells, w.rows.cells...)
		r.seen = append(r.seen, w.rows.seen...)
		b.filters = append(b.filters, w.filters...)
		b.picked = append(b.picked, w.dst...)
		b.k = max(b.k, w.k)
	}
}

// scatter gives everyone their part of what was picked.
func (b *stepBatch) scatter(err error) {
	picked := b.picked
	for _, w := range b.turns {
		w.err = err
		n := copy(w.dst, picked)
		picked = picked[n:]
		for i, p := range w.dst {
			w.dst[i].Candidates = p.Candidates[:min(w.k, len(p.Candidates))]
		}
	}
}
