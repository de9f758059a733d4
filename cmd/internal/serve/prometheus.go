package serve

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// exposition is a page of Prometheus's text format, version 0.0.4.
type exposition struct{ b []byte }

// family starts a metric: a counter, a gauge or a histogram.
func (e *exposition) family(name, kind, help string) {
	e.b = append(e.b, "# HELP "+name+" "+help+"\n# TYPE "+name+" "+kind+"\n"...)
}

// sample is a value of the family; labels are as tags makes them.
func (e *exposition) sample(name, labels string, value float64) {
	e.b = append(e.b, name...)
	if labels != "" {
		e.b = append(append(append(e.b, '{'), labels...), '}')
	}
	e.b = strconv.AppendFloat(append(e.b, ' '), value, 'g', -1, 64)
	e.b = append(e.b, '\n')
}

// single is a family of one value.
func (e *exposition) single(name, kind, help string, value float64) {
	e.family(name, kind, help)
	e.sample(name, "", value)
}

// buckets are the lines of a histogram: how many values lie up to each bound, and beyond the last one.
func (e *exposition) buckets(name, help string, bounds []float64, counts []uint64, sum float64) {
	e.family(name, "histogram", help)
	var n uint64
	for i, c := range counts {
		n += c
		le := "+Inf"
		if i < len(bounds) {
			le = strconv.FormatFloat(bounds[i], 'g', -1, 64)
		}
		e.sample(name+"_bucket", tags("le", le), float64(n))
	}
	e.sample(name+"_sum", "", sum)
	e.sample(name+"_count", "", float64(n))
}

// escape is what a label's value needs.
var escape = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`)

// tags writes labels: names and values in turn.
func tags(pairs ...string) string {
	var b strings.Builder
	for i := 0; i < len(pairs); i += 2 {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(pairs[i] + `="` + escape.Replace(strings.ToValidUTF8(pairs[i+1], "\uFFFD")) + `"`)
	}
	return b.String()
}

// counters count by labels.
type counters struct {
	mu sync.Mutex
	n  map[string]float64
}

func (c *counters) add(x float64, labels ...string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.n == nil {
		c.n = make(map[string]float64)
	}
	c.n[tags(labels...)] += x
}

func (c *counters) write(e *exposition, name, help string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e.family(name, "counter", help)
	for _, labels := range slices.Sorted(maps.Keys(c.n)) {
		e.sample(name, labels, c.n[labels])
	}
}

// histogram counts values by the bounds that they lie within.
type histogram struct {
	mu     sync.Mutex
	bounds []float64 // rising
	counts []uint64
	sum    float64
}

func newHistogram(bounds ...float64) *histogram {
	return &histogram{bounds: bounds, counts: make([]uint64, len(bounds)+1)}
}

func (h *histogram) observe(x float64) {
	i, _ := slices.BinarySearch(h.bounds, x)
	h.mu.Lock()
	defer h.mu.Unlock()
	h.counts[i]++
	h.sum += x
}

func (h *histogram) write(e *exposition, name, help string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	e.buckets(name, help, h.bounds, h.counts, h.sum)
}
