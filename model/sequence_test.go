package model

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/whisperfile/whisperfile/ggml"
)

// english is the vocabulary of the English-only models, without texts.
var english = newVocab(ggml.Header{Vocab: 51864}, nil)

func tt(n int32) int32 { return english.beg + n }

func rulesOf(t *testing.T, v *vocab, timestamps bool) *rules {
	t.Helper()
	r, err := newRules(v, timestamps, &Options{})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// feed adds tokens until the sequence ends.
func feed(ids []int32, left int, timestamps bool) *sequence {
	s := &sequence{shift: windowFrames}
	for _, id := range ids {
		s.add(token{id: id}, english, timestamps, left, false)
		if s.done || s.failed {
			break
		}
	}
	return s
}

func TestSequence(t *testing.T) {
	type state struct {
		Tokens, Length, Shift int
		Failed, Done, Closed  bool
	}
	eot := english.eot
	for _, c := range []struct {
		name string
		ids  []int32
		left int
		want state
	}{
		{"a segment and the end", []int32{tt(0), 5, 6, tt(100), eot}, 9000, state{5, 4, 200, false, true, true}},
		{"two segments", []int32{tt(0), 5, tt(100), tt(120), 6, tt(200), tt(200), eot}, 9000, state{8, 7, 400, false, true, false}},
		{"the audio's end comes first", []int32{tt(0), 5, tt(100), tt(100), 7}, 205, state{3, 3, 200, false, true, true}},
		{"nothing closed", []int32{tt(0), 5, eot}, 9000, state{3, 0, 3000, true, false, false}},
		{"nothing closed in the last window", []int32{tt(0), 5, eot}, 2000, state{3, 3, 3000, false, true, false}},
		{"backwards", []int32{tt(0), 5, tt(100), 6, tt(50)}, 9000, state{5, 3, 200, true, false, true}},
	} {
		s := feed(c.ids, c.left, true)
		got := state{len(s.tokens), s.length, s.shift, s.failed, s.done, s.closed(english)}
		if d := cmp.Diff(c.want, got); d != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, d)
		}
	}
}

func TestFilter(t *testing.T) {
	type want struct {
		NoText, NoTime, First bool
		From, To              int32
	}
	end := int32(51863)
	r := rulesOf(t, english, true)
	for _, c := range []struct {
		name string
		ids  []int32
		want want
	}{
		{"start", nil, want{First: true, From: tt(0), To: tt(50)}},
		{"behind the first timestamp", []int32{tt(0)}, want{NoTime: true}},
		{"text", []int32{tt(0), 5}, want{}},
		{"behind a closing timestamp", []int32{tt(0), 5, tt(100)}, want{NoText: true, From: tt(100), To: end}},
		{"behind a pair", []int32{tt(0), 5, tt(100), tt(110)}, want{NoTime: true, From: tt(110), To: end}},
	} {
		f := r.filter(feed(c.ids, 9000, true))
		got := want{f.NoText, f.NoTime, &f.Mask[0] == &r.first[0], f.TimeFrom, f.TimeTo}
		if d := cmp.Diff(c.want, got); d != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, d)
		}
		if !f.Mass || f.EOT != english.eot || f.Beg != english.beg {
			t.Errorf("%s: %+v", c.name, f)
		}
	}
	if f := rulesOf(t, english, false).filter(&sequence{}); !f.NoTime || f.Mass {
		t.Errorf("without timestamps: %+v", f)
	}
}
