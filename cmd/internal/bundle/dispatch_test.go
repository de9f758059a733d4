package bundle

import (
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/urfave/cli/v2"

	"github.com/whisperfile/whisperfile/cmd/internal/applet"
)

// echo is a program that prints its arguments as they came.
func echo(name string, flags ...cli.Flag) applet.New {
	return func(env applet.Env) *cli.App {
		return &cli.App{Name: name, Flags: flags, Action: func(*cli.Context) error {
			fmt.Fprintln(env.Stdout, strings.Join(append([]string{name}, env.Args...), " "))
			return nil
		}}
	}
}

func programs() (reg applet.Registry) {
	model := func() cli.Flag { return &cli.StringFlag{Name: "model", Aliases: []string{"m"}} }
	convert := func() cli.Flag { return &cli.BoolFlag{Name: "convert"} }
	whisper := echo("whisper", &cli.StringSliceFlag{Name: "file", Aliases: []string{"f"}}, &cli.BoolFlag{Name: "print-colors", Aliases: []string{"pc"}},
		&cli.StringFlag{Name: "render"}, model(), convert())
	server := echo("whisper-server", &cli.IntFlag{Name: "port"}, &cli.StringFlag{Name: "host"}, &cli.BoolFlag{Name: "pr"}, &cli.BoolFlag{Name: "browser"},
		&cli.BoolFlag{Name: "nobrowser"}, model(), convert())
	reg.Add("whisper", whisper)
	reg.Add("main", whisper)
	reg.Add("whisper-server", server)
	reg.Add("cut", echo("cut"))
	return reg
}

const original = "-m tiny.bin --host 0.0.0.0 --port 51524 --convert -pc -pr ..."

