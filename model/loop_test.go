package model

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/whisperfile/whisperfile/ggml"
	"github.com/whisperfile/whisperfile/model/tinyen"
)

// said are the texts of the clips of testdata, and other speech that repeats words without being lost.
var said = []string{
	" And Mr. John Dashwood had then leisure to consider how much there might be prudently in his power to do for them.",
	" He was not an ill-disposed young man, unless to be rather cold-hearted and rather selfish is to be ill-disposed.",
	" Had he married a more amiable woman, he might have been made still more respectable than he was. He might even have been made amiable himself.",
	" No, no, no, no! Yes, yes, yes. Ten, nine, eight, seven, six, five, four, three, two, one, zero.",
	" Row, row, row your boat, gently down the stream, merrily, merrily, merrily, merrily, life is but a dream.",
	" The cat sat on the mat. The cat sat on the hat. The cat sat on the bat. The dog sat on the log.",
	" I have a dream that one day we will be free. I have a dream that one day we will be one. I have a dream today.",
	strings.Repeat(" ha", 20),
	strings.Repeat(" la la la.", 5),
}

// tinyVocab is the vocabulary of the model that is committed.
func tinyVocab(t testing.TB) *vocab {
	t.Helper()
	f, err := ggml.Parse(tinyen.Data())
	if err != nil {
		t.Fatal(err)
	}
	return newVocab(f.Header, f.Vocab)
}

// phrase is n tokens that differ.
func phrase(first, n int) []int32 {
	ids := make([]int32, n)
	for i := range ids {
		ids[i] = int32(first + i)
	}
	return ids
}

// search feeds tokens, which stand at even places, and returns how many were needed to find a loop, or −1.
func (l *loopFinder) search(ids []int32) (n, at int) {
	for i, id := range ids {
		if at, found := l.add(id, 2*i); found {
			return i + 1, at
		}
	}
	return -1, 0
}

func TestLoopFound(t *testing.T) {
	const before = 7
	for period := 1; period <= loopPeriod; period++ {
		ids := phrase(1000, before)
		for range 30 {
			ids = append(ids, phrase(100, period)...)
		}
		n, at := new(loopFinder).search(ids)
		if want := before + max(loopTimes*period, loopTokens); n != want || at != 2*(before+period) {
			t.Errorf("a phrase of %d tokens: found behind %d tokens, want %d; the first round ends at %d, want %d", period, n, want, at, 2*(before+period))
		}
	}
}

func TestNoLoop(t *testing.T) {
	long := phrase(100, loopPeriod+1)
	var rounds, broken, growing []int32
	for i := range 12 {
		rounds = append(rounds, long...)
		broken = append(append(broken, phrase(100, 8)...), int32(2000+i)) // the same but for a number that counts
		growing = append(growing, phrase(100, i+1)...)                    // a song that adds a word each time
	}
	cases := map[string][]int32{
		"a phrase that is too long":     rounds,
		"a list with numbers":           broken,
		"a song that grows":             growing,
		"a phrase three times":          append(append(phrase(100, 30), phrase(100, 30)...), phrase(100, 30)...),
		"a word 23 times":               make([]int32, loopTokens-1),
		"no two of the same, of course": phrase(0, 448),
	}
	v := tinyVocab(t)
	for _, text := range said {
		cases[text] = v.encode(text)
	}
	for name, ids := range cases {
		if n, at := new(loopFinder).search(ids); n >= 0 {
			t.Errorf("%s: a loop behind token %d of %d, at %d", name, n, len(ids), at)
		}
	}
}

// TestLoopFinderCopies has two beams of one past go different ways.
func TestLoopFinderCopies(t *testing.T) {
	var a, b loopFinder
	a.search(make([]int32, loopTokens-1))
	b.search(phrase(1, 300))
	b.copyFrom(&a)
	if _, found := a.add(1, 100); found {
		t.Error("another token is no loop")
	}
	if _, found := b.add(0, 100); !found {
		t.Error("the copy does not know what came before")
	}
	if _, found := a.add(0, 101); found {
		t.Error("what the copy heard is in the original")
	}
}

