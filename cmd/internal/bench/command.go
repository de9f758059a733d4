// Package bench is the program whisper-bench: how fast a model's passes, memory and products are on this machine.
package bench

import (
	"context"
	"errors"
	"fmt"

	"github.com/urfave/cli/v2"

	"github.com/whisperfile/whisperfile/cmd/internal/applet"
	whisper "github.com/whisperfile/whisperfile/cmd/internal/cli"
	"github.com/whisperfile/whisperfile/cmd/internal/devices"
	"github.com/whisperfile/whisperfile/cmd/internal/mangen"
	"github.com/whisperfile/whisperfile/cmd/internal/models"
	"github.com/whisperfile/whisperfile/cmd/internal/sandbox"
	"github.com/whisperfile/whisperfile/ggml"
)

const description = "-w 0 runs whisper.cpp's benchmark of a model and prints its lines on standard error: one window of silence encoded, 256 " +
	"tokens one by one, 64 steps of five rows, 16 prompts of 256 tokens. Times per run of the last two are per token. A step ranks " +
	"what may follow each of its rows and a prompt what may follow its last token, as a transcription does; whisper.cpp multiplies " +
	"every row of a prompt with the vocabulary.\n" +
	"-w 1 copies memory, 2 GB of it; -w 2 multiplies square matrices of every type. Neither needs a model.\n" +
	"--compare measures the passes on every set of instructions of this CPU, and the best one on 1, 2, … threads, and prints tables " +
	"on standard output. The floor is the least time that the work can take at the peak of this machine's multiply-adds and at the " +
	"speed of its memory, both measured in the same run. A machine that others keep busy, or that does not keep its own pace, is " +
	"said to be too noisy to tell."

var manual = mangen.Manual{
	Often: []string{"model", "threads", "what", "compare", "json", "csv", "svg", "list-devices"},
	Examples: []mangen.Item{
		{Term: "whisper-bench -m base -t 4", Text: "The benchmark of whisper.cpp, on four threads"},
		{Term: "whisper-bench -m base --compare --svg base.svg", Text: "Every set of instructions and every number of threads, beside what the machine allows"},
	},
	Environment: []mangen.Item{models.Variable, devices.Variable},
	SeeAlso:     []string{"whisper", "whisper-quantize"},
}

// New makes the command.
func New(env applet.Env) *cli.App {
	return &cli.App{
		Name:        "whisper-bench",
		Usage:       "measure how fast a model runs on this machine",
		Description: description,
		Metadata:    manual.Metadata(),
		Flags:       flags(),
		Action: func(c *cli.Context) error {
			if c.Bool("list-devices") {
				return devices.List(env.Stdout)
			}
			s, err := understand(c)
			if err != nil {
				return err
			}
			if err := devices.Choose(c); err != nil {
				return err
			}
			env := env
			env.Sandbox = env.Sandbox.Of(c)
			return run(c.Context, env, s)
		},
	}
}

func flags() []cli.Flag {
	const measuring, comparing = "Measuring", "Comparing"
	return append([]cli.Flag{
		&cli.StringFlag{Name: "model", Aliases: []string{"m"}, Category: measuring, Usage: "measure the model in `FILE` or of that name"},
		&cli.IntFlag{
			Name: "threads", Aliases: []string{"t"}, Category: measuring, Usage: "compute with `N` threads",
			Value: ggml.DefaultThreads(), DefaultText: "physical cores", Base: 10,
		},
		mangen.OneOf(
			&cli.IntFlag{Name: "what", Aliases: []string{"w"}, Category: measuring, Usage: "measure `N`: 0 the model, 1 copying memory, 2 matrix products", Base: 10},
			"0", "1", "2"),
		&cli.BoolFlag{Name: "flash-attn", Aliases: []string{"fa"}, Category: measuring, Usage: "without effect: attention never writes its scores to memory"},
		&cli.BoolFlag{Name: "no-flash-attn", Aliases: []string{"nfa"}, Category: measuring, Usage: "without effect"},
		&cli.BoolFlag{Name: "compare", Category: comparing, Usage: "compare sets of instructions, and numbers of threads up to -t"},
		&cli.BoolFlag{Name: "json", Category: comparing, Usage: "compare, and print JSON instead of tables"},
		&cli.BoolFlag{Name: "csv", Category: comparing, Usage: "compare, and print CSV instead of tables"},
		&cli.StringFlag{Name: "svg", Category: comparing, Usage: "compare, and draw roofline and scaling into `FILE`"},
	}, append(devices.Flags("Devices"), sandbox.Flag())...)
}

