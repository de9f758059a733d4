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

// ErrLanguage means that a Model has no token for a language that Whisper knows: only the newest have one for Cantonese.
var ErrLanguage = errors.New("the model does not know the language")

// ErrTranslate means that a Model was not trained to translate: the English-only ones, turbo and the distilled ones.
var ErrTranslate = errors.New("the model cannot translate")

// frames turns a number of frames into time.
func frames(n int) time.Duration { return time.Duration(n) * 10 * time.Millisecond }

// hearing is one run of Transcribe.
type hearing struct {
	*Session
	o         Options
	audio     *audio.Mel
	yield     func(Segment) error
	rules     *rules
	language  string
	languages []LanguageProb
	task      []int32 // tokens that name the task, the start token first
	carried   []int32 // the prompt, where it goes before every window
	history   []int32 // what was heard before, timestamps included
	heard     []int32 // the text of it, less the prompt

	start, seek int  // frames
	limit       int  // frame that no segment's time goes beyond
	encoded     bool // the slot holds the window at seek
	timer       tokenTimer
	partial     string // bytes of a character that is not complete yet
}

func (s *Session) newHearing(src audio.Source, o Options, yield func(Segment) error) (*hearing, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	i, v := s.m.Info(), s.m.vocab
	switch {
	case i.Multilingual && o.Language != "" && o.Language != Auto && !i.Knows(o.Language):
		return nil, fmt.Errorf("%w: %s", ErrLanguage, o.Language)
	case o.Translate && !i.Translates():
		return nil, ErrTranslate
	}
	mel, err := audio.NewMel(src, s.m.header.Mels, s.m.file.Filters.Coef)
	if err != nil {
		return nil, err
	}
	s.turn.windows = 0
	h := &hearing{Session: s, o: o.withDefaults(), audio: mel, yield: yield}
	// The first distilled models were trained without timestamps.
	timestamps := !o.NoTimestamps && (s.m.header.TextLayers != 2 || s.m.header.Vocab == 51866)
	h.rules, err = newRules(v, timestamps, &h.o)
	if err != nil {
		return nil, err
	}
	h.speak("en")
	if o.Language != "" && o.Language != Auto && i.Multilingual {
		code, _ := Language(o.Language)
		h.speak(code)
	}
	if o.Prompt != "" {
		prompt := v.encode(tail(o.Prompt, maxPrompt))
		if room := h.room(); o.CarryPrompt {
			h.carried = prompt[max(len(prompt)-room, 0):]
		} else {
			h.history = prompt
		}
	}
	return h, nil
}

// speak sets the language, and with it the tokens that name the task.
func (h *hearing) speak(code string) {
	v := h.m.vocab
	h.language, h.task = code, append(h.task[:0], v.sot)
	if v.multilingual {
		task := v.transcribe
		if h.o.Translate {
			task = v.translate
		}
		h.task = append(h.task, v.sot+1+int32(languageID(code)), task)
	}
	if !h.rules.timestamps {
		h.task = append(h.task, v.not)
	}
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
	if err := h.first(ctx); err != nil {
		return err
	}
	for {
		end, known := h.end()
		h.progress(end, known)
		if h.seek+minFrames >= end {
			return nil
		}
		if h.o.Language == Auto && h.languages == nil {
			l, err := h.detect(ctx)
			if err != nil {
				return err
			}
			h.languages = l
			h.speak(l[0].Code)
		}
		if err := h.window(ctx, end); err != nil {
			return err
		}
		if err := h.audio.Window(ctx, h.mel, h.seek); err != nil {
			return err
		}
	}
}

// first goes to the offset and reads the first window.
func (h *hearing) first(ctx context.Context) error {
	h.start = int(h.o.Offset / (10 * time.Millisecond))
	h.seek = h.start
	if h.start > 0 {
		if err := h.audio.Skip(ctx, h.start); err != nil {
			return err
		}
	}
	return h.audio.Window(ctx, h.mel, h.seek)
}

// encode runs the encoder over the window in hand, once.
func (h *hearing) encode(ctx context.Context) error {
	if h.encoded {
		return nil
	}
	err := h.m.encode(ctx, h.turn, h.mel, h.slot)
	h.encoded = err == nil
	return err
}

// detect ranks the languages by what the model expects behind the start token.
func (h *hearing) detect(ctx context.Context) ([]LanguageProb, error) {
	v := h.m.vocab
	if !v.multilingual {
		return []LanguageProb{{"en", 1}}, nil
	}
	if err := h.encode(ctx); err != nil {
		return nil, err
	}
	f := ggml.Filter{Mask: make([]uint64, len(h.rules.mask)), EOT: v.eot, Beg: v.beg}
	for id := range int32(len(v.texts)) {
		if id <= v.sot || id > v.sot+int32(v.languages) {
			set(f.Mask, id)
		}
	}
	var p [1]ggml.Picked
	if _, err := h.prompt(ctx, []int32{v.sot}, 0, []ggml.Filter{f}, v.languages, p[:]); err != nil {
		return nil, err
	}
	var l []LanguageProb
	for _, c := range p[0].Candidates {
		l = append(l, LanguageProb{languages[c.ID-v.sot-1].code, float32(math.Exp(float64(c.LogProb)))})
	}
	if len(l) == 0 { // weights that are no numbers
		l = []LanguageProb{{"en", 0}}
	}
	return l, nil
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

// window decodes the window at h.seek, yields its segments and moves on.
func (h *hearing) window(ctx context.Context, end int) error {
	if h.seek > h.start && h.seek+500 >= end {
		h.history = h.history[:0] // the last seconds are prone to repeat what came before
	}
	if err := h.encode(ctx); err != nil {
		return err
	}
	w, err := h.decode(ctx, end-h.seek)
	if err != nil {
		return err
	}
	h.history = append([]int32(nil), w.before...)
	if !w.silent {
		for _, t := range w.result() {
			h.history = append(h.history, t.id)
			if t.id < h.m.vocab.eot {
				h.heard = append(h.heard, t.id)
			}
		}
		h.heard = append([]int32(nil), h.heard[max(len(h.heard)-h.m.header.TextCtx/2, 0):]...)
		if err := h.segments(w); err != nil {
			return err
		}
	}
	if w.astray {
		h.history = h.history[:0]
	}
	shift := w.shift
	if w.closed(h.m.vocab) {
		shift = min(end-h.seek, windowFrames)
	}
	h.seek += shift
	h.encoded = false
	h.turn.windows++
	return nil
}

// room is how many tokens may go before the task's, less the one that says so.
func (h *hearing) room() int {
	room := h.m.header.TextCtx/2 - 1
	if c := h.o.MaxContext; c != 0 {
		room = max(min(room, c-1), 0)
	}
	return room
}

// context returns a prompt: what was heard before, behind a token that says so, then the task. before is the part of what was
// heard that is in it.
func (h *hearing) context(history []int32) (tokens, before []int32) {
	room := max(h.room()-len(h.carried), 0)
	before = history[max(len(history)-room, 0):]
	if len(h.carried)+len(before) > 0 {
		tokens = append(tokens, h.m.vocab.prev)
		tokens = append(tokens, h.carried...)
		tokens = append(tokens, before...)
	}
	return append(tokens, h.task...), before
}
