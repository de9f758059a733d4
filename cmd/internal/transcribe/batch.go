package transcribe

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/whisperfile/whisperfile/audio"
	"github.com/whisperfile/whisperfile/cmd/internal/applet"
	whisper "github.com/whisperfile/whisperfile/cmd/internal/cli"
	"github.com/whisperfile/whisperfile/cmd/internal/transcript"
	"github.com/whisperfile/whisperfile/model"
)

// parts are what a batch hears with.
type parts struct {
	engine func(applet.Env, settings) (engine, error)
	sound  func(ctx context.Context, env applet.Env, name string, convert bool) (sound, error)
}

// engine is a model that is ready to hear.
type engine interface {
	Info() model.Info
	Name() string   // the model's path or name
	Device() string // what computes
	Transcribe(ctx context.Context, src audio.Source, o model.Options, yield func(model.Segment) error) (model.Result, error)
	Detect(ctx context.Context, src audio.Source, o model.Options, yield func(model.Segment) error) (model.Result, error)
	Close() error
}

// sound is an input, opened.
type sound interface {
	audio.Source
	Warning() string // what is wrong with it although it could be heard; "" for nothing
	Close() error
}

// batch hears one input after another.
type batch struct {
	env applet.Env
	settings
	parts
}

// run hears all inputs. What fails is reported as it happens; inputs do not suffer from each other.
func (b *batch) run(ctx context.Context) error {
	tasks, err := plan(b.settings)
	if err != nil {
		return err
	}
	policy := b.policy(tasks)
	b.env.Sandbox.Begin(policy)
	var failed []error
	fail := func(err error) {
		failed = append(failed, err)
		whisper.Report(b.env.Stderr, "whisper", err)
	}
	var there []task
	for _, t := range tasks {
		if err := missing(t.input); err != nil {
			fail(err)
			continue
		}
		there = append(there, t)
	}
	if len(there) == 0 {
		return whisper.Reported(whisper.Input)
	}
	for _, t := range there {
		if err := b.check(t); err != nil {
			return err
		}
	}
	e, err := b.engine(b.env, b.settings)
	if err != nil {
		return err
	}
	defer e.Close()
	if err := b.fit(e.Info()); err != nil {
		return err
	}
	b.env.Sandbox.Enter(policy)
	for _, t := range there {
		err := b.hear(ctx, e, t)
		if ctx.Err() != nil {
			if err != nil && !errors.Is(err, ctx.Err()) {
				fail(err)
			}
			return ctx.Err()
		}
		if err == nil {
			continue
		}
		fail(err)
		if code := whisper.CodeOf(err); errors.Is(err, errStdout) || code == whisper.Device {
			return whisper.Reported(code)
		}
	}
	switch {
	case len(failed) == 0:
		return nil
	case len(failed) < len(tasks):
		return whisper.Reported(whisper.Partial)
	}
	return whisper.Reported(whisper.CodeOf(failed[0]))
}

// fit holds the options against what the model can do.
func (b *batch) fit(m model.Info) error {
	o := &b.options
	switch {
	case o.Translate && !m.Translates():
		return whisper.Fail(whisper.Usage, errors.New("the model cannot translate"),
			"tiny, base, small, medium and large-v3 can; English-only models, turbo and the distilled ones cannot")
	case !m.Multilingual && o.Language != "en":
		if o.Language != model.Auto {
			b.note("warning: model is not multilingual, ignoring language")
		}
		o.Language, b.language = "en", "en"
	case o.Language != model.Auto && !m.Knows(o.Language):
		return whisper.Failf(whisper.Usage, "the model does not know the language %s", o.Language)
	}
	return nil
}

// missing returns an error where there is no such input, before a model is opened for it.
func missing(name string) error {
	if name == "-" {
		return nil
	}
	info, err := os.Stat(name)
	switch {
	case err != nil:
		return inputFailed(name, err)
	case info.IsDir():
		return inputFailed(name, errors.New("is a directory"))
	}
	return nil
}

func inputFailed(name string, err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return whisper.Failf(whisper.Input, "input file not found: %s", name)
	}
	if strings.HasPrefix(err.Error(), name+": ") {
		return whisper.Failf(whisper.Input, "cannot read the sound: %w", err)
	}
	return whisper.Failf(whisper.Input, "cannot read the sound: %s: %w", name, whisper.Bare(err))
}

// hear hears one input and writes its files. When ctx ends, what was heard before is written.
func (b *batch) hear(ctx context.Context, e engine, t task) (err error) {
	in, err := b.sound(ctx, b.env, t.input, b.convert)
	if err != nil {
		return err
	}
	defer in.Close()
	tr := &transcript.Transcript{
		System:      e.Device(),
		Model:       e.Info(),
		Params:      transcript.Params{Model: e.Name(), Language: b.language, Translate: b.options.Translate},
		FirstNumber: b.firstNumber,
		Turns:       b.options.SpeakerTurns,
	}
	l := b.newLive(tr.Model)
	p := b.newProgress(t)
	defer func() { p.bar.Close() }()
	o := b.options
	o.Progress = p.set
	src := &source{Source: in}
	hear := e.Transcribe
	if b.detect {
		hear = e.Detect
	}
	r, err := hear(ctx, src, o, func(s model.Segment) error {
		if len(b.formats) > 0 {
			tr.Segments = append(tr.Segments, s)
		}
		if t.stdout {
			return nil
		}
		p.bar.Hide()
		return l.print(s)
	})
	p.bar.Close()
	if w := in.Warning(); w != "" && !b.quiet {
		b.note("warning: %s: %s", t.input, strings.TrimPrefix(w, t.input+": "))
	}
	stopped := ctx.Err() != nil && !errors.Is(err, errStdout)
	switch {
	case err == nil, stopped && len(tr.Segments) > 0:
	case stopped, errors.Is(err, errStdout):
		return err
	case src.err != nil:
		return inputFailed(t.input, err)
	default:
		return whisper.Fail(whisper.Device, fmt.Errorf("%s: %s: %w", e.Device(), t.input, err), "")
	}
	tr.Language, tr.Languages = r.Language, r.Languages
	if err := b.found(t, r); err != nil {
		return err
	}
	return errors.Join(l.end(b.env.Terminal.Stdout), b.write(t, tr))
}

// found says what language was found out: on standard output where that is all that was asked for.
func (b *batch) found(t task, r model.Result) error {
	if len(r.Languages) == 0 {
		return nil
	}
	line := fmt.Sprintf("auto-detected language: %s (p = %f)", r.Languages[0].Code, r.Languages[0].P)
	switch {
	case b.detect && !t.stdout:
		_, err := fmt.Fprintln(b.env.Stdout, line)
		return stdoutFailed(err)
	case !b.quiet:
		b.note("%s", line)
	}
	return nil
}

func (b *batch) newLive(m model.Info) *live {
	return &live{w: b.env.Stdout, noTimestamps: b.noTimestamps, special: b.special, colors: b.colors, turns: b.options.SpeakerTurns, endOfText: transcript.EndOfText(m)}
}

func (b *batch) newProgress(t task) *progress {
	p := &progress{}
	switch {
	case t.stdout:
	case b.settings.progress:
		p.lines = b.env.Stderr
	case !b.quiet:
		p.newBar = func(total int64) *whisper.Bar { return whisper.NewBar(b.env, "whisper", total) }
	}
	return p
}
