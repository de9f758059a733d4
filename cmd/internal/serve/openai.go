package serve

import (
	"bytes"
	"compress/zlib"
	"io"
	"math"
	"net/http"
	"strings"
	"time"

	"github.com/whisperfile/whisperfile/cmd/internal/transcript"
	"github.com/whisperfile/whisperfile/model"
)

// Addresses of OpenAI's.
const (
	transcriptions = "/v1/audio/transcriptions"
	translations   = "/v1/audio/translations"
)

func (s *Server) transcriptions(w http.ResponseWriter, r *http.Request) error {
	return s.openai(w, r, s.Defaults)
}

func (s *Server) translations(w http.ResponseWriter, r *http.Request) error {
	d := s.Defaults
	d.Options.Translate = true
	return s.openai(w, r, d)
}

// openai answers as OpenAI does: where nobody names the language it is found out.
func (s *Server) openai(w http.ResponseWriter, r *http.Request, defaults Request) error {
	if !s.Language {
		defaults.Options.Language = model.Auto
	}
	defaults.NoLanguageProbability = true
	j, free, err := s.accept(w, r, defaults)
	if err != nil {
		return err
	}
	defer free()
	j.haveTokenTimes, j.tokenTimes = true, j.words
	ctx, cancel := s.limited(r)
	defer cancel()
	if j.stream {
		e := openaiEvents{s.newEvents(w, j, true)}
		h, err := s.hear(ctx, j, e)
		if err != nil {
			return e.fail(err)
		}
		done := h.done()
		done.close('}')
		return e.send(done)
	}
	h, err := s.hear(ctx, j, nil)
	if err != nil {
		return err
	}
	kind, body, err := h.renderOpenAI()
	if err != nil {
		return err
	}
	return s.answer(w, kind, body)
}

// renderOpenAI writes the answer in OpenAI's formats.
func (h *heard) renderOpenAI() (kind string, body []byte, err error) {
	var b strings.Builder
	switch h.format {
	case "text":
		return "text/plain; charset=utf-8", []byte(h.trimmed() + "\n"), nil
	case "srt", "vtt":
		t := h.Transcript
		t.Segments = make([]model.Segment, len(h.Segments))
		for i, g := range h.Segments {
			g.Text = strings.TrimSpace(g.Text)
			t.Segments[i] = g
		}
		if h.format == "srt" {
			err = transcript.WriteSRT(&b, &t)
			return "application/x-subrip", []byte(b.String()), err
		}
		err = transcript.WriteVTT(&b, &t)
		return "text/vtt", []byte(b.String()), err
	case "verbose_json":
		return "application/json", h.verboseOpenAI(), nil
	}
	var j jsonText
	j.open('{')
	j.key("text")
	j.str(h.trimmed())
	j.key("usage")
	h.usage(&j)
	j.close('}')
	return "application/json", j.b, nil
}

// usage is what OpenAI would bill: seconds, begun ones in full.
func (h *heard) usage(j *jsonText) {
	j.open('{')
	j.key("type")
	j.str("duration")
	j.key("seconds")
	j.integer(int(math.Ceil(h.seconds)))
	j.close('}')
}

func (h *heard) verboseOpenAI() []byte {
	var j jsonText
	j.open('{')
	j.key("task")
	j.str(h.task())
	j.key("language")
	j.str(model.LanguageName(h.Language))
	j.key("duration")
	j.number(h.seconds)
	j.key("text")
	j.str(h.trimmed())
	if h.segments || !h.words {
		j.key("segments")
		j.open('[')
		windows := h.windows()
		for i, g := range h.Segments {
			h.segmentOpenAI(&j, i, g, windows[g.Window])
		}
		j.close(']')
	}
	if h.words {
		j.key("words")
		j.open('[')
		for _, g := range h.Segments {
			for _, word := range words(g, h.Language, transcript.EndOfText(h.Model)) {
				j.open('{')
				j.key("word")
				j.str(word.text)
				j.key("start")
				j.number(seconds(word.start))
				j.key("end")
				j.number(seconds(word.end))
				j.close('}')
			}
		}
		j.close(']')
	}
	j.key("usage")
	h.usage(&j)
	j.close('}')
	return j.b
}

