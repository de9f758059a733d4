package serve

import (
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/whisperfile/whisperfile/cmd/internal/decoding"
	"github.com/whisperfile/whisperfile/model"
)

// Request is what is wanted of a sound.
type Request struct {
	Options model.Options

	FirstNumber           int  // of subtitles in SRT, less 1
	NoTimestamps          bool // leave the times out of verbose JSON
	Detect                bool // find out the language, and no more
	NoLanguageProbability bool // leave out of verbose JSON what language it may be

	model          string
	format         string
	spoken         bool // the client names the language
	stream         bool
	words          bool // OpenAI's verbose JSON has words
	segments       bool // and segments
	tokenTimes     bool // token_timestamps was given
	haveTokenTimes bool
}

// formats are the names of the formats of an answer.
var formats = []string{"json", "text", "srt", "vtt", "verbose_json"}

// field is a part of the form and what it does to a request. set returns what is wrong with a value, or "".
type field struct {
	name string
	set  func(r *Request, v string) string
}

// fields are whisper.cpp's, OpenAI's and our own, in the order in which they take effect. What is not among them is passed
// over.
var fields = []field{
	{"model", func(r *Request, v string) string { r.model = v; return "" }},
	{"response_format", func(r *Request, v string) string {
		if !slices.Contains(formats, v) {
			return "must be one of " + strings.Join(formats, ", ")
		}
		r.format = v
		return ""
	}},
	{"stream", toggle(func(r *Request) *bool { return &r.stream })},
	{"language", func(r *Request, v string) string {
		code, ok := decoding.Language(v)
		if !ok {
			return "must be the code or the English name of a language, or auto"
		}
		r.Options.Language, r.spoken = code, true
		return ""
	}},
	{"detect_language", toggle(func(r *Request) *bool { return &r.Detect })},
	{"translate", toggle(func(r *Request) *bool { return &r.Options.Translate })},
	{"prompt", func(r *Request, v string) string { r.Options.Prompt = v; return "" }},
	{"carry_initial_prompt", toggle(func(r *Request) *bool { return &r.Options.CarryPrompt })},
	{"offset_t", integer(0, decoding.MaxOffset, func(r *Request, n int) { r.Options.Offset = decoding.Milliseconds(n) })},
	{"duration", integer(0, decoding.MaxOffset, func(r *Request, n int) { r.Options.Duration = decoding.Milliseconds(n) })},
	{"offset_n", integer(-decoding.MaxNumber, decoding.MaxNumber, func(r *Request, n int) { r.FirstNumber = n })},
	{"max_context", integer(-decoding.MaxContext, decoding.MaxContext, func(r *Request, n int) { r.Options.MaxContext = decoding.Context(n) })},
	{"max_len", integer(0, decoding.MaxLen, func(r *Request, n int) { r.Options.MaxLen = n })},
	{"split_on_word", toggle(func(r *Request) *bool { return &r.Options.SplitOnWord })},
	{"best_of", integer(1, model.MaxWidth, func(r *Request, n int) { r.Options.BestOf = n })},
	{"beam_size", integer(-1, model.MaxWidth, func(r *Request, n int) { r.Options.BeamSize = max(n, 0) })},
	{"temperature", number(0, 1, func(r *Request, x float64) { r.Options.Temperature = float32(x) })},
	{"temperature_inc", number(0, 1, func(r *Request, x float64) {
		r.Options.TemperatureStep, r.Options.NoFallback = float32(x), x == 0
	})},
	{"word_thold", number(0, 1, func(r *Request, x float64) { r.Options.WordThreshold = decoding.NotZero(x) })},
	{"entropy_thold", number(-maxNumber, maxNumber, func(r *Request, x float64) { r.Options.EntropyThreshold = decoding.Off(x) })},
	{"logprob_thold", number(-maxNumber, maxNumber, func(r *Request, x float64) { r.Options.LogProbThreshold = decoding.NotZero(x) })},
	{"no_speech_thold", number(0, 1, func(r *Request, x float64) { r.Options.NoSpeechThreshold = decoding.NotZero(x) })},
	{"suppress_non_speech", toggle(func(r *Request) *bool { return &r.Options.SuppressNonSpeech })},
	{"suppress_nst", toggle(func(r *Request) *bool { return &r.Options.SuppressNonSpeech })},
	{"suppress_regex", func(r *Request, v string) string { r.Options.SuppressRegex = v; return "" }},
	{"tinydiarize", toggle(func(r *Request) *bool { return &r.Options.SpeakerTurns })},
	{"no_timestamps", toggle(func(r *Request) *bool { return &r.NoTimestamps })},
	{"no_language_probabilities", toggle(func(r *Request) *bool { return &r.NoLanguageProbability })},
	{"token_timestamps", func(r *Request, v string) string {
		r.haveTokenTimes = true
		return toggle(func(r *Request) *bool { return &r.tokenTimes })(r, v)
	}},
	{"diarize", missing("the channels of stereo sound cannot be told apart yet")},
	{"vad", missing("there is no detection of voices yet")},
	{"audio_ctx", func(_ *Request, v string) string {
		if x, err := strconv.ParseFloat(v, 64); err != nil || x != 0 {
			return "must be 0: the encoder always hears 30 s"
		}
		return ""
	}},
	{"timestamp_granularities", granularity},
	{"timestamp_granularities[]", granularity},
}

