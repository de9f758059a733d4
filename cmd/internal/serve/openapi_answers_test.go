package serve

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

// hearing are the operations that hear a sound.
var hearing = []string{"/inference", transcriptions, translations}

// unseen are answers that take a full disk.
var unseen = []string{"507"}

// TestDescriptionAnswers provokes each answer that is described and holds it against its schema.
func TestDescriptionAnswers(t *testing.T) {
	a := newAPI(t)
	r := newRoom(t, nil, map[string]*ear{"main": newEar(base, "Hello there.", "Bye."), "other": newEar(tinyEN, "Hi.")})
	for _, path := range hearing {
		for _, fields := range [][]string{
			{}, {"response_format=text"}, {"response_format=srt"}, {"response_format=vtt"}, {"response_format=verbose_json"},
			{"response_format=verbose_json", "timestamp_granularities[]=word", "timestamp_granularities[]=segment"},
			{"response_format=verbose_json", "timestamp_granularities[]=word"},
			{"response_format=verbose_json", "tinydiarize=true", "language=auto", "temperature=0.5"},
			{"response_format=verbose_json", "no_timestamps=true"}, {"detect_language=true"}, {"stream=true"},
			{"temperature=abc"}, {"model=other", "translate=true"}, {"model=none"},
		} {
			a.post(t, r, path, wav(time.Second), append(fields, "@file")...)
		}
		a.post(t, r, path, wav(time.Second))
		a.post(t, r, path, []byte("no sound"), "@file")
	}
	for _, path := range []string{"/v1/models", "/health", "/ready", "/metrics", "/openapi.json", "/"} {
		a.get(t, r, path, path)
	}
	a.get(t, r, "/v1/models/{id}", "/v1/models/whisper-1")
	a.get(t, r, "/v1/models/{id}", "/v1/models/none")
	a.post(t, r, "/load", nil, "model=other")
	a.post(t, r, "/load", nil, "model=../junk")

	for name, c := range map[string]struct {
		ear    *ear
		change func(*Config)
		stop   bool
	}{
		"broken":            {ear: &ear{info: base, err: errors.New("no memory")}},
		"broken on the way": {ear: &ear{info: base, lines: []string{"Well"}, err: errors.New("no memory")}},
		"late":              {ear: &ear{info: base, lines: []string{"Well"}, hold: make(chan struct{}), began: make(chan struct{}, 9)}, change: func(c *Config) { c.Limits.Request = 20 * ms }},
		"long":              {ear: newEar(base), change: func(c *Config) { c.Limits.Sound = ms }},
		"large":             {ear: newEar(base), change: func(c *Config) { c.Limits.Body, c.Limits.Field = 1000, 10 }},
		"laden":             {ear: newEar(base), change: func(c *Config) { c.Limits.Held = 1 }},
		"over":              {ear: newEar(base), stop: true},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRoom(t, func(s *Config, _ *modelSet) {
				if c.change != nil {
					c.change(s)
				}
			}, map[string]*ear{"main": c.ear})
			if c.stop {
				r.shift.stop()
			}
			for _, path := range hearing {
				a.post(t, r, path, wav(time.Second), "@file")
				a.post(t, r, path, wav(time.Second), "@file", "stream=true")
			}
			a.post(t, r, "/load", wav(time.Second), "@file", "model=main")
			a.get(t, r, "/ready", "/ready")
		})
	}
	t.Run("full", func(t *testing.T) {
		e := newEar(base, "Hello.")
		e.hold = make(chan struct{})
		r := newRoom(t, func(c *Config, _ *modelSet) { c.Parallel, c.Queue = 1, 0 }, map[string]*ear{"main": e})
		done := make(chan struct{})
		go func() {
			defer close(done)
			a.post(t, r, "/inference", wav(time.Second), "@file")
		}()
		<-e.began
		for _, path := range hearing {
			a.post(t, r, path, wav(time.Second), "@file")
		}
		close(e.hold)
		<-done
	})
	t.Run("waiting", func(t *testing.T) {
		e := newEar(base, "Hello.")
		e.hold = make(chan struct{})
		r := newRoom(t, func(c *Config, _ *modelSet) { c.Parallel = 1 }, map[string]*ear{"main": e})
		done := make(chan struct{})
		for range 2 {
			go func() {
				r.post(t, "/inference", "stream=true")
				done <- struct{}{}
			}()
		}
		<-e.began
		settle(t, "waiting", func() bool { _, waiting, _ := r.queue.state(); return waiting == 1 })
		close(e.hold)
		<-done
		<-done
	})
	t.Run("slow", func(t *testing.T) {
		r := newRoom(t, func(c *Config, _ *modelSet) { c.Limits.Stall = 20 * ms }, map[string]*ear{"main": newEar(base)})
		for _, path := range append([]string{"/load"}, hearing...) {
			from, to := io.Pipe()
			q, err := http.NewRequestWithContext(t.Context(), http.MethodPost, r.http.URL+path, from)
			if err != nil {
				t.Fatal(err)
			}
			q.Header.Set("Content-Type", "multipart/form-data; boundary=x")
			go to.Write([]byte("--x\r\n"))
			resp, err := http.DefaultClient.Do(q)
			if err != nil {
				t.Fatal(err)
			}
			_, text := read(t, resp)
			a.check(t, "POST "+path, resp, text)
			to.Close()
		}
	})
	t.Run("strangers", func(t *testing.T) {
		keys, err := parseKeys(strings.NewReader("secret"))
		if err != nil {
			t.Fatal(err)
		}
		r := newRoom(t, func(c *Config, _ *modelSet) {
			c.Keys, err = watch(slog.New(slog.DiscardHandler), func() (keySums, error) { return keys, nil })
		}, map[string]*ear{"main": newEar(base)})
		for _, path := range append([]string{"/load"}, hearing...) {
			a.post(t, r, path, wav(time.Second), "@file")
		}
		for _, path := range []string{"/v1/models", "/metrics", "/openapi.json", "/health", "/ready", "/"} {
			a.get(t, r, path, path)
		}
		a.get(t, r, "/v1/models/{id}", "/v1/models/main")
	})
	t.Run("pages elsewhere", func(t *testing.T) {
		r := one(t, newEar(base))
		for _, path := range append([]string{"/load"}, hearing...) {
			kind, form := body(nil, "model=main")
			resp, text := r.send(t, http.MethodPost, path, form, "Content-Type", kind, "Origin", "https://example.org")
			a.check(t, "POST "+path, resp, text)
		}
	})
	t.Run("greedy", func(t *testing.T) {
		r := newRoom(t, func(c *Config, _ *modelSet) { c.Rate = 1 }, map[string]*ear{"main": newEar(base)})
		for _, path := range append([]string{"/load"}, hearing...) {
			a.post(t, r, path, nil, "model=main")
		}
		a.post(t, r, "/load", nil, "model=main")
	})
	a.complete(t)
}

