package serve

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/whisperfile/whisperfile/audio"
	"github.com/whisperfile/whisperfile/cmd/internal/applet"
	whisper "github.com/whisperfile/whisperfile/cmd/internal/cli"
	"github.com/whisperfile/whisperfile/cmd/internal/models"
	"github.com/whisperfile/whisperfile/ggml"
	"github.com/whisperfile/whisperfile/model"
)

// engine is a model in memory. Sessions run at the same time.
type engine interface {
	Info() model.Info
	NewSession() (session, error)
	Close() error // after all sessions
}

// session is model.Session, or a stand-in.
type session interface {
	Transcribe(ctx context.Context, src audio.Source, o model.Options, yield func(model.Segment) error) (model.Result, error)
	DetectLanguage(ctx context.Context, src audio.Source, o model.Options) ([]model.LanguageProb, error)
	Close() error
}

// opener opens the model of a path, or that of data where that is not nil.
type opener func(path string, data []byte) (engine, error)

// spare is how many threads of Go's there are beside those that compute, so that requests are answered while all of them do.
const spare = 2

// computer is what all models compute with: one pool of threads.
type computer struct {
	pool  *ggml.Pool
	cpu   ggml.CPUOptions
	procs int // GOMAXPROCS as it was
	gogc  int // the percentage of garbage as it was
}

// garbage is how much garbage may lie about before it is collected, in percent of what is in use. Most of that are keys and
// values of sessions, which hold no pointers and cost a collection nothing, but would let garbage grow as large as they are.
const garbage = 10

func newComputer(env applet.Env, threads int, o ggml.CPUOptions) *computer {
	procs := runtime.GOMAXPROCS(0)
	c := &computer{pool: ggml.NewPool(threads), cpu: o, procs: procs}
	runtime.GOMAXPROCS(procs + spare)
	if c.gogc = debug.SetGCPercent(garbage); c.gogc != 100 { // $GOGC says otherwise
		debug.SetGCPercent(c.gogc)
	}
	if lacks := ggml.LacksISA(); lacks != "" {
		fmt.Fprintf(env.Stderr, "whisper-server: this CPU has no %s: plain code runs instead, many times slower\n", lacks)
	}
	return c
}

func (c *computer) Close() {
	c.pool.Close()
	runtime.GOMAXPROCS(c.procs)
	debug.SetGCPercent(c.gogc)
}

func (c *computer) open(path string, data []byte) (_ engine, err error) {
	cpu, err := ggml.NewCPU(c.pool, c.cpu)
	if err != nil {
		return nil, whisper.Fail(whisper.Device, err, "")
	}
	m, err := models.Open(path, data, cpu)
	if err != nil {
		return nil, errors.Join(err, cpu.Close())
	}
	return &whisperEngine{m, cpu}, nil
}

type whisperEngine struct {
	*model.Model
	backend ggml.Backend
}

func (e *whisperEngine) NewSession() (session, error) { return e.Model.NewSession() }

func (e *whisperEngine) Close() error { return errors.Join(e.Model.Close(), e.backend.Close()) }
