package cli

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/urfave/cli/v2"

	"github.com/whisperfile/whisperfile/cmd/internal/applet"
	"github.com/whisperfile/whisperfile/cmd/internal/mangen"
)

func TestHelp(t *testing.T) {
	for _, test := range []struct{ arg, want string }{
		{"--help", `echo: print what was given

usage: echo [flags] FILE...

Input:
  -f FILE, --file FILE        hear FILE

Computing:
  -t N, --threads N           compute with N threads [4]
  --quiet                     say nothing; and that at great length and that at great length and
                              that at great length and that at great length and that at great length
                              and that at great length

Other:
  -h                          show the flags used most
  --help                      show the manual, on a terminal in $MANPAGER, $PAGER, less or more
  --generate WHAT             print WHAT: man is the manual page, bash, zsh and fish are completions
                              for these shells
`},
		{"-h", `echo: print what was given

usage: echo [flags] FILE...

  -f FILE, --file FILE        hear FILE
  -t N, --threads N           compute with N threads [4]
  --quiet                     say nothing
`},
	} {
		var stdout bytes.Buffer
		code := Main(applet.Env{Args: []string{test.arg}, Stdout: &stdout, Stderr: io.Discard}, echo("echo", nil))
		if diff := cmp.Diff(test.want, stdout.String()[:min(len(test.want), stdout.Len())]); diff != "" || code != 0 {
			t.Errorf("%s: exit %d: %s", test.arg, code, diff)
		}
	}
}

func TestHelpEnd(t *testing.T) {
	app := echo("echo", nil)(applet.Env{})
	app.Metadata = mangen.Manual{
		Often:       []string{"threads"},
		Examples:    []mangen.Item{{Term: "echo a", Text: "Print a"}},
		Environment: []mangen.Item{{Term: "VARIABLE", Text: "is read"}},
	}.Metadata()
	Prepare(app)
	want := `
Examples:
  echo a
      Print a

Environment:
  VARIABLE                    is read

Exit codes:
  0    all done
  1    some inputs failed, others did not; or anything not below
  2    the command line cannot be followed
  3    the model is missing, damaged or not supported
  4    no input could be read
  5    the output could not be written
  6    the device failed
  130  interrupted; what was done until then is written
`
	if help := Help(app, helpWidth); !strings.HasSuffix(help, want) {
		t.Error(cmp.Diff(want, help))
	}
	want = `echo: print what was given

usage: echo [flags] FILE...

  -t N, --threads N           compute with N threads [4]

echo --help tells everything
`
	if diff := cmp.Diff(want, Short(app)); diff != "" {
		t.Error(diff)
	}
}

func TestHelpWidth(t *testing.T) {
	for _, test := range []struct {
		terminal applet.Terminal
		want     int // columns of the longest line
	}{
		{applet.Terminal{}, 100},
		{applet.Terminal{Stdout: true}, 100},
		{applet.Terminal{Stdout: true, Width: 200}, 100},
		{applet.Terminal{Stdout: true, Width: 80}, 80},
		{applet.Terminal{Stdout: true, Width: 10}, 50},
		{applet.Terminal{Width: 80}, 100},
	} {
		app := &cli.App{Name: "echo", Description: strings.Repeat("a ", 200)}
		longest := 0
		for _, line := range strings.Split(Help(app, columns(applet.Env{Terminal: test.terminal})), "\n") {
			if strings.HasPrefix(line, "a ") {
				longest = max(longest, len(line))
			}
		}
		// A blank more than letters fit in.
		if longest != test.want-1 {
			t.Errorf("%+v: %d columns", test.terminal, longest)
		}
	}
}

func TestGenerate(t *testing.T) {
	for _, test := range []struct {
		args   string
		code   Code
		prefix string
	}{
		{"--generate man", OK, ".\\\" Made of the program itself, by echo --generate man\n.TH ECHO 1 \"2001-09-09\" "},
		{"--generate=bash", OK, "# Completes echo in bash."},
		{"--generate zsh", OK, "#compdef echo\n"},
		{"-generate fish -t x", OK, "# Completes echo in fish."},
		{"--generate tcsh", Usage, "echo: --generate knows no \"tcsh\"\nhint: --generate takes bash, fish, man, zsh\n"},
	} {
		var out bytes.Buffer
		env := applet.Env{
			Args: strings.Fields(test.args), Stdout: &out, Stderr: &out,
			Getenv: func(name string) string { return map[string]string{"SOURCE_DATE_EPOCH": "1000000000"}[name] },
		}
		if code := Main(env, echo("echo", nil)); code != int(test.code) || !strings.HasPrefix(out.String(), test.prefix) {
			t.Errorf("%s: exit %d:\n%.200s", test.args, code, out.String())
		}
	}
}

