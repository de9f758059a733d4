package model

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"
	"unicode/utf8"

	"github.com/whisperfile/whisperfile/audio"
	"github.com/whisperfile/whisperfile/ggml"
)

// ErrBusy means that a Model has as many sessions as it can hold.
var ErrBusy = errors.New("all sessions of the model are in use")

// ErrLanguage means that a Model has no token for a language that Whisper knows: only the newest have one for Cantonese.
var ErrLanguage = errors.New("the model does not know the language")

// Session is the state of one transcription over a Model's weights. It is used by one goroutine at a time.
type Session struct {
	m    *Model
	slot int32
	mel  []float32 // the window in hand, [windowFrames][mels]

	// A step of one row, here so that a token allocates nothing.
	row    batch
	filter [1]ggml.Filter
	picked [1]ggml.Picked
}

// NewSession takes a session. At most Slots exist at once, else the error is ErrBusy.
func (m *Model) NewSession() (*Session, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.free) == 0 {
		return nil, ErrBusy
	}
	s := &Session{m: m, slot: m.free[len(m.free)-1], mel: make([]float32, windowFrames*m.header.Mels)}
	m.free = m.free[:len(m.free)-1]
	cell := make([]int32, 1) // its position too
	s.row = batch{tokens: make([]int32, 1), positions: cell, slots: []int32{s.slot}, cells: cell, seen: make([][]int32, 1)}
	return s, nil
}

// Close gives the session back to its Model.
func (s *Session) Close() error {
	s.m.mu.Lock()
	defer s.m.mu.Unlock()
	if s.slot >= 0 {
		s.m.free = append(s.m.free, s.slot)
		s.slot = -1
	}
	return nil
}

// Result sums up a transcription.
type Result struct {
	Language string        // code of the language that was decoded
	Duration time.Duration // audio that was heard, from the offset on
}

// Transcribe reads src to its end, or to the end of o.Duration, and calls yield with each segment as it is final, in
// order. An error from yield ends the transcription and is returned. When ctx ends, so does Transcribe, within a layer
// of the encoder or a token; segments yielded before are good.
func (s *Session) Transcribe(ctx context.Context, src audio.Source, o Options, yield func(Segment) error) (Result, error) {
	if err := o.Validate(); err != nil {
		return Result{}, err
	}
	if i := s.m.Info(); i.Multilingual && o.Language != "" && !i.Knows(o.Language) {
		return Result{}, fmt.Errorf("%w: %s", ErrLanguage, o.Language)
	}
	mel, err := audio.NewMel(src, s.m.header.Mels, s.m.file.Filters.Coef)
	if err != nil {
		return Result{}, err
	}
	h := s.newHearing(o, mel, yield)
	err = h.run(ctx)
	return Result{Language: h.language, Duration: frames(max(h.seek-h.start, 0))}, err
}

// frames turns a number of frames into time.
func frames(n int) time.Duration { return time.Duration(n) * 10 * time.Millisecond }

// hearing is one run of Transcribe.
type hearing struct {
	*Session
	o        Options
	audio    *audio.Mel
	yield    func(Segment) error
	rules    *rules
	language string
	task     []int32 // tokens that name the task, the start token first
	history  []int32 // what was heard before, timestamps included

	start, seek int // frames
	limit       int // frame that no segment's time goes beyond
	timer       tokenTimer
	carry       string // bytes of a character that is not complete yet
}

func (s *Session) newHearing(o Options, mel *audio.Mel, yield func(Segment) error) *hearing {
	v := s.m.vocab
	h := &hearing{Session: s, o: o.withDefaults(), audio: mel, yield: yield, language: "en", task: []int32{v.sot}}
	timestamps := !o.NoTimestamps
	if v.multilingual {
		k := max(languageID(h.o.Language), 0)
		h.language = languages[k].code
		task := v.transcribe
		if o.Translate {
			task = v.translate
		}
		h.task = append(h.task, v.sot+1+int32(k), task)
	}
	if s.m.header.TextLayers == 2 && s.m.header.Vocab != 51866 {
		timestamps = false // the first distilled models were trained without timestamps
	}
	if !timestamps {
		h.task = append(h.task, v.not)
	}
	h.rules = newRules(v, timestamps)
	if o.Prompt != "" {
		h.history = v.encode(tail(o.Prompt, maxPrompt))
	}
	return h
}

// maxPrompt bounds the text of a prompt in bytes. A window sees no more than the last 223 tokens of it.
const maxPrompt = 32 << 10

