// Package serve is the program whisper-server: speech to text for many clients at once, over HTTP. It speaks whisper.cpp's
// and OpenAI's interface, and has a page for people.
package serve

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"path"
	"runtime/debug"
	"slices"
	"strings"
	"time"
)

// Config is what a Server does.
type Config struct {
	Defaults Request // what a request that says nothing gets
	Language bool    // Defaults name the language; else OpenAI's requests find it out

	RequestPath   string // before all addresses, "" or /like/this
	InferencePath string // /inference
	Public        fs.FS  // files that go before the page's and all addresses; nil for none

	Convert bool   // let ffmpeg read what is not read otherwise
	TempDir string // for what ffmpeg must have in a file; "" is the system's

	Parallel int // requests that are heard at once
	Queue    int // requests that wait
	Limits   Limits

	Print func(line string) // is given each segment as a line, as soon as it is heard; nil for none
	Log   *slog.Logger      // nil for none
}

// Server answers requests with the models of a set.
type Server struct {
	Config
	models  *modelSet
	queue   *queue
	uploads *account
	routes  map[string]route
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
}

func newServer(c Config, m *modelSet) (*Server, error) {
	s := &Server{
		Config: c, models: m, log: c.Log,
		queue:   newQueue(c.Parallel, c.Queue),
		uploads: &account{limit: c.Limits.Held},
		routes:  make(map[string]route),
	}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	s.stop, s.halt = context.WithCancelCause(context.Background())
	for _, a := range []struct {
		method, path string
		h            handler
		openai       bool
	}{
		{http.MethodPost, c.InferencePath, s.inference, false},
		{http.MethodPost, "/load", s.load, false},
		{http.MethodGet, "/health", s.health, false},
		{http.MethodGet, "/ready", s.ready, false},
		{http.MethodPost, transcriptions, s.transcriptions, true},
		{http.MethodPost, translations, s.translations, true},
		{http.MethodGet, "/v1/models", s.listModels, true},
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
	s.routes[path] = route{methods: map[string]handler{method: h}, openai: openai}
	return nil
}

// Halt ends all requests that are under way.
func (s *Server) Halt() { s.halt(errStopping) }

// Handler serves all addresses.
func (s *Server) Handler() http.Handler { return http.HandlerFunc(s.serve) }

func (s *Server) serve(rw http.ResponseWriter, r *http.Request) {
	start := time.Now()
	w := &response{ResponseWriter: rw}
	h, openai, err := s.lookUp(r)
	if err == nil {
		err = s.call(h, w, r)
	}
	if err != nil && !errors.Is(err, errGone) {
		f := asFault(err)
		if w.status == 0 {
			if f.status == http.StatusMethodNotAllowed {
				w.Header().Set("Allow", f.code)
			}
			f.write(w, openai)
		}
		if f.err != nil {
			s.log.Error(f.message, "path", r.URL.Path, "error", f.err)
		}
	}
	s.log.Info("request", "method", r.Method, "path", r.URL.Path, "status", w.status, "bytes", w.bytes, "seconds", time.Since(start).Seconds())
}

// call calls h; a panic becomes an error.
func (s *Server) call(h handler, w http.ResponseWriter, r *http.Request) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("%v at %s", v, debug.Stack())
		}
	}()
	return h(w, r)
}

// lookUp finds who answers, and in whose way errors are told.
func (s *Server) lookUp(r *http.Request) (h handler, openai bool, err error) {
	get := r.Method == http.MethodGet || r.Method == http.MethodHead
	if get && s.isPublic(r.URL.Path) {
		return s.public, false, nil
	}
	p := r.URL.Path
	openai = strings.HasPrefix(p, s.RequestPath+"/v1/")
	found, ok := s.routes[p]
	if id, is := strings.CutPrefix(p, s.RequestPath+"/v1/models/"); !ok && is && id != "" {
		found, ok = route{methods: map[string]handler{http.MethodGet: s.oneModel}, openai: true}, true
	}
	if !ok {
		return nil, openai, &fault{status: http.StatusNotFound, message: "there is nothing at " + oneLine(path.Clean("/"+p))}
	}
	method := r.Method
	if method == http.MethodHead {
		method = http.MethodGet
	}
	if h, ok := found.methods[method]; ok {
		return h, found.openai, nil
	}
	allow := []string{http.MethodOptions}
	for m := range found.methods {
		if allow = append(allow, m); m == http.MethodGet {
			allow = append(allow, http.MethodHead)
		}
	}
	slices.Sort(allow)
	list := strings.Join(allow, ", ")
	if method == http.MethodOptions {
		return func(w http.ResponseWriter, _ *http.Request) error {
			w.Header().Set("Allow", list)
			w.WriteHeader(http.StatusOK)
			return nil
		}, found.openai, nil
	}
	return nil, found.openai, &fault{status: http.StatusMethodNotAllowed, code: list, message: r.Method + " is not for this address, which takes " + list}
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
	case s.stop.Err() != nil:
		return &fault{status: http.StatusServiceUnavailable, message: "the server stops"}
	case !s.models.isReady():
		return &fault{status: http.StatusServiceUnavailable, message: "no model is loaded"}
	}
	return reply(w, "application/json", []byte(`{"status":"ok"}`))
}

// reply sends a whole answer.
func reply(w http.ResponseWriter, contentType string, body []byte) error {
	w.Header().Set("Content-Type", contentType)
	w.Header().Set("X-Content-Type-Options", "nosniff")
	if _, err := w.Write(body); err != nil {
		return errGone
	}
	return nil
}
