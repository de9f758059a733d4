package mangen_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/urfave/cli/v2"

	"github.com/whisperfile/whisperfile/cmd/internal/mangen"
)

// folder returns a directory with files to complete.
func folder(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range []string{"in a.wav", "out.json", "oak.txt", "deep/x"} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// scripts writes the completions of all programs into a directory, under the names that shells look for.
func scripts(t *testing.T, make func(*cli.App) string, prefix, suffix string) string {
	t.Helper()
	dir := t.TempDir()
	for _, app := range []*cli.App{hear(), see(), all()} {
		if err := os.WriteFile(filepath.Join(dir, prefix+app.Name+suffix), []byte(make(app)), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// TestBash calls the functions as bash does, with the words of a line that ends where it is to be completed.
func TestBash(t *testing.T) {
	bash := need(t, "bash")
	dir := scripts(t, mangen.Bash, "", "")
	for _, test := range []struct{ line, want string }{
		{"hear-it --g", "--gpu"},
		{"hear-it -ot", "-otxt"},
		{"hear-it --", "--file --model --gpu --threads --output-txt --render --public --bare"},
		{"hear-it --gpu _", "auto nvidia amd"},
		{"hear-it --gpu n", "nvidia"},
		{"hear-it --gpu = n", "nvidia"},
		{"hear-it --gpu =", "auto nvidia amd"},
		{"hear-it --gpu=n", "--gpu=nvidia"},
		{"hear-it --gpu x", ""},
		{"hear-it --threads _", ""},
		{"hear-it --render _", "out.json deep"},
		{"hear-it --render ou", "out.json"},
		{"hear-it --public _", "deep"},
		{"hear-it -m _", ""}, // names of files come from readline
		{"hear-it i", ""},
		{"hear-it in out q", "q5_0 q5_1"},
		{"hear-it -t 4 in --gpu = auto -otxt out f", "f16"},
		{"hear-it in -m _", ""},
		{"see-it -", "-c --colour"},
		{"see-it -c _", "red green"},
		{"all-of-it he", "hear-it"},
		{"all-of-it i", "in a.wav"},
		{"all-of-it --s", "--server"},
		{"all-of-it -ot", "-otxt"},
		{"all-of-it see-it --", "--colour"},
		{"all-of-it see-it --colour g", "green"},
		{"all-of-it hear-it in out q", "q5_0 q5_1"},
	} {
		words := tokens(test.line)
		script := `source "$1/$2"; shift; f=$(complete -p "$1"); f=${f#*-F }; f=${f%% *}
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); "$f"; printf '%s\n' "${COMPREPLY[@]}"`
		cmd := exec.CommandContext(t.Context(), bash, append([]string{"--norc", "-c", script, "bash", dir}, words...)...)
		cmd.Dir = folder(t)
		var stderr bytes.Buffer
		cmd.Stderr = &stderr
		out, err := cmd.Output()
		got := strings.Join(strings.Split(strings.TrimSpace(string(out)), "\n"), " ")
		if err != nil || got != test.want || stderr.Len() > 0 {
			t.Errorf("%s: %q, want %q: %v%s", test.line, got, test.want, err, stderr.String())
		}
	}
}

// TestTyped types at shells in a terminal, with tabs (^), and has a program say what arguments it was given.
func TestTyped(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("script takes its command in another way here")
	}
	terminal := need(t, "script")
	for _, shell := range []struct {
		name, command, setUp string
		scripts              string
	}{
		{
			"bash", "bash --norc --noprofile -i",
			"set +o history; PS1=; for f in \"$SCRIPTS\"/*; do source \"$f\"; done\n",
			scripts(t, mangen.Bash, "", ""),
		},
		{
			"zsh", "zsh -f -i",
			"unset zle_bracketed_paste; PS1= RPS1= PROMPT_EOL_MARK=; fpath=(\"$SCRIPTS\" $fpath); autoload -Uz compinit; compinit -D -u\n",
			scripts(t, mangen.Zsh, "_", ""),
		},
	} {
		t.Run(shell.name, func(t *testing.T) {
			need(t, shell.name)
			lines := []struct{ typed, want string }{
				{"hear-it --gp^ nv^", "--gpu|nvidia"},
				{"hear-it -otx^ in^", "-otxt|in a.wav"},
				{"hear-it --model in^", "--model|in a.wav"},
				{"hear-it --render o^", "--render|out.json"},
				{"hear-it --public d^x", "--public|deep/x"},
				{"hear-it a b f1^", "a|b|f16"},
				{"see-it --colour=g^", "--colour=green"},
				{"see-it -c re^", "-c|red"},
				{"all-of-it see^ --colour r^", "see-it|--colour|red"},
				{"all-of-it in^", "in a.wav"},
				{"all-of-it --mod^ oa^", "--model|oak.txt"},
			}
			var input strings.Builder
			input.WriteString(shell.setUp)
			for _, name := range []string{"hear-it", "see-it", "all-of-it"} {
				input.WriteString(name + "() { local IFS='|'; printf '<%s>\\n' \"$*\"; }\n")
			}
			for _, l := range lines {
				input.WriteString(strings.ReplaceAll(l.typed, "^", "\t") + "\n")
			}
			input.WriteString("exit\n")
			cmd := exec.CommandContext(t.Context(), terminal, "-qec", shell.command, "/dev/null")
			cmd.Dir = folder(t)
			cmd.Env = append(os.Environ(), "SCRIPTS="+shell.scripts, "TERM=dumb", "INPUTRC=/dev/null", "LC_ALL=C")
			cmd.Stdin = strings.NewReader(input.String())
			out, err := cmd.CombinedOutput()
			if err != nil {
				t.Errorf("%v", err)
			}
			var got []string
			for _, l := range strings.Split(strings.ReplaceAll(string(out), "\r", "\n"), "\n") {
				if strings.HasPrefix(l, "<") && strings.HasSuffix(l, ">") {
					got = append(got, l[1:len(l)-1])
				}
			}
			var want []string
			for _, l := range lines {
				want = append(want, l.want)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s\n%s", diff, out)
			}
		})
	}
}

func TestFish(t *testing.T) {
	fish := need(t, "fish")
	dir := scripts(t, mangen.Fish, "", ".fish")
	for _, test := range []struct{ line, want string }{
		{"hear-it --g", "--gpu"},
		{"hear-it -ot", "-otxt"},
		{"hear-it --gpu ", "amd auto nvidia"},
		{"hear-it --gpu=n", "--gpu=nvidia"},
		{"hear-it --threads ", ""},
		{"hear-it --render ou", "out.json"},
		{"hear-it --public ", "deep/"},
		{"hear-it -m o", "oak.txt out.json"},
		{"hear-it in", "in a.wav"},
		{"hear-it in out q", "q5_0 q5_1"},
		{"see-it --", "--colour"},
		{"see-it ", ""},
		{"see-it -c ", "green red"},
		{"all-of-it he", "hear-it"},
		{"all-of-it in", "in a.wav"},
		{"all-of-it --s", "--server"},
		{"all-of-it see-it --", "--colour"},
		{"all-of-it see-it --colour g", "green"},
		{"all-of-it hear-it in out q", "q5_0 q5_1"},
	} {
		cmd := exec.CommandContext(t.Context(), fish, "--no-config", "-c", `for f in $argv[1]/*.fish; source $f; end; complete -C $argv[2]`, dir, test.line)
		cmd.Dir = folder(t)
		home := t.TempDir()
		cmd.Env = append(os.Environ(), "HOME="+home, "XDG_CONFIG_HOME="+home, "XDG_DATA_HOME="+home, "XDG_CACHE_HOME="+home)
		var stderr bytes.Buffer
		cmd.Stderr = &stderr
		out, err := cmd.Output()
		var got []string
		for _, l := range strings.Split(strings.TrimSpace(string(out)), "\n") {
			word, _, _ := strings.Cut(l, "\t")
			got = append(got, word)
		}
		if joined := strings.Join(got, " "); err != nil || joined != test.want || stderr.Len() > 0 {
			t.Errorf("%q: %q, want %q: %v%s", test.line, joined, test.want, err, stderr.String())
		}
	}
}