// tail returns at most the last n bytes of s, from the start of a character on.
func tail(s string, n int) string {
	if len(s) <= n {
		return s
	}
	s = s[len(s)-n:]
	for len(s) > 0 && !utf8.RuneStart(s[0]) {
		s = s[1:]
	}
	return s
}

// run hears window after window.
func (h *hearing) run(ctx context.Context) error {
	h.start = int(h.o.Offset / (10 * time.Millisecond))
	h.seek = h.start
	if h.start > 0 {
		if err := h.audio.Skip(ctx, h.start); err != nil {
			return err
		}
	}
	for {
		if err := h.audio.Window(ctx, h.mel, h.seek); err != nil {
			return err
		}
		end, known := h.end()
		h.progress(end, known)
		if h.seek+minFrames >= end {
			return nil
		}
		if err := h.window(ctx, end); err != nil {
			return err
		}
	}
}

// end returns the frame at which hearing ends, and whether that is known yet.
func (h *hearing) end() (frame int, known bool) {
	n, known := h.audio.Frames()
	if !known {
		n = math.MaxInt32 - 1
	}
	h.limit = n + 1 // the last frame is centred on its first sample
	if h.o.Duration > 0 {
		if d := h.start + int(h.o.Duration/(10*time.Millisecond)); d <= n {
			h.limit = d
			return d, true
		}
	}
	return n, known
}

func (h *hearing) progress(end int, known bool) {
	if h.o.Progress == nil {
		return
	}
	p := Progress{Done: frames(h.seek - h.start)}
	if known {
		p.Total = frames(max(end-h.start, 0))
		p.Done = min(p.Done, p.Total)
	}
	h.o.Progress(p)
}

// window encodes and decodes the window at h.seek, yields its segments and moves on.
func (h *hearing) window(ctx context.Context, end int) error {
	if h.seek > h.start && h.seek+500 >= end {
		h.history = h.history[:0] // the last seconds are prone to repeat what came before
	}
	e := h.m.engine
	e.mu.Lock()
	err := e.encode(ctx, h.mel, h.slot)
	e.mu.Unlock()
	if err != nil {
		return err
	}
	prompt, kept := h.prompt()
	w, err := h.decodeWindow(ctx, prompt, len(prompt)-len(h.task), h.rules, end-h.seek)
	if err != nil {
		return err
	}
	silent := w.noSpeech > h.o.NoSpeechThreshold && w.meanLogProb() < h.o.LogProbThreshold
	h.history = append([]int32(nil), kept...)
	if !silent {
		for _, t := range w.result() {
			h.history = append(h.history, t.id)
		}
		if err := h.segments(w); err != nil {
			return err
		}
	}
	shift := w.shift
	if w.closed(h.m.vocab) {
		shift = min(end-h.seek, windowFrames)
	}
	h.seek += shift
	return nil
}

// prompt returns what stands before a window's first token: what was heard before, behind a token that says so, then the
// task. kept is the part that was heard before.
func (h *hearing) prompt() (tokens, kept []int32) {
	room := h.m.header.TextCtx/2 - 1
	if c := h.o.MaxContext; c != 0 {
		room = max(min(room, c-1), 0)
	}
	kept = h.history[max(len(h.history)-room, 0):]
	if len(kept) > 0 {
		tokens = append(tokens, h.m.vocab.prev)
		tokens = append(tokens, kept...)
	}
	return append(tokens, h.task...), kept
}

// Validate names the first field that makes no sense.
func (o *Options) Validate() error {
	if o.Language != "" && languageID(o.Language) < 0 {
		return fmt.Errorf("language: %q is not one that Whisper knows", o.Language)
	}
	for _, f := range []struct {
		name string
		bad  bool
	}{
		{"offset", o.Offset < 0},
		{"duration", o.Duration < 0},
		{"max len", o.MaxLen < 0},
		{"word threshold", o.WordThreshold < 0 || o.WordThreshold > 1},
		{"no-speech threshold", o.NoSpeechThreshold < 0 || o.NoSpeechThreshold > 1},
	} {
		if f.bad {
			return fmt.Errorf("%s: out of range", f.name)
		}
	}
	return nil
}

// withDefaults fills in what a zero stands for.
func (o Options) withDefaults() Options {
	for _, f := range []struct {
		p *float32
		v float32
	}{{&o.WordThreshold, 0.01}, {&o.LogProbThreshold, -1}, {&o.NoSpeechThreshold, 0.6}} {
		if *f.p == 0 {
			*f.p = f.v
		}
	}
	if o.MaxLen > 0 {
		o.TokenTimes = true
	}
	return o
}
