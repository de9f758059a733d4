package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/urfave/cli/v2"

	"github.com/whisperfile/whisperfile/cmd/internal/applet"
)

// echo is a program that prints what it was given and returns err.
func echo(name string, err error) applet.New {
	return func(env applet.Env) *cli.App {
		return &cli.App{
			Name:      name,
			Usage:     "print what was given",
			ArgsUsage: "FILE...",
			Flags: []cli.Flag{
				&cli.StringSliceFlag{Name: "file", Aliases: []string{"f"}, Usage: "hear `FILE`", Category: "Input"},
				&cli.IntFlag{Name: "threads", Aliases: []string{"t"}, Value: 4, Usage: "compute with `N` threads", Category: "Computing"},
				&cli.BoolFlag{Name: "quiet", Usage: "say nothing; " + strings.Repeat("and that at great length ", 6), Category: "Computing"},
			},
			Action: func(c *cli.Context) error {
				fmt.Fprintf(env.Stdout, "%s %q %d %t %q\n", name, c.StringSlice("file"), c.Int("threads"), c.Bool("quiet"), c.Args().Slice())
				return err
			},
		}
	}
}

func TestExit(t *testing.T) {
	for _, test := range []struct {
		args   []string
		err    error
		code   Code
		stdout string
		stderr string
	}{
		{args: nil, stdout: "echo [] 4 false []\n"},
		{args: []string{"a,b", "-t", "2", "help", "-quiet"}, stdout: `echo ["a,b" "help"] 2 true []` + "\n"},
		{args: []string{"-t", "010", "-t", "3"}, stdout: "echo [] 3 false []\n"},
		{args: []string{"-t", "abc"}, code: Usage, stderr: "echo: invalid value \"abc\" for flag -threads: parse error\nhint: echo --help lists the flags\n"},
		{args: []string{"--no-such"}, code: Usage, stderr: "echo: unknown flag: --no-such\nhint: echo --help lists the flags\n"},
		{err: Fail(Model, errors.New("no\nmodel"), "get\none"), code: Model, stdout: "echo [] 4 false []\n", stderr: "echo: no model\nhint: get one\n"},
		{err: fmt.Errorf("with context: %w", Failf(Output, "disk %s", "full")), code: Output, stdout: "echo [] 4 false []\n", stderr: "echo: with context: disk full\n"},
		{err: context.Canceled, code: Interrupted, stdout: "echo [] 4 false []\n", stderr: "echo: interrupted\n"},
		{err: Reported(Input), code: Input, stdout: "echo [] 4 false []\n"},
		{err: errors.New("odd"), code: Partial, stdout: "echo [] 4 false []\n", stderr: "echo: odd\n"},
	} {
		var stdout, stderr bytes.Buffer
		env := applet.Env{Program: "echo", Args: test.args, Stdout: &stdout, Stderr: &stderr}
		if code := Main(env, echo("echo", test.err)); code != int(test.code) {
			t.Errorf("%q: exit %d, want %d", test.args, code, test.code)
		}
		if diff := cmp.Diff(test.stdout, stdout.String()); diff != "" {
			t.Errorf("%q: stdout: %s", test.args, diff)
		}
		if diff := cmp.Diff(test.stderr, stderr.String()); diff != "" {
			t.Errorf("%q: stderr: %s", test.args, diff)
		}
	}
}

func TestVersion(t *testing.T) {
	var stdout bytes.Buffer
	code := Main(applet.Env{Args: []string{"--version"}, Stdout: &stdout, Stderr: io.Discard}, echo("echo", nil))
	if code != 0 || !strings.HasPrefix(stdout.String(), "echo "+Version()+" (go") {
		t.Errorf("exit %d: %s", code, stdout.String())
	}
}
