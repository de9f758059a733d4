package serve

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/whisperfile/whisperfile/audio"
	"github.com/whisperfile/whisperfile/ggml"
	"github.com/whisperfile/whisperfile/model"
)

const ms = time.Millisecond

// tinyEN and base are models as Info describes them.
var (
	tinyEN = model.Info{Header: ggml.Header{AudioLayers: 4, TextLayers: 4}, Type: "tiny", Languages: 1}
	base   = model.Info{Header: ggml.Header{AudioLayers: 6, TextLayers: 6}, Type: "base", Multilingual: true, Languages: 99}
)

// ear is an engine that hears the same in every sound: a segment a line.
type ear struct {
	info  model.Info
	lines []string
	err   error // after the lines
	fault any   // to panic with
	hold  chan struct{}
	began chan struct{} // holds a token for each session that waits for hold

	sessions, closed atomic.Int32
}

func newEar(info model.Info, lines ...string) *ear {
	return &ear{info: info, lines: lines, began: make(chan struct{}, 100)}
}

func (e *ear) Info() model.Info { return e.info }

func (e *ear) Close() error {
	e.closed.Add(1)
	return nil
}

func (e *ear) NewSession() (session, error) {
	e.sessions.Add(1)
	return &earSession{e}, nil
}

type earSession struct{ *ear }

func (s *earSession) Close() error {
	s.sessions.Add(-1)
	return nil
}

func (s *earSession) Transcribe(ctx context.Context, src audio.Source, o model.Options, yield func(model.Segment) error) (model.Result, error) {
	r := model.Result{Language: o.Language}
	if o.Language == model.Auto {
		r.Language, r.Languages = "de", german
	}
	if s.fault != nil {
		panic(s.fault)
	}
	var samples int
	for p := make([]float32, 4096); ; {
		n, err := src.Read(p)
		samples += n
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return r, err
		}
	}
	r.Duration = time.Duration(samples) * time.Second / audio.SampleRate
	for i, line := range s.lines {
		start := time.Duration(i) * time.Second
		if o.Progress != nil {
			o.Progress(model.Progress{Done: start, Total: r.Duration})
		}
		if i == len(s.lines)-1 && s.hold != nil {
			s.began <- struct{}{}
			select {
			case <-s.hold:
			case <-ctx.Done():
				return r, ctx.Err()
			}
		}
		if err := yield(spoken(start, line, o)); err != nil {
			return r, err
		}
	}
	return r, s.err
}

// german is what every sound sounds like.
var german = []model.LanguageProb{{Code: "de", P: 0.75}, {Code: "en", P: 0.25}, {Code: "fr", P: 0.0001}}

func (s *earSession) DetectLanguage(context.Context, audio.Source, model.Options) ([]model.LanguageProb, error) {
	return german, nil
}

// spoken is a segment of a second with a token for each word.
func spoken(start time.Duration, line string, o model.Options) model.Segment {
	g := model.Segment{Start: start, End: start + time.Second, Text: " " + line, NoSpeech: 0.5, Temperature: o.Temperature}
	g.Tokens = append(g.Tokens, model.Token{ID: 50363, Text: "[_BEG_]", P: 1, Start: -1, End: -1})
	for i, w := range strings.Fields(line) {
		t := model.Token{ID: int32(i + 1), Text: " " + w, P: 0.5, Start: -1, End: -1}
		if o.TokenTimes {
			t.Start = start + time.Duration(i)*100*ms
			t.End = t.Start + 100*ms
		}
		g.Tokens = append(g.Tokens, t)
	}
	return g
}

// wav is that much silence.
func wav(d time.Duration) []byte {
	n := uint32(d.Seconds() * audio.SampleRate)
	b := append([]byte("RIFF"), binary.LittleEndian.AppendUint32(nil, 36+2*n)...)
	b = append(b, "WAVEfmt \x10\x00\x00\x00\x01\x00\x01\x00\x80\x3e\x00\x00\x00\x7d\x00\x00\x02\x00\x10\x00data"...)
	b = binary.LittleEndian.AppendUint32(b, 2*n)
	return append(b, make([]byte, 2*n)...)
}

// room is a server with fake engines, by the paths of the models.
type room struct {
	*Server
	url  string
	http *httptest.Server
	ears map[string]*ear
	log  *bytes.Buffer
}

