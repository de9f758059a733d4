package bundle

import (
	"errors"
	"strings"
)

// dots is the line of .args where the user's arguments go.
const dots = "..."

// parseArgs returns the lines of .args: an argument each, as they stand. The user's arguments go where a line says "..."; it is
// put at the end where there is none.
func parseArgs(text string) ([]string, error) {
	if strings.ContainsRune(text, 0) {
		return nil, errors.New(argsName + " inside holds a NUL, which no argument can")
	}
	text = strings.TrimSuffix(strings.ReplaceAll(text, "\r\n", "\n"), "\n")
	var lines []string
	if text != "" {
		lines = strings.Split(text, "\n")
	}
	for _, l := range lines {
		if l == dots {
			return lines, nil
		}
	}
	return append(lines, dots), nil
}

// word is an argument, and whether it comes from .args.
type word struct {
	text   string
	inside bool
}

// expand puts the user's arguments where .args has them.
func expand(lines, user []string) []word {
	var words []word
	for _, l := range lines {
		if l != dots {
			words = append(words, word{l, true})
			continue
		}
		for _, u := range user {
			words = append(words, word{u, false})
		}
	}
	return words
}

// phrase is a flag with its value, or an argument that is no flag: then flag is "".
type phrase struct {
	words []word
	flag  string // without dashes
}

// phrases splits a command line; takesValue says which flags take the next word.
func phrases(words []word, takesValue map[string]bool) []phrase {
	var all []phrase
	for i := 0; i < len(words); i++ {
		w := words[i]
		switch {
		case w.text == "--":
			all = append(all, phrase{words[i : i+1], "--"})
			for j := i + 1; j < len(words); j++ {
				all = append(all, phrase{words: words[j : j+1]})
			}
			return all
		case w.text == "-" || !strings.HasPrefix(w.text, "-"):
			all = append(all, phrase{words: words[i : i+1]})
		default:
			name, _, whole := strings.Cut(strings.TrimPrefix(strings.TrimPrefix(w.text, "-"), "-"), "=")
			n := 1
			if !whole && takesValue[name] && i+1 < len(words) {
				n = 2
			}
			all = append(all, phrase{words[i : i+n], name})
			i += n - 1
		}
	}
	return all
}

func texts(all []phrase) []string {
	var args []string
	for _, p := range all {
		for _, w := range p.words {
			args = append(args, w.text)
		}
	}
	return args
}
