package bench

import (
	"context"
	"errors"
	"math"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/whisperfile/whisperfile/cmd/internal/applet"
	"github.com/whisperfile/whisperfile/ggml"
	"github.com/whisperfile/whisperfile/model"
)

// column returns field 11 of the line with a key, as whisper.cpp's scripts take it.
func column(t *testing.T, out, key string) float64 {
	t.Helper()
	for line := range strings.Lines(out) {
		if !strings.Contains(line, key) {
			continue
		}
		v, err := strconv.ParseFloat(strings.Fields(line)[10], 64)
		if err != nil {
			t.Errorf("%q: %v", line, err)
		}
		return v
	}
	t.Errorf("no line %q in:\n%s", key, out)
	return 0
}

func TestTimings(t *testing.T) {
	var b strings.Builder
	printTimings(&b, 12340*time.Microsecond, []timing{
		{"encode", 512264 * time.Microsecond, 1},
		{"decode", 1534 * time.Millisecond, 256},
		{"batchd", 503 * time.Millisecond, 320},
		{"prompt", 1984 * time.Millisecond, 4096},
	}, 4534*time.Millisecond)
	want := `
whisper_print_timings:     load time =    12.34 ms
whisper_print_timings:     fallbacks =   0 p /   0 h
whisper_print_timings:      mel time =     0.00 ms
whisper_print_timings:   sample time =     0.00 ms /     1 runs (    0.000 ms per run)
whisper_print_timings:   encode time =   512.26 ms /     1 runs (  512.264 ms per run)
whisper_print_timings:   decode time =  1534.00 ms /   256 runs (    5.992 ms per run)
whisper_print_timings:   batchd time =   503.00 ms /   320 runs (    1.572 ms per run)
whisper_print_timings:   prompt time =  1984.00 ms /  4096 runs (    0.484 ms per run)
whisper_print_timings:    total time =  4534.00 ms
`
	if d := cmp.Diff(want, b.String()); d != "" {
		t.Errorf("-want +got:\n%s", d)
	}
	got := map[string]float64{}
	for _, key := range []string{"encode time", "decode time", "batchd time", "prompt time"} {
		got[key] = column(t, b.String(), key)
	}
	if d := cmp.Diff(map[string]float64{"encode time": 512.264, "decode time": 5.992, "batchd time": 1.572, "prompt time": 0.484}, got); d != "" {
		t.Errorf("columns, -want +got:\n%s", d)
	}
}

// TestSince: neither a pass below what the clock tells nor a clock that is set back makes a rate that is no number.
func TestSince(t *testing.T) {
	if got := since(ggml.Now().Add(time.Hour)); got != 1 {
		t.Errorf("%d ns since the future", got)
	}
	o := sum("step", []time.Duration{1, 1, 1}, model.Work{Ops: 1, Bytes: 1}, ggml.Peak{Ops: 1e9, Bytes: 1e9})
	for name, v := range map[string]float64{"spread": o.Spread, "share of the floor": o.FloorShare, "GFLOPS": o.GFLOPS} {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			t.Errorf("%s is %v", name, v)
		}
	}
}

func TestPasses(t *testing.T) {
	e, err := open(applet.Env{}, testModel(t), 2, "")
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	}()
	var b strings.Builder
	few := amount{encodes: 1, singles: 3, batches: 2, prompts: 1}
	if err := e.passes(t.Context(), &b, few); err != nil {
		t.Fatal(err)
	}
	if !regexp.MustCompile(`^\nsystem_info: n_threads = [12] / \d+ \| CPU \S+, .+ \| \n\nwhisper_print`).MatchString(b.String()) {
		t.Errorf("head of the output:\n%s", b.String())
	}
	for key, runs := range map[string]string{"encode": "1", "decode": "3", "batchd": "10", "prompt": "256"} {
		if column(t, b.String(), key+" time") <= 0 {
			t.Errorf("%s took no time", key)
		}
		if !regexp.MustCompile(key + ` time = +[0-9.]+ ms / +` + runs + ` runs`).MatchString(b.String()) {
			t.Errorf("%s was not run %s times:\n%s", key, runs, b.String())
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := e.passes(ctx, &b, few); !errors.Is(err, context.Canceled) {
		t.Errorf("with a context that has ended: %v", err)
	}
	if err := e.bench.Step(t.Context(), 5, 445); err == nil {
		t.Error("a step behind the last position is no error")
	}
}

func TestCopying(t *testing.T) {
	var b strings.Builder
	if err := copying(t.Context(), &b, 3, 1000); err != nil {
		t.Fatal(err)
	}
	want := regexp.MustCompile(`^memcpy: +[0-9.]+ GB/s \(heat-up\)
memcpy: +[0-9.]+ GB/s \( 1 thread\)
memcpy: +[0-9.]+ GB/s \( 1 thread\)
memcpy: +[0-9.]+ GB/s \( 2 thread\)
memcpy: +[0-9.]+ GB/s \( 3 thread\)
sum:    124716.000000
$`)
	if !want.MatchString(b.String()) {
		t.Errorf("got:\n%s", b.String())
	}
}

func TestParallelCopy(t *testing.T) {
	src := []byte("0123456789")
	for threads := 1; threads < 12; threads++ {
		dst := make([]byte, len(src))
		if parallelCopy(dst, src, threads); string(dst) != string(src) {
			t.Errorf("%d threads copied %q", threads, dst)
		}
	}
}

func TestProducts(t *testing.T) {
	var b strings.Builder
	if err := products(t.Context(), &b, 2, []int{64}); err != nil {
		t.Fatal(err)
	}
	const rate = ` +[0-9.]+ GFLOPS \([ \d]{3} runs\)`
	want := regexp.MustCompile(`^  64 x   64: Q4_0` + rate + ` \| Q4_1` + rate + `
  64 x   64: Q5_0` + rate + ` \| Q5_1` + rate + ` \| Q8_0` + rate + `
  64 x   64: F16 ` + rate + ` \| F32 ` + rate + "\n$")
	if !want.MatchString(b.String()) {
		t.Errorf("got:\n%s", b.String())
	}
}
