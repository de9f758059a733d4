package transcribe

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/whisperfile/whisperfile/audio"
	"github.com/whisperfile/whisperfile/cmd/internal/applet"
	whisper "github.com/whisperfile/whisperfile/cmd/internal/cli"
	"github.com/whisperfile/whisperfile/cmd/internal/transcript"
	"github.com/whisperfile/whisperfile/model"
)

// speech is a sound of which the fake engine hears lines, after which it ends with err.
type speech struct {
	lines []string
	err   error
}

func (s *speech) Read([]float32) (int, error) {
	if s.err != nil {
		return 0, s.err
	}
	return 0, io.EOF
}

func (s *speech) Warning() string {
	if slices.Contains(s.lines, "odd") {
		return "cut short"
	}
	return ""
}

func (s *speech) Close() error { return nil }

// ear is an engine that hears what a speech says: a second a line.
type ear struct {
	info   model.Info
	cancel func() // called before the line "interrupt" is heard
	asked  []model.Options
	opened int
}

func (e *ear) Info() model.Info { return e.info }
func (e *ear) Name() string     { return "tiny.en" }
func (e *ear) Device() string   { return "ear" }
func (e *ear) Close() error     { return nil }

func (e *ear) Transcribe(ctx context.Context, src audio.Source, o model.Options, yield func(model.Segment) error) (model.Result, error) {
	said := src.(*source).Source.(*speech)
	asked := o
	asked.Progress = nil
	e.asked = append(e.asked, asked)
	r := model.Result{Language: o.Language}
	if o.Language == model.Auto {
		r.Language, r.Languages = "fr", french
	}
	for i, line := range said.lines {
		switch line {
		case "interrupt":
			e.cancel()
			return r, ctx.Err()
		case "burn":
			return r, errors.New("the device burns")
		}
		start := time.Duration(i) * time.Second
		o.Progress(model.Progress{Done: start, Total: time.Duration(len(said.lines)) * time.Second})
		if err := yield(model.Segment{Start: start, End: start + time.Second, Text: " " + line}); err != nil {
			return r, err
		}
	}
	if _, err := src.Read(nil); err != io.EOF {
		return r, err
	}
	return r, nil
}

// french is what a fake engine finds.
var french = []model.LanguageProb{{Code: "fr", P: 0.75}, {Code: "en", P: 0.25}}

func (e *ear) Detect(context.Context, audio.Source, model.Options, func(model.Segment) error) (model.Result, error) {
	return model.Result{Language: "fr", Languages: french}, nil
}

// room is a working directory with inputs that a fake engine can hear.
type room struct {
	ear            *ear
	stdout, stderr bytes.Buffer
	failModel      error
	out            io.Writer // stdout if nil
	terminal       applet.Terminal
}

