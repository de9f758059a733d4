package model

import (
	"cmp"
	"context"
	"math"
	"slices"

	"github.com/whisperfile/whisperfile/ggml"
)

// MaxWidth is the largest number of beams or samples.
const MaxWidth = 8

// search decodes a window with several sequences side by side: the beams of a beam search, or samples drawn independently
// of each other. The rows of all of them make one step. A search belongs to a Session and is used again for each attempt.
type search struct {
	s     *Session
	cells cells

	prompt      []int32
	sot         int // place of the start token in prompt
	rules       *rules
	left        int // frames from the window's start to the audio's end
	temperature float32
	width       int // beams or samples
	beam        bool
	patience    float32
	penalty     float32 // see sequence.score
	seed        uint64  // of the attempt

	live, next []*sequence
	ended      []*sequence // finished, the first one first
	failed     *sequence   // the likeliest of those that failed
	spare      []*sequence
	picked     []ggml.Picked // a row each
	options    []option
	filters    []ggml.Filter
	rows       batch
	noSpeech   float32
}

// option is a token that may follow a beam.
type option struct {
	of  *sequence
	t   token
	sum float64
}

// run decodes until the sequences have ended and returns the best of them, which stays good until the next run.
func (q *search) run(ctx context.Context) (*sequence, error) {
	for _, list := range []*[]*sequence{&q.live, &q.ended} {
		q.spare = append(q.spare, *list...)
		*list = (*list)[:0]
	}
	if q.failed != nil {
		q.spare, q.failed = append(q.spare, q.failed), nil
	}
	q.cells.reset(q.s.m.selfCells())
	root := q.sequence()
	root.start()
	for range q.prompt {
		root.cells = append(root.cells, q.cells.take())
	}
	if err := q.begin(ctx, root); err != nil {
		return nil, err
	}
	q.s.m.turns.join()
	defer q.s.m.turns.leave()
	room := q.s.m.header.TextCtx/2 - 4
	for i := range room {
		if i > 0 {
			if err := q.step(ctx, len(q.prompt)+i-1); err != nil {
				return nil, err
			}
		}
		if q.beam {
			q.expand(i == room-1)
		} else {
			q.extend(i == room-1)
		}
		if len(q.live) == 0 || len(q.ended) >= q.enough() && !q.ahead() {
			break
		}
	}
	return q.best(), nil
}

// enough is how many finished beams end the search. Samples end each by itself.
func (q *search) enough() int {
	if !q.beam {
		return q.width
	}
	patience := q.patience
	if patience <= 0 {
		patience = 1
	}
	return max(1, int(math.Round(float64(q.width)*float64(patience))))
}

// ahead reports whether a beam is likelier than all that have ended: as it grows it can still fall behind, but not be left
// out because others had fewer tokens to go.
func (q *search) ahead() bool {
	if !q.beam {
		return false
	}
	most := func(list []*sequence) float64 {
		sum := math.Inf(-1)
		for _, s := range list {
			sum = max(sum, s.sum)
		}
		return sum
	}
	return most(q.live) > most(q.ended)
}

// begin decodes the prompt and makes the first sequences.
func (q *search) begin(ctx context.Context, root *sequence) error {
	q.live = append(q.live, root)
	if !q.beam {
		for len(q.live) < q.width {
			s := q.sequence()
			s.copyFrom(root)
			s.number = len(q.live)
			q.cells.share(s.cells)
			q.live = append(q.live, s)
		}
	}
	q.filter(0)
	noSpeech, err := q.s.prompt(ctx, q.prompt, q.sot, q.filters, q.candidates(), q.picks())
	q.noSpeech = noSpeech
	return err
}

// filter fills in the filters of the live sequences, which are about to choose token number i.
func (q *search) filter(i int) {
	q.filters = q.filters[:0]
	for _, s := range q.live {
		f := q.rules.filter(s)
		f.Temperature = q.temperature
		if !q.beam && q.temperature > 0 {
			f.Sample, f.Draw = true, draw(q.seed, s.number, i)
		}
		q.filters = append(q.filters, f)
	}
}

// candidates is how many tokens are wanted for each row: for beams one more than there are beams, since one may end.
func (q *search) candidates() int {
	if q.beam {
		return q.width + 1
	}
	return 1
}

// picks returns a Picked for each live sequence.
func (q *search) picks() []ggml.Picked {
	for len(q.picked) < len(q.live) {
		q.picked = append(q.picked, ggml.Picked{})
	}
	return q.picked[:len(q.live)]
}