func TestSequenceIsCutAtLoop(t *testing.T) {
	ids := []int32{tt(0), 5, 6, tt(100), tt(100), 7, 8}
	for range 30 {
		ids = append(ids, 9, 10)
	}
	for _, c := range []struct {
		name          string
		ids           []int32
		length, shift int
	}{
		{"behind a segment", ids, 5, 200},
		{"from the beginning", ids[5:], 4, windowFrames},
		{"with a timestamp in each round", func() (all []int32) {
			for range int32(30) {
				all = append(all, 20, 21, 22, tt(50), tt(50))
			}
			return all
		}(), 5, 100},
	} {
		s := feed(c.ids, 9000, true)
		if !s.looped || !s.failed || s.done || s.length != c.length || s.shift != c.shift || len(s.result()) != c.length {
			t.Errorf("%s: looped %v, failed %v, %d tokens of %d kept, shift %d; want %d and %d", c.name, s.looped, s.failed, len(s.result()), len(s.tokens), s.shift, c.length, c.shift)
		}
		if !math.IsInf(float64(s.meanLogProb()), -1) {
			t.Errorf("%s: a loop counts as likely: %g", c.name, s.meanLogProb())
		}
	}
}

func TestEntropy(t *testing.T) {
	tokens := func(ids ...int32) (all []token) {
		for _, id := range ids {
			all = append(all, token{id: id})
		}
		return all
	}
	twice := append(phrase(0, 16), phrase(0, 16)...)
	for _, c := range []struct {
		name   string
		tokens []token
		want   float64
	}{
		{"nothing", nil, 0},
		{"one", tokens(7), 0},
		{"32 times the same", tokens(make([]int32, 32)...), 0},
		{"32 different ones", tokens(phrase(0, 32)...), math.Log(32)},
		{"16 twice", tokens(twice...), math.Log(16)},
		{"only the last 32 count", tokens(append(phrase(0, 90), make([]int32, 32)...)...), 0},
	} {
		if got := float64(entropy(c.tokens)); math.Abs(got-c.want) > 1e-5 {
			t.Errorf("%s: %g, want %g", c.name, got, c.want)
		}
	}
}

func TestCompression(t *testing.T) {
	if c := compression(""); c != 0 {
		t.Errorf("nothing: %g", c)
	}
	for _, text := range said[:7] {
		if c := compression(text); c <= 0.5 || c > 2.4 {
			t.Errorf("%q: %g", text, c)
		}
	}
	for _, n := range []int{8, 30} {
		if c := compression(strings.Repeat(" Thanks for watching!", n)); c <= 2.4 {
			t.Errorf("%d times the same: %g", n, c)
		}
	}
}

// TestRepeats puts the measures together as a window uses them.
func TestRepeats(t *testing.T) {
	v := tinyVocab(t)
	for i, text := range append(said[:7:7], strings.Repeat(" Thanks for watching!", 12), strings.Repeat(" Bye. Bye-bye!", 10)) {
		if i == 3 {
			continue // half of it are commas, so that its entropy is below the threshold that whisper.cpp set
		}
		h := &hearing{Session: &Session{m: &Model{vocab: v}}, o: Options{}.withDefaults()}
		s := &sequence{shift: windowFrames}
		for _, id := range append(v.encode(text), tt(200), v.eot) {
			if s.add(token{id: id}, v, true, 9000, false); s.failed {
				break
			}
		}
		want := strings.Count(text, "watching") > 1 || strings.Count(text, "Bye") > 1
		if got := h.repeats(s); got != want {
			t.Errorf("%s: repeats %v, want %v (entropy %g, compression %g)", fmt.Sprintf("%.40q", text), got, want, entropy(s.result()), compression(text))
		}
	}
}
