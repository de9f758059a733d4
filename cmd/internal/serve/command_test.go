package serve

import (
	"bytes"
	"context"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/whisperfile/whisperfile/cmd/internal/applet"
	whisper "github.com/whisperfile/whisperfile/cmd/internal/cli"
)

// run runs the program with fake engines until ctx ends.
func run(ctx context.Context, open opener, stdout, stderr *bytes.Buffer, args ...string) whisper.Code {
	env := applet.Env{Args: args, Stdout: stdout, Stderr: stderr, Getenv: func(string) string { return "" }}
	return whisper.Run(ctx, env, newApp(env, open))
}

// TestUsage: a command line that cannot be followed is said in a line, with the right exit code.
func TestUsage(t *testing.T) {
	l := newLibrary(t, map[string]string{"ggml-a.bin": "a", "junk.bin": "junk"})
	t.Chdir(l.dir)
	for _, name := range []string{"XDG_CACHE_HOME", "HOME", "LocalAppData", "home"} {
		t.Setenv(name, l.dir)
	}
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	_, port, err := net.SplitHostPort(taken.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	_, missing := os.Open("none")
	for args, want := range map[string]struct {
		code whisper.Code
		says string
	}{
		"":                                              {whisper.Model, "no such model: none is named, and there is none in models, "},
		"-m none":                                       {whisper.Model, `no such model: "none" is no file and not in models`},
		"-m junk.bin":                                   {whisper.Partial, "not a whisper ggml model"},
		"-m ggml-a.bin -m ggml-a.bin":                   {whisper.Usage, "two models are called a"},
		"-m ggml-a.bin extra":                           {whisper.Usage, "whisper-server takes flags alone: extra"},
		"-m ggml-a.bin --port 99999":                    {whisper.Usage, "--port takes a number from 0 to 65535, not 99999"},
		"-m ggml-a.bin --port " + port:                  {whisper.Partial, "cannot listen: listen tcp 127.0.0.1:" + port + ": "},
		"-m ggml-a.bin --host no.such.host.":            {whisper.Partial, "cannot listen: "},
		"-m ggml-a.bin --vad":                           {whisper.Usage, "unknown flag: --vad"},
		"-m ggml-a.bin -dtw base":                       {whisper.Usage, "unknown flag: -dtw"},
		"-m ggml-a.bin -di":                             {whisper.Usage, "unknown flag: -di"},
		"-m ggml-a.bin -l zz":                           {whisper.Usage, `unknown language: "zz"`},
		"-m ggml-a.bin -bs 9":                           {whisper.Usage, "-bs takes a number from -1 to 8, not 9"},
		"-m ggml-a.bin -t abc":                          {whisper.Usage, `invalid value "abc" for flag -threads: parse error`},
		"-m ggml-a.bin --parallel 0":                    {whisper.Usage, "--parallel takes a number from 1 to 256, not 0"},
		"-m ggml-a.bin --queue -1":                      {whisper.Usage, "--queue takes a number from 0 to 1048576, not -1"},
		"-m ggml-a.bin --max-body 1X":                   {whisper.Usage, `--max-body takes a number of bytes, or of K, M, G or T, not "1X"`},
		"-m ggml-a.bin --max-body 0":                    {whisper.Usage, `--max-body takes a number of bytes, or of K, M, G or T, not "0"`},
		"-m ggml-a.bin --stall-timeout 0":               {whisper.Usage, "--stall-timeout must be above 0"},
		"-m ggml-a.bin --grace -1s":                     {whisper.Usage, "--grace must not be negative"},
		"-m ggml-a.bin --request-path a?b":              {whisper.Usage, `--request-path takes a path such as /a/b, not "a?b"`},
		"-m ggml-a.bin --inference-path /":              {whisper.Usage, "--inference-path takes a path such as /a/b"},
		"-m ggml-a.bin --inference-path /load":          {whisper.Usage, "two things cannot be at /load"},
		"-m ggml-a.bin --public none":                   {whisper.Usage, "--public: none: " + whisper.Bare(missing).Error()},
		"-m ggml-a.bin --model-dir none":                {whisper.Usage, "--model-dir: none: "},
		"-m ggml-a.bin --tmp-dir none":                  {whisper.Usage, "--tmp-dir: none is no directory"},
		"-m ggml-a.bin --log-format xml":                {whisper.Usage, `--log-format takes text or json, not "xml"`},
		"-m ggml-a.bin --memory-budget 1 -m b=junk.bin": {whisper.Partial, "not a whisper ggml model"},
	} {
		t.Run(args, func(t *testing.T) {
			var stdout, stderr bytes.Buffer
			code := run(t.Context(), l.open, &stdout, &stderr, strings.Fields(args)...)
			got := stderr.String()
			if code != want.code || !strings.HasPrefix(got, "whisper-server: "+want.says) || strings.Count(got, "\n") > 2 || stdout.Len() > 0 {
				t.Errorf("exit %d, want %d with %q: %s%s", code, want.code, want.says, stdout.String(), got)
			}
		})
	}
}

func TestParseSize(t *testing.T) {
	for s, want := range map[string]int64{"0": 0, "17": 17, "2k": 2048, "3M": 3 << 20, "1GiB": 1 << 30, "2TB": 2 << 40, "": -1, "M": -1, "-1": -1, "1.5G": -1, "99999999T": -1, "1 M": -1} {
		if got, err := parseSize(s); (want >= 0) != (err == nil) || err == nil && got != want {
			t.Errorf("%q: %d, %v, want %d", s, got, err, want)
		}
	}
}

// signalled is a Buffer whose first line can be waited for.
type signalled struct {
	bytes.Buffer
	line chan string
}

func (s *signalled) Write(p []byte) (int, error) {
	if text := strings.TrimSpace(string(p)); text != "" {
		s.line <- text
	}
	return s.Buffer.Write(p)
}

// TestRun serves until it is told to stop, which is exit code 0, and gives back what it took.
func TestRun(t *testing.T) {
	l := newLibrary(t, map[string]string{"ggml-a.bin": "a", "b.bin": "b"})
	stdout := &signalled{line: make(chan string, 10)}
	var stderr bytes.Buffer
	ctx, cancel := context.WithCancel(context.Background())
	env := applet.Env{
		Args:   []string{"--port", "0", "--log-format", "json", "-m", filepath.Join(l.dir, "ggml-a.bin"), "-m", "second=" + filepath.Join(l.dir, "b.bin"), "-pr"},
		Stdout: stdout, Stderr: &stderr, Getenv: os.Getenv,
	}
	ended := make(chan whisper.Code, 1)
	go func() { ended <- whisper.Run(ctx, env, newApp(env, l.open)) }()
	var line string
	select {
	case line = <-stdout.line:
	case code := <-ended:
		t.Fatalf("exit %d: %s", code, stderr.String())
	}
	url, ok := strings.CutPrefix(line, "whisper server listening at ")
	if !ok {
		t.Fatal(line)
	}
	r := at(url)
	if status, got := r.post(t, "/inference", "response_format=text"); status != 200 || got != " a\n" {
		t.Errorf("%d %s", status, got)
	}
	if got := <-stdout.line; !strings.HasSuffix(got, "]   a") {
		t.Error(got)
	}
	if status, got := r.post(t, transcriptions, "model=second"); status != 200 || !strings.Contains(got, `"text":"b"`) {
		t.Errorf("%d %s", status, got)
	}
	cancel()
	select {
	case code := <-ended:
		if code != whisper.OK {
			t.Errorf("exit %d: %s", code, stderr.String())
		}
	case <-time.After(10 * time.Second):
		t.Fatal("it does not stop")
	}
	for _, e := range l.ears {
		if e.closed.Load() != 1 {
			t.Error("a model was not closed")
		}
	}
	if !strings.Contains(stderr.String(), `"route":"/inference"`) {
		t.Errorf("log: %s", stderr.String())
	}
}
