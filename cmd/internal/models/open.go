package models

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/whisperfile/whisperfile/cmd/internal/applet"
	whisper "github.com/whisperfile/whisperfile/cmd/internal/cli"
	"github.com/whisperfile/whisperfile/ggml"
	"github.com/whisperfile/whisperfile/model"
)

// inZip begins the names of files inside the executable where nothing else is meant.
const inZip = "/zip/"

// Weights returns the path of the model that name stands for, or the name and the bytes of one inside the program. A name that a file
// in the executable's zip has is that file, before all others; "" is the first model there, else the one beside the
// executable, else the one built in, else what Default finds. The one built in is meant as well where its name is that of no file. Errors are for the user.
func Weights(env applet.Env, name string, otherLanguages bool) (path string, data []byte, err error) {
	if env.Inside != nil {
		path, data, err = env.Inside(name)
		if err == nil || !errors.Is(err, fs.ErrNotExist) || strings.HasPrefix(name, inZip) {
			return path, data, whisper.Fail(whisper.Model, err, "")
		}
	}
	if name == "" && env.Beside != "" {
		return env.Beside, nil, nil
	}
	inside := ""
	if env.Weights != nil {
		inside, data = env.Weights()
	}
	switch {
	case name == "" && data != nil:
		return inside, data, nil
	case name == "":
		path, err = Default(otherLanguages, env.Getenv)
	default:
		path, err = Find(name, env.Getenv)
		if err != nil && data != nil && name == inside {
			return inside, data, nil
		}
	}
	return path, nil, whisper.Fail(whisper.Model, err, Hint)
}

// Open opens the model of a path, or that of data where that is not nil. Errors are for the user.
func Open(path string, data []byte, b ggml.Backend) (m *model.Model, err error) {
	if data != nil {
		m, err = model.OpenData(path, data, b)
	} else {
		m, err = model.Open(path, b)
	}
	if err != nil {
		return nil, failed(path, err)
	}
	return m, nil
}

func failed(name string, err error) error {
	hint := ""
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return whisper.Fail(whisper.Model, fmt.Errorf("model file not found: %s", name), Hint)
	case errors.Is(err, ggml.ErrTruncated):
		hint = "a download that broke off? get it again: scripts/get-model.sh"
	case errors.Is(err, ggml.ErrFormat):
		hint = "-m takes ggml files as whisper.cpp does; " + Hint
	}
	var f *ggml.FormatError
	if errors.As(err, &f) {
		return whisper.Fail(whisper.Model, fmt.Errorf("cannot use the model: %w", err), hint)
	}
	return whisper.Fail(whisper.Model, fmt.Errorf("cannot use the model: %s: %w", name, whisper.Bare(err)), hint)
}
