package model

import (
	"unicode"
	"unicode/utf8"
)

// encode turns text into tokens as OpenAI's tokenizer does: the text is cut into pieces by GPT-2's pattern, and in each
// piece the neighbours whose union has the lowest id are joined until no union is in the vocabulary. Tokens were
// numbered in the order in which training found them, so an id is the rank of its merge.
// Special tokens written out in the text are text.
func (v *vocab) encode(text string) []int32 {
	ranks := v.ranks()
	var ids []int32
	for len(text) > 0 {
		n := pieceLen(text)
		ids = appendMerged(ids, text[:n], ranks)
		text = text[n:]
	}
	return ids
}

// appendMerged appends the tokens of one piece. A byte that is no token, which no published vocabulary lacks, is dropped.
func appendMerged(ids []int32, piece string, ranks map[string]int32) []int32 {
	if id, ok := ranks[piece]; ok {
		return append(ids, id)
	}
	// Part i is piece[bounds[i]:bounds[i+1]]; join[i] is the id of part i joined with the next one.
	const none = 1 << 30
	bounds := make([]int, len(piece)+1)
	join := make([]int32, len(piece)+1)
	for i := range bounds {
		bounds[i] = i
	}
	rank := func(i int) int32 {
		if i+2 < len(bounds) {
			if id, ok := ranks[piece[bounds[i]:bounds[i+2]]]; ok {
				return id
			}
		}
		return none
	}
	for i := range join {
		join[i] = rank(i)
	}
	for {
		best := 0
		for i := range len(bounds) - 1 {
			if join[i] < join[best] {
				best = i
			}
		}
		if join[best] == none {
			break
		}
		bounds = append(bounds[:best+1], bounds[best+2:]...)
		join = append(join[:best+1], join[best+2:]...)
		join[best] = rank(best)
		if best > 0 {
			join[best-1] = rank(best - 1)
		}
	}
	for i := range len(bounds) - 1 {
		if id, ok := ranks[piece[bounds[i]:bounds[i+1]]]; ok {
			ids = append(ids, id)
		}
	}
	return ids
}

// pieceLen returns the length of the first piece of s, which is not empty, by GPT-2's pattern
//
//	's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
//
// Bytes that are not UTF-8 count as marks.
func pieceLen(s string) int {
	if s[0] == '\'' {
		for _, c := range [...]string{"'s", "'t", "'re", "'ve", "'m", "'ll", "'d"} {
			if len(s) >= len(c) && s[:len(c)] == c {
				return len(c)
			}
		}
	}
	start := 0
	if s[0] == ' ' && len(s) > 1 {
		start = 1
	}
	if c, _ := classAt(s, start); c != classSpace {
		return runLen(s, start, c)
	}
	// White space: all of it at the end of the text, else all but the last character, which goes with what follows.
	n := runLen(s, 0, classSpace)
	if n == len(s) {
		return n
	}
	_, last := utf8.DecodeLastRuneInString(s[:n])
	if n > last {
		return n - last
	}
	return n
}

type class uint8

const (
	classMark class = iota
	classLetter
	classNumber
	classSpace
)

// classAt returns the class and the length of the character at s[i:].
func classAt(s string, i int) (class, int) {
	r, n := utf8.DecodeRuneInString(s[i:])
	switch {
	case r == utf8.RuneError && n <= 1:
		return classMark, n
	case unicode.IsLetter(r):
		return classLetter, n
	case unicode.IsNumber(r):
		return classNumber, n
	case unicode.IsSpace(r):
		return classSpace, n
	}
	return classMark, n
}

// runLen returns where the run of class c that holds s[start:] ends.
func runLen(s string, start int, c class) int {
	i := start
	for i < len(s) {
		k, n := classAt(s, i)
		if k != c {
			break
		}
		i += n
	}
	return i
}
