package serve

import (
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/whisperfile/whisperfile/cmd/internal/applet"
	whisper "github.com/whisperfile/whisperfile/cmd/internal/cli"
	"github.com/whisperfile/whisperfile/cmd/internal/decoding"
	"github.com/whisperfile/whisperfile/cmd/internal/models"
	"github.com/whisperfile/whisperfile/cmd/internal/sandbox"
	"github.com/whisperfile/whisperfile/ggml"
	"github.com/whisperfile/whisperfile/model"
)

// settings are the command line, understood.
type settings struct {
	Config
	host  string
	port  int
	grace time.Duration
	show  func(url string) // shows the page; nil for nobody

	sandbox *sandbox.Sandbox
	watched []string // files that are read again when they change
	served  []string // directories that were named, with all that is below

	threads int
	cpu     ggml.CPUOptions

	files     []ModelFile
	modelDir  string
	keepAlive time.Duration
	budget    int64
}

// understand checks the flags of c. Its errors are usage errors, or that a model is not there.
func understand(env applet.Env, c *cli.Context) (s settings, err error) {
	if c.NArg() > 0 {
		return s, whisper.Failf(whisper.Usage, "whisper-server takes flags alone: %s", c.Args().First())
	}
	err = decoding.Check(c,
		decoding.Limit{Flag: "--port", Name: "port", Lo: 0, Hi: math.MaxUint16},
		decoding.Limit{Flag: "--parallel", Name: "parallel", Lo: 1, Hi: model.Slots},
		decoding.Limit{Flag: "--queue", Name: "queue", Lo: 0, Hi: 1 << 20},
		decoding.Limit{Flag: "-on", Name: "offset-n", Lo: -decoding.MaxNumber, Hi: decoding.MaxNumber},
	)
	if err != nil {
		return s, err
	}
	s.host, s.port, s.grace, s.keepAlive = c.String("host"), c.Int("port"), c.Duration("grace"), c.Duration("keep-alive")
	s.Parallel, s.Queue = c.Int("parallel"), c.Int("queue")
	s.Limits = DefaultLimits
	s.Limits.Sound, s.Limits.Request, s.Limits.Stall = c.Duration("max-duration"), c.Duration("request-timeout"), c.Duration("stall-timeout")
	for _, name := range []string{"max-duration", "request-timeout", "keep-alive", "grace"} {
		if c.Duration(name) < 0 {
			return s, whisper.Failf(whisper.Usage, "--%s must not be negative", name)
		}
	}
	if s.Limits.Stall <= 0 {
		return s, whisper.Failf(whisper.Usage, "--stall-timeout must be above 0")
	}
	for _, size := range []struct {
		name string
		at   *int64
		lo   int64
	}{{"max-body", &s.Limits.Body, 1}, {"max-memory", &s.Limits.Held, 1 << 20}, {"memory-budget", &s.budget, 0}} {
		n, err := parseSize(c.String(size.name))
		if err != nil || n < size.lo {
			return s, whisper.Failf(whisper.Usage, "--%s takes a number of bytes, or of K, M, G or T, not %q", size.name, c.String(size.name))
		}
		*size.at = n
	}
	if s.threads, s.cpu, err = decoding.Compute(c); err != nil {
		return s, err
	}
	s.Defaults = Request{
		FirstNumber:           c.Int("offset-n"),
		NoTimestamps:          c.Bool("no-timestamps"),
		Detect:                c.Bool("detect-language"),
		NoLanguageProbability: c.Bool("no-language-probabilities"),
	}
	if s.Defaults.Options, err = search.Options(c); err != nil {
		return s, err
	}
	s.Language = c.IsSet("language") || s.Defaults.Detect
	if err := s.addresses(c); err != nil {
		return s, err
	}
	if err := s.conversion(c); err != nil {
		return s, err
	}
	if err := s.operation(env, c); err != nil {
		return s, err
	}
	if c.Bool("browser") && !c.Bool("nobrowser") {
		s.show = browse(env.Getenv, env.Sandbox.Of(c))
	}
	if c.Bool("print-realtime") {
		s.Print = func(line string) { fmt.Fprintln(env.Stdout, line) }
	}
	return s, s.chooseModels(env, c)
}

