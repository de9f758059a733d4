// Package quantize is the program whisper-quantize: a model in, a smaller one out.
package quantize

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/whisperfile/whisperfile/cmd/internal/applet"
	whisper "github.com/whisperfile/whisperfile/cmd/internal/cli"
	"github.com/whisperfile/whisperfile/cmd/internal/mangen"
	"github.com/whisperfile/whisperfile/cmd/internal/sandbox"
	"github.com/whisperfile/whisperfile/ggml"
)

// offered are the types a model can be turned into, in the order whisper.cpp lists its own.
var offered = []ggml.Type{
	ggml.Q2_K, ggml.Q3_K, ggml.Q4_0, ggml.Q4_1, ggml.Q4_K, ggml.Q5_0, ggml.Q5_1, ggml.Q5_K, ggml.Q6_K, ggml.Q8_0, ggml.F16,
}

// name returns what the command line calls t.
func name(t ggml.Type) string { return strings.ToLower(t.String()) }

// parseType takes a type's name or the number that stands in file headers.
func parseType(s string) (ggml.Type, error) {
	for _, t := range offered {
		if s == name(t) || s == strconv.Itoa(int(t.FType())) {
			return t, nil
		}
	}
	return 0, whisper.Fail(whisper.Usage, fmt.Errorf("unknown type %q", s), "types: "+strings.Join(names(offered), " "))
}

func names(types []ggml.Type) []string {
	var s []string
	for _, t := range types {
		s = append(s, name(t))
	}
	return s
}

// New makes the command.
func New(env applet.Env) *cli.App {
	var list []string
	for _, t := range offered {
		list = append(list, fmt.Sprintf("%s or %d", name(t), t.FType()))
	}
	return &cli.App{
		Name:      "whisper-quantize",
		Usage:     "make a Whisper model smaller",
		ArgsUsage: "IN OUT TYPE",
		Description: "IN is a whisper ggml file in single or half precision, or a directory with a model in CTranslate2's layout, which is " +
			"imported first. OUT becomes a ggml file with its matrices in TYPE, byte for byte the one whisper.cpp makes; f16 " +
			"rounds single to half precision.\nTYPE is one of: " + strings.Join(list, ", ") + ". Types that end in _k need rows that are a " +
			"multiple of 256, which those of tiny are not.",
		Metadata: mangen.Manual{
			Words: map[string][]string{"TYPE": names(offered)},
			Examples: []mangen.Item{
				{Term: "whisper-quantize ggml-base.bin ggml-base-q5_1.bin q5_1", Text: "A model of 5.5 bits a weight"},
			},
			SeeAlso: []string{"whisper", "whisper-bench"},
		}.Metadata(),
		Flags: []cli.Flag{
			&cli.IntFlag{Name: "threads", Aliases: []string{"t"}, Usage: "compute with `N` threads", Value: ggml.DefaultThreads(), DefaultText: "physical cores", Base: 10},
			sandbox.Flag(),
		},
		Action: func(c *cli.Context) error {
			args := c.Args().Slice()
			if len(args) != 3 {
				return whisper.Fail(whisper.Usage, fmt.Errorf("%d arguments instead of IN OUT TYPE", len(args)), "usage: whisper-quantize IN OUT TYPE, with a type of "+strings.Join(names(offered), " "))
			}
			if c.Int("threads") < 1 {
				return whisper.Failf(whisper.Usage, "--threads must be at least 1")
			}
			t, err := parseType(args[2])
			if err != nil {
				return err
			}
			env := env
			env.Sandbox = env.Sandbox.Of(c)
			return run(c.Context, env, args[0], args[1], t, c.Int("threads"))
		},
	}
}

// fits returns the offered types whose blocks divide rows of that many numbers.
func fits(cols int) []ggml.Type {
	return slices.DeleteFunc(slices.Clone(offered), func(t ggml.Type) bool { return cols%t.Block() != 0 })
}
