package bench

import (
	"cmp"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"text/tabwriter"
)

// Report is what --compare found, as --json prints it. Times are in milliseconds, shares in percent.
type Report struct {
	Version string  `json:"version"`
	System  System  `json:"system"`
	Model   Model   `json:"model"`
	Noise   Noise   `json:"noise"`
	Rungs   []Rung  `json:"rungs"`   // the slowest first
	Scaling []Scale `json:"scaling"` // the last rung on 1, 2, … threads
}

// System is the machine. Threads is what the rungs were measured with.
type System struct {
	OS       string  `json:"os"`
	Arch     string  `json:"arch"`
	CPU      string  `json:"cpu"`
	Cores    int     `json:"cores"`
	Threads  int     `json:"threads"`
	ReadGBps float64 `json:"read_gbps"` // memory, all threads
}

// Model is what was measured.
type Model struct {
	Name string `json:"name"`
	Size string `json:"size"`
	Type string `json:"type"`
}

// Noise says how far the machine was left alone.
type Noise struct {
	Others float64 `json:"others_percent"` // share of all CPUs that others used before and after, the larger; 0 where it cannot be told
	Spin   float64 `json:"spin_percent"`   // by how much the slowest tenth of equal loops was slower than the fastest
	Quiet  bool    `json:"quiet"`          // good enough for figures one wants to rely on
}

// Rung is a set of instructions. PeakGFLOPS is what its multiply-adds reach at best, with all threads.
type Rung struct {
	ISA        string      `json:"isa"`
	PeakGFLOPS float64     `json:"peak_gflops"`
	Operations []Operation `json:"operations"`
}

// Scale is the same operations on another number of threads.
type Scale struct {
	Threads    int         `json:"threads"`
	Operations []Operation `json:"operations"`
}

// Operation is one kind of pass.
type Operation struct {
	Name   string  `json:"name"`
	Runs   int     `json:"runs"`
	Min    float64 `json:"min_ms"`
	Median float64 `json:"median_ms"`
	Spread float64 `json:"spread_percent"` // between the quartiles, in percent of the median

	// Speed is how many times as fast this is as the first rung, or as one thread.
	Speed float64 `json:"speed"`

	// Floor is the least time that the work can take at the peak of the last rung and at the speed of memory, FloorShare how
	// much of the median that is.
	Floor      float64 `json:"floor_ms"`
	FloorShare float64 `json:"floor_percent"`

	GFLOPS    float64 `json:"gflops"`    // reached
	Intensity float64 `json:"intensity"` // operations for each byte that must be read
}

// writeJSON prints r as one JSON object.
func (r *Report) writeJSON(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(r)
}

// csvHeader names the columns of --csv. A line is an operation of a rung ("rung") or of a number of threads ("threads").
var csvHeader = []string{
	"kind", "isa", "threads", "operation", "runs", "min_ms", "median_ms", "spread_percent", "speed", "floor_ms", "floor_percent",
	"gflops", "intensity", "peak_gflops", "read_gbps", "quiet",
}

func (r *Report) writeCSV(w io.Writer) error {
	out := csv.NewWriter(w)
	if err := out.Write(csvHeader); err != nil {
		return err
	}
	number := func(x float64) string { return strconv.FormatFloat(x, 'f', 3, 64) }
	line := func(kind string, rung Rung, threads int, o Operation) error {
		return out.Write([]string{
			kind, rung.ISA, strconv.Itoa(threads), o.Name, strconv.Itoa(o.Runs), number(o.Min), number(o.Median), number(o.Spread),
			number(o.Speed), number(o.Floor), number(o.FloorShare), number(o.GFLOPS), number(o.Intensity), number(rung.PeakGFLOPS),
			number(r.System.ReadGBps), strconv.FormatBool(r.Noise.Quiet),
		})
	}
	for _, rung := range r.Rungs {
		for _, o := range rung.Operations {
			if err := line("rung", rung, r.System.Threads, o); err != nil {
				return err
			}
		}
	}
	for _, s := range r.Scaling {
		for _, o := range s.Operations {
			if err := line("threads", r.Rungs[len(r.Rungs)-1], s.Threads, o); err != nil {
				return err
			}
		}
	}
	out.Flush()
	return out.Error()
}

// writeText prints tables for people.
func (r *Report) writeText(w io.Writer) error {
	fmt.Fprintf(w, "%s (%s, %s) on %s, %s/%s, %d threads\n", r.Model.Name, r.Model.Size, r.Model.Type, r.System.cpu(), r.System.OS, r.System.Arch, r.System.Threads)
	fmt.Fprintf(w, "memory is read at %.1f GB/s; at best", r.System.ReadGBps)
	for i, rung := range r.Rungs {
		fmt.Fprintf(w, "%s %s reaches %.1f GFLOP/s", map[bool]string{true: ","}[i > 0], rung.ISA, rung.PeakGFLOPS)
	}
	fmt.Fprintf(w, "\n%s\n\n", r.Noise.verdict())

	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(t, "operation\tisa\tmedian ms\tmin ms\tspread\truns\tx %s\tGFLOP/s\tof the floor\t\n", r.Rungs[0].ISA)
	for i := range r.Rungs[0].Operations {
		for _, rung := range r.Rungs {
			o := rung.Operations[i]
			fmt.Fprintf(t, "%s\t%s\t%.2f\t%.2f\t%.0f %%\t%d\t%.2f\t%.1f\t%.0f %%\t\n", o.Name, rung.ISA, o.Median, o.Min, o.Spread, o.Runs, o.Speed, o.GFLOPS, o.FloorShare)
		}
	}
	if err := t.Flush(); err != nil {
		return err
	}
	fmt.Fprintf(w, "\n%s, by threads: median ms and times as fast as one\n", r.Rungs[len(r.Rungs)-1].ISA)
	fmt.Fprint(t, "threads\t")
	for _, o := range r.Scaling[0].Operations {
		fmt.Fprintf(t, "%s\tx\t", o.Name)
	}
	fmt.Fprintln(t)
	for _, s := range r.Scaling {
		fmt.Fprintf(t, "%d\t", s.Threads)
		for _, o := range s.Operations {
			fmt.Fprintf(t, "%.2f\t%.2f\t", o.Median, o.Speed)
		}
		fmt.Fprintln(t)
	}
	return t.Flush()
}

// cpu names the processor, be it by its architecture.
func (s System) cpu() string { return cmp.Or(s.CPU, s.Arch+" processor") }

// verdict says whether the figures can be relied on.
func (n Noise) verdict() string {
	what := fmt.Sprintf("others used %.0f %% of the machine, equal loops differed by %.0f %%", n.Others, n.Spin)
	if n.Quiet {
		return "quiet: " + what
	}
	return "too noisy to tell: " + what
}
