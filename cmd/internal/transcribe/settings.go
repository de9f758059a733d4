package transcribe

import (
	"errors"
	"strings"

	"github.com/urfave/cli/v2"

	whisper "github.com/whisperfile/whisperfile/cmd/internal/cli"
	"github.com/whisperfile/whisperfile/cmd/internal/decoding"
	"github.com/whisperfile/whisperfile/ggml"
	"github.com/whisperfile/whisperfile/model"
)

// settings are the command line, understood.
type settings struct {
	inputs  []string
	render  string // JSON to read in place of inputs
	convert bool

	model    string // path or name; "" is the default
	threads  int
	cpu      ggml.CPUOptions
	language string // as given, in lower case
	options  model.Options

	bases       []string // names of output files without extension, one for each input
	formats     []format
	firstNumber int

	detect                        bool // say what language it is, and no more
	noTimestamps, special, colors bool
	quiet, progress               bool
}

// anyLanguage reports whether a model that knows English alone would not do.
func (s settings) anyLanguage() bool { return s.options.Language != "en" || s.options.Translate }

// search is what decoding does unless it is told otherwise.
var search = decoding.Defaults{BeamSize: 5, BestOf: 5}

// understand checks the flags of c. Its errors are usage errors.
func understand(c *cli.Context) (s settings, err error) {
	s = settings{
		inputs:       c.StringSlice("file"),
		render:       c.String("render"),
		convert:      c.Bool("convert"),
		model:        c.String("model"),
		language:     strings.ToLower(c.String("language")),
		bases:        c.StringSlice("output-file"),
		firstNumber:  c.Int("offset-n"),
		detect:       c.Bool("detect-language"),
		noTimestamps: c.Bool("no-timestamps"),
		special:      c.Bool("print-special"),
		colors:       c.Bool("print-colors"),
		quiet:        c.Bool("no-prints"),
		progress:     c.Bool("print-progress"),
	}
	if s.threads, s.cpu, err = decoding.Compute(c); err != nil {
		return s, err
	}
	if err := decoding.Check(c, decoding.Limit{Flag: "-on", Name: "offset-n", Lo: -decoding.MaxNumber, Hi: decoding.MaxNumber}); err != nil {
		return s, err
	}
	if s.options, err = search.Options(c); err != nil {
		return s, err
	}
	if s.detect {
		s.language = model.Auto
	}
	json := c.Bool("output-json-full")
	for _, f := range formats {
		if c.Bool(f.flag) && !(f.flag == "output-json" && json) {
			s.formats = append(s.formats, f)
		}
	}
	s.options.TokenTimes, s.options.SpecialText = json, s.special
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