func TestDispatch(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	t.Chdir(t.TempDir())
	if err := os.WriteFile("args", []byte("-m\nmine\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	const at = "whisper-server --port 51524 --browser"
	for _, test := range []struct {
		program, args string
		inside        string // .args; "" is none, blanks are newlines
		weights       bool
		want          string
	}{
		{program: "/usr/bin/cut", args: "", want: "cut"},
		{program: "whisper-server.exe", args: "--port 1", weights: true, want: "whisper-server --port 1"},
		{program: "whisper-server.EXE", args: "--port 1", weights: true, want: "whisper-server --port 1"},
		{program: "main", args: "a.wav", inside: original, want: "whisper a.wav"},
		{program: "whisper-server", args: "", inside: original, want: "whisper-server"},
		{program: "wf", args: "whisper a.wav", inside: original, want: "whisper a.wav"},
		{program: "wf", args: "whisper-server", inside: original, weights: true, want: "whisper-server"},
		{program: "wf", args: "a.wav cut", want: "whisper a.wav cut"},

		{program: "wf", args: "", want: "whisper"},
		{program: "wf", args: "", weights: true, want: at},
		{program: "wf", args: "--nobrowser --port 0", weights: true, want: at + " --nobrowser --port 0"},
		{program: "wf", args: "-m base", want: at + " -m base"},
		{program: "wf", args: "a.wav", weights: true, want: "whisper a.wav"},
		{program: "wf", args: "-", weights: true, want: "whisper -"},
		{program: "wf", args: "-m base a.wav", weights: true, want: "whisper -m base a.wav"},
		{program: "wf", args: "-f a.wav", weights: true, want: "whisper -f a.wav"},
		{program: "wf", args: "--file=a.wav", weights: true, want: "whisper --file=a.wav"},
		{program: "wf", args: "--render a.json", weights: true, want: "whisper --render a.json"},
		{program: "wf", args: "-- -x", weights: true, want: "whisper -- -x"},
		{program: "wf", args: "--cli", weights: true, want: "whisper"},
		{program: "wf", args: "--server", want: at},
		{program: "wf", args: "--cli --server", want: at},
		{program: "wf", args: "@args", weights: true, want: at + " -m mine"},

		{program: "wf", args: "", inside: original, want: at + " -m tiny.bin --host 0.0.0.0 --port 51524 -pr"},
		{program: "wf", args: "--port 7", inside: original, want: at + " -m tiny.bin --host 0.0.0.0 --port 51524 -pr --port 7"},
		{program: "wf", args: "a.wav", inside: original, want: "whisper -m tiny.bin --convert -pc a.wav"},
		{program: "wf", args: "@args", inside: original, want: at + " -m tiny.bin --host 0.0.0.0 --port 51524 -pr -m mine"},
		{program: "wf", args: "--cli", inside: original, want: "whisper -m tiny.bin --convert -pc"},
		{program: "wf", args: "--server a.wav", inside: original, want: at + " -m tiny.bin --host 0.0.0.0 --port 51524 -pr a.wav"},
		{program: "wf", args: "", inside: "-m tiny.bin --cli", want: "whisper -m tiny.bin"},
		{program: "wf", args: "--server", inside: "-m tiny.bin --cli", want: at + " -m tiny.bin"},
		{program: "wf", args: "b", inside: "cut a ... c", want: "cut a b c"},
		{program: "wf", args: "b", inside: "-m ... a.wav", want: "whisper -m b a.wav"},
		{program: "wf", args: "", inside: "...", want: "whisper"},
		{program: "wf", args: "-m x", inside: "a.wav", want: "whisper a.wav -m x"},
	} {
		b := &Bundle{dir: &directory{}}
		if test.inside != "" {
			var err error
			if b.args, err = parseArgs(strings.ReplaceAll(test.inside, " ", "\n") + "\n"); err != nil {
				t.Fatal(err)
			}
		}
		var stdout, stderr bytes.Buffer
		env := applet.Env{Program: test.program, Args: strings.Fields(test.args), Stdout: &stdout, Stderr: &stderr, Getenv: os.Getenv}
		env.Inside = func(name string) (string, []byte, error) {
			if test.weights {
				return "w.bin", nil, nil
			}
			return "", nil, fs.ErrNotExist
		}
		code := dispatch(env, programs(), b)
		// A program that is handed what it does not know says so: the rest of the line is what it was handed.
		got := strings.TrimSpace(stdout.String())
		if code != 0 || got != test.want {
			t.Errorf("%s %s, .args %q: exit %d, %s%s, want %s", test.program, test.args, test.inside, code, got, stderr.String(), test.want)
		}
		if warned := strings.Contains(stderr.String(), "ffmpeg"); warned != (test.inside == original && strings.HasPrefix(test.want, at)) {
			t.Errorf("%s %s, .args %q: stderr %q", test.program, test.args, test.inside, stderr.String())
		}
	}
}

func TestDispatchHelp(t *testing.T) {
	var stdout bytes.Buffer
	env := applet.Env{Program: "wf", Args: []string{"--help"}, Stdout: &stdout, Stderr: io.Discard, Getenv: os.Getenv}
	code := dispatch(env, programs(), &Bundle{dir: &directory{}})
	if want := "Programs in this file, to be named first or linked to by name: cut, main, whisper, whisper-server."; code != 0 || !strings.Contains(stdout.String(), want) {
		t.Errorf("exit %d, help does not name the programs:\n%s", code, stdout.String())
	}
}

func TestParseArgs(t *testing.T) {
	for _, test := range []struct {
		text string
		want []string
	}{
		{"", []string{"..."}},
		{"a b\n c \n", []string{"a b", " c ", "..."}},
		{"-m\r\nx\r\n...\r\n-l", []string{"-m", "x", "...", "-l"}},
		{"...\n", []string{"..."}},
		{"--prompt\n\n", []string{"--prompt", "", "..."}},
	} {
		got, err := parseArgs(test.text)
		if diff := cmp.Diff(test.want, got); diff != "" || err != nil {
			t.Errorf("%q: %v %s", test.text, err, diff)
		}
	}
	if _, err := parseArgs("a\x00b"); err == nil {
		t.Error("a NUL is taken")
	}
}

func FuzzArgs(f *testing.F) {
	f.Add(strings.ReplaceAll(original, " ", "\n"), "a.wav")
	f.Add("--\n-f\n...", "--cli\n-m")
	f.Add("cut\n...", "")
	reg := programs()
	f.Fuzz(func(t *testing.T, inside, user string) {
		lines, err := parseArgs(inside)
		if err != nil {
			return
		}
		args := strings.Split(user, "\n")
		if len(args) == 1 && strings.HasPrefix(args[0], "@") {
			return
		}
		env := applet.Env{Args: args, Stderr: io.Discard, Getenv: os.Getenv}
		program, err := choose(&env, reg, lines)
		if err != nil {
			t.Fatal(err)
		}
		if _, ok := reg.Get(program); !ok {
			t.Fatalf("%q is no program", program)
		}
	})
}
