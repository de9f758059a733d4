package transcribe

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/whisperfile/whisperfile/audio"
	"github.com/whisperfile/whisperfile/cmd/internal/applet"
	whisper "github.com/whisperfile/whisperfile/cmd/internal/cli"
)

// TestOpenSound hears a clip in every way in which it can come in, and refuses the rest.
func TestOpenSound(t *testing.T) {
	clip := filepath.FromSlash("../../../testdata/austen-0930.wav")
	data, err := os.ReadFile(clip)
	if err != nil {
		t.Fatal(err)
	}
	junk := filepath.Join(t.TempDir(), "junk")
	if err := os.WriteFile(junk, bytes.Repeat([]byte("no sound "), 100), 0o666); err != nil {
		t.Fatal(err)
	}
	// Each is opened anew: what reads a pipe may go on after the sound has ended.
	pipe := func(s string) func() io.Reader { return func() io.Reader { return strings.NewReader(s) } }
	file := func() io.Reader {
		f, err := os.Open(clip)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { f.Close() })
		return f
	}
	t.Setenv("PATH", t.TempDir())
	for _, test := range []struct {
		what, name string
		stdin      func() io.Reader
		err        string
	}{
		{what: "a file", name: clip},
		{what: "a pipe", name: "-", stdin: pipe(string(data))},
		{what: "a file as standard input", name: "-", stdin: file},
		{what: "nothing", name: "none", err: "input file not found: none"},
		{what: "junk", name: junk, err: "unknown audio format"},
		{what: "piped junk", name: "-", stdin: pipe(strings.Repeat("no sound ", 100)), err: "unknown audio format"},
		{what: "an empty pipe", name: "-", stdin: pipe(""), err: "no audio in it"},
	} {
		for _, convert := range []bool{false, true} {
			var env applet.Env
			if test.stdin != nil {
				env.Stdin = test.stdin()
			}
			s, err := openSound(context.Background(), env, test.name, convert)
			if test.err != "" {
				want := test.err
				if convert && want == "unknown audio format" {
					want = "ffmpeg is not installed"
				}
				if err == nil || !strings.Contains(err.Error(), want) || whisper.CodeOf(err) != whisper.Input {
					t.Errorf("%s, convert %t: %v, want %s", test.what, convert, err, want)
				} else if strings.Count(err.Error(), test.name) > 1 && test.name != "-" {
					t.Errorf("%s, convert %t: names the file twice: %v", test.what, convert, err)
				}
				continue
			}
			if err != nil {
				t.Errorf("%s, convert %t: %v", test.what, convert, err)
				continue
			}
			n := 0
			for buf := make([]float32, 4096); ; {
				k, err := s.Read(buf)
				n += k
				if err == io.EOF {
					break
				}
				if err != nil {
					t.Fatal(err)
				}
			}
			if n < 2*audio.SampleRate {
				t.Errorf("%s, convert %t: %d samples", test.what, convert, n)
			}
			if err := s.Close(); err != nil {
				t.Errorf("%s, convert %t: %v", test.what, convert, err)
			}
		}
	}
}

// TestOpenSoundStops waits for a pipe that says nothing until the context ends.
func TestOpenSoundStops(t *testing.T) {
	for _, convert := range []bool{false, true} {
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		silent, _ := io.Pipe()
		if _, err := openSound(ctx, applet.Env{Stdin: silent}, "-", convert); !errors.Is(err, context.Canceled) {
			t.Errorf("convert %t: %v", convert, err)
		}
	}
}