// windowed is what OpenAI says of a segment and means its window.
type windowed struct {
	text     strings.Builder
	logProbs float64
	tokens   int
}

// windows sums up the segments of each window, by where it begins.
func (h *heard) windows() map[time.Duration]*windowed {
	all := make(map[time.Duration]*windowed)
	for _, g := range h.Segments {
		w := all[g.Window]
		if w == nil {
			w = &windowed{}
			all[g.Window] = w
		}
		w.text.WriteString(g.Text)
		for _, t := range g.Tokens {
			w.logProbs += math.Log(max(float64(t.P), 1e-10))
			w.tokens++
		}
	}
	return all
}

func (h *heard) segmentOpenAI(j *jsonText, id int, g model.Segment, w *windowed) {
	j.open('{')
	j.key("id")
	j.integer(id)
	j.key("seek")
	j.integer(int(g.Window.Milliseconds() / 10))
	j.key("start")
	j.number(seconds(g.Start))
	j.key("end")
	j.number(seconds(g.End))
	j.key("text")
	j.str(g.Text)
	j.key("tokens")
	j.integers(h.textTokens(g))
	j.key("temperature")
	j.float32(g.Temperature)
	j.key("avg_logprob")
	j.number(w.logProbs / float64(w.tokens))
	j.key("compression_ratio")
	j.number(compressionRatio(strings.TrimSpace(w.text.String())))
	j.key("no_speech_prob")
	j.float32(g.NoSpeech)
	j.close('}')
}

// compressionRatio is how many times smaller zlib makes a text.
func compressionRatio(text string) float64 {
	var b bytes.Buffer
	z := zlib.NewWriter(&b)
	io.WriteString(z, text) //nolint:errcheck // memory takes everything
	z.Close()
	return float64(len(text)) / float64(b.Len())
}

// listModels is OpenAI's list, with what each model can do.
func (s *Server) listModels(w http.ResponseWriter, _ *http.Request) error {
	var j jsonText
	j.open('{')
	j.key("object")
	j.str("list")
	j.key("data")
	j.open('[')
	for _, d := range s.models.describe() {
		d.write(&j)
	}
	j.close(']')
	j.close('}')
	return reply(w, "application/json", j.b)
}

// oneModel describes a model; OpenAI's names stand for the default one.
func (s *Server) oneModel(w http.ResponseWriter, r *http.Request) error {
	id := strings.TrimPrefix(r.URL.Path, s.RequestPath+"/v1/models/")
	found, err := s.models.find(id)
	if err != nil {
		return err
	}
	for _, d := range s.models.describe() {
		if d.name == found.Name {
			d.name = id
			var j jsonText
			d.write(&j)
			return reply(w, "application/json", j.b)
		}
	}
	return &fault{status: http.StatusNotFound, param: "model", code: "model_not_found", message: "the model is gone"}
}

func (d described) write(j *jsonText) {
	j.open('{')
	j.key("id")
	j.str(d.name)
	j.key("object")
	j.str("model")
	j.key("created")
	j.integer(int(d.created.Unix()))
	j.key("owned_by")
	j.str("whisperfile")
	j.key("type")
	j.str(d.info.Type)
	j.key("multilingual")
	j.boolean(d.info.Multilingual)
	j.key("languages")
	j.open('[')
	for _, code := range d.info.Codes() {
		j.str(code)
	}
	j.close(']')
	j.key("translate")
	j.boolean(d.info.Translates())
	j.key("default")
	j.boolean(d.byDefault)
	j.key("loaded")
	j.boolean(d.loaded)
	j.close('}')
}

// load is whisper.cpp's POST /load.
func (s *Server) load(w http.ResponseWriter, r *http.Request) error {
	l := s.Limits
	l.Body = int64(l.Field) * 16 // no sound comes here
	f, err := readForm(w, r, l, s.uploads)
	if err != nil {
		return err
	}
	f.free()
	name, ok := f.get("model")
	if !ok {
		return bad("model", "there is no model in the form")
	}
	if err := s.models.swap(name); err != nil {
		return err
	}
	return reply(w, "text/plain; charset=utf-8", []byte("Load was successful!"))
}
