package serve

import (
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
)

// maxKeyFile bounds a file of keys.
const maxKeyFile = 1 << 20

// keySums are the sums of the keys that are let in, so that all take the same time to compare and none is kept.
type keySums [][sha256.Size]byte

// parseKeys reads a key a line. Blank lines and those that start with # are passed over.
func parseKeys(r io.Reader) (keySums, error) {
	b, err := io.ReadAll(io.LimitReader(r, maxKeyFile+1))
	switch {
	case err != nil:
		return nil, err
	case len(b) > maxKeyFile:
		return nil, fmt.Errorf("more than %d bytes", maxKeyFile)
	}
	var keys keySums
	for n, line := range strings.Split(string(b), "\n") {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		if strings.ContainsFunc(line, func(r rune) bool { return r <= ' ' || r > '~' }) {
			return nil, fmt.Errorf("line %d: a key is made of ASCII without blanks", n+1)
		}
		keys = append(keys, sha256.Sum256([]byte(line)))
	}
	if len(keys) == 0 {
		return nil, errors.New("there is no key in it")
	}
	return keys, nil
}

func readKeys(path string) (keySums, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return parseKeys(f)
}

// knows reports whether a request brings one of the keys, and what to call whoever does. It takes the same time whichever
// key it is.
func (k keySums) knows(r *http.Request) (name string, ok bool) {
	scheme, key, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return "", false
	}
	sum := sha256.Sum256([]byte(strings.TrimSpace(key)))
	found := 0
	for _, s := range k {
		found |= subtle.ConstantTimeCompare(sum[:], s[:])
	}
	return "key " + string(sum[:]), found == 1
}
