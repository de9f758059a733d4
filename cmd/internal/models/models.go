// Package models finds model files by name.
//
// A name such as "base", "tiny.en" or "base-q5_0" stands for ggml-NAME.bin or NAME.bin in the first of these directories
// that has it: ./models, those listed in $WHISPER_MODELS, and whisperfile/models in the user's cache directory.
package models

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/whisperfile/whisperfile/cmd/internal/mangen"
)

// ErrNotFound means that no directory has a model of that name.
var ErrNotFound = errors.New("no such model")

// Hint says how to get a model.
const Hint = "scripts/get-model.sh base gets one; -m takes a file as well"

// Variable is the one in the environment that says where models are.
var Variable = mangen.Item{Term: "WHISPER_MODELS", Text: "directories where models are looked for by name, separated as in PATH"}

// Dirs returns the directories that are searched, in order.
func Dirs(getenv func(string) string) []string {
	dirs := []string{"models"}
	for _, dir := range filepath.SplitList(getenv("WHISPER_MODELS")) {
		if dir != "" {
			dirs = append(dirs, dir)
		}
	}
	if cache, err := os.UserCacheDir(); err == nil {
		dirs = append(dirs, filepath.Join(cache, "whisperfile", "models"))
	}
	return dirs
}

// Find returns the path of the model that name stands for. What holds a separator, or is a file, is a path already and
// returned as it is, whether or not there is something; for other names the error wraps ErrNotFound.
func Find(name string, getenv func(string) string) (string, error) {
	if strings.ContainsAny(name, "/"+string(filepath.Separator)) || isFile(name) {
		return name, nil
	}
	dirs := Dirs(getenv)
	if path, ok := search(name, dirs); ok {
		return path, nil
	}
	return "", fmt.Errorf("%w: %q is no file and not in %s", ErrNotFound, name, strings.Join(dirs, ", "))
}

// english and multilingual are the names that Default tries: whisper.cpp's default first, then what is nearest to it in
// speed.
var (
	english      = []string{"base.en", "base", "tiny.en", "tiny", "small.en", "small"}
	multilingual = []string{"base", "tiny", "small", "medium", "large-v3-turbo", "large-v3"}
)

// Default returns the model to take where none is named: the first of base.en, base, tiny.en, tiny, small.en and small
// that is there. Where other languages than English are wanted it is base, tiny, small, medium, large-v3-turbo, large-v3
// and then an English one. Each name stands for its quantised files as well, the largest type first. The error wraps
// ErrNotFound.
func Default(otherLanguages bool, getenv func(string) string) (string, error) {
	names := english
	if otherLanguages {
		names = append(append([]string(nil), multilingual...), english...)
	}
	dirs := Dirs(getenv)
	for _, name := range names {
		for _, suffix := range []string{"", "-q8_0", "-q5_1", "-q5_0"} {
			if path, ok := search(name+suffix, dirs); ok {
				return path, nil
			}
		}
	}
	return "", fmt.Errorf("%w: none is named, and there is none in %s", ErrNotFound, strings.Join(dirs, ", "))
}

func search(name string, dirs []string) (path string, ok bool) {
	if name == "" {
		return "", false
	}
	files := []string{"ggml-" + name + ".bin", name + ".bin"}
	if strings.HasSuffix(name, ".bin") {
		files = []string{name}
	}
	for _, dir := range dirs {
		for _, file := range files {
			if path := filepath.Join(dir, file); isFile(path) {
				return path, true
			}
		}
	}
	return "", false
}

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && !info.IsDir()
}
