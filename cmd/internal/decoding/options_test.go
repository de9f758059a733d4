package decoding

import (
	"context"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/urfave/cli/v2"

	"github.com/whisperfile/whisperfile/cmd/internal/applet"
	whisper "github.com/whisperfile/whisperfile/cmd/internal/cli"
	"github.com/whisperfile/whisperfile/model"
)

func understand(t *testing.T, d Defaults, args string) (o model.Options, stderr string) {
	t.Helper()
	app := &cli.App{
		Name: "hear", Flags: append(append(Span(), Computing()...), d.Flags()...),
		Action: func(c *cli.Context) (err error) {
			if _, _, err = Compute(c); err == nil {
				o, err = d.Options(c)
			}
			return err
		},
	}
	var b strings.Builder
	whisper.Run(context.Background(), applet.Env{Args: strings.Fields(args), Stdout: io.Discard, Stderr: &b}, app)
	return o, b.String()
}

func TestOptions(t *testing.T) {
	plain := func(change func(*model.Options)) model.Options {
		o := model.Options{
			Language: "en", BeamSize: 5, BestOf: 4, TemperatureStep: 0.2, EntropyThreshold: 2.4, LogProbThreshold: -1, NoSpeechThreshold: 0.6,
		}
		change(&o)
		return o
	}
	for args, want := range map[string]model.Options{
		"":              plain(func(*model.Options) {}),
		"-l French -tr": plain(func(o *model.Options) { o.Language, o.Translate = "fr", true }),
		"-dl -l fr":     plain(func(o *model.Options) { o.Language = model.Auto }),
		"-mc 0 -bs 1":   plain(func(o *model.Options) { o.MaxContext, o.BeamSize = -1, 1 }),
		"-mc 20":        plain(func(o *model.Options) { o.MaxContext = 20 }),
		"-et 0 -ot 20 -d 10": plain(func(o *model.Options) {
			o.EntropyThreshold, o.Offset, o.Duration = -1, 20*time.Millisecond, 10*time.Millisecond
		}),
		"-tpi 0":                plain(func(o *model.Options) { o.NoFallback, o.TemperatureStep = true, 0 }),
		"-lpt 0 -nth 0 -ml 9":   plain(func(o *model.Options) { o.LogProbThreshold, o.NoSpeechThreshold, o.MaxLen = NotZero(0), NotZero(0), 9 }),
		"-t 4 --precision auto": plain(func(*model.Options) {}),
	} {
		got, stderr := understand(t, Defaults{BeamSize: 5, BestOf: 4}, args)
		if diff := cmp.Diff(want, got); diff != "" || stderr != "" {
			t.Errorf("%s: %s%s", args, stderr, diff)
		}
	}
	if o, stderr := understand(t, Defaults{BeamSize: -1, BestOf: 2}, "-bs -1"); o.BeamSize != 0 || o.BestOf != 2 || stderr != "" {
		t.Errorf("-bs -1: %+v %s", o, stderr)
	}
	for args, want := range map[string]string{
		"-bs -1":            "-bs takes a number from 1 to 8, not -1",
		"-t 0":              "-t takes a number from 1 to 1024, not 0",
		"--precision exact": `--precision takes auto or float, not "exact"`,
		"-l zz":             `unknown language: "zz"`,
		"-tp 2":             "temperature: must lie within 0 and 1",
	} {
		if _, stderr := understand(t, Defaults{BeamSize: 5, BestOf: 4}, args); !strings.HasPrefix(stderr, "hear: "+want+"\n") {
			t.Errorf("%s: %s", args, stderr)
		}
	}
}
