package convert

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/whisperfile/whisperfile/ggml"
)

// maxVocabulary is the largest size of a file with a vocabulary; those of the published models have 4 MB at most.
const maxVocabulary = 64 << 20

// unicodeToByte undoes the spelling that GPT-2's tokenizer gives to bytes: those that are printable in Latin-1 stand for
// themselves, the others for the characters from U+0100 on.
var unicodeToByte = func() map[rune]byte {
	m := make(map[rune]byte, 256)
	next := rune(0x100)
	for b := range rune(256) {
		if b >= '!' && b <= '~' || b >= 0xa1 && b <= 0xac || b >= 0xae {
			m[b] = byte(b)
		} else {
			m[next] = byte(b)
			next++
		}
	}
	return m
}()

// tokenBytes returns the bytes of a token.
func tokenBytes(s string) ([]byte, error) {
	b := make([]byte, 0, len(s))
	for _, r := range s {
		c, ok := unicodeToByte[r]
		if !ok {
			return nil, fmt.Errorf("%q in the token %.80q stands for no byte: %w", r, s, ggml.ErrFormat)
		}
		b = append(b, c)
	}
	return b, nil
}

// parseTokenizer reads Hugging Face's tokenizer.json, where model.vocab gives the number of each token.
func parseTokenizer(data []byte) ([][]byte, error) {
	var file struct {
		Model struct {
			Vocab map[string]int `json:"vocab"`
		} `json:"model"`
	}
	if err := json.Unmarshal(data, &file); err != nil {
		return nil, fmt.Errorf("%w: %w", err, ggml.ErrFormat)
	}
	texts := make([]string, textTokens)
	seen := make([]bool, textTokens)
	n := 0
	for text, id := range file.Model.Vocab {
		switch {
		case id < 0:
			return nil, fmt.Errorf("a token has the number %d: %w", id, ggml.ErrFormat)
		case id >= textTokens:
			continue
		case seen[id]:
			return nil, fmt.Errorf("two tokens have the number %d: %w", id, ggml.ErrFormat)
		}
		texts[id], seen[id] = text, true
		n++
	}
	if n != textTokens {
		return nil, fmt.Errorf("%d of %d tokens are there: %w", n, textTokens, ggml.ErrFormat)
	}
	return tokens(texts)
}

// parseList reads a JSON array of the tokens in the order of their numbers.
func parseList(data []byte) ([][]byte, error) {
	var texts []string
	if err := json.Unmarshal(data, &texts); err != nil {
		return nil, fmt.Errorf("%w: %w", err, ggml.ErrFormat)
	}
	return tokens(texts)
}

// parseLines reads tokens from lines, in the order of their numbers.
func parseLines(data []byte) ([][]byte, error) {
	return tokens(strings.Split(string(data), "\n"))
}

// tokens returns the bytes of the tokens that have a text.
func tokens(texts []string) ([][]byte, error) {
	if len(texts) < textTokens {
		return nil, fmt.Errorf("%d of %d tokens are there: %w", len(texts), textTokens, ggml.ErrFormat)
	}
	vocab := make([][]byte, textTokens)
	for i := range vocab {
		b, err := tokenBytes(texts[i])
		if err != nil {
			return nil, err
		}
		vocab[i] = b
	}
	return vocab, nil
}
