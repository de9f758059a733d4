package model

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"runtime/debug"
	"slices"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/whisperfile/whisperfile/ggml"
	"github.com/whisperfile/whisperfile/model/internal/synth"
)

// randomModel opens a small random model; with a short text context a window has few tokens.
func randomModel(t *testing.T, name string, seed uint64, textCtx, threads int) *Model {
	t.Helper()
	h := synth.Shrink(synth.Header(name), 64, 1, 2)
	h.TextCtx = textCtx
	var b bytes.Buffer
	if err := synth.Write(&b, synth.Options{Header: h, Type: ggml.F16, Seed: seed}); err != nil {
		t.Fatal(err)
	}
	m, _ := openOn(t, b.Bytes(), threads, "")
	return m
}

// attempts is a search whose slot holds a random window.
type attempts struct {
	*search
	t     *testing.T
	known map[string]ggml.Picked // what comes behind tokens at temperature 0
}

func newAttempts(t *testing.T, m *Model, seed uint64) attempts {
	t.Helper()
	s, err := m.NewSession()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	rng := rand.New(rand.NewPCG(seed, 1))
	for i := range s.mel {
		s.mel[i] = float32(rng.NormFloat64())
	}
	if err := m.encode(t.Context(), s.turn, s.mel, s.slot); err != nil {
		t.Fatal(err)
	}
	q := &s.search
	q.rules, q.left, q.patience, q.penalty = rulesOf(t, m.vocab, true), windowFrames, 0, 0
	q.prompt, q.sot = []int32{m.vocab.prev, 300, 400, m.vocab.sot}, 3
	return attempts{q, t, map[string]ggml.Picked{}}
}

// beams and samples decode the window and return a copy of the best sequence.
func (a attempts) beams(width int) sequence {
	a.temperature, a.beam, a.width = 0, true, width
	return a.best()
}

func (a attempts) samples(width int, temperature float32, seed uint64) sequence {
	a.temperature, a.beam, a.width, a.seed = temperature, false, width, seed
	return a.best()
}

func (a attempts) greedy() sequence { return a.samples(1, 0, 0) }

func (a attempts) best() sequence {
	a.t.Helper()
	s, err := a.run(a.t.Context())
	if err != nil {
		a.t.Fatal(err)
	}
	c := sequence{}
	c.copyFrom(s)
	return c
}

// after ranks k tokens behind prompt and tokens as a session would that had never decoded anything else.
func (a attempts) after(tokens []token, f ggml.Filter, k int) ggml.Picked {
	a.t.Helper()
	var p [1]ggml.Picked
	if _, err := a.s.prompt(a.t.Context(), a.prompt, a.sot, []ggml.Filter{f}, k, p[:]); err != nil {
		a.t.Fatal(err)
	}
	for i, t := range tokens {
		at := int32(len(a.prompt) + i)
		b := batch{tokens: []int32{t.id}, positions: []int32{at}, slots: []int32{a.s.slot}, cells: []int32{at}}
		if err := a.s.m.step(a.t.Context(), b, []ggml.Filter{f}, k, p[:]); err != nil {
			a.t.Fatal(err)
		}
	}
	return p[0]
}

// likeliest is after at temperature 0, which the beams of many searches ask for behind the same tokens.
func (a attempts) likeliest(tokens []token, f ggml.Filter, k int) ggml.Picked {
	key := fmt.Sprint(ids(tokens))
	p, ok := a.known[key]
	if !ok {
		p = a.after(tokens, f, MaxWidth+1)
		a.known[key] = p
	}
	p.Candidates = p.Candidates[:min(k, len(p.Candidates))]
	return p
}

