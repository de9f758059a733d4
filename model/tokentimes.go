package model

import (
	"strings"
	"unicode/utf8"

	"github.com/whisperfile/whisperfile/audio"
)

// tokenTimer estimates when each token of a segment is spoken, from the timestamps that were likely at its place, the
// length of its text, and where the audio is loud. It is whisper.cpp's method, with times counted from the window in hand.
type tokenTimer struct {
	start int   // the window's first frame
	last  int32 // the last timestamp that was taken
	loud  []float32
}

// window begins a window at that frame.
func (t *tokenTimer) window(frame int) {
	t.start, t.last, t.loud = frame, 0, t.loud[:0]
}

// time sets the times of a segment's tokens. pcm is the window's audio. A timestamp counts if its probability is above
// threshold.
func (t *tokenTimer) time(s *span, v *vocab, threshold float32, pcm []float32) {
	n := len(s.tokens)
	if n == 1 {
		s.tokens[0].from, s.tokens[0].to = s.from, s.to
		return
	}
	t.anchor(s, v, threshold)
	spread(s.tokens, v)
	for i := 1; i < n; i++ {
		k := &s.tokens[i]
		k.from = max(k.from, s.tokens[i-1].to)
		k.to = max(k.from, k.to)
	}
	if len(t.loud) == 0 && len(pcm) > 0 {
		t.loud = loudness(t.loud, pcm)
	}
	t.snap(s, v)
}

// anchor sets the times that the model's timestamps give.
func (t *tokenTimer) anchor(s *span, v *vocab, threshold float32) {
	const enough = 0.01 // probability of all timestamps together
	n := len(s.tokens)
	t.last = max(t.last, v.beg)
	s.tokens[0].from = s.from
	if s.tokens[0].id == v.beg {
		s.tokens[0].to, s.tokens[1].from = s.from, s.from
	}
	for i := range s.tokens {
		k := &s.tokens[i]
		at := t.start + timeStep*int(k.tid-v.beg)
		if k.pt > threshold && k.ptsum > enough && k.tid > t.last && at >= s.from && at <= s.to {
			if i > 0 {
				s.tokens[i-1].to = at
			}
			k.from, t.last = at, k.tid
		}
	}
	s.tokens[n-2].to = s.to
	s.tokens[n-1].from, s.tokens[n-1].to = s.to, s.to
}

// spread divides each stretch without times among its tokens by the length of their voice.
func spread(tokens []timedToken, v *vocab) {
	for first := 0; first < len(tokens); {
		last := first
		for last < len(tokens)-1 && tokens[last].to < 0 {
			last++
		}
		var sum float64
		for _, k := range tokens[first : last+1] {
			sum += voiceLen(k, v)
		}
		from := tokens[first].from
		length := float64(tokens[last].to - from)
		at := float64(from)
		for i := first; i < last; i++ {
			if sum > 0 {
				at += length * voiceLen(tokens[i], v) / sum
			}
			tokens[i].to, tokens[i+1].from = int(at), int(at)
		}
		first = last + 1
	}
}

// snap moves the borders of text tokens to where the audio becomes loud and where it falls quiet again.
func (t *tokenTimer) snap(s *span, v *vocab) {
	const (
		hop    = audio.HopSize
		around = audio.SampleRate / 8
	)
	n := len(t.loud)
	if n == 0 {
		return
	}
	sample := func(frame int) int { return min(max((frame-t.start)*hop, 0), n-1) }
	frame := func(sample int) int { return t.start + sample/hop }
	for i := range s.tokens {
		k := &s.tokens[i]
		if k.id >= v.eot {
			continue
		}
		from, to := sample(k.from), sample(k.to)
		lo, hi := max(from-around, 0), min(to+around, n)
		var sum float64
		for _, e := range t.loud[lo:hi] {
			sum += float64(e)
		}
		threshold := float32(0.5 * sum / float64(hi-lo))

		at := from
		if t.loud[at] > threshold && i > 0 {
			for at > 0 && t.loud[at] > threshold {
				at--
			}
			k.from = max(frame(at), s.tokens[i-1].to)
		} else {
			for at < to && t.loud[at] < threshold {
				at++
			}
			k.from = frame(at)
		}
		from, at = sample(k.from), to
		if t.loud[at] > threshold {
			for at < n-1 && t.loud[at] > threshold {
				at++
			}
			k.to = frame(at)
			if i+1 < len(s.tokens) {
				k.to = min(k.to, s.tokens[i+1].from)
			}
		} else {
			for at > from && t.loud[at] < threshold {
				at--
			}
			k.to = frame(at)
		}
		k.from = min(max(k.from, s.from), s.to)
		k.to = min(max(k.to, k.from), s.to)
	}
}

// loudness appends the moving average of |x| over 65 samples, always divided by 65.
func loudness(dst, x []float32) []float32 {
	const half = 32
	var sum float64
	abs := func(i int) float64 {
		if x[i] < 0 {
			return float64(-x[i])
		}
		return float64(x[i])
	}
	for i := range min(half, len(x)) {
		sum += abs(i)
	}
	for i := range x {
		if i+half < len(x) {
			sum += abs(i + half)
		}
		if i > half {
			sum -= abs(i - half - 1)
		}
		dst = append(dst, float32(sum/(2*half+1)))
	}
	return dst
}

// voiceLen weighs how long a token takes to say: marks and digits count three, most letters one, a space next to nothing.
func voiceLen(t timedToken, v *vocab) float64 {
	var n float64
	for s := v.text(t.id); s != ""; {
		r, size := utf8.DecodeRuneInString(s)
		s = s[size:]
		switch {
		case r == ' ' || r == '\u3000':
			n += 0.01
		case strings.ContainsRune(",，、；：", r):
			n += 2
		case strings.ContainsRune(".!?。．！？…", r), r >= '0' && r <= '9', r >= '０' && r <= '９':
			n += 3
		default:
			n++
		}
	}
	return n
}
