package model_test

import (
	"slices"
	"testing"

	"github.com/whisperfile/whisperfile/model"
)

func TestLanguages(t *testing.T) {
	for in, want := range map[string]string{"de": "german", "Haitian Creole": "haitian creole", "YUE": "cantonese", "zz": "", "": "", "auto": ""} {
		if got := model.LanguageName(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
	for n, last := range map[int]string{1: "en", 99: "su", 100: "yue"} {
		i := model.Info{Languages: n}
		codes := i.Codes()
		if len(codes) != n || codes[n-1] != last || slices.ContainsFunc(codes, func(c string) bool { return !i.Knows(c) }) {
			t.Errorf("%d languages: %q", n, codes)
		}
	}
}