// plain decodes as a search does, in the plainest way: each sequence is a copy of its own and is decoded anew for each token.
func (a attempts) plain() sequence {
	v := a.s.m.vocab
	copyOf := func(s *sequence) *sequence { c := new(sequence); c.copyFrom(s); return c }
	live := []*sequence{{shift: windowFrames}}
	enough := a.width
	if a.beam {
		enough = int(math.Round(float64(a.width) * float64(cmp.Or(a.patience, 1))))
	}
	for !a.beam && len(live) < a.width {
		live = append(live, &sequence{shift: windowFrames, number: len(live)})
	}
	var done, failed []*sequence
	room := a.s.m.header.TextCtx/2 - 4
	most := func(list []*sequence) float64 {
		sum := math.Inf(-1)
		for _, s := range list {
			sum = max(sum, s.sum)
		}
		return sum
	}
	for i := 0; i < room && len(live) > 0 && (len(done) < enough || a.beam && most(live) > most(done)); i++ {
		type next struct {
			of *sequence
			token
			sum float64
		}
		var all []next
		for _, s := range live {
			f, k := a.rules.filter(s), 1
			f.Temperature = a.temperature
			if a.beam {
				k = a.width + 1
			} else if a.temperature > 0 {
				f.Sample, f.Draw = true, draw(a.seed, s.number, i)
			}
			var p ggml.Picked
			if a.beam {
				p = a.likeliest(s.tokens, f, k)
			} else {
				p = a.after(s.tokens, f, k)
			}
			times := 0
			for c := range p.Candidates {
				t := choose(p, c, v)
				if t.closes(v, a.left) {
					times++
				}
				if a.beam && times > 1 && t.closes(v, a.left) {
					continue
				}
				all = append(all, next{s, t, s.sum + float64(t.logp)})
			}
		}
		if a.beam {
			slices.SortStableFunc(all, func(x, y next) int { return cmp.Compare(y.sum, x.sum) })
		}
		live = nil
		for _, n := range all {
			if len(live) == a.width {
				break
			}
			s := copyOf(n.of)
			switch s.add(n.token, v, true, a.left, i == room-1); {
			case s.done:
				done = append(done, s)
			case s.failed:
				failed = append(failed, s)
			default:
				live = append(live, s)
			}
		}
	}
	for _, list := range [][]*sequence{done, live} {
		list = slices.DeleteFunc(list, func(s *sequence) bool { return s.length == 0 })
		if len(list) > 0 {
			return *slices.MaxFunc(list, func(x, y *sequence) int { return cmp.Compare(x.score(a.penalty), y.score(a.penalty)) })
		}
	}
	return *slices.MaxFunc(failed, func(x, y *sequence) int {
		return cmp.Compare(x.sum/float64(len(x.tokens)), y.sum/float64(len(y.tokens)))
	})
}

// same compares what two searches gave, to the bit.
func same(t *testing.T, what string, want, got sequence) {
	t.Helper()
	if want.length != got.length || want.shift != got.shift || want.failed != got.failed || want.sum != got.sum || !slices.Equal(want.tokens, got.tokens) {
		t.Errorf("%s: %d of %d tokens, shift %d, failed %v, %g; want %d of %d, %d, %v, %g\n%s", what,
			got.length, len(got.tokens), got.shift, got.failed, got.sum, want.length, len(want.tokens), want.shift, want.failed, want.sum,
			gocmp.Diff(ids(want.tokens), ids(got.tokens)))
	}
}

func ids(tokens []token) (ids []int32) {
	for _, t := range tokens {
		ids = append(ids, t.id)
	}
	return ids
}

// TestSearchIsPlain holds beams and samples, which share cells, steps and memory, against sequences that share nothing.
func TestSearchIsPlain(t *testing.T) {
	seeds, lefts := uint64(2), []int{windowFrames, 900}
	if testing.Short() {
		seeds, lefts = 1, lefts[1:]
	}
	ended := 0
	for seed := range seeds {
		m := randomModel(t, "base", seed, 32, 2)
		a := newAttempts(t, m, seed)
		for _, left := range lefts {
			a.left = left
			for _, c := range []struct {
				width             int
				temperature       float32
				patience, penalty float32
			}{
				{1, 0, 0, 0}, {2, 0, 0, 0}, {5, 0, 0, 0}, {MaxWidth, 0, 0, 1}, {3, 0, 2, 0.5}, {4, 0, 0.5, 0},
				{1, 0.4, 0, 0}, {5, 0.6, 0, 1}, {MaxWidth, 1, 0, 0},
			} {
				a.patience, a.penalty = c.patience, c.penalty
				var got sequence
				if c.temperature == 0 {
					got = a.beams(c.width)
				} else {
					got = a.samples(c.width, c.temperature, seed)
				}
				if got.done {
					ended++
				}
				same(t, fmt.Sprintf("model %d, %d frames, %+v", seed, left, c), a.plain(), got)
			}
		}
	}
	if ended == 0 {
		t.Error("no sequence ever ended")
	}
}

