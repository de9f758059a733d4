// Package serve is the program whisper-server: speech to text for many clients at once, over HTTP. It speaks whisper.cpp's
// and OpenAI's interface, and has a page for people.
package serve

import (
	"context"
	"crypto/tls"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"path"
	"runtime/debug"
	"slices"
	"strings"
)

// Config is what a Server does.
type Config struct {
	Defaults Request // what a request that says nothing gets
	Language bool    // Defaults name the language; else OpenAI's requests find it out

	RequestPath   string // before all addresses, "" or /like/this
	InferencePath string // /inference
	Public        fs.FS  // files that go before the page's and all addresses; nil for none

	Convert bool   // let ffmpeg read what is not read otherwise
	FFmpeg  string // the one that does; "" is the one in PATH
	TempDir string // for what ffmpeg must have in a file; "" is the system's

	Parallel int // requests that are heard at once
	Queue    int // requests that wait
	Limits   Limits

	Keys    *watched[keySums]          // nil lets everybody in
	Rate    int                        // requests a minute of each client; 0 is no limit
	Origins []string                   // of pages elsewhere that may use this server; * is all
	TLS     *watched[*tls.Certificate] // nil speaks plainly

	Print func(line string)  // is given each segment as a line, as soon as it is heard; nil for none
	Log   *slog.Logger       // nil for none
	Tell  func(state string) // passes a word of sd_notify's on; nil for none
}

// Server answers requests with the models of a set.
type Server struct {
	Config
	models  *modelSet
	queue   *queue
	uploads *account
	routes  map[string]route
	guard   *guard
	shift   *shift
	metrics *metrics
	meter   *meter
	log     *slog.Logger
	stop    context.Context // ends when the time for a graceful stop is over
	halt    context.CancelCauseFunc
}

// handler answers a request. What it returns is told the client, unless something has been sent already.
type handler func(w http.ResponseWriter, r *http.Request) error

// route is what can be done at an address.
type route struct {
	methods map[string]handler
	openai  bool // errors are OpenAI's
	open    bool // for those who have no key as well
}

// match is what a request asks for.
type match struct {
	name    string // of the address, for the log and the metrics
	handler handler
	allow   string // methods, as a list; "" where there is nothing
	open    bool
}

func newServer(c Config, m *modelSet) (*Server, error) {
	s := &Server{
		Config: c, models: m, log: c.Log,
		queue:   newQueue(c.Parallel, c.Queue),
		uploads: &account{limit: c.Limits.Held},
		routes:  make(map[string]route),
		shift:   newShift(),
		metrics: newMetrics(),
		meter:   &meter{},
	}
	m.measure(s.meter)
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	s.stop, s.halt = context.WithCancelCause(context.Background())
	var err error
	if s.guard, err = newGuard(&s.Config); err != nil {
		return nil, err
	}
	for _, a := range []struct {
		method, path string
		h            handler
		openai       bool
	}{
		{http.MethodPost, c.InferencePath, s.inference, false},
		{http.MethodPost, "/load", s.load, false},
		{http.MethodGet, "/health", s.health, false},
		{http.MethodGet, "/ready", s.ready, false},
		{http.MethodGet, "/metrics", s.tellMetrics, false},
		{http.MethodPost, transcriptions, s.transcriptions, true},
		{http.MethodPost, translations, s.translations, true},
		{http.MethodGet, "/v1/models", s.listModels, true},
		{http.MethodGet, "/openapi.json", s.describe, false},
	} {
		if err := s.handle(a.method, c.RequestPath+a.path, a.openai, a.h); err != nil {
			return nil, err
		}
	}
	return s, s.addPage()
}