// at is a room around a server elsewhere.
func at(url string) *room { return &room{url: url} }

// newRoom starts a server with a model for each ear, named as they are; the first name is "main".
func newRoom(t *testing.T, change func(*Config, *modelSet), ears map[string]*ear) *room {
	t.Helper()
	r := &room{ears: ears, log: &bytes.Buffer{}}
	set := &modelSet{open: func(path string, _ []byte) (engine, error) {
		e, ok := ears[path]
		if !ok {
			return nil, errors.New("no such ear")
		}
		return e, nil
	}}
	c := Config{
		InferencePath: "/inference", Parallel: 4, Queue: 4, Limits: DefaultLimits,
		Log:      slog.New(slog.NewTextHandler(&lockedWriter{w: r.log}, nil)),
		Defaults: Request{Options: model.Options{Language: "en"}},
	}
	if change != nil {
		change(&c, set)
	}
	if err := set.add(ModelFile{Name: "main", Path: "main"}); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"other", "third"} {
		if ears[name] != nil {
			if err := set.add(ModelFile{Name: name, Path: name}); err != nil {
				t.Fatal(err)
			}
		}
	}
	var err error
	if r.Server, err = newServer(c, set); err != nil {
		t.Fatal(err)
	}
	r.serve(t)
	return r
}

// serveRoom is a room around a server.
func serveRoom(t *testing.T, s *Server) *room {
	r := &room{Server: s}
	r.serve(t)
	return r
}

func (r *room) serve(t *testing.T) {
	r.http = httptest.NewServer(r.Handler())
	r.url = r.http.URL
	t.Cleanup(func() {
		r.http.Close()
		if n := r.uploads.held.Load(); n != 0 {
			t.Errorf("%d bytes of uploads are held", n)
		}
		if working, waiting, _ := r.queue.state(); working+waiting > 0 {
			t.Errorf("%d work and %d wait", working, waiting)
		}
		for name, e := range r.ears {
			if n := e.sessions.Load(); n != 0 {
				t.Errorf("%s: %d sessions are open", name, n)
			}
		}
	})
}

// lockedWriter is for handlers of logs that several goroutines use.
type lockedWriter struct {
	mu sync.Mutex
	w  io.Writer
}

func (l *lockedWriter) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.w.Write(p)
}

// one is a room with one model.
func one(t *testing.T, e *ear) *room {
	return newRoom(t, nil, map[string]*ear{"main": e})
}

// body makes a form: "name=value" is a field, "@name" the sound under that name, with data in it.
func body(data []byte, fields ...string) (kind string, b *bytes.Buffer) {
	b = &bytes.Buffer{}
	w := multipart.NewWriter(b)
	for _, f := range fields {
		if name, ok := strings.CutPrefix(f, "@"); ok {
			p, _ := w.CreateFormFile(name, "a.wav")
			p.Write(data)
			continue
		}
		name, value, _ := strings.Cut(f, "=")
		w.WriteField(name, value)
	}
	w.Close()
	return w.FormDataContentType(), b
}

// post sends a second of sound and fields.
func (r *room) post(t *testing.T, path string, fields ...string) (status int, text string) {
	t.Helper()
	return r.postData(t, path, wav(time.Second), append([]string{"@file"}, fields...)...)
}

func (r *room) postData(t *testing.T, path string, data []byte, fields ...string) (status int, text string) {
	t.Helper()
	kind, b := body(data, fields...)
	resp, err := http.Post(r.url+path, kind, b)
	if err != nil {
		t.Fatal(err)
	}
	return read(t, resp)
}

func (r *room) get(t *testing.T, path string) (status int, text string) {
	t.Helper()
	resp, err := http.Get(r.url + path)
	if err != nil {
		t.Fatal(err)
	}
	return read(t, resp)
}

func read(t *testing.T, resp *http.Response) (int, string) {
	t.Helper()
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	if resp.StatusCode >= 400 && !json.Valid(b) {
		t.Errorf("%d without JSON: %s", resp.StatusCode, b)
	}
	return resp.StatusCode, string(b)
}

// settle waits until a condition holds.
func settle(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for start := time.Now(); !ok(); time.Sleep(ms) {
		if time.Since(start) > 10*time.Second {
			buf := make([]byte, 1<<16)
			t.Fatalf("%s never happens\n%s", what, buf[:runtime.Stack(buf, true)])
		}
	}
}
