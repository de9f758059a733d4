package model

import (
	"strings"
	"time"
	"unicode/utf8"
)

// span is a segment before its times become durations: frames from the beginning of the audio.
type span struct {
	from, to int
	tokens   []timedToken
	turn     bool // the speaker changes behind it
}

// timedToken is a token with the frames estimated for it; −1 is unknown.
type timedToken struct {
	token
	from, to int
}

// segments cuts what a window gave at its timestamps and yields the pieces.
func (h *hearing) segments(w window) error {
	v := h.m.vocab
	at := func(tid int32) int { return h.seek + timeStep*int(tid-v.beg) }
	tokens := w.result()
	h.timer.window(h.seek)
	from, first := h.seek, 0
	if len(tokens) > 0 && tokens[0].tid >= v.beg && h.rules.timestamps {
		from = at(tokens[0].tid)
	}
	for i := 0; i < len(tokens); i++ {
		if tokens[i].id <= v.beg {
			continue
		}
		if err := h.segment(from, at(tokens[i].tid), tokens[first:i+1], w); err != nil {
			return err
		}
		for i+1 < len(tokens) && tokens[i+1].id > v.beg {
			i++
		}
		from, first = at(tokens[i].tid), i+1
	}
	return h.segment(from, h.seek+w.shift, tokens[first:], w)
}

// segment yields the segment made of tokens, in pieces where Options.MaxLen asks for it. Without text there is none.
func (h *hearing) segment(from, to int, tokens []token, w window) error {
	s := span{from: min(from, h.limit), to: min(to, h.limit), tokens: make([]timedToken, len(tokens))}
	s.to = max(s.from, s.to)
	for i, t := range tokens {
		s.tokens[i] = timedToken{t, -1, -1}
		s.turn = s.turn || h.o.SpeakerTurns && t.id == h.m.vocab.solm
	}
	if h.text(s.tokens) == "" {
		return nil
	}
	if h.o.TokenTimes {
		h.timer.time(&s, h.m.vocab, h.o.WordThreshold, h.audio.PCM(h.seek, h.seek+windowFrames))
	}
	for _, piece := range h.wrap(s) {
		out := Segment{
			Start: frames(piece.from), End: frames(piece.to), SpeakerTurn: piece.turn,
			Window: frames(h.seek), Temperature: w.temperature, NoSpeech: w.noSpeech,
		}
		text := h.partial + h.text(piece.tokens)
		text, h.partial = CutPartial(text)
		out.Text = strings.ToValidUTF8(text, "\uFFFD")
		for _, t := range piece.tokens {
			out.Tokens = append(out.Tokens, Token{ID: t.id, Text: h.m.vocab.text(t.id), P: t.p, Start: frameTime(t.from), End: frameTime(t.to)})
		}
		if err := h.yield(out); err != nil {
			return err
		}
	}
	return nil
}

// frameTime is frames for a number that may be unknown.
func frameTime(n int) time.Duration {
	if n < 0 {
		return -1
	}
	return frames(n)
}

// text joins the text of tokens: special ones only where the options want them.
func (h *hearing) text(tokens []timedToken) string {
	var b strings.Builder
	for _, t := range tokens {
		if t.id < h.m.vocab.eot || h.o.SpecialText {
			b.WriteString(h.m.vocab.text(t.id))
		}
	}
	return b.String()
}

// CutPartial splits off the bytes of a character at the end of s that lacks its last ones, as the text of a token may.
func CutPartial(s string) (whole, partial string) {
	for n := 1; n < utf8.UTFMax && n <= len(s); n++ {
		if c := s[len(s)-n]; utf8.RuneStart(c) {
			if c >= utf8.RuneSelf && !utf8.FullRuneInString(s[len(s)-n:]) {
				return s[:len(s)-n], s[len(s)-n:]
			}
			break
		}
	}
	return s, ""
}

// wrap cuts a segment whose text is longer than Options.MaxLen characters: before the token that would exceed it, or with
// SplitOnWord before the next one that starts with a space. A single long token stays whole, and no character is cut.
func (h *hearing) wrap(s span) []span {
	if h.o.MaxLen <= 0 {
		return []span{s}
	}
	v := h.m.vocab
	var out []span
	first, chars, partial := 0, 0, ""
	for i, t := range s.tokens {
		if t.id >= v.eot {
			continue
		}
		whole, rest := CutPartial(partial + v.text(t.id))
		n, begun := utf8.RuneCountInString(whole), min(len(rest), 1)
		cut := chars > 0 && chars+n+begun > h.o.MaxLen && partial == "" && t.from >= s.from &&
			(!h.o.SplitOnWord || strings.HasPrefix(v.text(t.id), " "))
		if cut {
			out = append(out, span{from: s.from, to: t.from, tokens: s.tokens[first:i]})
			s.from, first, chars = t.from, i, 0
		}
		chars += n
		partial = rest
	}
	return append(out, span{from: s.from, to: s.to, tokens: s.tokens[first:], turn: s.turn})
}
