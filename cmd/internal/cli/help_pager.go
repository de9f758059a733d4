package cli

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/whisperfile/whisperfile/cmd/internal/applet"
	"github.com/whisperfile/whisperfile/cmd/internal/mangen"
	"github.com/whisperfile/whisperfile/cmd/internal/sandbox"
)

// browse shows the manual page of app in a pager, as man sets it, or plain where there is no man. It reports whether it did:
// not where nobody sits at a terminal that can be paged, nor where no pager starts.
func browse(env applet.Env, app *cli.App, plain string) bool {
	pager := pager(env)
	if pager == nil {
		return false
	}
	text, ok := typeset(env, app)
	if !ok {
		text = []byte(plain)
	}
	pager.Stdin, pager.Stdout, pager.Stderr = bytes.NewReader(text), env.Stdout, env.Stderr
	// What less searches and folds by is its own affair; colours and a page that fits are not.
	pager.Env = append(os.Environ(), "LESS="+cmp.Or(env.Getenv("LESS"), "FRX"), "LV="+cmp.Or(env.Getenv("LV"), "-c"))

	// Ctrl-C is the pager's.
	interrupts := make(chan os.Signal, 1)
	signal.Notify(interrupts, os.Interrupt)
	defer signal.Stop(interrupts)
	err := pager.Run()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		const cannotRun, notFound = 126, 127 // what a shell says
		return exit.ExitCode() != cannotRun && exit.ExitCode() != notFound
	}
	return err == nil
}

// pager returns the command to page with: $MANPAGER, $PAGER, less or more; nil for none.
func pager(env applet.Env) *exec.Cmd {
	if !env.Terminal.Stdout || env.Getenv == nil {
		return nil
	}
	if t := env.Getenv("TERM"); t == "dumb" || t == "" && runtime.GOOS != "windows" {
		return nil
	}
	switch line := cmp.Or(env.Getenv("MANPAGER"), env.Getenv("PAGER")); {
	case strings.TrimSpace(line) == "cat":
		return nil
	case strings.TrimSpace(line) != "":
		if sh, err := sandbox.LookPath("sh"); err == nil {
			return exec.Command(sh, "-c", line)
		}
		words := strings.Fields(line)
		if path, err := sandbox.LookPath(words[0]); err == nil {
			return exec.Command(path, words[1:]...)
		}
		return nil
	}
	for _, name := range []string{"less", "more"} {
		if path, err := sandbox.LookPath(name); err == nil {
			return exec.Command(path)
		}
	}
	return nil
}

// typeset returns the manual page of app as man lays it out for this terminal, with what pagers show as bold and underlined.
func typeset(env applet.Env, app *cli.App) ([]byte, bool) {
	man, err := sandbox.LookPath("man")
	if err != nil {
		return nil, false
	}
	dir, err := os.MkdirTemp("", "whisper-man-")
	if err != nil {
		return nil, false
	}
	defer func() { _ = os.RemoveAll(dir) }()
	// A name with a slash is a file to every man there is.
	file := filepath.Join(dir, app.Name+".1")
	if err := os.WriteFile(file, []byte(mangen.Man(app, edition(env))), 0o600); err != nil {
		return nil, false
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, man, file)
	cmd.Env = append(os.Environ(), "MAN_KEEP_FORMATTING=1", "MANPAGER=cat", "PAGER=cat")
	if w := env.Terminal.Width; w > 0 && env.Getenv("MANWIDTH") == "" {
		cmd.Env = append(cmd.Env, "MANWIDTH="+strconv.Itoa(min(w, helpWidth)))
	}
	text, err := cmd.Output()
	// Where manuals were left out of a system, man succeeds in saying so.
	if err != nil || !bytes.Contains(unstruck(text), []byte("EXIT STATUS")) {
		return nil, false
	}
	return text, true
}

// unstruck returns text without what is struck over to make letters bold and underlined, and without escape sequences for it.
func unstruck(text []byte) []byte {
	out := make([]byte, 0, len(text))
	for i := 0; i < len(text); i++ {
		switch {
		case text[i] == '\b' && len(out) > 0:
			out = out[:len(out)-1]
		case text[i] == '\x1b':
			for i < len(text) && text[i] != 'm' {
				i++
			}
		default:
			out = append(out, text[i])
		}
	}
	return out
}