func (a *api) post(t *testing.T, r *room, path string, data []byte, fields ...string) {
	t.Helper()
	kind, form := body(data, fields...)
	resp, text := r.send(t, http.MethodPost, path, form, "Content-Type", kind)
	a.check(t, "POST "+path, resp, text)
}

func (a *api) get(t *testing.T, r *room, operation, path string) {
	t.Helper()
	resp, text := r.send(t, http.MethodGet, path, nil)
	a.check(t, "GET "+operation, resp, text)
}

// complete makes sure that everything described was seen.
func (a *api) complete(t *testing.T) {
	t.Helper()
	for _, operation := range a.operations() {
		method, path, _ := strings.Cut(operation, " ")
		place := pointer("paths", path, strings.ToLower(method), "responses")
		for status := range a.at(place).(map[string]any) {
			if slices.Contains(unseen, status) {
				continue
			}
			described, _ := a.follow(place + "/" + status)
			for kind := range described["content"].(map[string]any) {
				if answer := fmt.Sprintf("%s %s %s", operation, status, kind); !a.answers[answer] {
					t.Errorf("described, but never seen: %s", answer)
				}
			}
		}
	}
	names := map[string]bool{}
	for name, schema := range a.at("#/components/schemas").(map[string]any) {
		if name != "Form" {
			properties(schema, names)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(names)) {
		if !a.keys[name] {
			t.Errorf("described, but never seen: the property %s", name)
		}
	}
}
