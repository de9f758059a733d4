package model

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/whisperfile/whisperfile/ggml"
)

// manyScripts is text whose characters most vocabularies spread over several tokens.
const manyScripts = " Grüße, naïve café – “quoted” … 你好，世界！ 日本語のテキスト 한국어 Привет мир नमस्ते दुनिया สวัสดี مرحبا שלום Ελληνικά " +
	"𝔘𝔫𝔦𝔠𝔬𝔡𝔢 👍🏽 👩‍👩‍👧‍👦 🇩🇪 ﷽ \t\u00a0\u200b\u2028 ॐ Ⅷ ½ ₿ 𓀀"

// TestAllTokens cuts segments out of all tokens of a vocabulary, one behind another, and out of text in many scripts, at
// places that split characters: nothing is lost, and each segment's characters are whole.
func TestAllTokens(t *testing.T) {
	vocabs := map[string]*vocab{"tiny.en": tinyVocab(t)}
	t.Run("multilingual", func(t *testing.T) {
		f, err := ggml.Open(modelPath(t, "base"))
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		vocabs["base"] = newVocab(f.Header, f.Vocab)
	})
	for name, v := range vocabs {
		for _, chunk := range []int{1, 2, 3, 37} {
			texts := cutTokens(t, v, v.encode(manyScripts), chunk)
			if got := strings.Join(texts, ""); got != manyScripts {
				t.Errorf("%s, %d tokens a segment: %q, want %q", name, chunk, got, manyScripts)
			}
		}
		var all []int32
		var want strings.Builder
		for id := range int32(len(v.texts)) {
			if id < v.beg {
				all = append(all, id)
			}
			if id < v.eot {
				want.WriteString(v.texts[id])
			}
		}
		got := strings.Join(cutTokens(t, v, all, 41), "")
		whole := func(s string) string { return strings.ReplaceAll(strings.ToValidUTF8(s, ""), "\uFFFD", "") }
		rest, _ := CutPartial(want.String())
		if whole(got) != whole(rest) {
			t.Errorf("%s: the text of all tokens has %d bytes, that of the segments %d", name, len(whole(rest)), len(whole(got)))
		}
	}
}

// cutTokens makes segments of so many tokens each and returns their texts.
func cutTokens(t *testing.T, v *vocab, ids []int32, chunk int) (texts []string) {
	t.Helper()
	h := &hearing{Session: &Session{m: &Model{vocab: v}}, o: Options{}.withDefaults(), rules: rulesOf(t, v, true), limit: 1 << 30}
	h.yield = func(g Segment) error {
		if !utf8.ValidString(g.Text) {
			t.Errorf("not UTF-8: %q", g.Text)
		}
		texts = append(texts, g.Text)
		return nil
	}
	for len(ids) > 0 {
		n := min(chunk, len(ids))
		s := &sequence{length: n, shift: 100}
		for _, id := range ids[:n] {
			s.tokens = append(s.tokens, token{id: id})
		}
		if err := h.segments(window{sequence: s}); err != nil {
			t.Fatal(err)
		}
		ids = ids[n:]
	}
	return texts
}
