package model

import "time"

// Options say what is wanted of a transcription. The zero value works: English, every word, greedy.
type Options struct {
	// Language is a code such as "en" or the English name of a language; "" is English.
	// English-only models go on in English whatever it says.
	Language string

	// Translate asks for English text instead of the language spoken.
	Translate bool

	// Offset is where to begin, Duration how much to hear; a Duration of 0 is all that follows.
	Offset, Duration time.Duration

	// Prompt is text that the model takes as having come before: spelling, names, style.
	Prompt string

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

	// LogProbThreshold and NoSpeechThreshold say when a window counts as silent: both the average log probability is
	// below the first and the probability of "no speech" above the second. 0 is −1 and 0.6.
	LogProbThreshold, NoSpeechThreshold float32

	// Progress, if set, is called between windows with the part of the audio that is done.
	Progress func(Progress)
}

// Progress is how far a transcription has come.
type Progress struct {
	Done  time.Duration // audio that is final, from the offset on
	Total time.Duration // audio there is to hear, or 0 where that is not known yet
}