// settings are the command line, understood.
type settings struct {
	model   string // path or name; "" is the default
	threads int
	what    int

	compare   bool
	json, csv bool
	svg       string // file; "" for none
}

// maxThreads is where a number of threads is a slip of the finger.
const maxThreads = 1024

func understand(c *cli.Context) (settings, error) {
	s := settings{
		model: c.String("model"), threads: c.Int("threads"), what: c.Int("what"),
		json: c.Bool("json"), csv: c.Bool("csv"), svg: c.String("svg"),
	}
	s.compare = c.Bool("compare") || s.json || s.csv || s.svg != ""
	switch {
	case c.Args().Present():
		return s, whisper.Fail(whisper.Usage, fmt.Errorf("what to do with %q?", c.Args().First()), "-m names the model")
	case s.threads < 1 || s.threads > maxThreads:
		return s, whisper.Failf(whisper.Usage, "-t takes a number from 1 to %d, not %d", maxThreads, s.threads)
	case s.what < 0 || s.what > 2:
		return s, whisper.Fail(whisper.Usage, fmt.Errorf("unknown benchmark: %d", s.what), "-w 0 the model, -w 1 copying memory, -w 2 matrix products")
	case s.compare && c.IsSet("what"):
		return s, whisper.Failf(whisper.Usage, "--compare and -w are different benchmarks")
	case s.json && s.csv:
		return s, whisper.Failf(whisper.Usage, "standard output cannot be JSON and CSV")
	}
	return s, nil
}

func run(ctx context.Context, env applet.Env, s settings) error {
	policy := s.policy(env)
	env.Sandbox.Begin(policy)
	env.Sandbox.Enter(policy)
	switch {
	case s.compare:
		return runCompare(ctx, env, s)
	case s.what == 1:
		return copying(ctx, env.Stderr, s.threads, copySize)
	case s.what == 2:
		return products(ctx, env.Stderr, s.threads, productSizes)
	}
	e, err := open(env, s.model, s.threads, "")
	if err != nil {
		return err
	}
	return errors.Join(e.passes(ctx, env.Stderr, upstream), e.Close())
}

// policy is what measuring needs: the model, which is opened again and again, and how busy the machine is.
func (s settings) policy(env applet.Env) sandbox.Policy {
	p := sandbox.Policy{Read: []string{"/proc/stat"}}
	if path, data, err := models.Weights(env, s.model, false); err == nil && data == nil {
		p.Read = append(p.Read, path)
	}
	if s.svg != "" {
		p.Outputs = append(p.Outputs, s.svg)
	}
	return p
}

// runCompare refuses a picture that cannot be written before it measures anything.
func runCompare(ctx context.Context, env applet.Env, s settings) error {
	if s.svg != "" {
		if err := whisper.CanWrite(s.svg); err != nil {
			return whisper.Fail(whisper.Output, err, "")
		}
	}
	r, err := compare(ctx, env, s, thorough)
	if err != nil {
		return err
	}
	write := r.writeText
	switch {
	case s.json:
		write = r.writeJSON
	case s.csv:
		write = r.writeCSV
	}
	if err := write(env.Stdout); err != nil {
		return whisper.Fail(whisper.Output, err, "")
	}
	if s.svg != "" {
		return whisper.Fail(whisper.Output, whisper.WriteFile(s.svg, r.writeSVG), "")
	}
	return nil
}
