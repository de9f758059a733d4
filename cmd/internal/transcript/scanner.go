package transcript

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// scanner reads JSON as whisper.cpp writes it: like JSON, but strings may hold control characters and broken UTF-8, which
// come out as they are. (Package encoding/json would put U+FFFD for each half of a character that two segments share.)
type scanner struct {
	data  []byte
	pos   int
	depth int
}

// maxDepth bounds how deep objects and arrays may nest; whisper.cpp's JSON needs 6.
const maxDepth = 32

// syntaxError says at which byte the JSON is not as it should be.
type syntaxError struct {
	pos  int
	what string
}

func (e *syntaxError) Error() string { return fmt.Sprintf("byte %d: %s", e.pos, e.what) }

func (s *scanner) fail(format string, args ...any) error {
	return &syntaxError{s.pos, fmt.Sprintf(format, args...)}
}

// peek returns the next byte that is no blank, or 0 at the end.
func (s *scanner) peek() byte {
	for ; s.pos < len(s.data); s.pos++ {
		switch c := s.data[s.pos]; c {
		case ' ', '\t', '\n', '\r':
		default:
			return c
		}
	}
	return 0
}

// expect consumes c.
func (s *scanner) expect(c byte) error {
	switch got := s.peek(); {
	case got == c:
		s.pos++
		return nil
	case s.pos >= len(s.data):
		return s.fail("the text ends where %q should be", c)
	default:
		return s.fail("%q where %q should be", got, c)
	}
}

// items reads what stands between open and end and calls item for each part.
func (s *scanner) items(open, end byte, item func() error) error {
	if err := s.expect(open); err != nil {
		return err
	}
	if s.depth++; s.depth > maxDepth {
		return s.fail("nested deeper than %d", maxDepth)
	}
	defer func() { s.depth-- }()
	for first := true; s.peek() != end; first = false {
		if !first {
			if err := s.expect(','); err != nil {
				return err
			}
		}
		if err := item(); err != nil {
			return err
		}
	}
	return s.expect(end)
}

// object calls field for each key; field must read the value.
func (s *scanner) object(field func(key string) error) error {
	return s.items('{', '}', func() error {
		key, err := s.str()
		if err != nil {
			return err
		}
		if err := s.expect(':'); err != nil {
			return err
		}
		return field(key)
	})
}

// array calls element for each element, which element must read.
func (s *scanner) array(element func() error) error { return s.items('[', ']', element) }

// str reads a string; what is not escaped in it is kept byte by byte.
func (s *scanner) str() (string, error) {
	if err := s.expect('"'); err != nil {
		return "", err
	}
	var out []byte
	for start := s.pos; s.pos < len(s.data); {
		switch s.data[s.pos] {
		case '"':
			out = append(out, s.data[start:s.pos]...)
			s.pos++
			return string(out), nil
		case '\\':
			out = append(out, s.data[start:s.pos]...)
			var err error
			if out, err = s.escape(out); err != nil {
				return "", err
			}
			start = s.pos
		default:
			s.pos++
		}
	}
	return "", s.fail("the text ends within a string")
}

// escape reads an escape sequence and appends what it stands for. Half of a surrogate pair stands for U+FFFD.
func (s *scanner) escape(out []byte) ([]byte, error) {
	if s.pos+1 >= len(s.data) {
		return nil, s.fail("the text ends within a string")
	}
	c := s.data[s.pos+1]
	switch c {
	case '"', '\\', '/':
	case 'b':
		c = '\b'
	case 'f':
		c = '\f'
	case 'n':
		c = '\n'
	case 'r':
		c = '\r'
	case 't':
		c = '\t'
	case 'u':
		r, ok := s.unit(s.pos)
		if !ok {
			return nil, s.fail(`\u without four hexadecimal digits`)
		}
		s.pos += 6
		if utf16.IsSurrogate(r) {
			second, _ := s.unit(s.pos)
			if r = utf16.DecodeRune(r, second); r != utf8.RuneError {
				s.pos += 6
			}
		}
		return utf8.AppendRune(out, r), nil
	default:
		return nil, s.fail("unknown escape \\%c", c)
	}
	s.pos += 2
	return append(out, c), nil
}

// unit returns the UTF-16 unit that \uXXXX at pos stands for.
func (s *scanner) unit(pos int) (rune, bool) {
	if pos+6 > len(s.data) || s.data[pos] != '\\' || s.data[pos+1] != 'u' {
		return 0, false
	}
	v, err := strconv.ParseUint(string(s.data[pos+2:pos+6]), 16, 16)
	return rune(v), err == nil
}

// number reads a number. whisper.cpp writes "nan" and "inf" for numbers that are none; they are NaN and ±Inf.
func (s *scanner) number() (float64, error) {
	s.peek()
	start := s.pos
	for s.pos < len(s.data) && s.pos-start < 64 && isNumeric(s.data[s.pos]) {
		s.pos++
	}
	v, err := strconv.ParseFloat(string(s.data[start:s.pos]), 64)
	if err != nil && !errors.Is(err, strconv.ErrRange) {
		s.pos = start
		return 0, s.fail("no number where one should be")
	}
	return v, nil
}

func isNumeric(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || c == '+' || c == '-' || c == '.' || c == 'E'
}

// integer reads a whole number from lo to hi.
func (s *scanner) integer(lo, hi int64) (int64, error) {
	s.peek()
	start := s.pos
	v, err := s.number()
	if err != nil {
		return 0, err
	}
	if v != math.Trunc(v) || v < float64(lo) || v > float64(hi) {
		s.pos = start
		return 0, s.fail("no whole number from %d to %d", lo, hi)
	}
	return int64(v), nil
}

// boolean reads true or false.
func (s *scanner) boolean() (bool, error) {
	s.peek()
	for _, word := range []string{"true", "false"} {
		if s.word(word) {
			return word == "true", nil
		}
	}
	return false, s.fail("neither true nor false")
}

func (s *scanner) word(w string) bool {
	if len(s.data)-s.pos < len(w) || string(s.data[s.pos:s.pos+len(w)]) != w {
		return false
	}
	s.pos += len(w)
	return true
}

// skip reads any value and forgets it.
func (s *scanner) skip() error {
	switch s.peek() {
	case '{':
		return s.object(func(string) error { return s.skip() })
	case '[':
		return s.array(s.skip)
	case '"':
		_, err := s.str()
		return err
	case 't', 'f':
		_, err := s.boolean()
		return err
	}
	if s.word("null") {
		return nil
	}
	_, err := s.number()
	return err
}
