package model

import (
	"fmt"
	"regexp"
	"time"
)

// Auto is the Options.Language that has the model find out, from the first window.
const Auto = "auto"

// Options say what is wanted of a transcription. The zero value works: English, every word, greedy, with higher
// temperatures where that fails.
type Options struct {
	// Language is a code such as "en" or the English name of a language, or Auto; "" is English.
	// English-only models go on in English whatever it says.
	Language string

	// Translate asks for English text instead of the language spoken.
	Translate bool

	// Offset is where to begin, Duration how much to hear; a Duration of 0 is all that follows.
	Offset, Duration time.Duration

	// Prompt is text that the model takes as having come before: spelling, names, style. With CarryPrompt it comes before
	// every window, else before the first one, and further on as far as there is room.
	Prompt      string
	CarryPrompt bool

	// MaxContext bounds how many tokens of what was heard before go in front of a window: 0 is the model's limit, negative none.
	MaxContext int

	// NoTimestamps decodes without timestamp tokens.
	NoTimestamps bool

	// TokenTimes asks for an estimate of the time of every token.
	TokenTimes bool

	// WordThreshold is the probability a timestamp must have to count for TokenTimes; 0 is 0.01.
	WordThreshold float32

	// MaxLen cuts segments longer than that many characters, at token borders, or where SplitOnWord is set at word
	// borders; 0 cuts none. It implies TokenTimes.
	MaxLen      int
	SplitOnWord bool

	// SpecialText puts the text of special tokens into Segment.Text.
	SpecialText bool

	// BeamSize is the number of beams at the first temperature; 0 and 1 are greedy decoding. BestOf is the number of
	// samples at temperatures above 0, of which the likeliest is taken; 0 is 5. Both are at most MaxWidth.
	BeamSize, BestOf int

	// Patience times BeamSize is how many beams must have ended before the search does; 0 is 1. LengthPenalty ranks beams
	// and samples by their log probability over ((5+n)/6) to that power, n being their length; 0 ranks by the mean.
	Patience, LengthPenalty float32

	// Temperature is what logits are divided by before a token is drawn; 0 takes the likeliest. A window whose decoding
	// failed is decoded again at a temperature higher by TemperatureStep, up to 1; 0 is 0.2. NoFallback decodes each
	// window at the first temperature alone: a second time at most, where it repeats itself, without what came before.
	Temperature, TemperatureStep float32
	NoFallback                   bool

	// EntropyThreshold is the entropy of the last 32 tokens, in nats, below which decoding has failed; 0 is 2.4.
	// CompressionThreshold is how far zlib may compress the text of a window; 0 is 2.4. Negative numbers switch them off.
	EntropyThreshold, CompressionThreshold float32

	// Seed picks the random numbers. What is drawn depends on it, the window, the temperature and the sample alone.
	Seed uint64

	// SuppressNonSpeech removes tokens that stand for no speech: brackets, music, stage marks. SuppressRegex removes the
	// tokens whose whole text matches the regular expression (package regexp's syntax).
	SuppressNonSpeech bool
	SuppressRegex     string

	// SpeakerTurns lets models trained for it (tinydiarize) mark where the speaker changes; see Segment.SpeakerTurn.
	SpeakerTurns bool

	// LogProbThreshold and NoSpeechThreshold say when a window counts as silent: both the average log probability is
	// below the first and the probability of "no speech" above the second. Below the first alone, decoding has failed.
	// 0 is −1 and 0.6.
	LogProbThreshold, NoSpeechThreshold float32

	// Progress, if set, is called between windows with the part of the audio that is done.
	Progress func(Progress)
}

// Progress is how far a transcription has come.
type Progress struct {
	Done  time.Duration // audio that is final, from the offset on
	Total time.Duration // audio there is to hear, or 0 where that is not known yet
}

// Validate names the first field that makes no sense.
func (o *Options) Validate() error {
	if o.Language != "" && o.Language != Auto && languageID(o.Language) < 0 {
		return fmt.Errorf("language: %q is not one that Whisper knows", o.Language)
	}
	for _, f := range []struct {
		name string
		bad  bool
		why  string
	}{
		{"offset", o.Offset < 0, "must not be negative"},
		{"duration", o.Duration < 0, "must not be negative"},
		{"max len", o.MaxLen < 0, "must not be negative"},
		{"beam size", o.BeamSize < 0 || o.BeamSize > MaxWidth, widthRange},
		{"best of", o.BestOf < 0 || o.BestOf > MaxWidth, widthRange},
		{"patience", !(o.Patience >= 0 && o.Patience <= 16), "must lie within 0 and 16"},
		{"length penalty", !(o.LengthPenalty >= 0 && o.LengthPenalty <= 16), "must lie within 0 and 16"},
		{"temperature", !(o.Temperature >= 0 && o.Temperature <= 1), "must lie within 0 and 1"},
		{"temperature step", o.TemperatureStep != 0 && !(o.TemperatureStep >= 0.01 && o.TemperatureStep <= 1), "must be 0 or lie within 0.01 and 1"},
		{"word threshold", !(o.WordThreshold >= 0 && o.WordThreshold <= 1), "must lie within 0 and 1"},
		{"no-speech threshold", !(o.NoSpeechThreshold >= 0 && o.NoSpeechThreshold <= 1), "must lie within 0 and 1"},
	} {
		if f.bad {
			return fmt.Errorf("%s: %s", f.name, f.why)
		}
	}
	if _, err := regexp.Compile(o.SuppressRegex); err != nil {
		return fmt.Errorf("suppress regex: %w", err)
	}
	return nil
}

var widthRange = fmt.Sprintf("must lie within 0 and %d", MaxWidth)

// withDefaults fills in what a zero stands for.
func (o Options) withDefaults() Options {
	for _, f := range []struct {
		p *float32
		v float32
	}{
		{&o.WordThreshold, 0.01}, {&o.LogProbThreshold, -1}, {&o.NoSpeechThreshold, 0.6},
		{&o.EntropyThreshold, 2.4}, {&o.CompressionThreshold, 2.4}, {&o.TemperatureStep, 0.2},
	} {
		if *f.p == 0 {
			*f.p = f.v
		}
	}
	if o.BestOf == 0 {
		o.BestOf = 5
	}
	if o.MaxLen > 0 {
		o.TokenTimes = true
	}
	return o
}

// temperatures lists what a window is decoded at, one after another until it succeeds.
func (o *Options) temperatures() []float32 {
	t := []float32{o.Temperature}
	if o.NoFallback {
		return t
	}
	// Counted, so that the last one does not get lost in rounding.
	for i := 1; ; i++ {
		next := o.Temperature + float32(i)*o.TemperatureStep
		if next > 1+1e-6 {
			return t
		}
		t = append(t, next)
	}
}