// addresses understands the flags that say what is served where.
func (s *settings) addresses(c *cli.Context) error {
	for _, p := range []struct {
		flag string
		at   *string
	}{{"request-path", &s.RequestPath}, {"inference-path", &s.InferencePath}} {
		path := strings.TrimSuffix(c.String(p.flag), "/")
		if path != "" && !strings.HasPrefix(path, "/") {
			path = "/" + path
		}
		if strings.ContainsAny(path, "?# \t\r\n") || strings.Contains(path, "//") {
			return whisper.Failf(whisper.Usage, "--%s takes a path such as /a/b, not %q", p.flag, c.String(p.flag))
		}
		*p.at = path
	}
	if s.InferencePath == "" {
		return whisper.Failf(whisper.Usage, "--inference-path takes a path such as /a/b")
	}
	dir := c.String("public")
	if dir == "" {
		return nil
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return whisper.Fail(whisper.Usage, fmt.Errorf("--public: %s: %w", dir, whisper.Bare(err)), "")
	}
	s.Public = root.FS()
	s.served = append(s.served, dir)
	return nil
}

// conversion understands the flags of ffmpeg.
func (s *settings) conversion(c *cli.Context) error {
	s.Convert, s.TempDir = c.Bool("convert"), c.String("tmp-dir")
	if s.Convert {
		var err error
		var failed *exec.Error
		s.FFmpeg, err = sandbox.LookPath("ffmpeg")
		switch {
		case errors.As(err, &failed) && failed.Err != exec.ErrNotFound:
			return whisper.Fail(whisper.Usage, fmt.Errorf("--convert needs ffmpeg, which others could have replaced: %w", failed.Err), "")
		case err != nil:
			return whisper.Fail(whisper.Usage, errors.New("--convert needs ffmpeg, which is not installed"), "without --convert wav, aiff, flac and mp3 are heard")
		}
	}
	if s.TempDir == "" {
		return nil
	}
	if st, err := os.Stat(s.TempDir); err != nil || !st.IsDir() {
		return whisper.Failf(whisper.Usage, "--tmp-dir: %s is no directory", s.TempDir)
	}
	return nil
}

// named is NAME=FILE.
var named = regexp.MustCompile(`^([A-Za-z0-9][A-Za-z0-9._-]*)=(.+)$`)

// chooseModels finds the models.
func (s *settings) chooseModels(env applet.Env, c *cli.Context) error {
	asked := c.StringSlice("model")
	if len(asked) == 0 {
		asked = []string{""}
	}
	for _, m := range asked {
		name := ""
		if f := named.FindStringSubmatch(m); f != nil {
			name, m = f[1], f[2]
		}
		o := s.Defaults.Options
		path, data, err := models.Weights(env, m, o.Language != "en" || o.Translate)
		if err != nil {
			return err
		}
		if name == "" {
			name = modelName(path)
		}
		s.files = append(s.files, ModelFile{Name: name, Path: path, Data: data})
	}
	if s.modelDir = c.String("model-dir"); s.modelDir != "" {
		s.served = append(s.served, s.modelDir)
	}
	switch st, err := os.Stat(s.modelDir); {
	case s.modelDir != "" && err != nil:
		return whisper.Fail(whisper.Usage, fmt.Errorf("--model-dir: %s: %w", s.modelDir, whisper.Bare(err)), "")
	case s.modelDir != "" && !st.IsDir():
		return whisper.Fail(whisper.Usage, fmt.Errorf("--model-dir: %s: %w", s.modelDir, fs.ErrInvalid), "")
	case s.modelDir == "" && s.files[0].Data == nil:
		s.modelDir = filepath.Dir(s.files[0].Path)
	}
	return nil
}

// parseSize reads a number of bytes: 1048576, 1024K, 1M.
func parseSize(s string) (int64, error) {
	shift := 0
	s = strings.TrimSuffix(strings.TrimSuffix(strings.ToUpper(s), "B"), "I")
	if n := len(s); n > 0 {
		if k := strings.IndexByte("KMGT", s[n-1]); k >= 0 {
			s, shift = s[:n-1], 10*(k+1)
		}
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err == nil && (n < 0 || n > math.MaxInt64>>shift) {
		err = strconv.ErrRange
	}
	return n << shift, err
}
