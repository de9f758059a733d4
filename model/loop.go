package model

import (
	"compress/zlib"
	"math"
)

// A loop is a phrase of up to loopPeriod tokens of text that comes loopTimes times in a row and makes up at least loopTokens
// tokens. Speech repeats itself less; a decoder that lost the thread does so for ever.
const (
	loopPeriod = 40
	loopTimes  = 4
	loopTokens = 24
)

// loopFinder looks for loops in a sequence as it grows. Timestamps and special tokens do not count.
type loopFinder struct {
	text  []int32             // the tokens of text so far
	place []int               // where they stand in the sequence
	run   [loopPeriod + 1]int // run[p]: how many of the last tokens equal the one p before them
}

// add takes the token at place i of the sequence and reports whether a loop ends there; at is then the place behind the
// phrase's first round.
func (l *loopFinder) add(id int32, i int) (at int, found bool) {
	l.text, l.place = append(l.text, id), append(l.place, i)
	n := len(l.text)
	for p := 1; p <= min(loopPeriod, n-1); p++ {
		if l.text[n-1-p] != id {
			l.run[p] = 0
			continue
		}
		l.run[p]++
		if r := l.run[p]; r >= (loopTimes-1)*p && r+p >= loopTokens {
			return l.place[n-r], true
		}
	}
	return 0, false
}

// copyFrom makes l the same as o, in l's own memory.
func (l *loopFinder) copyFrom(o *loopFinder) {
	l.text, l.place, l.run = append(l.text[:0], o.text...), append(l.place[:0], o.place...), o.run
}

// entropyTokens is how many of the last tokens entropy looks at.
const entropyTokens = 32

// entropy is the Shannon entropy, in nats, of the ids of the last 32 tokens: low where few tokens come again and again.
func entropy(tokens []token) float32 {
	tokens = tokens[max(len(tokens)-entropyTokens, 0):]
	count := map[int32]int{}
	for _, t := range tokens {
		count[t.id]++
	}
	var sum float64
	for _, t := range tokens { // once for each occurrence: in order, so that the sum is the same every time
		sum -= math.Log(float64(count[t.id])/float64(len(tokens))) / float64(len(tokens))
	}
	return float32(sum)
}

// compression is by how much text shrinks when zlib compresses it: about 1.5 for speech, above 2.4 for text that repeats
// itself (OpenAI's measure).
func compression(text string) float32 {
	if text == "" {
		return 0
	}
	var n counter
	z := zlib.NewWriter(&n)
	if _, err := z.Write([]byte(text)); err != nil {
		return 0
	}
	if err := z.Close(); err != nil {
		return 0
	}
	return float32(len(text)) / float32(n)
}

// counter counts the bytes written to it.
type counter int

func (c *counter) Write(b []byte) (int, error) {
	*c += counter(len(b))
	return len(b), nil
}
