package bench

import (
	"context"
	"errors"
	"path/filepath"
	"runtime"
	"slices"
	"time"

	"github.com/whisperfile/whisperfile/cmd/internal/applet"
	whisper "github.com/whisperfile/whisperfile/cmd/internal/cli"
	"github.com/whisperfile/whisperfile/ggml"
	"github.com/whisperfile/whisperfile/model"
)

// operation is a pass to be measured.
type operation struct {
	name string
	run  func(ctx context.Context, b *model.Bench, i int) error // i counts the runs
	work func(b *model.Bench) model.Work
}

var operations = []operation{
	{
		"encode",
		func(ctx context.Context, b *model.Bench, _ int) error { return b.Encode(ctx) },
		(*model.Bench).EncodeWork,
	},
	{
		"step of 1 row",
		func(ctx context.Context, b *model.Bench, i int) error { return b.Step(ctx, 1, i*8%upstream.singles) },
		func(b *model.Bench) model.Work { return b.StepWork(1) },
	},
	{
		"step of 5 rows",
		func(ctx context.Context, b *model.Bench, _ int) error { return b.Step(ctx, batchRows, 0) },
		func(b *model.Bench) model.Work { return b.StepWork(batchRows) },
	},
	{
		"prompt of 256",
		func(ctx context.Context, b *model.Bench, _ int) error { return b.Prompt(ctx, promptTokens) },
		func(b *model.Bench) model.Work { return b.PromptWork(promptTokens) },
	},
}

// effort says how often a pass is repeated: until enough time was spent on it, but at least and at most so many times, and
// once only where it takes longer than patience.
type effort struct {
	least, most      int
	enough, patience time.Duration
}

// thorough is the effort of the program.
var thorough = effort{least: 3, most: 64, enough: time.Second, patience: 2 * time.Second}

// comparison is a run of --compare.
type comparison struct {
	env    applet.Env
	s      settings
	effort effort
	isas   []string
	report Report
	bar    *whisper.Bar
	done   int
}

// compare measures every rung of this CPU, and the best one on every number of threads.
func compare(ctx context.Context, env applet.Env, s settings, e effort) (*Report, error) {
	c := &comparison{env: env, s: s, effort: e, isas: ggml.ISAs()}
	counts := threadCounts(min(s.threads, runtime.NumCPU()))
	c.bar = whisper.NewBar(env, "measuring", int64(len(operations)*(len(c.isas)+len(counts))+len(c.isas)))
	defer c.bar.Close()

	before, err := listen(ctx)
	if err != nil {
		return nil, err
	}
	if err := c.rungs(ctx); err != nil {
		return nil, err
	}
	if err := c.threads(ctx, counts); err != nil {
		return nil, err
	}
	after, err := listen(ctx)
	if err != nil {
		return nil, err
	}
	c.report.Noise = before.worse(after)
	return &c.report, nil
}

// threadCounts lists 1, 2, 3, 4, then 6, 8, 12, 16, 24, … up to n, and n.
func threadCounts(n int) []int {
	var counts []int
	for k, step := 1, 1; k < n; k += step {
		counts = append(counts, k)
		if k >= 4 && k&(k-1) == 0 {
			step = k / 2
		}
	}
	return append(counts, n)
}

// advance moves the bar by one.
func (c *comparison) advance() {
	c.done++
	c.bar.Set(int64(c.done))
}

// rungs measures all operations on all rungs: a run of each in turn, so that what disturbs the machine disturbs all.
func (c *comparison) rungs(ctx context.Context) (err error) {
	var engines []*engine
	defer func() {
		for _, e := range engines {
			err = errors.Join(err, e.Close())
		}
	}()
	for _, isa := range c.isas {
		e, err := open(c.env, c.s.model, c.s.threads, isa)
		if err != nil {
			return err
		}
		engines = append(engines, e)
	}
	c.describe(engines[0])
	best := ggml.Peak{}
	for i, e := range engines {
		if best, err = e.cpu.Peak(ctx); err != nil {
			return err
		}
		c.report.Rungs = append(c.report.Rungs, Rung{ISA: c.isas[i], PeakGFLOPS: best.Ops / 1e9})
		c.advance()
	}
	c.report.System.ReadGBps = best.Bytes / 1e9
	for _, op := range operations {
		times, err := c.alternate(ctx, engines, op)
		if err != nil {
			return err
		}
		for i, e := range engines {
			o := sum(op.name, times[i], op.work(e.bench), best)
			if r := c.report.Rungs[0].Operations; i > 0 {
				o.Speed = r[len(r)-1].Median / o.Median
			}
			c.report.Rungs[i].Operations = append(c.report.Rungs[i].Operations, o)
		}
	}
	return nil
}

