// Package audio turns files and streams into what Whisper hears: 16 kHz mono samples, and log-mel frames of them.
//
// [Open] and [NewStream] tell the format by its content and decode wav, aiff, flac and mp3. Whatever the rate and the
// number of channels, a [Stream] delivers the average of the channels at [SampleRate]. [Convert] lets ffmpeg decode
// everything else. [Mel] reads any [Source] and computes the encoder's input window by window.
//
// All of it streams: memory does not grow with the length of the audio.
package audio

import (
	"errors"
	"fmt"
	"time"
)

const (
	// SampleRate is the rate of every Source, in Hz.
	SampleRate = 16000

	// HopSize is how many samples lie between two mel frames: 10 ms.
	HopSize = 160

	// FFTSize is how many samples a mel frame is made of.
	FFTSize = 400

	// WindowFrames is the length of the encoder's window: 30 s.
	WindowFrames = 3000
)

// Source delivers mono samples at SampleRate, nominally in [−1, 1].
//
// Read fills dst with up to len(dst) samples and returns how many, like an io.Reader: the caller uses the n samples
// before it looks at err. At the end of the audio err is io.EOF, along with the last samples or by itself; every later call
// returns 0, io.EOF. Any other error is final too. Read does not return 0, nil unless dst is empty.
type Source interface {
	Read(dst []float32) (n int, err error)
}

// Format describes the audio of a file as it was before conversion.
type Format struct {
	Container string        // "wav", "rf64", "aiff", "aifc", "flac", "mp3"
	Codec     string        // such as "pcm_s16le" or "mp3"
	Rate      int           // Hz
	Channels  int           // as stored
	Duration  time.Duration // what the header (or the file's size) promises; 0: not known
}

var (
	// ErrUnknownFormat: the bytes are of no format that this package decodes.
	ErrUnknownFormat = errors.New("unknown audio format")

	// ErrUnsupported: the container is known, but not what is in it. The usual cause is a rare codec.
	ErrUnsupported = errors.New("not supported")

	// ErrFormat: the file breaks the rules of its own format so early that nothing of it decodes.
	ErrFormat = errors.New("damaged audio file")

	// ErrEmpty: the file holds no samples.
	ErrEmpty = errors.New("no audio in it")

	// ErrNoConverter: Convert found no ffmpeg.
	ErrNoConverter = errors.New("ffmpeg is not installed")

	// ErrConvert: ffmpeg ran and failed, or ran into a limit.
	ErrConvert = errors.New("ffmpeg")
)

// Foreign reports whether NewStream failed of what a sound is, so that ffmpeg may know it.
func Foreign(err error) bool {
	return errors.Is(err, ErrUnknownFormat) || errors.Is(err, ErrUnsupported) || errors.Is(err, ErrFormat)
}

// hintConvert is what the errors about formats tell the user to do next.
const hintConvert = "--convert decodes it with ffmpeg"

// FormatError says where an audio file is not as it should be. Err is one of the sentinels above or wraps one.
type FormatError struct {
	Path   string // may be empty
	Offset int64  // byte at which the field starts, or -1
	Field  string // what was being read, such as "fmt chunk"
	Err    error
}

func (e *FormatError) Error() string {
	s := e.Field
	if e.Offset >= 0 {
		s = fmt.Sprintf("%s at byte %d", s, e.Offset)
	}
	if s != "" {
		s += ": "
	}
	if e.Path != "" {
		s = e.Path + ": " + s
	}
	return s + e.Err.Error()
}

func (e *FormatError) Unwrap() error { return e.Err }

// Limits of what a header may ask for.
const (
	minRate     = 1000
	maxRate     = 768000
	maxChannels = 64
)

// check refuses rates and channel counts that no resampler or mixer should be built for.
func (f Format) check() error {
	switch {
	case f.Rate < minRate || f.Rate > maxRate:
		return fmt.Errorf("%w: a rate of %d Hz (%d to %d)", ErrUnsupported, f.Rate, minRate, maxRate)
	case f.Channels < 1 || f.Channels > maxChannels:
		return fmt.Errorf("%w: %d channels (1 to %d)", ErrUnsupported, f.Channels, maxChannels)
	}
	return nil
}

// duration is how long n frames last.
func (f Format) duration(n int64) time.Duration {
	if n <= 0 || f.Rate <= 0 {
		return 0
	}
	return time.Duration(float64(n) / float64(f.Rate) * float64(time.Second))
}