// handle adds an address. OpenAI's give way to the one that --inference-path names.
func (s *Server) handle(method, path string, openai bool, h handler) error {
	if _, ok := s.routes[path]; ok {
		if openai && path == s.RequestPath+s.InferencePath {
			return nil
		}
		return fmt.Errorf("two things cannot be at %s", path)
	}
	open := path == s.RequestPath+"/health" || path == s.RequestPath+"/ready"
	s.routes[path] = route{methods: map[string]handler{method: h}, openai: openai, open: open}
	return nil
}

// Halt ends all requests that are under way.
func (s *Server) Halt() { s.halt(errStopping) }

// Handler serves all addresses.
func (s *Server) Handler() http.Handler { return http.HandlerFunc(s.serve) }

// call calls h; a panic becomes an error.
func (s *Server) call(h handler, w http.ResponseWriter, r *http.Request) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("%v at %s", v, debug.Stack())
		}
	}()
	return h(w, r)
}

// isOpenAI reports whether errors of an address are told in OpenAI's way.
func (s *Server) isOpenAI(r *http.Request) bool {
	found, ok := s.routes[r.URL.Path]
	return found.openai || !ok && strings.HasPrefix(r.URL.Path, s.RequestPath+"/v1/")
}

// lookUp finds who answers.
func (s *Server) lookUp(r *http.Request) (match, error) {
	get := r.Method == http.MethodGet || r.Method == http.MethodHead
	if get && s.isPublic(r.URL.Path) {
		return match{name: "public", handler: s.public, allow: "GET, HEAD", open: true}, nil
	}
	p := r.URL.Path
	found, ok := s.routes[p]
	name := p
	if id, is := strings.CutPrefix(p, s.RequestPath+"/v1/models/"); !ok && is && id != "" {
		found, ok = route{methods: map[string]handler{http.MethodGet: s.oneModel}}, true
		name = s.RequestPath + "/v1/models/{id}"
	}
	if !ok {
		return match{name: "none"}, &fault{status: http.StatusNotFound, message: "there is nothing at " + oneLine(path.Clean("/"+p))}
	}
	allow := []string{http.MethodOptions}
	for m := range found.methods {
		if allow = append(allow, m); m == http.MethodGet {
			allow = append(allow, http.MethodHead)
		}
	}
	slices.Sort(allow)
	m := match{name: name, allow: strings.Join(allow, ", "), open: found.open}
	method := r.Method
	if method == http.MethodHead {
		method = http.MethodGet
	}
	if m.handler, ok = found.methods[method]; ok {
		return m, nil
	}
	if method == http.MethodOptions {
		m.handler = func(w http.ResponseWriter, _ *http.Request) error {
			w.Header().Set("Allow", m.allow)
			w.WriteHeader(http.StatusOK)
			return nil
		}
		return m, nil
	}
	return m, &fault{status: http.StatusMethodNotAllowed, code: m.allow, message: r.Method + " is not for this address, which takes " + m.allow}
}

// response remembers what was sent.
type response struct {
	http.ResponseWriter
	status int
	bytes  int64
}

func (w *response) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *response) Write(p []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	n, err := w.ResponseWriter.Write(p)
	w.bytes += int64(n)
	return n, err
}

// Unwrap lets http.ResponseController at what is below.
func (w *response) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// health says that the server is alive.
func (s *Server) health(w http.ResponseWriter, _ *http.Request) error {
	return reply(w, "application/json", []byte(`{"status":"ok"}`))
}

// ready says whether requests would be served.
func (s *Server) ready(w http.ResponseWriter, _ *http.Request) error {
	switch {
	case s.shift.isOver():
		return &fault{status: http.StatusServiceUnavailable, message: "the server stops"}
	case !s.models.isReady():
		return &fault{status: http.StatusServiceUnavailable, message: "no model is loaded"}
	}
	return reply(w, "application/json", []byte(`{"status":"ok"}`))
}

// reply sends a whole answer.
func reply(w http.ResponseWriter, contentType string, body []byte) error {
	w.Header().Set("Content-Type", contentType)
	if _, err := w.Write(body); err != nil {
		return errGone
	}
	return nil
}
