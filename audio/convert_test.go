package audio

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

// fake writes a shell script that stands in for ffmpeg: it notes its arguments, a line each, and runs body, in which
// $in is what follows -i and $wav a file with three samples.
func fake(t *testing.T, body string) (program, args string) {
	t.Helper()
	if _, err := exec.LookPath("sh"); err != nil || runtime.GOOS == "windows" {
		t.Skip("no shell for the stand-in")
	}
	dir := t.TempDir()
	args = filepath.Join(dir, "args")
	wav := filepath.Join(dir, "out.wav")
	data := f32(0.5) + f32(-0.5) + f32(0.25)
	if err := os.WriteFile(wav, bs("RIFF\xff\xff\xff\xffWAVE", wavFmt(3, 1, 4, 32), "data\xff\xff\xff\xff", data), 0o666); err != nil {
		t.Fatal(err)
	}
	script := fmt.Sprintf("#!/bin/sh\nprintf '%%s\\n' \"$@\" >'%s'\nwav='%s'\nwhile [ \"$1\" != -i ]; do shift; done\nin=$2\n%s\n", args, wav, body)
	program = filepath.Join(dir, "ffmpeg")
	if err := os.WriteFile(program, []byte(script), 0o777); err != nil {
		t.Fatal(err)
	}
	return program, args
}