func newRoom(t *testing.T) *room {
	t.Chdir(t.TempDir())
	for _, name := range []string{"a.wav", "b.wav", "bad", "odd", "burning", "broken", "interrupted", "interrupted-at-once"} {
		if err := os.WriteFile(name, nil, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir("dir", 0o777); err != nil {
		t.Fatal(err)
	}
	return &room{ear: &ear{info: tiny}}
}

func (r *room) run(args ...string) int {
	r.stdout.Reset()
	r.stderr.Reset()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	r.ear.cancel = cancel
	env := applet.Env{
		Args: args, Stdin: strings.NewReader(""), Stdout: &r.stdout, Stderr: &r.stderr,
		Getenv: func(string) string { return "" }, Terminal: r.terminal,
	}
	if r.out != nil {
		env.Stdout = r.out
	}
	return int(whisper.Run(ctx, env, newApp(env, parts{
		engine: func(applet.Env, settings) (engine, error) {
			r.ear.opened++
			return r.ear, r.failModel
		},
		sound: func(_ context.Context, _ applet.Env, name string, _ bool) (sound, error) {
			switch name {
			case "bad":
				return nil, inputFailed(name, audio.ErrUnknownFormat)
			case "broken":
				return &speech{lines: []string{"half"}, err: errors.New("the file breaks off")}, nil
			case "odd":
				return &speech{lines: []string{"odd"}}, nil
			case "burning":
				return &speech{lines: []string{"burn"}}, nil
			case "interrupted":
				return &speech{lines: []string{"done", "interrupt"}}, nil
			case "interrupted-at-once":
				return &speech{lines: []string{"interrupt"}}, nil
			}
			return &speech{lines: []string{"one of " + name, "two of " + name}}, nil
		},
	})))
}

// files returns the names of what is new in the working directory.
func files(t *testing.T) []string {
	t.Helper()
	entries, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	for _, e := range entries {
		if !slices.Contains([]string{"a.wav", "b.wav", "bad", "odd", "burning", "broken", "interrupted", "interrupted-at-once", "dir"}, e.Name()) {
			list = append(list, e.Name())
		}
	}
	return list
}

func lines(texts ...string) string {
	var b strings.Builder
	b.WriteByte('\n')
	for i, s := range texts {
		b.WriteString("[" + transcript.Stamp(time.Duration(i)*time.Second, '.') + " --> " + transcript.Stamp(time.Duration(i+1)*time.Second, '.') + "]   " + s + "\n")
	}
	return b.String()
}

func TestBatch(t *testing.T) {
	a, b := lines("one of a.wav", "two of a.wav"), lines("one of b.wav", "two of b.wav")
	const (
		notFound = "whisper: input file not found: none\n"
		unknown  = "whisper: cannot read the sound: bad: unknown audio format\n"
	)
	for _, test := range []struct {
		args   string
		code   whisper.Code
		stdout string
		stderr string
		files  []string
	}{
		{args: "a.wav", stdout: a},
		{args: "a.wav -f b.wav", stdout: a + b},
		{args: "-nt a.wav", stdout: "\n one of a.wav two of a.wav"},
		{args: "-", stdout: lines("one of -", "two of -")},
		{args: "none", code: whisper.Input, stderr: notFound},
		{args: "dir", code: whisper.Input, stderr: "whisper: cannot read the sound: dir: is a directory\n"},
		{args: "bad", code: whisper.Input, stderr: unknown},
		{args: "bad none", code: whisper.Input, stderr: notFound + unknown},
		{args: "bad a.wav", code: whisper.Partial, stdout: a, stderr: unknown},
		{args: "a.wav none", code: whisper.Partial, stdout: a, stderr: notFound},
		{
			args: "broken a.wav -otxt -np", code: whisper.Partial, stdout: lines("half") + a,
			stderr: "whisper: cannot read the sound: broken: the file breaks off\n", files: []string{"a.wav.txt"},
		},
		{args: "odd", stdout: lines("odd"), stderr: "whisper: warning: odd: cut short\n"},
		{args: "odd -np", stdout: lines("odd")},
		{args: "burning a.wav", code: whisper.Device, stderr: "whisper: ear: burning: the device burns\n"},
		{
			args: "a.wav -otxt -osrt", stdout: a, files: []string{"a.wav.srt", "a.wav.txt"},
			stderr: "output_txt: saving output to 'a.wav.txt'\noutput_srt: saving output to 'a.wav.srt'\n",
		},
		{args: "a.wav b.wav -otxt -of x -np", stdout: a + b, files: []string{"b.wav.txt", "x.txt"}},
		{args: "a.wav b.wav -oj -ojf -of x -of y -np", stdout: a + b, files: []string{"x.json", "y.json"}},
		{args: "a.wav -of x", stdout: a},
		{args: "a.wav -otxt -of -", stdout: "one of a.wav\ntwo of a.wav\n"},
		{args: "- -olrc", stdout: "[by:whisper.cpp]\n[00:00.00] one of -\n[00:01.00] two of -\n"},
		{args: "- -otxt -of x -np", stdout: lines("one of -", "two of -"), files: []string{"x.txt"}},
		{
			args: "- -osrt -ocsv -otxt", stdout: "one of -\ntwo of -\n",
			stderr: "whisper: only one format goes to standard output: txt is written, srt and csv not\n",
		},
		{args: "a.wav b.wav -otxt -of - -of -", stdout: "one of a.wav\ntwo of a.wav\none of b.wav\ntwo of b.wav\n"},
		{args: "interrupted a.wav -otxt -np", code: whisper.Interrupted, stdout: lines("done"), stderr: "whisper: interrupted\n", files: []string{"interrupted.txt"}},
		{args: "interrupted-at-once a.wav -otxt", code: whisper.Interrupted, stderr: "whisper: interrupted\n"},
		{args: "interrupted", code: whisper.Interrupted, stdout: lines("done"), stderr: "whisper: interrupted\n"},
		{args: "a.wav -pp", stdout: a, stderr: "whisper_print_progress_callback: progress =  50%\n"},
		{args: "a.wav -otxt -of dir/x -np", stdout: a},
	} {
		t.Run(test.args, func(t *testing.T) {
			r := newRoom(t)
			if code := r.run(strings.Fields(test.args)...); code != int(test.code) {
				t.Errorf("exit %d, want %d", code, test.code)
			}
			if diff := cmp.Diff(test.stdout, r.stdout.String()); diff != "" {
				t.Errorf("stdout: %s", diff)
			}
			if diff := cmp.Diff(test.stderr, r.stderr.String()); diff != "" {
				t.Errorf("stderr: %s", diff)
			}
			if diff := cmp.Diff(test.files, files(t)); diff != "" {
				t.Errorf("files: %s", diff)
			}
			if r.ear.opened > 1 {
				t.Errorf("the model was opened %d times", r.ear.opened)
			}
		})
	}
}

func TestUsage(t *testing.T) {
	for args, want := range map[string]string{
		"":                            "no input file",
		"-bs 9 a.wav":                 "-bs takes a number from 1 to 8, not 9",
		"-tp 2 a.wav":                 "temperature: must lie within 0 and 1",
		"-et x a.wav":                 `invalid value "x" for flag -entropy-thold: parse error`,
		"--suppress-regex ( a.wav":    "suppress regex: error parsing regexp: missing closing ): `(`",
		"-bs 0 a.wav":                 "-bs takes a number from 1 to 8, not 0",
		"-l xx a.wav":                 `unknown language: "xx"`,
		"--precision int8 a.wav":      `--precision takes auto or float, not "int8"`,
		"-t 0 a.wav":                  "-t takes a number from 1 to 1024, not 0",
		"-t abc a.wav":                `invalid value "abc" for flag -threads: parse error`,
		"-t 99999999999999999999 a":   `invalid value "99999999999999999999" for flag -threads: value out of range`,
		"-d -1 a.wav":                 "-d takes a number from 0 to 2000000000, not -1",
		"-ot 1.5 a.wav":               `invalid value "1.5" for flag -offset-t: parse error`,
		"-vad a.wav":                  "unknown flag: -vad",
		"a.wav -of":                   "-of needs a value",
		"a.wav -of x -of y":           "more -of than input files: y",
		"a.wav b.wav -otxt -of b.wav": "the output for b.wav is that for another: b.wav.txt",
		"- -":                         "standard input can be heard once: -",
		"--render x.json a.wav":       "--render takes no files to hear: a.wav",
		"--render a.json -oj":         "the output for a.json is an input file: a.json",
	} {
		r := newRoom(t)
		if code := r.run(strings.Fields(args)...); code != int(whisper.Usage) {
			t.Errorf("%q: exit %d", args, code)
		}
		first, rest, _ := strings.Cut(r.stderr.String(), "\n")
		if first != "whisper: "+want || strings.Count(rest, "\n") > 1 || r.stdout.Len() > 0 {
			t.Errorf("%q: %s%s", args, r.stderr.String(), r.stdout.String())
		}
		if r.ear.opened > 0 {
			t.Errorf("%q: the model was opened", args)
		}
	}
}

func TestOptions(t *testing.T) {
	many := tiny
	many.Multilingual, many.Languages = true, 99
	turbo := many
	turbo.TextLayers--
	with := func(change func(*model.Options)) model.Options {
		o := model.Options{
			Language: "en", BeamSize: 5, BestOf: 5, TemperatureStep: 0.2, EntropyThreshold: 2.4, LogProbThreshold: -1, NoSpeechThreshold: 0.6,
		}
		if change != nil {
			change(&o)
		}
		return o
	}
	for _, test := range []struct {
		args string
		info model.Info
		want model.Options
		warn bool
	}{
		{args: "", want: with(nil)},
		{args: "-l ENGLISH", want: with(nil)},
		{args: "-l french -tr", info: many, want: with(func(o *model.Options) { o.Language, o.Translate = "fr", true })},
		{args: "-l fr", want: with(nil), warn: true},
		{args: "-l su", info: many, want: with(func(o *model.Options) { o.Language = "su" })},
		{args: "-l auto", info: turbo, want: with(func(o *model.Options) { o.Language = "auto" })},
		{args: "-l auto", want: with(nil)},
		{args: "-ot 1500 -d 20", want: with(func(o *model.Options) { o.Offset, o.Duration = 1500*ms, 20*ms })},
		{args: "-mc 0", want: with(func(o *model.Options) { o.MaxContext = -1 })},
		{args: "-mc -1", want: with(nil)},
		{args: "-mc 64", want: with(func(o *model.Options) { o.MaxContext = 64 })},
		{args: "-ml 40 -sow --prompt -x -ps -nt", want: with(func(o *model.Options) {
			o.MaxLen, o.SplitOnWord, o.Prompt, o.SpecialText = 40, true, "-x", true
		})},
		{args: "-ojf -of dir/x -np", want: with(func(o *model.Options) { o.TokenTimes = true })},
		{args: "-oj -of dir/x -np -nf -bo 2 -bs 1", want: with(func(o *model.Options) { o.NoFallback, o.BestOf, o.BeamSize = true, 2, 1 })},
		{args: "-tp .4 -tpi 0 -et 0 -lpt 0 -nth 0", want: with(func(o *model.Options) {
			o.Temperature, o.TemperatureStep, o.NoFallback = .4, 0, true
			o.EntropyThreshold, o.LogProbThreshold, o.NoSpeechThreshold = -1, math.SmallestNonzeroFloat32, math.SmallestNonzeroFloat32
		})},
		{args: "-sns -tdrz --suppress-regex a.b --carry-initial-prompt -p 2", want: with(func(o *model.Options) {
			o.SuppressNonSpeech, o.SpeakerTurns, o.SuppressRegex, o.CarryPrompt = true, true, "a.b", true
		})},
	} {
		r := newRoom(t)
		if test.info.Type != "" {
			r.ear.info = test.info
		}
		if code := r.run(strings.Fields("a.wav " + test.args)...); code != 0 {
			t.Errorf("%s: exit %d: %s", test.args, code, r.stderr.String())
			continue
		}
		if diff := cmp.Diff([]model.Options{test.want}, r.ear.asked); diff != "" {
			t.Errorf("%s: %s", test.args, diff)
		}
		const warning = "whisper: warning: model is not multilingual, ignoring language\n"
		if got := strings.Contains(r.stderr.String(), warning); got != test.warn {
			t.Errorf("%s: %s", test.args, r.stderr.String())
		}
	}
}

func TestModelsThatCannotTranslate(t *testing.T) {
	turbo := tiny
	turbo.Multilingual, turbo.Languages, turbo.TextLayers = true, 100, 1
	for _, info := range []model.Info{tiny, turbo} {
		r := newRoom(t)
		r.ear.info = info
		if code := r.run("a.wav", "-tr"); code != int(whisper.Usage) || !strings.Contains(r.stderr.String(), "cannot translate\nhint: ") || len(r.ear.asked) > 0 {
			t.Errorf("%d of %d layers: exit %d: %s", info.TextLayers, info.AudioLayers, code, r.stderr.String())
		}
	}
}

func TestLanguageIsFound(t *testing.T) {
	many := tiny
	many.Multilingual, many.Languages = true, 99
	const line = "auto-detected language: fr (p = 0.750000)\n"
	for _, test := range []struct{ args, stdout, stderr string }{
		{"-dl a.wav", line, ""},
		{"-l auto a.wav", "\n[00:00:00.000 --> 00:00:01.000]   one of a.wav\n[00:00:01.000 --> 00:00:02.000]   two of a.wav\n", "whisper: " + line},
		{"-l auto -np -oj a.wav", "\n[00:00:00.000 --> 00:00:01.000]   one of a.wav\n[00:00:01.000 --> 00:00:02.000]   two of a.wav\n", ""},
	} {
		r := newRoom(t)
		r.ear.info = many
		if code := r.run(strings.Fields(test.args)...); code != 0 || r.stdout.String() != test.stdout || r.stderr.String() != test.stderr {
			t.Errorf("%s: exit %d\n%s%s", test.args, code, r.stdout.String(), r.stderr.String())
		}
		if strings.Contains(test.args, "-oj") {
			b, err := os.ReadFile("a.wav.json")
			var got struct {
				Languages []struct {
					Language string
					P        float64
				}
			}
			if err != nil || json.Unmarshal(b, &got) != nil || len(got.Languages) != 2 || got.Languages[1].Language != "en" || got.Languages[1].P != 0.25 {
				t.Errorf("%v: %s", err, b)
			}
		}
	}
}

func TestModelFails(t *testing.T) {
	r := newRoom(t)
	r.failModel = whisper.Fail(whisper.Model, errors.New("no such model"), "get one")
	if code := r.run("a.wav", "-otxt"); code != int(whisper.Model) || r.stderr.String() != "whisper: no such model\nhint: get one\n" || files(t) != nil {
		t.Errorf("exit %d: %s%q", code, r.stderr.String(), files(t))
	}
}

func TestOutputFails(t *testing.T) {
	for _, base := range []string{"no/such/x", "a.wav/x"} {
		r := newRoom(t)
		if code := r.run("a.wav", "-otxt", "-of", base); code != int(whisper.Output) || r.ear.opened > 0 {
			t.Errorf("%s: exit %d, opened %d: %s", base, code, r.ear.opened, r.stderr.String())
		}
		if !strings.HasPrefix(r.stderr.String(), "whisper: cannot write: "+base+".txt: ") {
			t.Errorf("%s: %s", base, r.stderr.String())
		}
	}
	for _, args := range []string{"a.wav b.wav -osrt", "a.wav b.wav -osrt -of - -of -"} {
		r := newRoom(t)
		r.out = &full{10}
		if code := r.run(strings.Fields(args)...); code != int(whisper.Output) || len(r.ear.asked) > 1 {
			t.Errorf("%s: exit %d, heard %d: %s", args, code, len(r.ear.asked), r.stderr.String())
		}
		if want := "whisper: cannot write to standard output: file already closed\n"; r.stderr.String() != want || files(t) != nil {
			t.Errorf("%s: %s%q", args, r.stderr.String(), files(t))
		}
	}
}

func TestBarStaysOffTheText(t *testing.T) {
	r := newRoom(t)
	r.terminal = applet.Terminal{Stderr: true, Stdout: true, Width: 80}
	if code := r.run("-nt", "a.wav"); code != 0 {
		t.Fatalf("exit %d: %s", code, r.stderr.String())
	}
	if want := "\n one of a.wav two of a.wav\n"; r.stdout.String() != want {
		t.Errorf("%q, want %q", r.stdout.String(), want)
	}
	if !strings.Contains(r.stderr.String(), "whisper") {
		t.Error("no bar on a terminal")
	}
	for _, args := range []string{"-np a.wav", "-otxt -of - a.wav"} {
		if r.run(strings.Fields(args)...); r.stderr.Len() > 0 {
			t.Errorf("%s: %q", args, r.stderr.String())
		}
	}
}

func TestRender(t *testing.T) {
	r := newRoom(t)
	var data bytes.Buffer
	if err := transcript.WriteJSONFull(&data, &transcript.Transcript{Segments: spoken}); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile("talk.json", data.Bytes(), 0o666); err != nil {
		t.Fatal(err)
	}
	if code := r.run("--render", "talk.json", "-osrt", "-ocsv", "-on", "10"); code != 0 || r.stdout.Len() > 0 {
		t.Fatalf("exit %d: %s%s", code, r.stdout.String(), r.stderr.String())
	}
	if diff := cmp.Diff([]string{"talk.csv", "talk.json", "talk.srt"}, files(t)); diff != "" {
		t.Error(diff)
	}
	srt, err := os.ReadFile("talk.srt")
	if err != nil || !strings.HasPrefix(string(srt), "11\n00:00:00,000 --> 00:00:02,500\n He said") {
		t.Errorf("%s, %v", srt, err)
	}
	if code := r.run("--render", "talk.json", "-nt"); code != 0 || !strings.HasPrefix(r.stdout.String(), "\n He said") {
		t.Errorf("exit %d: %s", code, r.stdout.String())
	}
	if code := r.run("--render", "talk.json", "-otxt", "-of", "-"); code != 0 || !strings.HasPrefix(r.stdout.String(), "He said") {
		t.Errorf("exit %d: %s", code, r.stdout.String())
	}
	_, missing := os.Open("none.json")
	for name, want := range map[string]string{
		"none.json": fmt.Sprintf("whisper: cannot render: none.json: %v\n", whisper.Bare(missing)),
		"a.wav":     "whisper: cannot render: a.wav: byte 0: the text ends where '{' should be\n",
		"dir":       "whisper: cannot render: dir: is a directory\n",
	} {
		if code := r.run("--render", name, "-otxt"); code != int(whisper.Input) || r.stderr.String() != want {
			t.Errorf("%s: exit %d: %s", name, code, r.stderr.String())
		}
	}
	if r.ear.opened > 0 {
		t.Error("a model was opened")
	}
}

// full stops every writer: after n bytes it takes no more.
type full struct{ n int }

func (f *full) Write(p []byte) (int, error) {
	if len(p) > f.n {
		n := f.n
		f.n = 0
		return n, os.ErrClosed
	}
	f.n -= len(p)
	return len(p), nil
}

func TestInterruptible(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	never, _ := io.Pipe()
	r := interruptible(ctx, never)
	cancel()
	if _, err := r.Read(make([]byte, 1)); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	r = interruptible(context.Background(), strings.NewReader("all of it"))
	if data, err := io.ReadAll(r); err != nil || string(data) != "all of it" {
		t.Errorf("%q, %v", data, err)
	}
}
