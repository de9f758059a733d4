package transcribe

import (
	"fmt"
	"io"
	"strings"
	"time"
	"unicode/utf8"

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

// format is a way to write a Transcript to a file. The formats lie in files of their own.
type format struct {
	flag  string // long name of the flag that asks for it
	short string
	ext   string
	name  string // what whisper.cpp calls the function that writes it
	help  string
	write func(io.Writer, *Transcript) error
}

// formats are in the order in which whisper.cpp writes them. The last, full JSON, takes the place of JSON.
var formats = []format{
	{"output-txt", "otxt", "txt", "output_txt", "plain text", writeTXT},
	{"output-vtt", "ovtt", "vtt", "output_vtt", "WebVTT subtitles", writeVTT},
	{"output-srt", "osrt", "srt", "output_srt", "SubRip subtitles", writeSRT},
	{"output-csv", "ocsv", "csv", "output_csv", "a table", writeCSV},
	{"output-json", "oj", "json", "output_json", "JSON", writeJSON},
	{"output-lrc", "olrc", "lrc", "output_lrc", "timed lyrics", writeLRC},
	{"output-json-full", "ojf", "json", "output_json", "JSON with every token, its probability and its times", writeJSONFull},
}

// stamp is HH:MM:SS and milliseconds behind sep; the hours have two digits or more.
func stamp(d time.Duration, sep byte) string {
	ms := d.Milliseconds()
	return fmt.Sprintf("%02d:%02d:%02d%c%03d", ms/3600000, ms/60000%60, ms/1000%60, sep, ms%1000)
}

// endOfText is the id of the first special token of m; ids below are text.
func endOfText(m model.Info) int32 {
	if m.Multilingual {
		return 50257
	}
	return 50256
}

// whole merges tokens whose texts are parts of one character: the merged token has the first one's id, probability and
// start, the text of all, and the last end that is known. What stays broken becomes U+FFFD.
func whole(tokens []model.Token) []model.Token {
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
func partial(s string) bool { return len(cutPartial(s)) < len(s) }

// cutPartial returns s without the bytes of a character at its end that lacks its last ones.
func cutPartial(s string) string {
	for n := 1; n < utf8.UTFMax && n <= len(s); n++ {
		if tail := s[len(s)-n:]; utf8.RuneStart(tail[0]) {
			if !utf8.FullRuneInString(tail) {
				return s[:len(s)-n]
			}
			break
		}
	}
	return s
}