func TestOneBeamIsGreedy(t *testing.T) {
	for seed := range uint64(3) {
		a := newAttempts(t, randomModel(t, "base", seed, 448, 2), seed)
		if g := a.greedy(); !g.failed { // a beam may take the next best token where the best one leads nowhere
			same(t, fmt.Sprint("model ", seed), g, a.beams(1))
		}
		if testing.Short() {
			break
		}
	}
}

// ownClip is a search whose slot holds a clip, behind a prompt of the task alone, and the frames of the clip.
func ownClip(t *testing.T, m *Model, name string) (a attempts, frames int) {
	t.Helper()
	s, err := m.NewSession()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	pcm := clip(t, name)
	h, err := s.newHearing(&samples{pcm, len(pcm)}, Options{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(h.first(t.Context()), h.encode(t.Context())); err != nil {
		t.Fatal(err)
	}
	a = attempts{&s.search, t, nil}
	a.rules, a.prompt, a.sot = h.rules, h.task, 0
	frames, _ = h.end()
	return a, frames
}

// TestBeamsAreLikelier compares sums over the clips: a single one may come out worse, and where two tokens are next to equal, rounding may take a single beam the better
// way.
func TestBeamsAreLikelier(t *testing.T) {
	m := tinyEn(t, 2)
	widths := []int{1, 2, 5}
	sums := make([]float64, len(widths))
	for _, name := range []string{"austen-0870", "austen-0880", "austen-0890", "austen-0920", "austen-0930"} {
		a, _ := ownClip(t, m, name)
		a.left = 2 * windowFrames // as if more followed: the text ends where it says so
		for i, w := range widths {
			b := a.beams(w)
			sums[i] += b.sum
		}
	}
	t.Logf("log probabilities of %v beams, added up: %.3f", widths, sums)
	const luck = 0.5
	for i, sum := range sums[1:] {
		if !(sum >= sums[0]-luck) {
			t.Errorf("%d beams: %g, a single one %g", widths[i+1], sum, sums[0])
		}
	}
}

// TestBeamsAtTheEnd hears clips that are over as the last word is: the times at which one text may end do not keep out
// another that ends later, or says so in one token more.
func TestBeamsAtTheEnd(t *testing.T) {
	m := tinyEn(t, 2)
	for _, c := range []struct {
		clip string
		less int // frames that are taken off the clip
	}{{"austen-0880", 0}, {"austen-0890", 14}} {
		a, frames := ownClip(t, m, c.clip)
		a.left = frames - c.less
		one, five := a.greedy(), a.beams(5)
		if one.failed || five.failed || !(five.score(0) >= one.score(0)) {
			t.Errorf("%s: five beams %.4f, a single one %.4f", c.clip, five.score(0), one.score(0))
		}
		texts := map[string]int{}
		for _, s := range a.ended {
			if s.tokens[len(s.tokens)-1].id != m.vocab.eot {
				texts[fmt.Sprint(ids(s.tokens[:len(s.tokens)-1]))]++
			}
		}
		for text, n := range texts {
			if n > 1 {
				t.Errorf("%s: %d beams end with the sound behind %s", c.clip, n, text)
			}
		}
	}
}

// TestAttemptsAreAlone repeats attempts in another order, in a search that has done other things, and in another session.
func TestAttemptsAreAlone(t *testing.T) {
	m := randomModel(t, "base", 3, 64, 2)
	a, b := newAttempts(t, m, 1), newAttempts(t, m, 1)
	type attempt struct {
		width       int
		temperature float32
		seed        uint64
	}
	all := []attempt{{1, 0, 0}, {5, 0, 0}, {5, 1, 1}, {5, 1, 2}, {8, 1, 1}, {2, 1, 1}, {8, 0, 0}}
	do := func(a attempts, w attempt) sequence {
		if w.temperature == 0 {
			return a.beams(w.width)
		}
		return a.samples(w.width, w.temperature, w.seed)
	}
	var want []sequence
	for _, w := range all {
		want = append(want, do(a, w))
	}
	for _, i := range []int{6, 2, 0, 4, 1, 3, 5, 5, 2} {
		same(t, fmt.Sprintf("again: %+v", all[i]), want[i], do(a, all[i]))
		same(t, fmt.Sprintf("in another session: %+v", all[i]), want[i], do(b, all[i]))
	}
	if slices.Equal(want[2].tokens, want[3].tokens) {
		t.Error("two seeds give the same tokens")
	}
}

// TestLongestPromptMostBeams runs out of neither cells nor positions.
func TestLongestPromptMostBeams(t *testing.T) {
	m := smallModel(t)
	a := newAttempts(t, m, 1)
	r := a.rules
	set(r.mask, m.vocab.eot) // nobody ends
	h := hearing{Session: a.s, o: Options{}.withDefaults(), rules: r}
	h.speak("en")
	h.task = append(h.task, m.vocab.not, m.vocab.not, m.vocab.not) // as many as the longest task has
	a.prompt, _ = h.context(phrase(500, 1000))
	a.sot = len(a.prompt) - len(h.task)
	for id := m.vocab.beg; int(id) < m.header.Vocab; id++ {
		set(r.mask, id)
	}
	width := MaxWidth
	if testing.Short() {
		width = 2
	}
	s := a.beams(width)
	if want := m.header.TextCtx/2 - 4; len(s.tokens) != want && !s.looped {
		t.Errorf("%d tokens behind a prompt of %d, want %d", len(s.tokens), len(a.prompt), want)
	}
	if s = a.samples(width, 1, 1); len(s.tokens) != m.header.TextCtx/2-4 && !s.looped {
		t.Errorf("%d tokens in a sample", len(s.tokens))
	}
}

// TestThreadsAndCollector hears with other numbers of threads while the garbage collector runs all the time.
func TestThreadsAndCollector(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(100))
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	pcm := noise(7, 12)
	o := Options{BeamSize: 3, BestOf: 2, TemperatureStep: 1, TokenTimes: true}
	want := hear(t, randomModel(t, "tiny.en", 5, 96, 1), pcm, len(pcm), o)
	if len(want) == 0 {
		t.Error("nothing was heard")
	}
	debug.SetGCPercent(1)
	for _, n := range []int{1, 2, 8} {
		runtime.GOMAXPROCS(n)
		if d := gocmp.Diff(want, hear(t, randomModel(t, "tiny.en", 5, 96, n), pcm, 4096, o)); d != "" {
			t.Errorf("%d processors (-want +got):\n%s", n, d)
		}
	}
}

// noise is seconds of it.
func noise(seed uint64, seconds int) []float32 {
	rng := rand.New(rand.NewPCG(seed, 2))
	pcm := make([]float32, seconds*16000)
	for i := range pcm {
		pcm[i] = float32(rng.NormFloat64()) * 0.1
	}
	return pcm
}

func TestDraw(t *testing.T) {
	// The first numbers of SplitMix64 from seed 0: mix steps the state and scrambles it.
	step := uint64(0x9e3779b97f4a7c15)
	for i, want := range []uint64{0xe220a8397b1dcdaf, 0x6e789e6aa1b965f4, 0x06c45d188009454f} {
		if got := mix(uint64(i) * step); got != want {
			t.Errorf("number %d: %#x, want %#x", i, got, want)
		}
	}
	const buckets, n = 64, 1 << 16
	for _, c := range []struct {
		name string
		draw func(i int) float64
	}{
		{"over tokens", func(i int) float64 { return draw(1, 0, i) }},
		{"over samples", func(i int) float64 { return draw(1, i, 3) }},
		{"over seeds", func(i int) float64 { return draw(uint64(i), 2, 3) }},
		{"over samples and tokens", func(i int) float64 { return draw(9, i%8, i/8) }},
	} {
		var count [buckets]float64
		var sum, neighbours, last float64
		for i := range n {
			x := c.draw(i)
			if x != c.draw(i) || x < 0 || x >= 1 {
				t.Fatalf("%s: %g", c.name, x)
			}
			count[int(x*buckets)]++
			sum, neighbours, last = sum+x, neighbours+(x-0.5)*(last-0.5), x
		}
		var chi float64
		for _, k := range count {
			chi += (k - n/buckets) * (k - n/buckets) / (n / buckets)
		}
		// 63 degrees of freedom: a mean of 63, a deviation of 11.
		if chi < 20 || chi > 120 || math.Abs(sum/n-0.5) > 0.005 || math.Abs(neighbours/n*12) > 0.02 {
			t.Errorf("%s: chi² %.0f, mean %.4f, correlation of neighbours %.4f", c.name, chi, sum/n, neighbours/n*12)
		}
	}
}
