package transcript

import (
	"bufio"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/whisperfile/whisperfile/model"
)

// WriteJSON writes the segments and where they come from, in the byte layout of whisper.cpp: a key a line, indented by
// tabs. Unlike whisper.cpp's, the result is valid JSON whatever the text holds.
func WriteJSON(w io.Writer, t *Transcript) error { return encode(w, t, nil) }

// encode writes t; tokens, if not nil, adds to an open segment what it says beside its text.
func encode(w io.Writer, t *Transcript, tokens func(*jsonWriter, model.Segment)) error {
	j := &jsonWriter{w: bufio.NewWriter(w)}
	m := t.Model
	j.open("", '{')
	j.str("systeminfo", t.System)
	j.open("model", '{')
	j.str("type", m.Type)
	j.raw("multilingual", strconv.FormatBool(m.Multilingual))
	j.num("vocab", m.Vocab)
	j.open("audio", '{')
	j.num("ctx", m.AudioCtx)
	j.num("state", m.AudioState)
	j.num("head", m.AudioHeads)
	j.num("layer", m.AudioLayers)
	j.close('}')
	j.open("text", '{')
	j.num("ctx", m.TextCtx)
	j.num("state", m.TextState)
	j.num("head", m.TextHeads)
	j.num("layer", m.TextLayers)
	j.close('}')
	j.num("mels", m.Mels)
	j.num("ftype", m.FType%1000) // the thousands count versions of the quantised formats
	j.close('}')
	j.open("params", '{')
	j.str("model", t.Params.Model)
	j.str("language", t.Params.Language)
	j.raw("translate", strconv.FormatBool(t.Params.Translate))
	j.close('}')
	j.open("result", '{')
	j.str("language", t.Language)
	j.close('}')
	if len(t.Languages) > 0 {
		j.open("languages", '[')
		for _, l := range t.Languages {
			j.open("", '{')
			j.str("language", l.Code)
			j.float("p", float64(l.P))
			j.close('}')
		}
		j.close(']')
	}
	j.open("transcription", '[')
	for _, s := range t.Segments {
		j.open("", '{')
		j.times(s.Start, s.End)
		j.str("text", s.Text)
		if tokens != nil {
			tokens(j, s)
		}
		if t.Turns {
			j.raw("speaker_turn_next", strconv.FormatBool(s.SpeakerTurn))
		}
		j.close('}')
	}
	j.close(']')
	j.close('}')
	j.w.WriteByte('\n')
	return j.w.Flush()
}

// jsonWriter writes one value after another. Errors stay in w until Flush.
type jsonWriter struct {
	w     *bufio.Writer
	depth int
	more  bool // something stands before in the object or array that is open
}

// next ends what stood before, if anything, and starts the line of another value; "" is no key.
func (j *jsonWriter) next(key string) {
	if j.more {
		j.w.WriteByte(',')
	}
	if j.depth > 0 {
		j.w.WriteByte('\n')
	}
	j.tabs()
	if key != "" {
		j.w.WriteString(Quote(key) + ": ")
	}
	j.more = true
}

func (j *jsonWriter) tabs() {
	for range j.depth {
		j.w.WriteByte('\t')
	}
}

func (j *jsonWriter) open(key string, bracket byte) {
	j.next(key)
	j.w.WriteByte(bracket)
	j.depth++
	j.more = false
}

func (j *jsonWriter) close(bracket byte) {
	j.depth--
	j.w.WriteByte('\n')
	j.tabs()
	j.w.WriteByte(bracket)
	j.more = true
}

func (j *jsonWriter) raw(key, value string) {
	j.next(key)
	j.w.WriteString(value)
}

func (j *jsonWriter) str(key, value string) { j.raw(key, Quote(value)) }

func (j *jsonWriter) num(key string, value int) { j.raw(key, strconv.Itoa(value)) }

// float writes a number with six significant digits; JSON knows no NaN and no infinity, so 0 stands for them.
func (j *jsonWriter) float(key string, value float64) {
	if math.IsNaN(value) || math.IsInf(value, 0) {
		value = 0
	}
	j.raw(key, strconv.FormatFloat(value, 'g', 6, 64))
}

func (j *jsonWriter) times(start, end time.Duration) {
	j.open("timestamps", '{')
	j.str("from", Stamp(start, ','))
	j.str("to", Stamp(end, ','))
	j.close('}')
	j.open("offsets", '{')
	j.raw("from", strconv.FormatInt(start.Milliseconds(), 10))
	j.raw("to", strconv.FormatInt(end.Milliseconds(), 10))
	j.close('}')
}

// Quote makes a JSON string of s: quotation marks, backslashes and control characters escaped, broken bytes as U+FFFD.
func Quote(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, c := range s { // yields U+FFFD for each broken byte
		switch {
		case c == '"' || c == '\\':
			b.WriteByte('\\')
			b.WriteRune(c)
		case c == '\n':
			b.WriteString(`\n`)
		case c == '\t':
			b.WriteString(`\t`)
		case c == '\r':
			b.WriteString(`\r`)
		case c < ' ':
			fmt.Fprintf(&b, `\u%04x`, c)
		default:
			b.WriteRune(c)
		}
	}
	b.WriteByte('"')
	return b.String()
}