func (c *comparison) describe(e *engine) {
	info := e.model.Info()
	c.report.Version = whisper.Version()
	c.report.Model = Model{Name: filepath.Base(e.name), Size: info.Type, Type: info.Header.Type().String()}
	c.report.System = System{
		OS: runtime.GOOS, Arch: runtime.GOARCH, CPU: ggml.CPUName(), Cores: ggml.DefaultThreads(), Threads: e.pool.Threads(),
	}
}

// threads measures the last rung on each number of threads.
func (c *comparison) threads(ctx context.Context, counts []int) error {
	last := c.report.Rungs[len(c.report.Rungs)-1]
	peak := ggml.Peak{Ops: last.PeakGFLOPS * 1e9, Bytes: c.report.System.ReadGBps * 1e9}
	for _, n := range counts {
		e, err := open(c.env, c.s.model, n, last.ISA)
		if err != nil {
			return err
		}
		s := Scale{Threads: n}
		for j, op := range operations {
			times, err := c.alternate(ctx, []*engine{e}, op)
			if err != nil {
				return errors.Join(err, e.Close())
			}
			o := sum(op.name, times[0], op.work(e.bench), peak)
			if len(c.report.Scaling) > 0 {
				o.Speed = c.report.Scaling[0].Operations[j].Median / o.Median
			}
			s.Operations = append(s.Operations, o)
		}
		c.report.Scaling = append(c.report.Scaling, s)
		if err := e.Close(); err != nil {
			return err
		}
	}
	return nil
}

// alternate runs op on each engine in turn, once to warm up and then until each has enough, and returns how long the runs
// of each took.
func (c *comparison) alternate(ctx context.Context, engines []*engine, op operation) ([][]time.Duration, error) {
	times, spent := make([][]time.Duration, len(engines)), make([]time.Duration, len(engines))
	least := make([]int, len(engines))
	for round := -1; ; round++ {
		more := false
		for i, e := range engines {
			if round > 0 && (round >= c.effort.most || round >= least[i] && spent[i] >= c.effort.enough) {
				continue
			}
			start := ggml.Now()
			if err := op.run(ctx, e.bench, max(round, 0)); err != nil {
				return nil, refused(err)
			}
			took := since(start)
			if round < 0 {
				least[i] = c.effort.least
				if took > c.effort.patience {
					least[i] = 1
				}
			} else {
				times[i], spent[i] = append(times[i], took), spent[i]+took
			}
			more = true
		}
		if !more {
			break
		}
	}
	for range engines {
		c.advance()
	}
	return times, nil
}

// sum turns the times of an operation into what is reported of it. Its Speed is 1.
func sum(name string, times []time.Duration, w model.Work, peak ggml.Peak) Operation {
	sorted := slices.Sorted(slices.Values(times))
	median := quantile(sorted, 0.5)
	floor := 1000 * max(w.Ops/peak.Ops, w.Bytes/peak.Bytes)
	return Operation{
		Name: name, Runs: len(times), Min: ms(sorted[0]), Median: median,
		Spread: 100 * (quantile(sorted, 0.75) - quantile(sorted, 0.25)) / median,
		Speed:  1, Floor: floor, FloorShare: 100 * floor / median,
		GFLOPS: w.Ops / median / 1e6, Intensity: w.Ops / w.Bytes,
	}
}

// quantile returns the time in milliseconds that the share q of sorted lies below, interpolated.
func quantile(sorted []time.Duration, q float64) float64 {
	at := q * float64(len(sorted)-1)
	i := int(at)
	if i+1 == len(sorted) {
		return ms(sorted[i])
	}
	return ms(sorted[i]) + (at-float64(i))*ms(sorted[i+1]-sorted[i])
}
