// Package decoding is what all programs that hear say on their command lines: the flags of speech and decoding, and the
// model.Options that they stand for.
package decoding

import (
	"math"

	"github.com/urfave/cli/v2"

	"github.com/whisperfile/whisperfile/cmd/internal/mangen"
	"github.com/whisperfile/whisperfile/ggml"
	"github.com/whisperfile/whisperfile/model"
)

// Defaults are those that differ between programs.
type Defaults struct {
	// BeamSize may be below 1, which decodes greedily as 1 does; else the flag takes numbers from 1 on.
	BeamSize int
	BestOf   int
}

// The categories that the help lists the flags in.
const (
	Input    = "Input"
	Speech   = "Model and speech"
	Decoding = "Decoding"
	Segments = "Segments"
)

// Number is a flag for a whole number.
func Number(name, short, category, usage string, value int) cli.Flag {
	return &cli.IntFlag{Name: name, Aliases: alias(short), Category: category, Usage: usage, Value: value, Base: 10}
}

// Decimal is a flag for a number.
func Decimal(name, short, category, usage string, value float64) cli.Flag {
	return &cli.Float64Flag{Name: name, Aliases: alias(short), Category: category, Usage: usage, Value: value}
}

// Toggle is a switch.
func Toggle(name, short, category, usage string) cli.Flag {
	return &cli.BoolFlag{Name: name, Aliases: alias(short), Category: category, Usage: usage}
}

// Text is a flag for a string.
func Text(name, short, category, usage, value string) cli.Flag {
	return &cli.StringFlag{Name: name, Aliases: alias(short), Category: category, Usage: usage, Value: value}
}

// List is a flag for a string that may repeat.
func List(name, short, category, usage string) cli.Flag {
	return &cli.StringSliceFlag{Name: name, Aliases: alias(short), Category: category, Usage: usage}
}

func alias(short string) []string {
	if short == "" {
		return nil
	}
	return []string{short}
}

// Span are the flags that say which part of an input is heard.
func Span() []cli.Flag {
	return []cli.Flag{
		Number("offset-t", "ot", Input, "start `MS` milliseconds into the sound", 0),
		Number("duration", "d", Input, "hear no more than `MS` milliseconds; 0 is all", 0),
	}
}

// Computing are the flags that say with what is computed.
func Computing() []cli.Flag {
	return []cli.Flag{
		&cli.IntFlag{
			Name: "threads", Aliases: []string{"t"}, Category: Speech, Usage: "compute with `N` threads",
			Value: ggml.DefaultThreads(), DefaultText: "physical cores", Base: 10,
		},
		Number("processors", "p", Speech, "compute with `N` times as many threads; the sound is not cut into parts", 1),
		mangen.OneOf(
			Text("precision", "", Speech, "compute with `PRECISION`: auto rounds what meets quantised weights to whole numbers, float rounds nothing", "auto"),
			"auto", "float"),
	}
}

// Flags are those of speech, decoding and segments.
func (d Defaults) Flags() []cli.Flag {
	return []cli.Flag{
		mangen.OneOf(
			Text("language", "l", Speech, "the language spoken: `LANG` is a code, an English name, or auto to have it found out", "en"),
			append([]string{"auto"}, model.Info{Languages: math.MaxInt}.Codes()...)...),
		Toggle("detect-language", "dl", Speech, "say what language is spoken, and no more"),
		Toggle("translate", "tr", Speech, "write English, whatever is spoken"),
		Toggle("tinydiarize", "tdrz", Speech, "mark where the speaker changes; takes a model trained for it"),
		Text("prompt", "", Speech, "take `TEXT` as said before, for spelling, names and style", ""),
		Toggle("carry-initial-prompt", "", Speech, "take it as said before every window of 30 s"),
		Number("max-context", "mc", Speech, "show the model at most `N` tokens of what was said before; -1 is all that fit", -1),

		Number("beam-size", "bs", Decoding, "follow `N` beams; 1 decodes greedily", d.BeamSize),
		Number("best-of", "bo", Decoding, "take the best of `N` samples at temperatures above 0", d.BestOf),
		Decimal("temperature", "tp", Decoding, "decode at temperature `T` first, 0 to 1", 0),
		Decimal("temperature-inc", "tpi", Decoding, "decode a window that failed again, `T` hotter each time, up to 1", 0.2),
		Toggle("no-fallback", "nf", Decoding, "decode every window once"),
		Decimal("entropy-thold", "et", Decoding, "decoding has failed where the last 32 tokens have an entropy below `H`", 2.4),
		Decimal("logprob-thold", "lpt", Decoding, "decoding has failed below a mean log probability of `L`", -1),
		Decimal("no-speech-thold", "nth", Decoding, "a window is silent above a probability `P` of no speech, where decoding has failed", 0.6),
		Toggle("suppress-nst", "sns", Decoding, "suppress tokens that stand for no speech"),
		Text("suppress-regex", "", Decoding, "suppress tokens whose whole text matches `REGEX` (RE2)", ""),

		Number("max-len", "ml", Segments, "cut segments longer than `N` characters; 0 cuts none", 0),
		Toggle("split-on-word", "sow", Segments, "cut them between words only"),
	}
}