func touch(t *testing.T, name string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte("sound"), 0o666); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestConvert(t *testing.T) {
	program, args := fake(t, `cat "$wav"`)
	path := touch(t, "-i;rm $(x) 'a'.opus")
	s, err := Convert(context.Background(), path, ConvertOptions{Program: program, MaxDuration: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	equal(t, readAll(t, s), []float32{0.5, -0.5, 0.25})
	if s.Format().Container != "ffmpeg" || s.Warning() != "" || s.Close() != nil {
		t.Errorf("%+v, warning %q", s.Format(), s.Warning())
	}
	b, err := os.ReadFile(args)
	if err != nil {
		t.Fatal(err)
	}
	got := "\n" + string(b)
	for _, want := range []string{"\n-nostdin\n", "\n-protocol_whitelist\nfile,pipe\n", "\n-i\nfile:" + path + "\n", "\n-t\n61.000\n", "\npipe:1\n"} {
		if !strings.Contains(got, want) {
			t.Errorf("arguments lack %q:%s", want, got)
		}
	}
}

func TestConvertReader(t *testing.T) {
	program, args := fake(t, `case $in in pipe:0) cat >"$wav.in";; file:*) cp "${in#file:}" "$wav.in"; esac; cat "$wav"`)
	for _, c := range []struct{ head, input, protocols string }{
		{"OggS", "pipe:0", "\npipe\n"},
		{"\x00\x00\x00\x20ftypM4A ", "file:", "\nfile,pipe\n"},
		{"\x00\x00\x01\x00mdat", "file:", "\nfile,pipe\n"},
	} {
		in := c.head + strings.Repeat("x", 300000)
		s, err := ConvertReader(context.Background(), strings.NewReader(in), ConvertOptions{Program: program})
		if err != nil {
			t.Fatal(err)
		}
		equal(t, readAll(t, s), []float32{0.5, -0.5, 0.25})
		b, _ := os.ReadFile(args)
		_, rest, _ := strings.Cut(string(b), "\n-i\n")
		name, _, _ := strings.Cut(rest, "\n")
		if !strings.HasPrefix(name, c.input) || !strings.Contains(string(b), "-protocol_whitelist"+c.protocols) {
			t.Errorf("%q: input %q of %q", c.head, name, b)
		}
		if got, _ := os.ReadFile(filepath.Join(filepath.Dir(args), "out.wav.in")); string(got) != in {
			t.Errorf("%q: ffmpeg got %d bytes of %d", c.head, len(got), len(in))
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		if _, err := os.Stat(strings.TrimPrefix(name, "file:")); c.input == "file:" && !os.IsNotExist(err) {
			t.Errorf("%s is still there", name)
		}
	}
	_, err := ConvertReader(context.Background(), strings.NewReader("\x00\x00\x00\x20ftyp"+strings.Repeat("x", 2<<20)), ConvertOptions{Program: program, MaxBytes: 1000})
	if err == nil || !strings.Contains(err.Error(), "more than 1000 bytes") {
		t.Errorf("too large: %v", err)
	}
	if _, err := ConvertReader(context.Background(), strings.NewReader(""), ConvertOptions{Program: program}); !errors.Is(err, ErrEmpty) {
		t.Errorf("nothing: %v", err)
	}
}

func TestConvertErrors(t *testing.T) {
	path := touch(t, "a.opus")
	for _, c := range []struct {
		name, body string
		samples    int
		want, text string
	}{
		{"fails at once", `echo "first line" >&2; printf "$in: Invalid \033[31mdata\n\n" >&2; exit 1`, 0, path + ": ffmpeg: Invalid [31mdata", ""},
		{"fails without a word", `exit 3`, 0, "exit status 3", ""},
		{"fails behind sound", `cat "$wav"; echo "broken file" >&2; exit 1`, 3, "", "ffmpeg: broken file"},
		{"gives no wav", `echo hello`, 0, "unknown audio format", ""},
		{"hangs", `exec sleep 30`, 0, "nothing came for 300ms", ""},
		{"hangs behind sound", `cat "$wav"; exec sleep 30`, 3, "nothing came for 300ms", ""},
		{"hangs with a child", `sleep 30; cat "$wav"`, 0, "nothing came for 300ms", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			program, _ := fake(t, c.body)
			start := time.Now()
			s, err := Convert(context.Background(), path, ConvertOptions{Program: program, Timeout: 300 * time.Millisecond})
			n, warning := 0, ""
			if err == nil {
				buf := make([]float32, 100)
				for err == nil {
					var k int
					k, err = s.Read(buf)
					n += k
				}
				warning = s.Warning()
				s.Close()
			}
			switch {
			case n != c.samples:
				t.Errorf("%d samples, want %d", n, c.samples)
			case c.want == "" && err != io.EOF || c.want != "" && !strings.Contains(err.Error(), c.want):
				t.Errorf("error %v, want %q", err, c.want)
			case !strings.Contains(warning, c.text) || c.text == "" && warning != "":
				t.Errorf("warning %q, want %q", warning, c.text)
			case time.Since(start) > 10*time.Second:
				t.Errorf("took %v", time.Since(start))
			}
		})
	}
	for path, want := range map[string]error{filepath.Join(t.TempDir(), "none"): os.ErrNotExist} {
		if _, err := Convert(context.Background(), path, ConvertOptions{}); !errors.Is(err, want) {
			t.Errorf("%s: %v", path, err)
		}
	}
	t.Setenv("PATH", "")
	if _, err := Convert(context.Background(), path, ConvertOptions{}); err != ErrNoConverter {
		t.Errorf("no ffmpeg: %v", err)
	}
	if _, err := Convert(context.Background(), path, ConvertOptions{Program: path + ".exe"}); !errors.Is(err, ErrNoConverter) {
		t.Errorf("no such program: %v", err)
	}
}

func TestConvertEnds(t *testing.T) {
	path := touch(t, "a.opus")
	program, _ := fake(t, `cat "$wav"; exec cat /dev/zero`)
	ctx, cancel := context.WithCancel(context.Background())
	s, err := Convert(ctx, path, ConvertOptions{Program: program})
	if err != nil {
		t.Fatal(err)
	}
	buf := make([]float32, 1000)
	for n := 0; n < 100000; {
		k, err := s.Read(buf)
		if err != nil {
			t.Fatal(err)
		}
		n += k
	}
	cancel()
	for err == nil {
		_, err = s.Read(buf)
	}
	if err != context.Canceled {
		t.Errorf("cancelled: %v", err)
	}
	s.Close()

	if s, err = Convert(context.Background(), path, ConvertOptions{Program: program}); err != nil {
		t.Fatal(err)
	}
	s.Close()
	if _, err := s.Read(buf); err != os.ErrClosed {
		t.Errorf("closed: %v", err)
	}

	s, err = Convert(context.Background(), path, ConvertOptions{Program: program, MaxDuration: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if n := len(readAll(t, s)); n != SampleRate || s.Warning() != "only the first 1s are converted" {
		t.Errorf("too long: %d samples, warning %q", n, s.Warning())
	}
}

func TestConvertReal(t *testing.T) {
	ffmpeg, err := exec.LookPath("ffmpeg")
	if err != nil {
		t.Skip("no ffmpeg here")
	}
	dir := t.TempDir()
	for _, name := range []string{"a.mp4", "-i.opus"} {
		path := filepath.Join(dir, name)
		out, err := exec.Command(ffmpeg, "-v", "error", "-i", "testdata/chirp-44100.mp3", "file:"+path).CombinedOutput()
		if err != nil {
			t.Skipf("ffmpeg cannot make %s: %s", name, out)
		}
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Open(path); !errors.Is(err, ErrUnknownFormat) {
			t.Errorf("%s without ffmpeg: %v", name, err)
		}
		file, err1 := Convert(t.Context(), path, ConvertOptions{})
		pipe, err2 := ConvertReader(t.Context(), bytes.NewReader(b), ConvertOptions{})
		if err := errors.Join(err1, err2); err != nil {
			t.Fatal(name, err)
		}
		got := readAll(t, file)
		equal(t, readAll(t, pipe), got)
		if n := len(got); n < 15900 || n > 17500 || file.Warning() != "" {
			t.Errorf("%s: %d samples, warning %q", name, n, file.Warning())
		}
		file.Close()
		pipe.Close()
	}
	list := filepath.Join(dir, "list.m3u8")
	os.WriteFile(list, []byte("#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\na.mp4\n#EXT-X-ENDLIST\n"), 0o666)
	if s, err := Convert(t.Context(), list, ConvertOptions{}); !errors.Is(err, ErrConvert) {
		t.Errorf("a playlist: %v, %v", s, err)
	}
}
