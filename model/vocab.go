package model

import (
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/whisperfile/whisperfile/ggml"
)

// vocab is a model's tokens: the stored ones, which are text, and the special ones behind them, which no file stores.
type vocab struct {
	texts        []string // by id
	multilingual bool
	languages    int // 99 or 100

	eot, sot, translate, transcribe, solm, prev, nosp, not, beg int32

	ranks func() map[string]int32 // text → id of the tokens below eot, made when a prompt first needs it
}

// newVocab names the special tokens of a header's vocabulary. The ids follow from its size alone: those of the
// English-only models, moved by one for the multilingual tokenizer and by one more for each language beyond 98.
func newVocab(h ggml.Header, stored [][]byte) *vocab {
	v := &vocab{
		texts: make([]string, h.Vocab),
		eot:   50256, sot: 50257, translate: 50357, transcribe: 50358, solm: 50359, prev: 50360, nosp: 50361, not: 50362, beg: 50363,
	}
	v.multilingual = h.Vocab >= 51865
	v.languages = h.Vocab - 51765
	if v.multilingual {
		v.languages--
		v.eot++
		v.sot++
		for _, id := range []*int32{&v.translate, &v.transcribe, &v.solm, &v.prev, &v.nosp, &v.not, &v.beg} {
			*id += int32(v.languages - 98)
		}
	}
	all := string(slices.Concat(stored...)) // one piece of memory for 50,000 texts
	for id := range v.texts {
		if id < len(stored) {
			n := len(stored[id])
			v.texts[id], all = all[:n], all[n:]
		} else {
			v.texts[id] = v.special(int32(id))
		}
	}
	v.ranks = sync.OnceValue(func() map[string]int32 {
		m := make(map[string]int32, v.eot)
		for id := range v.eot {
			m[v.texts[id]] = id
		}
		return m
	})
	return v
}

// special returns whisper.cpp's name of a token that no file stores.
func (v *vocab) special(id int32) string {
	switch id {
	case v.eot:
		return "[_EOT_]"
	case v.sot:
		return "[_SOT_]"
	case v.translate:
		return "[_TRANSLATE_]"
	case v.transcribe:
		return "[_TRANSCRIBE_]"
	case v.solm:
		return "[_SOLM_]"
	case v.prev:
		return "[_PREV_]"
	case v.nosp:
		return "[_NOSP_]"
	case v.not:
		return "[_NOT_]"
	case v.beg:
		return "[_BEG_]"
	}
	switch k := int(id - v.sot - 1); {
	case id > v.beg:
		return fmt.Sprintf("[_TT_%d]", id-v.beg)
	case k >= 0 && k < v.languages && k < len(languages):
		return "[_LANG_" + languages[k].code + "]"
	}
	return fmt.Sprintf("[_extra_token_%d]", id)
}

// text returns the bytes a token stands for: for special tokens, whisper.cpp's name.
func (v *vocab) text(id int32) string { return v.texts[id] }

// decode joins the text of tokens below eot; special tokens are left out.
func (v *vocab) decode(ids []int32) string {
	var b strings.Builder
	for _, id := range ids {
		if id < v.eot {
			b.WriteString(v.texts[id])
		}
	}
	return b.String()
}
