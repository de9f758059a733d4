package transcribe

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	whisper "github.com/whisperfile/whisperfile/cmd/internal/cli"
	"github.com/whisperfile/whisperfile/ggml"
	"github.com/whisperfile/whisperfile/model"
)

// settings are the command line, understood.
type settings struct {
	inputs  []string
	render  string // JSON to read in place of inputs
	convert bool

	model    string // path or name; "" is the default
	threads  int
	cpu      ggml.CPUOptions
	language string // as given, in lower case
	options  model.Options

	bases       []string // names of output files without extension, one for each input
	formats     []format
	firstNumber int

	detect                        bool // say what language it is, and no more
	noTimestamps, special, colors bool
	quiet, progress               bool
}

// Bounds of flags; a number beyond is a slip of the finger.
const (
	maxThreads = 1024
	maxOffset  = 2e9 // milliseconds: 23 days
)

// understand checks the flags of c. Its errors are usage errors.
func understand(c *cli.Context) (settings, error) {
	s := settings{
		inputs:       c.StringSlice("file"),
		render:       c.String("render"),
		convert:      c.Bool("convert"),
		model:        c.String("model"),
		threads:      min(c.Int("threads")*c.Int("processors"), maxThreads),
		language:     strings.ToLower(c.String("language")),
		bases:        c.StringSlice("output-file"),
		firstNumber:  c.Int("offset-n"),
		detect:       c.Bool("detect-language"),
		noTimestamps: c.Bool("no-timestamps"),
		special:      c.Bool("print-special"),
		colors:       c.Bool("print-colors"),
		quiet:        c.Bool("no-prints"),
		progress:     c.Bool("print-progress"),
	}
	for _, limit := range []struct {
		flag, name string
		lo, hi     int
	}{
		{"-t", "threads", 1, maxThreads},
		{"-ot", "offset-t", 0, maxOffset},
		{"-d", "duration", 0, maxOffset},
		{"-p", "processors", 1, maxThreads},
		{"-bo", "best-of", 1, model.MaxWidth},
		{"-bs", "beam-size", 1, model.MaxWidth},
		{"-ml", "max-len", 0, 1e6},
		{"-mc", "max-context", -1e6, 1e6},
		{"-on", "offset-n", -1e9, 1e9},
	} {
		if n := c.Int(limit.name); n < limit.lo || n > limit.hi {
			return s, whisper.Failf(whisper.Usage, "%s takes a number from %d to %d, not %d", limit.flag, limit.lo, limit.hi, n)
		}
	}
	if s.detect {
		s.language = model.Auto
	}
	code, ok := model.Language(s.language)
	if s.language == model.Auto {
		code, ok = model.Auto, true
	}
	if !ok {
		return s, whisper.Fail(whisper.Usage, fmt.Errorf("unknown language: %q", s.language), "a code or an English name, or auto: -l en, -l french")
	}
	switch p := c.String("precision"); p {
	case "auto":
	case ggml.PrecisionFloat:
		s.cpu.Precision = p
	default:
		return s, whisper.Failf(whisper.Usage, "--precision takes auto or float, not %q", p)
	}
	json := c.Bool("output-json-full")
	for _, f := range formats {
		if c.Bool(f.flag) && !(f.flag == "output-json" && json) {
			s.formats = append(s.formats, f)
		}
	}
	s.options = model.Options{
		Language:    code,
		Translate:   c.Bool("translate"),
		Offset:      milliseconds(c.Int("offset-t")),
		Duration:    milliseconds(c.Int("duration")),
		Prompt:      c.String("prompt"),
		CarryPrompt: c.Bool("carry-initial-prompt"),
		BeamSize:    c.Int("beam-size"),
		BestOf:      c.Int("best-of"),
		Temperature: float32(c.Float64("temperature")),
		NoFallback:  c.Bool("no-fallback") || c.Float64("temperature-inc") == 0,

		TemperatureStep:   float32(c.Float64("temperature-inc")),
		EntropyThreshold:  off(c.Float64("entropy-thold")),
		LogProbThreshold:  notZero(c.Float64("logprob-thold")),
		NoSpeechThreshold: notZero(c.Float64("no-speech-thold")),
		SuppressNonSpeech: c.Bool("suppress-nst"),
		SuppressRegex:     c.String("suppress-regex"),
		SpeakerTurns:      c.Bool("tinydiarize"),

		MaxContext:  maxContext(c.Int("max-context")),
		TokenTimes:  json,
		MaxLen:      c.Int("max-len"),
		SplitOnWord: c.Bool("split-on-word"),
		SpecialText: s.special,
	}
	if err := s.options.Validate(); err != nil {
		return s, whisper.Fail(whisper.Usage, err, regexHint(s.options.SuppressRegex, err))
	}
	n := len(s.inputs)
	switch {
	case s.render != "" && n > 0:
		return s, whisper.Failf(whisper.Usage, "--render takes no files to hear: %s", s.inputs[0])
	case s.render != "":
		n = 1
	case n == 0:
		return s, whisper.Fail(whisper.Usage, errors.New("no input file"), "whisper FILE..., or whisper - for standard input")
	}
	if len(s.bases) > n {
		return s, whisper.Failf(whisper.Usage, "more -of than input files: %s", s.bases[n])
	}
	return s, nil
}

func milliseconds(n int) time.Duration { return time.Duration(n) * time.Millisecond }

// off turns a threshold of 0 into a negative one: model.Options takes 0 for its default, and nothing lies below either.
func off(x float64) float32 {
	if x == 0 {
		return -1
	}
	return float32(x)
}

// notZero turns 0 into a number next to it, since model.Options takes 0 for its default.
func notZero(x float64) float32 {
	if x == 0 {
		return math.SmallestNonzeroFloat32
	}
	return float32(x)
}

// regexHint says why a regular expression that whisper.cpp takes may be refused.
func regexHint(re string, err error) string {
	if strings.Contains(re, "(?") && strings.Contains(err.Error(), "suppress regex") {
		return "the syntax is RE2's: no lookahead, no references back"
	}
	return ""
}

// maxContext turns -mc, where 0 is no context and a negative number all, into what model.Options means.
func maxContext(n int) int {
	switch {
	case n < 0:
		return 0
	case n == 0:
		return -1
	}
	return n
}
