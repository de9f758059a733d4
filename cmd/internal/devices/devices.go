// Package devices is what programs say about where they compute: the flags that choose a GPU and the list of those there
// are.
package devices

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/urfave/cli/v2"

	whisper "github.com/whisperfile/whisperfile/cmd/internal/cli"
	"github.com/whisperfile/whisperfile/cmd/internal/mangen"
	"github.com/whisperfile/whisperfile/ggml"
	"github.com/whisperfile/whisperfile/gpu"
)

// Variable is the one in the environment that says what to compute with.
var Variable = mangen.Item{Term: "WHISPER_ISA", Text: "the instructions to compute with, such as avx2 or neon, in place of the best that this machine has"}

// Flags are --gpu, --no-gpu and --list-devices, for the help's category of that name.
func Flags(category string) []cli.Flag {
	return []cli.Flag{
		mangen.OneOf(&cli.StringFlag{
			Name: "gpu", Category: category, Value: "auto",
			Usage: "compute on `NAME`: auto, disable, nvidia, amd or apple; auto is the CPU so far",
		}, "auto", "disable", "nvidia", "amd", "apple"),
		&cli.BoolFlag{Name: "no-gpu", Aliases: []string{"ng"}, Category: category, Usage: "compute on the CPU, as --gpu disable does"},
		&cli.BoolFlag{Name: "list-devices", Category: category, Usage: "list what there is to compute on, and why not more"},
	}
}

// kinds are the names that --gpu takes for a kind, those of drivers and libraries among them.
var kinds = map[string]gpu.Kind{
	"nvidia": gpu.CUDA, "cuda": gpu.CUDA, "cublas": gpu.CUDA,
	"amd": gpu.ROCm, "rocm": gpu.ROCm, "hip": gpu.ROCm, "rocblas": gpu.ROCm, "hipblas": gpu.ROCm,
	"apple": gpu.Metal, "metal": gpu.Metal,
}

// Choose refuses a GPU that was asked for by name and cannot be had. No error stands for the CPU.
func Choose(c *cli.Context) error {
	name := strings.ToLower(c.String("gpu"))
	if c.Bool("no-gpu") || name == "auto" || name == "disable" {
		return nil
	}
	kind, ok := kinds[name]
	if !ok {
		return whisper.Fail(whisper.Usage, fmt.Errorf("unknown device: --gpu %s", c.String("gpu")), "--gpu takes auto, disable, nvidia, amd or apple")
	}
	return whisper.Fail(whisper.Device, refuse(kind, gpu.Devices), "--gpu disable computes on the CPU; --list-devices says what there is")
}

// find is gpu.Devices, or a stand-in.
type find func() ([]gpu.Device, []*gpu.Absent)

// refuse says why no device of that kind can be used; nil where one can.
func refuse(kind gpu.Kind, find find) error {
	devices, absent := find()
	var errs []error
	for _, d := range devices {
		switch {
		case d.Kind != kind:
		case d.Err == nil:
			return nil
		default:
			errs = append(errs, fmt.Errorf("no device: %s: %s: %w", kind, d.Name, d.Err))
		}
	}
	for _, a := range absent {
		if a.Kind == kind {
			errs = append(errs, fmt.Errorf("no device: %w", a))
		}
	}
	return errors.Join(errs...)
}

// List prints the CPU and all GPUs, a line each, and for each kind that has none a line that begins with "no device:".
func List(w io.Writer) error { return list(w, gpu.Devices) }

func list(w io.Writer, find find) error {
	devices, absent := find()
	isas := ggml.ISAs()
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "KIND\tNAME\tMEMORY\tCAPABILITY\tDRIVER\tSTATE")
	fmt.Fprintf(t, "cpu\t%d cores\t-\t%s\t-\tready\n", ggml.DefaultThreads(), isas[len(isas)-1])
	for _, d := range devices {
		memory, state := "-", "ready"
		if d.Memory > 0 {
			memory = fmt.Sprintf("%.1f GiB", float64(d.Memory)/(1<<30))
		}
		if d.Err != nil {
			state = oneLine(d.Err)
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\n", d.Kind, d.Name, memory, cmp.Or(d.Capability, "-"), cmp.Or(d.Driver, "-"), state)
	}
	if err := t.Flush(); err != nil {
		return whisper.Fail(whisper.Output, err, "")
	}
	for _, a := range absent {
		if _, err := fmt.Fprintf(w, "no device: %s\n", oneLine(a)); err != nil {
			return whisper.Fail(whisper.Output, err, "")
		}
	}
	return nil
}

// oneLine joins the lines of an error, such as those of several attempts.
func oneLine(err error) string { return strings.ReplaceAll(err.Error(), "\n", "; ") }
