package bench

import (
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/whisperfile/whisperfile/cmd/internal/applet"
	"github.com/whisperfile/whisperfile/cmd/internal/cli"
	"github.com/whisperfile/whisperfile/cmd/internal/models"
	"github.com/whisperfile/whisperfile/ggml"
	"github.com/whisperfile/whisperfile/model"
)

// engine is a model on the CPU, opened to be measured.
type engine struct {
	name   string
	pool   *ggml.Pool
	cpu    *ggml.CPU
	model  *model.Model
	bench  *model.Bench
	opened time.Duration // what opening took
}

// open opens the model of that name, else the one inside the program, else the default one that is found. isa is as in
// ggml.CPUOptions.
func open(env applet.Env, name string, threads int, isa string) (_ *engine, err error) {
	start := ggml.Now()
	e := &engine{pool: ggml.NewPool(threads)}
	defer func() {
		if err != nil {
			err = errors.Join(err, e.Close())
		}
	}()
	if e.cpu, err = ggml.NewCPU(e.pool, ggml.CPUOptions{ISA: isa}); err != nil {
		return nil, cli.Fail(cli.Device, err, "")
	}
	if err := e.load(env, name); err != nil {
		hint := models.Hint
		var format *ggml.FormatError
		if errors.As(err, &format) {
			hint = ""
		}
		return nil, cli.Fail(cli.Model, err, hint)
	}
	if e.bench, err = e.model.NewBench(); err != nil {
		return nil, cli.Fail(cli.Device, err, "")
	}
	e.opened = since(start)
	return e, nil
}

func (e *engine) load(env applet.Env, name string) error {
	path, data, err := models.Weights(env, name, false)
	if err != nil {
		return err
	}
	e.name = path
	if data != nil {
		e.model, err = model.OpenData(path, data, e.cpu)
		return err
	}
	e.model, err = model.Open(path, e.cpu)
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("model file not found: %s", path)
	}
	return err
}

// Close gives everything back, in the order in which it hangs together.
func (e *engine) Close() error {
	var errs []error
	if e.bench != nil {
		errs = append(errs, e.bench.Close())
	}
	if e.model != nil {
		errs = append(errs, e.model.Close())
	}
	if e.cpu != nil {
		errs = append(errs, e.cpu.Close())
	}
	e.pool.Close()
	return errors.Join(errs...)
}
