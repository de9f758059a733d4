package models

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"testing"

	"github.com/whisperfile/whisperfile/cmd/internal/applet"
	whisper "github.com/whisperfile/whisperfile/cmd/internal/cli"
)

func TestWeights(t *testing.T) {
	getenv := here(t, "base.bin", "tiny.bin", "models/ggml-base.bin")
	packed := errors.New("compressed")
	inside := func(name string) (string, []byte, error) {
		switch name {
		case "", "base.bin", "/zip/base.bin":
			return "base.bin", []byte("inside"), nil
		case "packed.bin":
			return "", nil, packed
		}
		return "", nil, fmt.Errorf("%q: %w", name, fs.ErrNotExist)
	}
	builtIn := func() (string, []byte) { return "own", []byte("built in") }
	beside := applet.Env{Getenv: getenv, Weights: builtIn, Beside: "dir/program.bin"}
	if path, data, err := Weights(beside, "", false); path != beside.Beside || data != nil || err != nil {
		t.Errorf("beside the program: %q, %q, %v", path, data, err)
	}
	for _, test := range []struct {
		inside func(string) (string, []byte, error)
		own    func() (string, []byte)
		name   string
		path   string
		data   string
		code   whisper.Code
	}{
		{nil, nil, "", "models/ggml-base.bin", "", 0},
		{nil, builtIn, "", "own", "built in", 0},
		{nil, builtIn, "own", "own", "built in", 0},
		{nil, builtIn, "base.bin", "base.bin", "", 0},
		{inside, builtIn, "", "base.bin", "inside", 0},
		{inside, nil, "base.bin", "base.bin", "inside", 0},
		{inside, nil, "./base.bin", "./base.bin", "", 0},
		{inside, nil, "tiny.bin", "tiny.bin", "", 0},
		{inside, nil, "base", "models/ggml-base.bin", "", 0},
		{inside, builtIn, "own", "own", "built in", 0},
		{inside, nil, "/zip/base.bin", "base.bin", "inside", 0},
		{inside, nil, "/zip/tiny.bin", "", "", whisper.Model},
		{inside, nil, "packed.bin", "", "", whisper.Model},
		{inside, nil, "none", "", "", whisper.Model},
	} {
		path, data, err := Weights(applet.Env{Getenv: getenv, Inside: test.inside, Weights: test.own}, test.name, false)
		path = filepath.ToSlash(path)
		if whisper.CodeOf(err) != test.code || err == nil && (path != test.path || string(data) != test.data) {
			t.Errorf("%q: %q, %q, %v, want %q, %q", test.name, path, data, err, test.path, test.data)
		}
	}
}