// step decodes the last tokens of the live sequences, which stand at position, and ranks what may follow them.
func (q *search) step(ctx context.Context, position int) error {
	b := &q.rows
	b.tokens, b.positions, b.slots, b.cells, b.seen = b.tokens[:0], b.positions[:0], b.slots[:0], b.cells[:0], b.seen[:0]
	for _, s := range q.live {
		cell := q.cells.take()
		s.cells = append(s.cells, cell)
		b.tokens = append(b.tokens, s.tokens[len(s.tokens)-1].id)
		b.positions = append(b.positions, int32(position))
		b.slots = append(b.slots, q.s.slot)
		b.cells = append(b.cells, cell)
		b.seen = append(b.seen, s.cells)
	}
	q.filter(len(q.live[0].tokens))
	return q.s.step(ctx, *b, q.filters, q.candidates(), q.picks())
}

// extend adds to each live sample its own token.
func (q *search) extend(last bool) {
	live := q.live[:0]
	for i, s := range q.live {
		s.add(choose(q.picked[i], 0, q.rules.v), q.rules.v, q.rules.timestamps, q.left, last)
		if !q.settle(s) {
			live = append(live, s)
		}
	}
	q.live = live
}

// settle takes a sequence that has ended out of the search and reports whether it has.
func (q *search) settle(s *sequence) bool {
	switch {
	case s.done:
		q.ended = append(q.ended, s)
	case !s.failed:
		return false
	case q.failed == nil || s.sum/float64(len(s.tokens)) > q.failed.sum/float64(len(q.failed.tokens)):
		if q.failed != nil {
			q.spare = append(q.spare, q.failed)
		}
		q.failed = s
	default:
		q.spare = append(q.spare, s)
	}
	q.cells.drop(s.cells)
	s.cells = s.cells[:0]
	return true
}

// expand replaces the beams by their likeliest continuations. Those that end leave the search, and the next one takes
// their place. Of the times at which a beam may end with the sound the likeliest speaks for all: else the same words, over at
// one time or another, would end the search before others are said.
func (q *search) expand(last bool) {
	q.options = q.options[:0]
	for i, s := range q.live {
		over := false
		for c := range q.picked[i].Candidates {
			t := choose(q.picked[i], c, q.rules.v)
			if t.closes(q.rules.v, q.left) {
				if over {
					continue
				}
				over = true
			}
			q.options = append(q.options, option{s, t, s.sum + float64(t.logp)})
		}
	}
	// Stable: equal ones stay in the order of the beams.
	slices.SortStableFunc(q.options, func(a, b option) int { return cmp.Compare(b.sum, a.sum) })
	q.next = q.next[:0]
	for _, o := range q.options {
		if len(q.next) == q.width {
			break
		}
		s := q.sequence()
		s.copyFrom(o.of)
		q.cells.share(s.cells)
		s.add(o.t, q.rules.v, q.rules.timestamps, q.left, last)
		if !q.settle(s) {
			q.next = append(q.next, s)
		}
	}
	for _, s := range q.live {
		q.cells.drop(s.cells)
		q.spare = append(q.spare, s)
	}
	q.live, q.next = q.next, q.live
}

// best returns the likeliest of the finished sequences; where none has finished, of those that ran out of room with
// something kept; and else of those that failed.
func (q *search) best() *sequence {
	var best *sequence
	for _, list := range [...][]*sequence{q.ended, q.live} {
		for _, s := range list {
			if s.length > 0 && (best == nil || s.score(q.penalty) > best.score(q.penalty)) {
				best = s
			}
		}
		if best != nil {
			return best
		}
	}
	if q.failed == nil {
		q.failed = q.live[0]
		q.failed.failed = true
		q.live = q.live[1:]
	}
	return q.failed
}

// sequence returns one that is out of use.
func (q *search) sequence() *sequence {
	if n := len(q.spare); n > 0 {
		s := q.spare[n-1]
		q.spare = q.spare[:n-1]
		return s
	}
	n := q.s.m.header.TextCtx
	return &sequence{tokens: make([]token, 0, n), cells: make([]int32, 0, n)}
}

// choose makes a token of candidate c. Where nothing may come, which takes weights that are no numbers, it is the end.
func choose(p ggml.Picked, c int, v *vocab) token {
	if len(p.Candidates) == 0 {
		return token{id: v.eot, logp: float32(math.Inf(-1))}
	}
	k := p.Candidates[c]
	t := token{id: k.ID, logp: k.LogProb, p: float32(math.Exp(float64(k.LogProb))), tid: p.Time, pt: p.TimeP, ptsum: p.TimeSum}
	if t.id >= v.beg {
		t.tid, t.pt = t.id, t.p
	}
	return t
}

// draw returns a number in [0, 1) that depends on its arguments alone: the finaliser of SplitMix64 over their sum.
func draw(seed uint64, sample, i int) float64 {
	return float64(mix(mix(mix(seed)+uint64(sample))+uint64(i))>>11) / (1 << 53)
}

// mix is a step of SplitMix64 (Steele, Lea and Flood, 2014).
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}
