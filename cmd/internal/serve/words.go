package serve

import (
	"slices"
	"strings"
	"time"

	"github.com/whisperfile/whisperfile/cmd/internal/transcript"
	"github.com/whisperfile/whisperfile/model"
)

// word is a word and when it is spoken.
type word struct {
	text       string
	start, end time.Duration
}

// spaceless are the languages that are written without blanks between words: each of their tokens counts as one.
var spaceless = []string{"zh", "ja", "th", "lo", "my", "yue"}

// The punctuation that belongs to the word behind it and to the one before it, as OpenAI's program has them.
const (
	prepended = "\"'“¿([{-"
	appended  = "\"'.。,，!！?？:：”)]}、"
)

// words joins the tokens of a segment to words: a token that starts with a blank begins one, and punctuation goes with its
// neighbours. Times that are not known are those next to them; they never fall, and stay within the segment.
func words(g model.Segment, language string, endOfText int32) []word {
	split := slices.Contains(spaceless, language)
	var list []word
	now, open := g.Start, false // open: the last word waits for what is behind it
	for _, t := range transcript.Whole(g.Tokens) {
		if t.ID >= endOfText {
			continue
		}
		w := word{text: strings.TrimSpace(t.Text), start: now, end: now}
		if t.Start >= 0 {
			w.start = min(max(t.Start, now), max(g.End, now))
		}
		w.end = w.start
		if t.End >= 0 {
			w.end = min(max(t.End, w.start), max(g.End, w.start))
		}
		now = w.end
		last := len(list) - 1
		joins := last >= 0 && (open || !strings.HasPrefix(t.Text, " ") && (!split || isOnly(w.text, appended)))
		open = w.text != "" && isOnly(w.text, prepended) && (strings.HasPrefix(t.Text, " ") || !isOnly(w.text, appended))
		switch {
		case w.text == "":
		case joins:
			list[last].text += w.text
			list[last].end = w.end
		default:
			list = append(list, w)
		}
	}
	return list
}

// isOnly says whether s is made of characters of set.
func isOnly(s, set string) bool {
	return strings.Trim(s, set) == ""
}
