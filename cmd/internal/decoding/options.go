package decoding

import (
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	whisper "github.com/whisperfile/whisperfile/cmd/internal/cli"
	"github.com/whisperfile/whisperfile/ggml"
	"github.com/whisperfile/whisperfile/model"
)

// Bounds of numbers that users give; one beyond is a slip of the finger.
const (
	MaxThreads = 1024
	MaxOffset  = 2e9 // milliseconds: 23 days
	MaxLen     = 1e6 // characters of a segment
	MaxContext = 1e6 // tokens
	MaxNumber  = 1e9 // of a subtitle
)

// Limit is a flag of a whole number and the range that it must lie in.
type Limit struct {
	Flag, Name string
	Lo, Hi     int
}

// Check names the first flag that is out of its range, which is a usage error.
func Check(c *cli.Context, limits ...Limit) error {
	for _, l := range limits {
		if n := c.Int(l.Name); n < l.Lo || n > l.Hi {
			return whisper.Failf(whisper.Usage, "%s takes a number from %d to %d, not %d", l.Flag, l.Lo, l.Hi, n)
		}
	}
	return nil
}

// Compute understands what Computing says: how many threads, and how. Its errors are usage errors.
func Compute(c *cli.Context) (threads int, o ggml.CPUOptions, err error) {
	if err := Check(c, Limit{"-t", "threads", 1, MaxThreads}, Limit{"-p", "processors", 1, MaxThreads}); err != nil {
		return 0, o, err
	}
	switch p := c.String("precision"); p {
	case "auto":
	case ggml.PrecisionFloat:
		o.Precision = p
	default:
		return 0, o, whisper.Failf(whisper.Usage, "--precision takes auto or float, not %q", p)
	}
	return min(c.Int("threads")*c.Int("processors"), MaxThreads), o, nil
}

// Options understands what Span and Flags say. Its errors are usage errors.
func (d Defaults) Options(c *cli.Context) (model.Options, error) {
	var o model.Options
	err := Check(c,
		Limit{"-ot", "offset-t", 0, MaxOffset},
		Limit{"-d", "duration", 0, MaxOffset},
		Limit{"-bo", "best-of", 1, model.MaxWidth},
		Limit{"-bs", "beam-size", min(d.BeamSize, 1), model.MaxWidth},
		Limit{"-ml", "max-len", 0, MaxLen},
		Limit{"-mc", "max-context", -MaxContext, MaxContext},
	)
	if err != nil {
		return o, err
	}
	language := c.String("language")
	if c.Bool("detect-language") {
		language = model.Auto
	}
	code, ok := Language(language)
	if !ok {
		return o, whisper.Fail(whisper.Usage, fmt.Errorf("unknown language: %q", strings.ToLower(language)), "a code or an English name, or auto: -l en, -l french")
	}
	o = model.Options{
		Language:    code,
		Translate:   c.Bool("translate"),
		Offset:      Milliseconds(c.Int("offset-t")),
		Duration:    Milliseconds(c.Int("duration")),
		Prompt:      c.String("prompt"),
		CarryPrompt: c.Bool("carry-initial-prompt"),
		BeamSize:    max(c.Int("beam-size"), 0),
		BestOf:      c.Int("best-of"),
		Temperature: float32(c.Float64("temperature")),
		NoFallback:  c.Bool("no-fallback") || c.Float64("temperature-inc") == 0,

		TemperatureStep:   float32(c.Float64("temperature-inc")),
		EntropyThreshold:  Off(c.Float64("entropy-thold")),
		LogProbThreshold:  NotZero(c.Float64("logprob-thold")),
		NoSpeechThreshold: NotZero(c.Float64("no-speech-thold")),
		SuppressNonSpeech: c.Bool("suppress-nst"),
		SuppressRegex:     c.String("suppress-regex"),
		SpeakerTurns:      c.Bool("tinydiarize"),

		MaxContext:  Context(c.Int("max-context")),
		MaxLen:      c.Int("max-len"),
		SplitOnWord: c.Bool("split-on-word"),
	}
	if err := o.Validate(); err != nil {
		return o, whisper.Fail(whisper.Usage, err, regexHint(o.SuppressRegex, err))
	}
	return o, nil
}

// Language is model.Language, which also knows model.Auto.
func Language(s string) (code string, ok bool) {
	if strings.ToLower(s) == model.Auto {
		return model.Auto, true
	}
	return model.Language(s)
}

// Milliseconds turns a number of them into time.
func Milliseconds(n int) time.Duration { return time.Duration(n) * time.Millisecond }

// Off turns a threshold of 0 into a negative one: model.Options takes 0 for its default, and nothing lies below either.
func Off(x float64) float32 {
	if x == 0 {
		return -1
	}
	return float32(x)
}

// NotZero turns 0 into a number next to it, since model.Options takes 0 for its default.
func NotZero(x float64) float32 {
	if x == 0 {
		return math.SmallestNonzeroFloat32
	}
	return float32(x)
}

// Context turns -mc, where 0 is no context and a negative number all, into what model.Options means.
func Context(n int) int {
	switch {
	case n < 0:
		return 0
	case n == 0:
		return -1
	}
	return n
}

// regexHint says why a regular expression that whisper.cpp takes may be refused.
func regexHint(re string, err error) string {
	if strings.Contains(re, "(?") && strings.Contains(err.Error(), "suppress regex") {
		return "the syntax is RE2's: no lookahead, no references back"
	}
	return ""
}