// maxNumber bounds thresholds, which are logarithms and entropies.
const maxNumber = 1e6

// repeatable are the fields of which each value counts; of others the first does.
var repeatable = []string{"timestamp_granularities", "timestamp_granularities[]"}

// isField says whether a part of the form counts.
func isField(name string) bool {
	return slices.ContainsFunc(fields, func(f field) bool { return f.name == name })
}

// understand reads what a form says into r, which holds the defaults.
func (r *Request) understand(f *form) error {
	for _, field := range fields {
		values := f.values[field.name]
		if len(values) > 1 && !slices.Contains(repeatable, field.name) {
			values = values[:1]
		}
		for _, v := range values {
			if wrong := field.set(r, v); wrong != "" {
				return bad(field.name, "%s %s, not %q", field.name, wrong, oneLine(v))
			}
		}
	}
	if err := r.Options.Validate(); err != nil {
		return bad("", "%s", err)
	}
	return nil
}

// toggle is a field that is true or false.
func toggle(at func(*Request) *bool) func(*Request, string) string {
	return func(r *Request, v string) string {
		switch strings.ToLower(v) {
		case "true", "1", "yes", "y", "on":
			*at(r) = true
		case "false", "0", "no", "n", "off", "":
			*at(r) = false
		default:
			return "must be true or false"
		}
		return ""
	}
}

// missing is a toggle of something that the engine cannot do.
func missing(why string) func(*Request, string) string {
	return func(r *Request, v string) string {
		var on bool
		if wrong := toggle(func(*Request) *bool { return &on })(r, v); wrong != "" {
			return wrong
		}
		if on {
			return "must be false, since " + why
		}
		return ""
	}
}

func integer(lo, hi int, set func(*Request, int)) func(*Request, string) string {
	return func(r *Request, v string) string {
		n, err := strconv.Atoi(v)
		if err != nil || n < lo || n > hi {
			return "must be a whole number from " + strconv.Itoa(lo) + " to " + strconv.Itoa(hi)
		}
		set(r, n)
		return ""
	}
}

func number(lo, hi float64, set func(*Request, float64)) func(*Request, string) string {
	return func(r *Request, v string) string {
		x, err := strconv.ParseFloat(v, 64)
		if err != nil || math.IsNaN(x) || x < lo || x > hi {
			return "must be a number from " + strconv.FormatFloat(lo, 'g', -1, 64) + " to " + strconv.FormatFloat(hi, 'g', -1, 64)
		}
		set(r, x)
		return ""
	}
}

func granularity(r *Request, v string) string {
	switch v {
	case "word":
		r.words = true
	case "segment":
		r.segments = true
	default:
		return "must be word or segment"
	}
	return ""
}
