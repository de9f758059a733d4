package transcribe

import (
	"context"
	"errors"
	"io"

	"github.com/whisperfile/whisperfile/audio"
)

// source remembers the error with which a Source ended, so that its failures can be told from those of the device.
type source struct {
	audio.Source
	err error
}

func (s *source) Read(dst []float32) (int, error) {
	n, err := s.Source.Read(dst)
	if err != nil && !errors.Is(err, io.EOF) {
		s.err = err
	}
	return n, err
}

// interruptible returns a reader of r whose reads end when ctx does, which those of a pipe or a terminal would not.
func interruptible(ctx context.Context, r io.Reader) io.ReadCloser {
	pr, pw := io.Pipe()
	go func() {
		_, err := io.Copy(pw, r)
		pw.CloseWithError(err)
	}()
	context.AfterFunc(ctx, func() { pw.CloseWithError(ctx.Err()) })
	return pr
}
