package serve

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"time"

	"github.com/whisperfile/whisperfile/audio"
)

// sound is an upload that can be heard.
type sound struct {
	data    *blob
	format  audio.Format // as the header has it; zero where ffmpeg has to tell
	foreign bool         // for ffmpeg
	limit   time.Duration
	ffmpeg  string // the one that does
	tempDir string
}

// newSound reads the header of an upload. Errors are faults.
func newSound(b *blob, convert bool, limit time.Duration, ffmpeg, tempDir string) (*sound, error) {
	s := &sound{data: b, limit: limit, ffmpeg: ffmpeg, tempDir: tempDir}
	st, err := audio.NewStream(b.reader())
	switch {
	case err == nil:
		s.format = st.Format()
		st.Close()
	case convert && b.size > 0 && audio.Foreign(err):
		s.foreign = true
	default:
		return nil, soundFault(err)
	}
	if limit > 0 && s.format.Duration > limit {
		return nil, tooLong(limit)
	}
	return s, nil
}

func tooLong(limit time.Duration) *fault {
	return &fault{status: http.StatusRequestEntityTooLarge, param: soundField, message: fmt.Sprintf("the sound is longer than %v", limit)}
}

// soundFault is what a client is told whose sound cannot be read.
func soundFault(err error) error {
	f := &fault{status: http.StatusBadRequest, param: soundField, message: "cannot read the sound: " + oneLine(err.Error())}
	var file *fs.PathError
	switch {
	case errors.Is(err, audio.ErrUnknownFormat), errors.Is(err, audio.ErrUnsupported):
		f.status = http.StatusUnsupportedMediaType
	case errors.Is(err, audio.ErrNoConverter):
		f.status, f.message, f.err = http.StatusInternalServerError, "ffmpeg is not installed", err
	case errors.As(err, &file):
		f.status, f.message, f.err = http.StatusInsufficientStorage, "there is no room for the sound", err
	}
	return f
}

// open starts to decode. The stream belongs to ctx.
func (s *sound) open(ctx context.Context) (*stream, error) {
	var st *audio.Stream
	var err error
	if s.foreign {
		st, err = audio.ConvertReader(ctx, s.data.reader(), audio.ConvertOptions{Program: s.ffmpeg, MaxBytes: s.data.size, TempDir: s.tempDir})
	} else {
		st, err = audio.NewStream(s.data.reader())
	}
	if err != nil {
		if ctx.Err() != nil {
			return nil, ended(ctx)
		}
		return nil, soundFault(err)
	}
	return &stream{Stream: st, limit: int64(s.limit.Seconds() * audio.SampleRate)}, nil
}

// stream counts what is heard of a sound and remembers how it ended.
type stream struct {
	*audio.Stream
	samples, limit int64 // limit 0 is none
	over           bool
	err            error // not io.EOF
}

func (s *stream) Read(dst []float32) (int, error) {
	n, err := s.Stream.Read(dst)
	s.samples += int64(n)
	switch {
	case s.limit > 0 && s.samples > s.limit:
		s.err = tooLong(time.Duration(s.limit) * time.Second / audio.SampleRate)
		return 0, s.err
	case err == io.EOF:
		s.over = true
	case err != nil:
		s.err = soundFault(err)
	}
	return n, err
}

// seconds is how long the sound is: what was read, or what the header promises where that was not all.
func (s *stream) seconds() float64 {
	read := float64(s.samples) / audio.SampleRate
	if !s.over {
		return max(read, s.Format().Duration.Seconds())
	}
	return read
}
