package model

import (
	"context"
	"errors"
	"iter"
	"time"

	"github.com/whisperfile/whisperfile/audio"
)

// ErrBusy means that a Model has as many sessions as it can hold.
var ErrBusy = errors.New("all sessions of the model are in use")

// Session is the state of one transcription over a Model's weights. It is used by one goroutine at a time.
type Session struct {
	m      *Model
	slot   int32
	turn   *turn
	mel    []float32 // the window in hand, [windowFrames][mels]
	search search
	kept   sequence // the best attempt so far
}

// NewSession takes a session. At most Slots exist at once, else the error is ErrBusy.
func (m *Model) NewSession() (*Session, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.free) == 0 {
		return nil, ErrBusy
	}
	s := &Session{m: m, slot: m.free[len(m.free)-1], turn: newTurn(), mel: make([]float32, windowFrames*m.header.Mels)}
	s.search.s = s
	m.free = m.free[:len(m.free)-1]
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
	Language  string         // code of the language that was decoded
	Languages []LanguageProb // with Auto: what the first window may be, the likeliest first
	Duration  time.Duration  // audio that was heard, from the offset on
}

// Transcribe reads src to its end, or to the end of o.Duration, and calls yield with each segment as it is final, in
// order. An error from yield ends the transcription and is returned. When ctx ends, so does Transcribe, within an
// operation of the encoder or a token; segments yielded before are good.
func (s *Session) Transcribe(ctx context.Context, src audio.Source, o Options, yield func(Segment) error) (Result, error) {
	h, err := s.newHearing(src, o, yield)
	if err != nil {
		return Result{}, err
	}
	err = h.run(ctx)
	return Result{Language: h.language, Languages: h.languages, Duration: frames(max(h.seek-h.start, 0))}, err
}

// Segments is Transcribe as an iterator. An error comes last, with a zero Segment; breaking out of the loop ends the
// transcription.
func (s *Session) Segments(ctx context.Context, src audio.Source, o Options) iter.Seq2[Segment, error] {
	return func(yield func(Segment, error) bool) {
		_, err := s.Transcribe(ctx, src, o, func(g Segment) error {
			if !yield(g, nil) {
				return errStop
			}
			return nil
		})
		if err != nil && !errors.Is(err, errStop) {
			yield(Segment{}, err)
		}
	}
}

// errStop ends a transcription whose iterator is not asked for more.
var errStop = errors.New("stopped")

// LanguageProb is a language and how likely it is to be spoken.
type LanguageProb struct {
	Code string
	P    float32
}

// DetectLanguage hears the first window of src from o.Offset on and returns the languages the model knows with their
// probabilities, the likeliest first. An English-only model returns English.
func (s *Session) DetectLanguage(ctx context.Context, src audio.Source, o Options) ([]LanguageProb, error) {
	o.Language = Auto
	h, err := s.newHearing(src, o, nil)
	if err != nil {
		return nil, err
	}
	if err := h.first(ctx); err != nil {
		return nil, err
	}
	return h.detect(ctx)
}
