package transcribe

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"

	"github.com/whisperfile/whisperfile/audio"
	"github.com/whisperfile/whisperfile/cmd/internal/applet"
	whisper "github.com/whisperfile/whisperfile/cmd/internal/cli"
	"github.com/whisperfile/whisperfile/cmd/internal/models"
	"github.com/whisperfile/whisperfile/ggml"
	"github.com/whisperfile/whisperfile/model"
)

// whisperEngine is the engine that there is: a session of a model on the CPU.
type whisperEngine struct {
	name    string
	pool    *ggml.Pool
	backend ggml.Backend
	model   *model.Model
	session *model.Session
}

// openEngine opens the model that s names, else the one inside the program, else the default one that is found.
func openEngine(env applet.Env, s settings) (_ engine, err error) {
	// What is reserved here stays: looking for garbage each time it has doubled would only make a start longer.
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	name, data, err := models.Weights(env, s.model, s.anyLanguage())
	if err != nil {
		return nil, err
	}
	e := &whisperEngine{name: name, pool: ggml.NewPool(s.threads)}
	defer func() {
		if err != nil {
			e.Close()
		}
	}()
	cpu, err := ggml.NewCPU(e.pool, s.cpu)
	if err != nil {
		return nil, whisper.Fail(whisper.Device, err, "")
	}
	e.backend = cpu
	if lacks := ggml.LacksISA(); lacks != "" {
		fmt.Fprintf(env.Stderr, "whisper: this CPU has no %s: plain code runs instead, many times slower\n", lacks)
	}
	if e.model, err = models.Open(name, data, e.backend); err != nil {
		return nil, err
	}
	if e.session, err = e.model.NewSession(); err != nil {
		return nil, whisper.Fail(whisper.Device, err, "")
	}
	return e, nil
}

func (e *whisperEngine) Info() model.Info { return e.model.Info() }

func (e *whisperEngine) Name() string { return e.name }

func (e *whisperEngine) Device() string { return e.backend.Device() }

func (e *whisperEngine) Transcribe(ctx context.Context, src audio.Source, o model.Options, yield func(model.Segment) error) (model.Result, error) {
	return e.session.Transcribe(ctx, src, o, yield)
}

// Detect finds out the language of the first window; there are no segments.
func (e *whisperEngine) Detect(ctx context.Context, src audio.Source, o model.Options, _ func(model.Segment) error) (model.Result, error) {
	l, err := e.session.DetectLanguage(ctx, src, o)
	if err != nil {
		return model.Result{}, err
	}
	return model.Result{Language: l[0].Code, Languages: l}, nil
}

// Close gives everything back, in the order in which it hangs together.
func (e *whisperEngine) Close() error {
	var errs []error
	if e.session != nil {
		errs = append(errs, e.session.Close())
	}
	if e.model != nil {
		errs = append(errs, e.model.Close())
	}
	if e.backend != nil {
		errs = append(errs, e.backend.Close())
	}
	e.pool.Close()
	return errors.Join(errs...)
}
