package serve

import (
	"net/http"
	"runtime"
	runtimemetrics "runtime/metrics"
	"strconv"
	"sync"
	"time"

	whisper "github.com/whisperfile/whisperfile/cmd/internal/cli"
	"github.com/whisperfile/whisperfile/model"
)

// metrics are what /metrics tells.
type metrics struct {
	started  time.Time
	requests counters // by route and status
	errors   counters // by kind
	audio    counters // seconds, by model
	queued   *histogram
	computed *histogram
	factor   *histogram
}

func newMetrics() *metrics {
	seconds := []float64{0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100, 300, 1000, 3600}
	return &metrics{
		started: time.Now(),
		queued:  newHistogram(seconds...), computed: newHistogram(seconds...),
		factor: newHistogram(0.003, 0.01, 0.02, 0.03, 0.05, 0.1, 0.2, 0.3, 0.5, 1, 2, 5),
	}
}

// count adds a request that is over.
func (m *metrics) count(v *visit, status int) {
	code := strconv.Itoa(status)
	if status == 0 {
		code = "none"
	}
	m.requests.add(1, "route", v.route, "status", code)
	if kind := v.kind(); kind != "" {
		m.errors.add(1, "kind", kind)
	}
	if !v.heard {
		return
	}
	m.queued.observe(v.queued.Seconds())
	if v.computed > 0 {
		m.computed.observe(v.computed.Seconds())
	}
	if v.audio > 0 {
		m.audio.add(v.audio, "model", v.model)
		m.factor.observe(v.factor())
	}
}

// meter counts what engines do, also those that are closed by now.
type meter struct {
	mu    sync.Mutex
	opens uint64
	open  map[*metered]bool
	past  model.Stats
}

// opener is o with every engine that it opens counted.
func (m *meter) opener(o opener) opener {
	return func(path string, data []byte) (engine, error) {
		e, err := o(path, data)
		if err != nil {
			return nil, err
		}
		return m.add(e), nil
	}
}

func (m *meter) add(e engine) engine {
	c := &metered{e, m}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.opens++
	if m.open == nil {
		m.open = make(map[*metered]bool)
	}
	m.open[c] = true
	return c
}

// measure counts what the engines of the set do, those that are open and those to come.
func (m *modelSet) measure(by *meter) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.open = by.opener(m.open)
	for _, s := range m.list {
		if s.engine != nil {
			s.engine = by.add(s.engine)
		}
	}
}

type metered struct {
	engine
	m *meter
}

// stats are those of an engine that counts, such as model.Model.
func (e *metered) stats() model.Stats {
	if c, ok := e.engine.(interface{ Stats() model.Stats }); ok {
		return c.Stats()
	}
	return model.Stats{}
}

func (e *metered) Close() error {
	e.m.mu.Lock()
	if e.m.open[e] {
		delete(e.m.open, e)
		e.m.past = sum(e.m.past, e.stats())
	}
	e.m.mu.Unlock()
	return e.engine.Close()
}

// total is what all engines did, how many have been opened, and how many are open.
func (m *meter) total() (s model.Stats, opens uint64, open int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	s = m.past
	for e := range m.open {
		s = sum(s, e.stats())
	}
	return s, m.opens, len(m.open)
}

func sum(a, b model.Stats) model.Stats {
	a.Steps += b.Steps
	a.Rows += b.Rows
	for i, n := range b.Sizes {
		a.Sizes[i] += n
	}
	return a
}

// stepBounds are the bounds of model.Stats.Sizes.
var stepBounds = []float64{1, 2, 4, 8, 16, 32, 64}

// tellMetrics is GET /metrics.
func (s *Server) tellMetrics(w http.ResponseWriter, _ *http.Request) error {
	const counter, gauge = "counter", "gauge"
	e, m := &exposition{}, s.metrics
	m.requests.write(e, "whisper_requests_total", "Requests that are over.")
	m.errors.write(e, "whisper_errors_total", "Requests that came to nothing.")
	m.audio.write(e, "whisper_audio_seconds_total", "Seconds of sound heard.")
	m.queued.write(e, "whisper_queue_seconds", "How long requests waited for their turn.")
	m.computed.write(e, "whisper_compute_seconds", "How long requests were heard for, beside others.")
	m.factor.write(e, "whisper_real_time_factor", "Time of computing by length of the sound.")

	working, waiting, _ := s.queue.state()
	e.single("whisper_queue_length", gauge, "Requests that wait.", float64(waiting))
	e.single("whisper_queue_limit", gauge, "Requests that may wait.", float64(s.Queue))
	e.single("whisper_sessions_running", gauge, "Requests that are heard.", float64(working))
	e.single("whisper_sessions_limit", gauge, "Requests that may be heard at once.", float64(s.Parallel))
	e.single("whisper_upload_bytes", gauge, "Bytes of uploads in memory.", float64(s.uploads.held.Load()))

	stats, opens, open := s.meter.total()
	e.single("whisper_models_loaded", gauge, "Models in memory.", float64(open))
	e.single("whisper_model_loads_total", counter, "Models opened since the start.", float64(opens))
	e.family("whisper_model_loaded", gauge, "Whether a model is in memory.")
	for _, d := range s.models.describe() {
		loaded := 0.0
		if d.loaded {
			loaded = 1
		}
		e.sample("whisper_model_loaded", tags("model", d.name), loaded)
	}
	e.buckets("whisper_step_rows", "Tokens that a step of the decoder took in, of all requests together.", stepBounds, stats.Sizes[:], float64(stats.Rows))

	memory := []runtimemetrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}, {Name: "/memory/classes/total:bytes"}}
	runtimemetrics.Read(memory)
	e.family("whisper_build_info", gauge, "The release.")
	e.sample("whisper_build_info", tags("version", whisper.Version(), "go", runtime.Version()), 1)
	e.single("process_start_time_seconds", gauge, "When the server started, since 1970.", float64(m.started.UnixMilli())/1000)
	e.single("go_goroutines", gauge, "Goroutines.", float64(runtime.NumGoroutine()))
	e.single("go_memory_classes_heap_objects_bytes", gauge, "Bytes of objects in the heap.", float64(memory[0].Value.Uint64()))
	e.single("go_memory_classes_total_bytes", gauge, "Bytes that Go has from the system; the mapped weights come on top.", float64(memory[1].Value.Uint64()))
	w.Header().Set("Cache-Control", "no-store")
	return reply(w, "text/plain; version=0.0.4; charset=utf-8", e.b)
}
