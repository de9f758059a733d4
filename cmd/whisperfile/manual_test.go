package main

import (
	"bytes"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/whisperfile/whisperfile/cmd/internal/applet"
	"github.com/whisperfile/whisperfile/cmd/internal/bundle"
	whisper "github.com/whisperfile/whisperfile/cmd/internal/cli"
	"github.com/whisperfile/whisperfile/cmd/internal/mangen"
)

// said returns what a program of this file prints.
func said(t *testing.T, args ...string) string {
	t.Helper()
	var stdout bytes.Buffer
	env := applet.Env{
		Program: "whisperfile", Args: args, Stdout: &stdout, Stderr: io.Discard,
		Getenv: func(name string) string { return map[string]string{"SOURCE_DATE_EPOCH": "1000000000"}[name] },
	}
	if code := bundle.Multicall(env, programs()); code != int(whisper.OK) {
		t.Fatalf("%q: exit %d", args, code)
	}
	return stdout.String()
}

// often returns the flags that a program says are used most.
func often(t *testing.T, name string) []string {
	t.Helper()
	reg := programs()
	n, ok := reg.Get(name)
	if !ok {
		t.Fatalf("no program is called %s", name)
	}
	return mangen.Of(n(applet.Env{})).Often
}

// TestShortHelp has -h of each program fit the terminal that has always been.
func TestShortHelp(t *testing.T) {
	reg := programs()
	for _, name := range reg.Names() {
		lines := strings.Split(strings.TrimSuffix(said(t, name, "-h"), "\n"), "\n")
		if len(lines) > 23 { // and the prompt
			t.Errorf("%s -h: %d lines", name, len(lines))
		}
		for _, l := range lines {
			if utf8.RuneCountInString(l) > 80 {
				t.Errorf("%s -h: too long: %s", name, l)
			}
		}
		if last := lines[len(lines)-1]; !strings.HasSuffix(last, " --help tells everything") {
			t.Errorf("%s -h does not say where the rest is: %s", name, last)
		}
		for _, flag := range often(t, name) {
			if !strings.Contains(strings.Join(lines, "\n"), "-"+flag) {
				t.Errorf("%s -h does not know --%s, which is used most", name, flag)
			}
		}
	}
}

// TestManuals has the manual page of each program read by those who set them, and its completions by the shells.
func TestManuals(t *testing.T) {
	for _, reader := range []struct {
		what string
		args []string
	}{
		{"man", []string{"mandoc", "-T", "lint"}},
		{"man", []string{"groff", "-ww", "-man", "-Tutf8", "-z"}},
		{"bash", []string{"bash", "-n"}},
		{"zsh", []string{"zsh", "-n"}},
		{"fish", []string{"fish", "--no-config", "-n"}},
	} {
		t.Run(reader.args[0], func(t *testing.T) {
			path, err := exec.LookPath(reader.args[0])
			switch {
			case err != nil && os.Getenv("CI") != "":
				t.Fatal(err)
			case err != nil:
				t.Skip(err)
			}
			reg := programs()
			for _, name := range append(reg.Names(), "") {
				text := said(t, strings.Fields(name+" --generate "+reader.what)...)
				file := filepath.Join(t.TempDir(), "it")
				if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
				out, err := exec.CommandContext(t.Context(), path, append(reader.args[1:], file)...).CombinedOutput()
				if err != nil || len(out) > 0 {
					t.Errorf("%s: %v: %s", name, err, out)
				}
			}
		})
	}
}

// TestGoInstall installs each program as one does who has no checkout: without flags and without make.
func TestGoInstall(t *testing.T) {
	if testing.Short() {
		t.Skip("links five programs")
	}
	mains, err := filepath.Glob("../*/main.go")
	if err != nil {
		t.Fatal(err)
	}
	bin := t.TempDir()
	for _, main := range mains {
		name := filepath.Base(filepath.Dir(main))
		cmd := exec.CommandContext(t.Context(), "go", "install", "../"+name)
		cmd.Env = append(os.Environ(), "GOBIN="+bin, "GOFLAGS=-mod=readonly")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%s: %v: %s", name, err, out)
			continue
		}
		program := filepath.Join(bin, name)
		if found, err := exec.LookPath(program); err == nil {
			program = found // with its ending
		}
		want := strings.TrimSuffix(name, "file")
		if out, err := exec.CommandContext(t.Context(), program, "--version").CombinedOutput(); err != nil || !strings.HasPrefix(string(out), want+" ") {
			t.Errorf("%s --version: %v: %s", name, err, out)
		}
	}
}
