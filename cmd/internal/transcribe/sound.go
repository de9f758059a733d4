package transcribe

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"

	"github.com/whisperfile/whisperfile/audio"
	"github.com/whisperfile/whisperfile/cmd/internal/applet"
)

// openSound opens a file, or standard input for "-". What package audio does not decode goes to ffmpeg where convert says
// so. Reading ends when ctx does, even where a pipe delivers nothing.
func openSound(ctx context.Context, env applet.Env, name string, convert bool) (sound, error) {
	in := &input{name: name}
	r := env.Stdin
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return nil, inputFailed(name, err)
		}
		r, in.file = f, f
	}
	if err := in.open(ctx, r, convert); err != nil {
		in.Close()
		return nil, inputFailed(name, err)
	}
	return in, nil
}

// input is a stream and the file behind it, if it has one of its own.
type input struct {
	*audio.Stream
	name string
	file *os.File
}

func (in *input) open(ctx context.Context, r io.Reader, convert bool) (err error) {
	regular := isRegular(r)
	if !regular {
		r = interruptible(ctx, r)
	}
	if !convert {
		in.Stream, err = audio.NewStream(r)
		return err
	}
	if regular && in.file != nil {
		if in.Stream, err = audio.NewStream(r); audio.Foreign(err) {
			var o audio.ConvertOptions
			if o, err = ffmpeg(); err == nil {
				in.Stream, err = audio.Convert(ctx, in.name, o)
			}
		}
		return err
	}
	head := &recorder{r: r}
	in.Stream, err = audio.NewStream(head)
	seen := head.stop()
	if audio.Foreign(err) {
		var o audio.ConvertOptions
		if o, err = ffmpeg(); err == nil {
			in.Stream, err = audio.ConvertReader(ctx, io.MultiReader(bytes.NewReader(seen), r), o)
		}
	}
	return err
}

func (in *input) Close() error {
	var errs []error
	if in.Stream != nil {
		errs = append(errs, in.Stream.Close())
	}
	if in.file != nil {
		errs = append(errs, in.file.Close())
	}
	return errors.Join(errs...)
}

func isRegular(r io.Reader) bool {
	f, ok := r.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode().IsRegular()
}

// recorder keeps what is read of r until it is stopped.
type recorder struct {
	r    io.Reader
	seen []byte
	done bool
}

func (r *recorder) Read(p []byte) (int, error) {
	n, err := r.r.Read(p)
	if !r.done {
		r.seen = append(r.seen, p[:n]...)
	}
	return n, err
}

func (r *recorder) stop() []byte {
	seen := r.seen
	r.seen, r.done = nil, true
	return seen
}