// TestPager pages with programs that write into a file what they are given. PATH holds sh and what stands in the test alone.
func TestPager(t *testing.T) {
	sh := "/bin/sh"
	if runtime.GOOS == "windows" {
		t.Skip("pagers of this test are shell scripts")
	}
	const (
		keeps = "#!/bin/sh\n/bin/cat >\"$PAGED\"\n"
		stub  = "#!/bin/sh\necho This system has been minimized.\n"
		sets  = "#!/bin/sh\n[ $MANWIDTH = 100 ] || exit 1\ncase $1 in */echo.1) echo E\bEXIT STATUS; /bin/cat \"$1\" ;; esac\n"
	)
	const plain, page = "usage: echo [flags] FILE...", ".TH ECHO 1"
	for name, test := range map[string]struct {
		programs map[string]string // in PATH
		env      map[string]string
		piped    bool
		paged    string // what a pager was given has this in it; "" where none ran
	}{
		"less comes first":         {programs: map[string]string{"less": keeps, "more": stub, "man": sets}, paged: page},
		"more where no less is":    {programs: map[string]string{"more": keeps, "man": sets}, paged: page},
		"plain where no man is":    {programs: map[string]string{"less": keeps}, paged: plain},
		"plain where man has none": {programs: map[string]string{"less": keeps, "man": stub}, paged: plain},
		"no pager":                 {programs: map[string]string{"man": sets}},
		"PAGER":                    {programs: map[string]string{"less": stub, "own": keeps}, env: map[string]string{"PAGER": "own -x"}, paged: plain},
		"MANPAGER before PAGER":    {programs: map[string]string{"own": keeps}, env: map[string]string{"MANPAGER": "A=b own", "PAGER": "stub"}, paged: plain},
		"PAGER is not there":       {programs: map[string]string{"less": keeps}, env: map[string]string{"PAGER": "nosuch"}},
		"PAGER is cat":             {programs: map[string]string{"less": keeps}, env: map[string]string{"PAGER": "cat"}},
		"a dumb terminal":          {programs: map[string]string{"less": keeps}, env: map[string]string{"TERM": "dumb"}},
		"a terminal without name":  {programs: map[string]string{"less": keeps}, env: map[string]string{"TERM": ""}},
		"a pipe":                   {programs: map[string]string{"less": keeps}, piped: true},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			paged := filepath.Join(dir, "paged")
			t.Setenv("PATH", dir)
			t.Setenv("PAGED", paged)
			t.Setenv("MANWIDTH", "")
			if err := os.Symlink(sh, filepath.Join(dir, "sh")); err != nil {
				t.Fatal(err)
			}
			for name, text := range test.programs {
				if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o700); err != nil {
					t.Fatal(err)
				}
			}
			var stdout bytes.Buffer
			env := applet.Env{
				Args: []string{"--help"}, Stdout: &stdout, Stderr: io.Discard, Terminal: applet.Terminal{Stdout: !test.piped, Width: 200},
				Getenv: func(name string) string {
					if v, ok := test.env[name]; ok || name != "TERM" {
						return v
					}
					return "xterm"
				},
			}
			if code := Main(env, echo("echo", nil)); code != 0 {
				t.Errorf("exit %d", code)
			}
			got, err := os.ReadFile(paged)
			if (err == nil) != (test.paged != "") || !strings.Contains(string(got), test.paged) {
				t.Errorf("paged: %v: %.300s", err, got)
			}
			if direct := strings.Contains(stdout.String(), plain); direct != (test.paged == "") {
				t.Errorf("printed: %.300s", stdout.String())
			}
		})
	}
}

func TestUnstruck(t *testing.T) {
	for in, want := range map[string]string{
		"": "", "plain": "plain", "N\bNA\bAM\bME\bE": "NAME", "_\bf_\bi": "fi", "\x1b[1mNAME\x1b[0m x": "NAME x", "\bx": "\bx", "\x1b[1": "",
	} {
		if got := string(unstruck([]byte(in))); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

func TestPrepareTwiceApart(t *testing.T) {
	shared := mangen.Manual{Often: []string{"x"}}.Metadata()
	a, b := &cli.App{Metadata: shared}, &cli.App{}
	Prepare(a)
	Prepare(b)
	if len(mangen.Of(a).Often) != 1 || len(mangen.Of(b).Exit) != len(Codes) {
		t.Error("what all programs have replaced what one has of its own")
	}
}
