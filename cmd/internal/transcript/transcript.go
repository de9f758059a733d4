// Package transcript is what was heard of one input, and the formats that it is written in: each to the bytes that whisper.cpp
// writes, but for what docs/differences.md lists.
package transcript

import (
	"fmt"
	"strings"
	"time"

	"github.com/whisperfile/whisperfile/model"
)

// Transcript is what was heard in one input, with all that the output formats say beside the text.
type Transcript struct {
	Segments []model.Segment
	Language string // code of the language that was heard

	Languages []model.LanguageProb // where the language was found out: what it may be, the likeliest first
	Turns     bool                 // the segments say where the speaker changes

	System string // what computed
	Model  model.Info
	Params Params

	// FirstNumber is added to the numbers of SRT, which start at 1.
	FirstNumber int
}

// Params is what the user asked for, as JSON repeats it.
type Params struct {
	Model     string // path or name
	Language  string // as given
	Translate bool
}

// Stamp is HH:MM:SS and milliseconds behind sep; the hours have two digits or more.
func Stamp(d time.Duration, sep byte) string {
	ms := d.Milliseconds()
	return fmt.Sprintf("%02d:%02d:%02d%c%03d", ms/3600000, ms/60000%60, ms/1000%60, sep, ms%1000)
}

// EndOfText is the id of the first special token of m; ids below are text.
func EndOfText(m model.Info) int32 {
	if m.Multilingual {
		return 50257
	}
	return 50256
}

// Whole merges tokens whose texts are parts of one character: the merged token has the first one's id, probability and
// start, the text of all, and the last end that is known. What stays broken becomes U+FFFD.
func Whole(tokens []model.Token) []model.Token {
	var out []model.Token
	for i := 0; i < len(tokens); i++ {
		t := tokens[i]
		for partial(t.Text) && i+1 < len(tokens) {
			i++
			t.Text += tokens[i].Text
			if tokens[i].End >= 0 {
				t.End = tokens[i].End
			}
		}
		t.Text = strings.ToValidUTF8(t.Text, "\uFFFD")
		out = append(out, t)
	}
	return out
}

// partial says whether s ends in a character that lacks its last bytes.
func partial(s string) bool {
	_, rest := model.CutPartial(s)
	return rest != ""
}
