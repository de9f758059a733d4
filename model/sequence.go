package model

import (
	"math"

	"github.com/whisperfile/whisperfile/ggml"
)

// Times inside the package are in frames of the spectrogram, 10 ms each; a timestamp token counts steps of two.
const (
	windowFrames = 3000
	minFrames    = 10 // less is not decoded
	timeStep     = 2
	firstTime    = 50 // a window's first timestamp is at most 1 s
)

// token is a token as it was chosen.
type token struct {
	id      int32
	p, logp float32

	// tid is the likeliest timestamp at this place, pt its share of all timestamps, ptsum their probability together.
	tid       int32
	pt, ptsum float32
}

// closes reports whether t is a time so near the end of the audio, left frames from the window's start, that nothing comes
// behind it.
func (t token) closes(v *vocab, left int) bool {
	return t.id > v.beg && timeStep*int(t.id-v.beg)+minFrames >= left
}

// sequence is one way to decode a window: a beam, or a sample.
type sequence struct {
	number int // of the sample
	tokens []token
	cells  []int32 // cells of the self cache that hold prompt and tokens, in order
	sum    float64 // log probability of all tokens

	length int  // tokens up to the last one that closes something: what is kept
	shift  int  // frames up to that point: where the next window begins
	timed  bool // a timestamp above zero has been seen
	failed bool
	done   bool

	loop   loopFinder
	looped bool // it failed because it repeats itself; length and shift end with the first round
}

// start makes s empty, in the memory it has.
func (s *sequence) start() {
	*s = sequence{tokens: s.tokens[:0], cells: s.cells[:0], shift: windowFrames, loop: loopFinder{text: s.loop.text[:0], place: s.loop.place[:0]}}
}

// copyFrom makes s the same as o, in the memory it has.
func (s *sequence) copyFrom(o *sequence) {
	tokens, cells, loop := append(s.tokens[:0], o.tokens...), append(s.cells[:0], o.cells...), s.loop
	loop.copyFrom(&o.loop)
	*s = *o
	s.tokens, s.cells, s.loop = tokens, cells, loop
}

// add appends a token and decides whether the sequence goes on. left is the number of frames from the window's start to
// the end of the audio, last says that there is no room for another token.
func (s *sequence) add(t token, v *vocab, timestamps bool, left int, last bool) {
	i := len(s.tokens)
	s.tokens = append(s.tokens, t)
	s.sum += float64(t.logp)
	if t.id < v.eot {
		if at, found := s.loop.add(t.id, i); found {
			s.cut(at, v)
			return
		}
	}
	if t.id > v.beg {
		shift := timeStep * int(t.id-v.beg)
		if s.timed && s.shift > shift && s.length < i {
			s.failed = true // time ran backwards
			return
		}
		s.shift, s.length, s.timed = shift, i+1, true
	}
	atEnd := s.shift+minFrames >= left
	if t.id == v.eot || s.timed && atEnd {
		switch {
		case !timestamps:
			s.length, s.shift = i+1, windowFrames
		case s.length == 0 && !atEnd:
			s.failed = true // it ended without closing anything
			return
		case s.length == 0:
			s.length = i + 1
		}
		s.done = true
		return
	}
	if last && (s.length == 0 || s.shift < windowFrames/2) {
		s.failed = true // most often a loop
	}
}

// cut ends a sequence that repeats itself behind the first round, which ends before place at: what is kept reaches to the
// last timestamp before that, or to that place where there is none.
func (s *sequence) cut(at int, v *vocab) {
	s.failed, s.looped = true, true
	s.length, s.shift = at, windowFrames
	for i := at - 1; i > 0; i-- {
		if id := s.tokens[i].id; id > v.beg {
			s.length, s.shift = i+1, timeStep*int(id-v.beg)
			return
		}
	}
}

// result returns the tokens that count: all of them where the sequence failed for want of an end.
func (s *sequence) result() []token {
	if s.failed && !s.looped {
		return s.tokens
	}
	return s.tokens[:s.length]
}

// score ranks finished sequences: the mean log probability of what is kept, or with a penalty p above 0 its sum over
// ((5+n)/6)ᵖ.
func (s *sequence) score(penalty float32) float64 {
	n := s.length
	if n == 0 {
		return math.Inf(-1)
	}
	var sum float64
	for _, t := range s.tokens[:n] {
		sum += float64(t.logp)
	}
	if penalty > 0 {
		return sum / math.Pow(float64(5+n)/6, float64(penalty))
	}
	return sum / float64(n)
}

// meanLogProb is the average log probability of the tokens that count, −∞ for a sequence that failed.
func (s *sequence) meanLogProb() float32 {
	if s.failed {
		return float32(math.Inf(-1))
	}
	return float32(s.score(0))
}

// closed reports whether the result ends in a single timestamp: then nothing is spoken behind it in this window.
func (s *sequence) closed(v *vocab) bool {
	t := s.result()
	n := len(t)
	return n > 1 && t[n-1].id > v.beg && t[n-2].id < v.beg
}

// rules are what the options of a transcription allow the tokens to be.
type rules struct {
	v          *vocab
	timestamps bool
	mask       []uint64 // never allowed
	first      []uint64 // not allowed at the start of a window
}

// newRules fails where the options hold a regular expression that is none.
func newRules(v *vocab, timestamps bool, o *Options) (*rules, error) {
	r := &rules{v: v, timestamps: timestamps, mask: make([]uint64, (len(v.texts)+63)/64)}
	for _, id := range []int32{v.sot, v.nosp, v.not, v.translate, v.transcribe, v.prev} {
		set(r.mask, id)
	}
	if !o.SpeakerTurns {
		set(r.mask, v.solm)
	}
	if err := v.suppress(r.mask, o); err != nil {
		return nil, err
	}
	for k := range int32(v.languages) {
		set(r.mask, v.sot+1+k)
	}
	r.first = append([]uint64(nil), r.mask...)
	set(r.first, v.eot)
	for id, t := range v.texts[:v.eot] {
		if t == " " {
			set(r.first, int32(id))
		}
	}
	return r, nil
}

func set(mask []uint64, id int32) { mask[id/64] |= 1 << (id % 64) }

// filter says what may come behind a sequence: timestamps come in pairs, but for the one that opens the window and the
// one that closes it, and never run backwards.
func (r *rules) filter(s *sequence) ggml.Filter {
	f := ggml.Filter{Mask: r.mask, EOT: r.v.eot, Beg: r.v.beg, NoTime: !r.timestamps, Mass: r.timestamps}
	n := len(s.tokens)
	if n == 0 {
		f.Mask = r.first
		f.TimeFrom, f.TimeTo = r.v.beg, r.v.beg+firstTime
		return f
	}
	if s.tokens[n-1].id >= r.v.beg {
		if n < 2 || s.tokens[n-2].id >= r.v.beg {
			f.NoTime = true
		} else {
			f.NoText = true
		}
	}
	if s.timed {
		f.TimeFrom, f.TimeTo = r.v.beg+int32(s.shift/timeStep), int32(len(r.v.texts)-1)
	}
	return f
}
