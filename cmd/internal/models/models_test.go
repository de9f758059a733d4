package models

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// here makes a working directory, two directories for $WHISPER_MODELS and a cache directory, with the files named: "a"
// and "b" stand for the two, "cache" for the one in the cache directory.
func here(t *testing.T, files ...string) (getenv func(string) string) {
	t.Helper()
	root := t.TempDir()
	t.Chdir(root)
	for _, v := range []string{"XDG_CACHE_HOME", "HOME", "LocalAppData", "home"} {
		t.Setenv(v, filepath.Join(root, "user"))
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if rest, ok := strings.CutPrefix(file, "cache/"); ok {
			file = filepath.Join(cache, "whisperfile", "models", rest)
		}
		if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o777), os.WriteFile(file, nil, 0o666)); err != nil {
			t.Fatal(err)
		}
	}
	return func(name string) string {
		if name == "WHISPER_MODELS" {
			return "a" + string(filepath.ListSeparator) + string(filepath.ListSeparator) + "b"
		}
		return ""
	}
}

func TestFind(t *testing.T) {
	getenv := here(t, "models/ggml-base.bin", "a/ggml-base.bin", "b/base-q5_0.bin", "a/x/y.bin", "cache/ggml-tiny.en.bin", "own", "models/ggml-own.bin", "small/z")
	for name, want := range map[string]string{
		"base":          "models/ggml-base.bin",
		"base-q5_0":     "b/base-q5_0.bin",
		"base-q5_0.bin": "b/base-q5_0.bin",
		"tiny.en":       "user/…/ggml-tiny.en.bin",
		"own":           "own",
		"no/such.bin":   "no/such.bin",
		"./base":        "./base",
		"small":         "",
		"x":             "",
		"":              "",
		"..":            "",
	} {
		got, err := Find(name, getenv)
		got = filepath.ToSlash(got)
		if before, after, ok := strings.Cut(want, "…"); ok {
			if err != nil || !strings.Contains(got, before) || !strings.HasSuffix(got, after) {
				t.Errorf("%q: %q, %v, want %s", name, got, err, want)
			}
			continue
		}
		if got != want || (want == "") != errors.Is(err, ErrNotFound) {
			t.Errorf("%q: %q, %v, want %q", name, got, err, want)
		}
	}
}

func TestDefault(t *testing.T) {
	for _, test := range []struct {
		files []string
		other bool
		want  string
	}{
		{nil, false, ""},
		{[]string{"a/ggml-tiny.en.bin", "b/ggml-base.bin"}, false, "b/ggml-base.bin"},
		{[]string{"a/ggml-tiny.en.bin", "models/ggml-base.en-q5_1.bin", "models/ggml-base.bin"}, false, "models/ggml-base.en-q5_1.bin"},
		{[]string{"models/ggml-base.en.bin", "b/ggml-small.bin"}, true, "b/ggml-small.bin"},
		{[]string{"models/ggml-base.en.bin"}, true, "models/ggml-base.en.bin"},
		{[]string{"models/for-tests-ggml-base.bin"}, false, ""},
	} {
		t.Run(strings.Join(test.files, " "), func(t *testing.T) {
			got, err := Default(test.other, here(t, test.files...))
			if filepath.ToSlash(got) != test.want || (test.want == "") != errors.Is(err, ErrNotFound) {
				t.Errorf("%q, %v, want %q", got, err, test.want)
			}
		})
	}
}
