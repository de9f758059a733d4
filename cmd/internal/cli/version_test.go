package cli

import (
	"bytes"
	"io"
	"strings"
	"testing"

	"github.com/urfave/cli/v2"

	"github.com/whisperfile/whisperfile/cmd/internal/applet"
)

func TestVersionVerbose(t *testing.T) {
	loud := func(applet.Env) *cli.App {
		return &cli.App{Name: "loud", Flags: []cli.Flag{&cli.BoolFlag{Name: "verbose", Aliases: []string{"v"}}}}
	}
	for _, test := range []struct {
		app  applet.New
		args []string
		all  bool
	}{
		{echo("echo", nil), []string{"--version"}, false},
		{echo("echo", nil), []string{"--version", "--verbose"}, true},
		{echo("echo", nil), []string{"--verbose", "-t", "x", "-version"}, true},
		{loud, []string{"-verbose", "--version"}, true},
	} {
		var stdout bytes.Buffer
		code := Main(applet.Env{Args: test.args, Stdout: &stdout, Stderr: io.Discard}, test.app)
		first, rest, _ := strings.Cut(stdout.String(), "\n")
		if code != 0 || !strings.Contains(first, " "+Version()+" (go") {
			t.Errorf("%q: exit %d: %s", test.args, code, first)
		}
		if strings.Contains(rest, "\nlicences:\n") != test.all || !test.all && rest != "" {
			t.Errorf("%q: %s", test.args, rest)
		}
	}
}

// TestVerboseAlone does nothing without --version.
func TestVerboseAlone(t *testing.T) {
	var stdout bytes.Buffer
	if code := Main(applet.Env{Args: []string{"--verbose", "a"}, Stdout: &stdout, Stderr: io.Discard}, echo("echo", nil)); code != 0 || stdout.String() != "echo [\"a\"] 4 false []\n" {
		t.Errorf("exit %d: %s", code, stdout.String())
	}
}
