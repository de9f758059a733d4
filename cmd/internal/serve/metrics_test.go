package serve

import (
	"math"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/whisperfile/whisperfile/model"
)

func TestExposition(t *testing.T) {
	e := &exposition{}
	var c counters
	c.add(1, "b", `x"\`+"\n\xff")
	c.add(2, "a", "1", "b", "2")
	c.add(0.5, "a", "1", "b", "2")
	c.write(e, "c_total", "Counts.")
	h := newHistogram(1, 2)
	for _, x := range []float64{1, 1.5, 2, 3} {
		h.observe(x)
	}
	h.write(e, "h", "Sizes.")
	e.single("g", "gauge", "Now.", math.Inf(1))
	want := `# HELP c_total Counts.
# TYPE c_total counter
c_total{a="1",b="2"} 2.5
c_total{b="x\"\\\n` + "\uFFFD" + `"} 1
# HELP h Sizes.
# TYPE h histogram
h_bucket{le="1"} 1
h_bucket{le="2"} 3
h_bucket{le="+Inf"} 4
h_sum 7.5
h_count 4
# HELP g Now.
# TYPE g gauge
g +Inf
`
	if got := string(e.b); got != want {
		t.Errorf("%s\nwant\n%s", got, want)
	}
}

// counting is an ear that has taken steps.
type counting struct{ *ear }

func (counting) Stats() model.Stats {
	return model.Stats{Steps: 3, Rows: 10, Sizes: [8]uint64{1, 0, 1, 1}}
}

// TestMetrics: all that is promised is told, in the format that Prometheus reads.
func TestMetrics(t *testing.T) {
	set := &modelSet{open: func(string, []byte) (engine, error) { return counting{newEar(base, "x")}, nil }}
	if err := set.add(ModelFile{Name: "main", Path: "main"}); err != nil {
		t.Fatal(err)
	}
	s, err := newServer(Config{InferencePath: "/inference", Parallel: 2, Queue: 3, Limits: DefaultLimits}, set)
	if err != nil {
		t.Fatal(err)
	}
	r := serveRoom(t, s)
	r.post(t, "/inference")
	r.post(t, transcriptions, "language=zzz")
	r.get(t, "/nothing")
	resp, text := r.ask(t, http.MethodGet, "/metrics", nil)
	if kind := resp.Header.Get("Content-Type"); kind != "text/plain; version=0.0.4; charset=utf-8" {
		t.Error(kind)
	}
	for _, line := range []string{
		`whisper_requests_total{route="/inference",status="200"} 1`,
		`whisper_requests_total{route="/v1/audio/transcriptions",status="400"} 1`,
		`whisper_requests_total{route="none",status="404"} 1`,
		`whisper_errors_total{kind="bad_request"} 1`, `whisper_errors_total{kind="not_found"} 1`,
		`whisper_audio_seconds_total{model="main"} 1`,
		`whisper_queue_seconds_count 1`, `whisper_compute_seconds_count 1`, `whisper_real_time_factor_count 1`,
		`whisper_queue_length 0`, `whisper_queue_limit 3`, `whisper_sessions_running 0`, `whisper_sessions_limit 2`, `whisper_upload_bytes 0`,
		`whisper_models_loaded 1`, `whisper_model_loads_total 1`, `whisper_model_loaded{model="main"} 1`,
		`whisper_step_rows_bucket{le="1"} 1`, `whisper_step_rows_bucket{le="4"} 2`, `whisper_step_rows_bucket{le="8"} 3`,
		`whisper_step_rows_bucket{le="+Inf"} 3`, `whisper_step_rows_sum 10`, `whisper_step_rows_count 3`,
	} {
		if !strings.Contains(text, "\n"+line+"\n") {
			t.Errorf("%s is missing in\n%s", line, text)
		}
	}
	sample := regexp.MustCompile(`^([a-z_]+)(\{[a-z]+="[^"]*"(,[a-z]+="[^"]*")*\})? (\S+)$`)
	family := ""
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		if help, ok := strings.CutPrefix(line, "# HELP "); ok {
			family, _, _ = strings.Cut(help, " ")
			continue
		}
		if strings.HasPrefix(line, "# TYPE "+family+" ") {
			continue
		}
		m := sample.FindStringSubmatch(line)
		if m == nil || !strings.HasPrefix(m[1], family) {
			t.Fatalf("%q in family %s", line, family)
		}
		if _, err := strconv.ParseFloat(m[4], 64); err != nil {
			t.Errorf("%q: %v", line, err)
		}
	}
	// What a model did counts when it is closed as well.
	if err := set.Close(); err != nil {
		t.Fatal(err)
	}
	if stats, opens, open := s.meter.total(); stats.Rows != 10 || opens != 1 || open != 0 {
		t.Errorf("%+v, %d opened, %d open", stats, opens, open)
	}
}
