package bench

import (
	"context"
	"fmt"
	"io"
	"runtime"
	"time"

	"github.com/whisperfile/whisperfile/cmd/internal/cli"
	"github.com/whisperfile/whisperfile/ggml"
)

// Rows of a step of several and of a prompt.
const (
	batchRows    = 5
	promptTokens = 256
)

// amount is how often each pass is run.
type amount struct{ warmups, encodes, singles, batches, prompts int }

// upstream is the work of whisper.cpp's benchmark.
var upstream = amount{warmups: 2, encodes: 1, singles: 256, batches: 64, prompts: 16}

// timing is what one kind of pass took in all.
type timing struct {
	name  string
	spent time.Duration
	runs  int
}

// passes measures the model's passes as whisper.cpp does and prints its lines.
func (e *engine) passes(ctx context.Context, w io.Writer, n amount) error {
	fmt.Fprintf(w, "\nsystem_info: n_threads = %d / %d | %s | \n", e.pool.Threads(), runtime.NumCPU(), e.cpu.Device())
	for range n.warmups {
		if err := e.warm(ctx, n); err != nil {
			return refused(err)
		}
	}
	start := ggml.Now()
	timings, err := e.measure(ctx, n)
	if err != nil {
		return refused(err)
	}
	printTimings(w, e.opened, timings, since(start))
	return nil
}

// refused gives errors of a pass their exit code: only a model with an odd shape has any.
func refused(err error) error {
	if cli.CodeOf(err) == cli.Interrupted {
		return err
	}
	return cli.Fail(cli.Model, err, "")
}

func (e *engine) warm(ctx context.Context, n amount) error {
	if err := e.bench.Encode(ctx); err != nil {
		return err
	}
	if err := e.bench.Prompt(ctx, promptTokens); err != nil {
		return err
	}
	for past := range n.singles {
		if err := e.bench.Step(ctx, 1, past); err != nil {
			return err
		}
	}
	return e.bench.Step(ctx, batchRows, 0)
}

func (e *engine) measure(ctx context.Context, n amount) ([]timing, error) {
	b := e.bench
	var timings []timing
	for _, pass := range []struct {
		name         string
		times, count int // passes, and runs that a pass counts as
		run          func(i int) error
	}{
		{"encode", n.encodes, 1, func(int) error { return b.Encode(ctx) }},
		{"decode", n.singles, 1, func(i int) error { return b.Step(ctx, 1, i) }},
		{"batchd", n.batches, batchRows, func(int) error { return b.Step(ctx, batchRows, 0) }},
		{"prompt", n.prompts, promptTokens, func(int) error { return b.Prompt(ctx, promptTokens) }},
	} {
		start := ggml.Now()
		for i := range pass.times {
			if err := pass.run(i); err != nil {
				return nil, err
			}
		}
		timings = append(timings, timing{pass.name, since(start), pass.times * pass.count})
	}
	return timings, nil
}

// printTimings prints whisper.cpp's block. The time per run has a digit more, since a token of a prompt takes a tenth of a
// millisecond.
func printTimings(w io.Writer, load time.Duration, timings []timing, total time.Duration) {
	const prefix = "whisper_print_timings: "
	fmt.Fprintf(w, "\n%s    load time = %8.2f ms\n", prefix, ms(load))
	fmt.Fprintf(w, "%s    fallbacks = %3d p / %3d h\n", prefix, 0, 0)
	fmt.Fprintf(w, "%s     mel time = %8.2f ms\n", prefix, 0.0)
	for _, t := range append([]timing{{"sample", 0, 1}}, timings...) {
		fmt.Fprintf(w, "%s%8s time = %8.2f ms / %5d runs ( %8.3f ms per run)\n", prefix, t.name, ms(t.spent), t.runs, ms(t.spent)/float64(t.runs))
	}
	fmt.Fprintf(w, "%s   total time = %8.2f ms\n", prefix, ms(total))
}

// since returns how long ago start was: 1 ns at least, so that every rate is a number, whatever the clock did in between.
func since(start time.Time) time.Duration { return max(ggml.Now().Sub(start), 1) }

func ms(d time.Duration) float64 { return d.Seconds() * 1000 }
