package serve

import (
	"crypto/tls"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/whisperfile/whisperfile/cmd/internal/applet"
	whisper "github.com/whisperfile/whisperfile/cmd/internal/cli"
	"github.com/whisperfile/whisperfile/cmd/internal/decoding"
	"github.com/whisperfile/whisperfile/cmd/internal/mangen"
)

// operating are the flags of those who run the server for others.
func operating() []cli.Flag {
	const category = "Operation"
	return []cli.Flag{
		decoding.Text("api-key-file", "", category, "let in only those who send one of the keys in `FILE`, a line each, as Authorization: Bearer KEY; the page asks for it, /health and /ready are open", ""),
		decoding.Number("rate", "", category, "take `N` requests a minute of each key or address; 0 takes all", 0),
		decoding.List("cors-origin", "", category, "let web pages of `ORIGIN`, such as https://example.org, use this server; * lets all; may repeat"),
		decoding.Text("tls-cert", "", category, "speak TLS with the certificate, and the chain below it, in `FILE`", ""),
		decoding.Text("tls-key", "", category, "whose key is in `FILE`", ""),
		mangen.OneOf(decoding.Text("log-format", "", category, "log to standard error as `FORMAT`, text or json; never what was said", "text"), "text", "json"),
		mangen.OneOf(decoding.Text("log-level", "", category, "log from `LEVEL` on: debug, info, warn, error, or off", "info"), "debug", "info", "warn", "error", "off"),
	}
}

// maxRate is the most that --rate takes: more is no limit.
const maxRate = 1_000_000

// operation understands those flags.
func (s *settings) operation(env applet.Env, c *cli.Context) (err error) {
	if s.Log, err = logger(env.Stderr, c.String("log-format"), c.String("log-level")); err != nil {
		return err
	}
	if s.Rate = c.Int("rate"); s.Rate < 0 || s.Rate > maxRate {
		return whisper.Failf(whisper.Usage, "--rate takes a number from 0 to %d", maxRate)
	}
	s.Origins = c.StringSlice("cors-origin")
	for _, o := range s.Origins {
		if o != "*" {
			if err := checkOrigin(o); err != nil {
				return whisper.Fail(whisper.Usage, fmt.Errorf("--cors-origin: %w", err), "")
			}
		}
	}
	if path := c.String("api-key-file"); path != "" {
		s.watched = append(s.watched, path)
		s.Keys, err = watch(s.Log, func() (keySums, error) { return readKeys(path) }, path)
		if err != nil {
			return whisper.Fail(whisper.Usage, fmt.Errorf("--api-key-file: %s: %w", path, whisper.Bare(err)), "")
		}
	}
	if env.Getenv != nil {
		s.Tell = manager(env.Getenv("NOTIFY_SOCKET"))
	}
	return s.encryption(c.String("tls-cert"), c.String("tls-key"))
}

func (s *settings) encryption(cert, key string) (err error) {
	switch {
	case cert == "" && key == "":
		return nil
	case cert == "" || key == "":
		return whisper.Failf(whisper.Usage, "--tls-cert and --tls-key go together")
	}
	s.watched = append(s.watched, cert, key)
	if s.TLS, err = watch(s.Log, func() (*tls.Certificate, error) { return readCertificate(cert, key) }, cert, key); err != nil {
		return whisper.Fail(whisper.Usage, fmt.Errorf("--tls-cert and --tls-key: %w", err), "")
	}
	return nil
}

// levels are those that a log can start from.
var levels = []string{"debug", "info", "warn", "error", "off"}

// logger makes a log.
func logger(w io.Writer, format, level string) (*slog.Logger, error) {
	if !slices.Contains(levels, level) {
		return nil, whisper.Failf(whisper.Usage, "--log-level takes one of %s, not %q", strings.Join(levels, ", "), level)
	}
	var least slog.Level
	if level == "off" {
		least = slog.LevelError + 1
	} else if err := least.UnmarshalText([]byte(level)); err != nil {
		return nil, err
	}
	o := &slog.HandlerOptions{Level: least}
	switch format {
	case "text":
		return slog.New(slog.NewTextHandler(w, o)), nil
	case "json":
		return slog.New(slog.NewJSONHandler(w, o)), nil
	}
	return nil, whisper.Failf(whisper.Usage, "--log-format takes text or json, not %q", format)
}
