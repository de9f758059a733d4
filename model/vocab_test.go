package model

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/whisperfile/whisperfile/ggml"
)

func TestSpecialTokens(t *testing.T) {
	type ids struct {
		EOT, SOT, FirstLang, LastLang, Translate, Transcribe, SOLM, Prev, NoSp, Not, Beg, LastTime int32
	}
	for _, c := range []struct {
		vocab int
		want  ids
	}{
		{51864, ids{50256, 50257, 50258, 50356, 50357, 50358, 50359, 50360, 50361, 50362, 50363, 51863}},
		{51865, ids{50257, 50258, 50259, 50357, 50358, 50359, 50360, 50361, 50362, 50363, 50364, 51864}},
		{51866, ids{50257, 50258, 50259, 50358, 50359, 50360, 50361, 50362, 50363, 50364, 50365, 51865}},
	} {
		v := newVocab(ggml.Header{Vocab: c.vocab}, nil)
		got := ids{
			v.eot, v.sot, v.sot + 1, v.sot + int32(v.languages), v.translate, v.transcribe, v.solm, v.prev, v.nosp, v.not, v.beg,
			int32(c.vocab - 1),
		}
		if d := cmp.Diff(c.want, got); d != "" {
			t.Errorf("vocabulary of %d (-want +got):\n%s", c.vocab, d)
		}
		last := languages[v.languages-1].code
		for id, want := range map[int32]string{
			v.eot: "[_EOT_]", v.sot: "[_SOT_]", v.sot + 1: "[_LANG_en]", v.sot + int32(v.languages): "[_LANG_" + last + "]",
			v.translate: "[_TRANSLATE_]", v.transcribe: "[_TRANSCRIBE_]", v.solm: "[_SOLM_]", v.prev: "[_PREV_]",
			v.nosp: "[_NOSP_]", v.not: "[_NOT_]", v.beg: "[_BEG_]", v.beg + 1: "[_TT_1]", v.beg + 1500: "[_TT_1500]",
		} {
			if got := v.text(id); got != want {
				t.Errorf("vocabulary of %d: token %d is %q, want %q", c.vocab, id, got, want)
			}
		}
	}
}

func TestLanguage(t *testing.T) {
	for _, c := range []struct {
		in, code string
		ok       bool
	}{
		{"en", "en", true}, {"English", "en", true}, {"FR", "fr", true}, {"haitian creole", "ht", true},
		{"yue", "yue", true}, {"iw", "", false}, {"", "", false}, {"auto", "", false},
	} {
		if code, ok := Language(c.in); code != c.code || ok != c.ok {
			t.Errorf("Language(%q) = %q, %v; want %q, %v", c.in, code, ok, c.code, c.ok)
		}
	}
	seen := map[string]int{}
	for k, l := range languages {
		for _, s := range []string{l.code, l.name} {
			if j, ok := seen[s]; ok {
				t.Errorf("%q names languages %d and %d", s, j, k)
			}
			seen[s] = k
		}
	}
}

func TestPieces(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"it's fine", `["it" "'s" " fine"]`},
		{"a  b", `["a" " " " b"]`},
		{"a \n", `["a" " \n"]`},
		{" 12ab!?", `[" 12" "ab" "!?"]`},
		{"'LL", `["'" "LL"]`},
		{"\xff\xfea", `["\xff\xfe" "a"]`},
		{"x \u3000y", `["x" " " "\u3000" "y"]`},
	} {
		var got []string
		for s := c.in; s != ""; {
			n := pieceLen(s)
			got = append(got, s[:n])
			s = s[n:]
		}
		if g := fmt.Sprintf("%+q", got); g != c.want {
			t.Errorf("pieces of %q: %s, want %s", c.in, g, c.want)
		}
	}
}

func TestKnows(t *testing.T) {
	for _, c := range []struct {
		languages int
		language  string
		want      bool
	}{{1, "english", true}, {1, "de", false}, {99, "su", true}, {99, "yue", false}, {100, "Cantonese", true}, {100, "xx", false}} {
		if got := (Info{Languages: c.languages}).Knows(c.language); got != c.want {
			t.Errorf("%d languages, %s: %v", c.languages, c.language, got)
		}
	}
}
