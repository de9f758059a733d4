package bench

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"encoding/xml"
	"errors"
	"flag"
	"io"
	"math"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/whisperfile/whisperfile/cmd/internal/applet"
	"github.com/whisperfile/whisperfile/ggml"
	"github.com/whisperfile/whisperfile/model"
)

var update = flag.Bool("update", false, "write the golden files anew")

// sample is a report as of a machine with two rungs and up to three threads.
func sample() *Report {
	ops := func(speed float64) []Operation {
		peak := ggml.Peak{Ops: 200e9, Bytes: 20e9}
		var all []Operation
		for _, o := range []struct {
			name string
			ms   int
			work model.Work
		}{
			{"encode", 8000, model.Work{Ops: 97e9, Bytes: 48e6}},
			{"step of 1 row", 96, model.Work{Ops: 115e6, Bytes: 115e6}},
			{"step of 5 rows", 120, model.Work{Ops: 575e6, Bytes: 115e6}},
			{"prompt of 256", 1300, model.Work{Ops: 15e9, Bytes: 115e6}},
		} {
			d := time.Duration(float64(o.ms) * float64(time.Millisecond) / speed)
			s := sum(o.name, []time.Duration{d + d/10, d, d + d/5}, o.work, peak)
			s.Speed = speed
			all = append(all, s)
		}
		return all
	}
	return &Report{
		Version: "1.2.3",
		System:  System{OS: "linux", Arch: "amd64", CPU: "Example & Sons <CPU>", Cores: 3, Threads: 3, ReadGBps: 20},
		Model:   Model{Name: "ggml-base.bin", Size: "base", Type: "f16"},
		Noise:   Noise{Others: 7, Spin: 3}.judge(),
		Rungs:   []Rung{{"generic", 8, ops(1)}, {"avx2", 200, ops(8)}},
		Scaling: []Scale{{1, ops(1)}, {2, ops(1.9)}, {3, ops(2.6)}},
	}
}

// TestReport holds every form of a report against its golden file.
func TestReport(t *testing.T) {
	r := sample()
	for name, write := range map[string]func(io.Writer) error{
		"report.txt": r.writeText, "report.json": r.writeJSON, "report.csv": r.writeCSV, "report.svg": r.writeSVG,
	} {
		var b bytes.Buffer
		if err := write(&b); err != nil {
			t.Fatal(err)
		}
		path := filepath.Join("testdata", name)
		if *update {
			if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(string(want), b.String()); d != "" {
			t.Errorf("%s, -want +got:\n%s", name, d)
		}
	}
}

// wellFormed fails where an image is no XML.
func wellFormed(t *testing.T, r *Report) {
	t.Helper()
	var b bytes.Buffer
	if err := r.writeSVG(&b); err != nil {
		t.Fatal(err)
	}
	elements := 0
	for d := xml.NewDecoder(&b); ; {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		start, ok := token.(xml.StartElement)
		if !ok {
			continue
		}
		elements++
		for _, a := range start.Attr {
			if bytes.Contains([]byte(a.Value), []byte("NaN")) || bytes.Contains([]byte(a.Value), []byte("Inf")) {
				t.Errorf("<%s %s=%q>", start.Name.Local, a.Name.Local, a.Value)
			}
		}
	}
	if elements < 50 {
		t.Errorf("only %d elements", elements)
	}
}

// TestCompare runs the real thing with little effort.
func TestCompare(t *testing.T) {
	if testing.Short() {
		t.Skip("takes a minute under the race detector")
	}
	r, err := compare(t.Context(), applet.Env{Stderr: io.Discard}, settings{model: testModel(t), threads: 1}, effort{least: 1, most: 1})
	if err != nil {
		t.Fatal(err)
	}
	wellFormed(t, r)
	var b bytes.Buffer
	if err := r.writeJSON(&b); err != nil {
		t.Fatal(err)
	}
	var back Report
	d := json.NewDecoder(&b)
	d.DisallowUnknownFields()
	if err := d.Decode(&back); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(*r, back); d != "" {
		t.Errorf("what JSON gives back, -want +got:\n%s", d)
	}
	if err := r.writeCSV(&b); err != nil {
		t.Fatal(err)
	}
	lines, err := csv.NewReader(&b).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	if want := 1 + len(operations)*(len(r.Rungs)+len(r.Scaling)); len(lines) != want {
		t.Errorf("%d lines of CSV, want %d", len(lines), want)
	}
	var isas []string
	for _, rung := range r.Rungs {
		isas = append(isas, rung.ISA)
		for i, o := range rung.Operations {
			if o.Name != operations[i].name || o.Runs < 1 || o.Min <= 0 || o.Median < o.Min || o.Speed <= 0 || o.Floor <= 0 || o.Intensity <= 0 {
				t.Errorf("%s: %+v", rung.ISA, o)
			}
		}
	}
	if d := cmp.Diff(ggml.ISAs(), isas); d != "" {
		t.Errorf("rungs, -want +got:\n%s", d)
	}
}

func TestSum(t *testing.T) {
	times := []time.Duration{40 * time.Millisecond, 10 * time.Millisecond, 30 * time.Millisecond, 20 * time.Millisecond}
	got := sum("x", times, model.Work{Ops: 1e9, Bytes: 1e8}, ggml.Peak{Ops: 1e11, Bytes: 20e9})
	want := Operation{
		Name: "x", Runs: 4, Min: 10, Median: 25, Spread: 60, Speed: 1,
		Floor: 10, FloorShare: 40, GFLOPS: 40, Intensity: 10,
	}
	near := cmp.Comparer(func(a, b float64) bool { return math.Abs(a-b) < 1e-9 })
	if d := cmp.Diff(want, got, near); d != "" {
		t.Errorf("-want +got:\n%s", d)
	}
}

func TestThreadCounts(t *testing.T) {
	for n, want := range map[int][]int{
		1: {1}, 2: {1, 2}, 5: {1, 2, 3, 4, 5}, 8: {1, 2, 3, 4, 6, 8}, 20: {1, 2, 3, 4, 6, 8, 12, 16, 20}, 64: {1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64},
	} {
		if d := cmp.Diff(want, threadCounts(n)); d != "" {
			t.Errorf("%d, -want +got:\n%s", n, d)
		}
	}
}
