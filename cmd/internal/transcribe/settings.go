package transcribe

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	whisper "github.com/whisperfile/whisperfile/cmd/internal/cli"
	"github.com/whisperfile/whisperfile/model"
)

// settings are the command line, understood.
type settings struct {
	inputs  []string
	render  string // JSON to read in place of inputs
	convert bool

	model    string // path or name; "" is the default
	threads  int
	language string // as given, in lower case
	options  model.Options

	bases       []string // names of output files without extension, one for each input
	formats     []format
	firstNumber int

	noTimestamps, special, colors bool
	quiet, progress               bool
}

// Bounds of flags; a number beyond is a slip of the finger.
const (
	maxThreads = 1024
	maxOffset  = 2e9 // milliseconds: 23 days
)

// understand checks the flags of c. Its errors are usage errors.
func understand(c *cli.Context) (settings, error) {
	s := settings{
		inputs:       c.StringSlice("file"),
		render:       c.String("render"),
		convert:      c.Bool("convert"),
		model:        c.String("model"),
		threads:      c.Int("threads"),
		language:     strings.ToLower(c.String("language")),
		bases:        c.StringSlice("output-file"),
		firstNumber:  c.Int("offset-n"),
		noTimestamps: c.Bool("no-timestamps"),
		special:      c.Bool("print-special"),
		colors:       c.Bool("print-colors"),
		quiet:        c.Bool("no-prints"),
		progress:     c.Bool("print-progress"),
	}
	for _, limit := range []struct {
		flag, name string
		lo, hi     int
	}{
		{"-t", "threads", 1, maxThreads},
		{"-ot", "offset-t", 0, maxOffset},
		{"-d", "duration", 0, maxOffset},
		{"-bo", "best-of", 1, 8},
		{"-bs", "beam-size", 1, 8},
		{"-ml", "max-len", 0, 1e6},
		{"-mc", "max-context", -1e6, 1e6},
		{"-on", "offset-n", -1e9, 1e9},
	} {
		if n := c.Int(limit.name); n < limit.lo || n > limit.hi {
			return s, whisper.Failf(whisper.Usage, "%s takes a number from %d to %d, not %d", limit.flag, limit.lo, limit.hi, n)
		}
	}
	if n := c.Int("beam-size"); n > 1 {
		return s, whisper.Fail(whisper.Usage, fmt.Errorf("beam search is not there yet: -bs %d", n), "-bs 1 decodes greedily")
	}
	code, ok := model.Language(s.language)
	switch {
	case s.language == "auto":
		return s, whisper.Fail(whisper.Usage, errors.New("detection of the language is not there yet: -l auto"), "name it: -l en, -l french")
	case !ok:
		return s, whisper.Fail(whisper.Usage, fmt.Errorf("unknown language: %q", s.language), "a code or an English name: -l en, -l french")
	}
	json := c.Bool("output-json-full")
	for _, f := range formats {
		if c.Bool(f.flag) && !(f.flag == "output-json" && json) {
			s.formats = append(s.formats, f)
		}
	}
	s.options = model.Options{
		Language:    code,
		Translate:   c.Bool("translate"),
		Offset:      milliseconds(c.Int("offset-t")),
		Duration:    milliseconds(c.Int("duration")),
		Prompt:      c.String("prompt"),
		MaxContext:  maxContext(c.Int("max-context")),
		TokenTimes:  json,
		MaxLen:      c.Int("max-len"),
		SplitOnWord: c.Bool("split-on-word"),
		SpecialText: s.special,
	}
	if err := s.options.Validate(); err != nil {
		return s, whisper.Fail(whisper.Usage, err, "")
	}
	n := len(s.inputs)
	switch {
	case s.render != "" && n > 0:
		return s, whisper.Failf(whisper.Usage, "--render takes no files to hear: %s", s.inputs[0])
	case s.render != "":
		n = 1
	case n == 0:
		return s, whisper.Fail(whisper.Usage, errors.New("no input file"), "whisper FILE..., or whisper - for standard input")
	}
	if len(s.bases) > n {
		return s, whisper.Failf(whisper.Usage, "more -of than input files: %s", s.bases[n])
	}
	return s, nil
}

func milliseconds(n int) time.Duration { return time.Duration(n) * time.Millisecond }

// maxContext turns -mc, where 0 is no context and a negative number all, into what model.Options means.
func maxContext(n int) int {
	switch {
	case n < 0:
		return 0
	case n == 0:
		return -1
	}
	return n
}
