package serve

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	"math/rand/v2"
	"net/http"
	"regexp"
	"strings"
	"time"
)

// visit is what the log and the metrics get to know of a request: numbers and names, and never what was said, what a
// prompt says or what a client wrote into a field.
type visit struct {
	id       string
	route    string
	model    string
	received int64 // bytes of the body
	whole    bool  // the body was read to its end

	heard    bool // it came to the point where a model hears
	audio    float64
	queued   time.Duration
	computed time.Duration

	fault *fault
	gone  bool // the client left
}

// requestID is the header that names a request in answers and in the log. Whoever calls may choose the name.
const requestID = "X-Request-Id"

// ids are names that a request may have.
var ids = regexp.MustCompile(`^[A-Za-z0-9._-]{1,64}$`)

func newVisit(r *http.Request) *visit {
	id := r.Header.Get(requestID)
	if !ids.MatchString(id) {
		id = fmt.Sprintf("%016x", rand.Uint64())
	}
	return &visit{id: id}
}

type visitKey struct{}

// attach makes r known as v: its context leads to v, and its body is counted.
func (v *visit) attach(r *http.Request) *http.Request {
	v.whole = r.Body == nil || r.Body == http.NoBody
	r = r.WithContext(context.WithValue(r.Context(), visitKey{}, v))
	if !v.whole {
		r.Body = &countedBody{r.Body, v}
	}
	return r
}

// visitOf returns the visit that a context belongs to, or one that nobody sees.
func visitOf(ctx context.Context) *visit {
	if v, ok := ctx.Value(visitKey{}).(*visit); ok {
		return v
	}
	return &visit{}
}

type countedBody struct {
	io.ReadCloser
	v *visit
}

func (b *countedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.v.received += int64(n)
	if err == io.EOF {
		b.v.whole = true
	}
	return n, err
}

// fails notes why a request came to nothing.
func (v *visit) fails(err error) {
	if v.gone = errors.Is(err, errGone); !v.gone {
		v.fault = asFault(err)
	}
}

// kind names what went wrong, in few different words; "" is nothing.
func (v *visit) kind() string {
	switch {
	case v.gone:
		return "client_gone"
	case v.fault == nil:
		return ""
	case v.fault.code != "" && v.fault.status != http.StatusMethodNotAllowed:
		return v.fault.code
	case v.fault.status == http.StatusRequestEntityTooLarge && v.fault.param == soundField:
		return "sound_too_long"
	}
	return strings.ReplaceAll(strings.ToLower(http.StatusText(v.fault.status)), " ", "_")
}

// factor is how long it took to compute, in lengths of the sound; 0 where there was none.
func (v *visit) factor() float64 {
	if v.audio == 0 {
		return 0
	}
	return v.computed.Seconds() / v.audio
}

// record writes a request's line.
func (v *visit) record(log *slog.Logger, r *http.Request, w *response, took time.Duration) {
	level := slog.LevelInfo
	switch {
	case v.fault != nil && v.fault.err != nil || v.fault != nil && v.fault.status >= http.StatusInternalServerError:
		level = slog.LevelError
	case !works(r) && v.fault == nil:
		level = slog.LevelDebug // probes come every few seconds
	}
	a := []slog.Attr{
		slog.String("id", v.id), slog.String("method", oneLine(r.Method)), slog.String("route", v.route), slog.Int("status", w.status),
		slog.Int64("received", v.received), slog.Int64("sent", w.bytes), slog.Float64("seconds", millis(took.Seconds())),
	}
	if v.model != "" {
		a = append(a, slog.String("model", v.model))
	}
	if v.heard {
		a = append(a, slog.Float64("audio", millis(v.audio)), slog.Float64("queued", millis(v.queued.Seconds())),
			slog.Float64("computed", millis(v.computed.Seconds())), slog.Float64("rtf", millis(v.factor())))
	}
	if kind := v.kind(); kind != "" {
		a = append(a, slog.String("error", kind))
	}
	if f := v.fault; f != nil {
		if f.param != "" {
			a = append(a, slog.String("field", f.param))
		}
		if f.err != nil {
			a = append(a, slog.String("cause", f.err.Error()))
		}
	}
	log.LogAttrs(context.Background(), level, "request", a...)
}

func millis(x float64) float64 { return math.Round(x*1000) / 1000 }

func (s *Server) serve(rw http.ResponseWriter, r *http.Request) {
	start := time.Now()
	w, v := &response{ResponseWriter: rw}, newVisit(r)
	r = v.attach(r)
	h := w.Header()
	h.Set(requestID, v.id)
	secure(h)
	if err := s.visit(w, r, v); err != nil {
		v.fails(err)
		if w.status == 0 && !v.gone {
			s.refuse(w, r, v)
		}
	}
	s.metrics.count(v, w.status)
	v.record(s.log, r, w, time.Since(start))
}

// visit answers a request, unless it returns what has to be told the client.
func (s *Server) visit(w *response, r *http.Request, v *visit) error {
	at, err := s.lookUp(r)
	v.route = at.name
	if s.guard.share(w, r, at) {
		return nil
	}
	if e := s.guard.admit(r, at); e != nil {
		return e
	}
	if err != nil {
		return err
	}
	if works(r) {
		if !s.shift.begin() {
			return &fault{status: http.StatusServiceUnavailable, code: "stopping", message: "the server stops", retry: time.Second}
		}
		defer s.shift.end()
	} else if !v.whole {
		forget(w) // nobody reads the body
	}
	return s.call(at.handler, w, r)
}

// refuse tells the client what v failed of.
func (s *Server) refuse(w *response, r *http.Request, v *visit) {
	f := v.fault
	switch f.status {
	case http.StatusMethodNotAllowed:
		w.Header().Set("Allow", f.code)
	case http.StatusUnauthorized:
		w.Header().Set("WWW-Authenticate", "Bearer")
	}
	if !v.whole {
		forget(w)
	}
	f.write(w, f.status == http.StatusUnauthorized || s.isOpenAI(r))
}

// forget gives up on a body that was not read, so that a client who is slow to send it does not delay the answer: the
// connection ends behind it.
func forget(w http.ResponseWriter) {
	w.Header().Set("Connection", "close")
	http.NewResponseController(w).SetReadDeadline(time.Now().Add(time.Second)) //nolint:errcheck // the connection ends anyway
}
