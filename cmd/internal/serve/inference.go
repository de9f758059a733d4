package serve

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/whisperfile/whisperfile/cmd/internal/transcript"
	"github.com/whisperfile/whisperfile/model"
)

// job is a request that is understood, and its sound.
type job struct {
	Request
	model *served
	sound *sound
	name  string // of the file, as the client calls it
}

// heard is what became of a job.
type heard struct {
	*job
	transcript.Transcript
	seconds float64 // length of the sound
}

// accept reads and checks a request: what is wrong with it is said before it waits. The caller lets go of the sound.
func (s *Server) accept(w http.ResponseWriter, r *http.Request, defaults Request) (j *job, done func(), err error) {
	f, err := readForm(w, r, s.Limits, s.uploads)
	if err != nil {
		return nil, nil, err
	}
	defer func() {
		if err != nil {
			f.free()
		}
	}()
	j = &job{Request: defaults, name: f.name}
	if err := j.understand(f); err != nil {
		return nil, nil, err
	}
	if j.model, err = s.models.find(j.Request.model); err != nil {
		return nil, nil, err
	}
	if err := j.fit(j.model.info); err != nil {
		return nil, nil, err
	}
	if f.sound == nil {
		return nil, nil, bad(soundField, "there is no file in the form")
	}
	if j.sound, err = newSound(f.sound, s.Convert, s.Limits.Sound, s.FFmpeg, s.TempDir); err != nil {
		return nil, nil, err
	}
	return j, f.free, nil
}

// fit holds a request against what the model can do. A language that only the command line names gives way.
func (r *Request) fit(m model.Info) error {
	o := &r.Options
	switch {
	case o.Translate && !m.Translates():
		return bad("translate", "the model cannot translate")
	case r.Detect:
		o.Language = model.Auto
	case o.Language == model.Auto || m.Knows(o.Language):
	case r.spoken:
		return bad("language", "the model does not know the language %s", o.Language)
	default:
		o.Language = "en"
	}
	return nil
}

// limited returns the context of a request that has been read: it ends when the client leaves, at the time limit, or when the
// server stops.
func (s *Server) limited(r *http.Request) (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(r.Context())
	unhook := context.AfterFunc(s.stop, func() { cancel(context.Cause(s.stop)) })
	var timer *time.Timer
	if s.Limits.Request > 0 {
		timer = time.AfterFunc(s.Limits.Request, func() { cancel(errTime) })
	}
	return ctx, func() {
		unhook()
		if timer != nil {
			timer.Stop()
		}
		cancel(nil)
	}
}

// watcher is told how a job goes.
type watcher interface {
	waits(place int) error
	progress(p model.Progress) error
	segment(id int, s model.Segment) error
}

// hear waits for its turn and hears a job. watch may be nil.
func (s *Server) hear(ctx context.Context, j *job, watch watcher) (*heard, error) {
	var moved func(int) error
	if watch != nil {
		moved = watch.waits
	}
	v := visitOf(ctx)
	v.heard, v.model = true, j.model.Name
	arrived := time.Now()
	leave, err := s.queue.enter(ctx, moved)
	v.queued = time.Since(arrived)
	switch {
	case errors.Is(err, errFull):
		_, _, room := s.queue.state()
		return nil, &fault{status: http.StatusTooManyRequests, code: "queue_full", message: "the queue is full", retry: room}
	case ctx.Err() != nil:
		if err == nil {
			leave()
		}
		return nil, ended(ctx)
	case err != nil:
		return nil, err
	}
	defer leave()
	e, release, err := s.models.acquire(j.model)
	if err != nil {
		return nil, err
	}
	defer release()
	ses, err := e.NewSession()
	if err != nil {
		return nil, err
	}
	defer ses.Close()
	began := time.Now()
	defer func() { v.computed = max(time.Since(began), 1) }() // some clocks stand still for 15 ms
	h, err := s.hearIn(ctx, ses, j, watch)
	if err == nil {
		v.audio = h.seconds
	}
	return h, err
}

func (s *Server) hearIn(ctx context.Context, ses session, j *job, watch watcher) (*heard, error) {
	h := &heard{job: j, Transcript: transcript.Transcript{Model: j.model.info, FirstNumber: j.FirstNumber, Turns: j.Options.SpeakerTurns}}
	if j.wantsLanguages() {
		if err := j.detect(ctx, ses, h); err != nil {
			return nil, err
		}
		if j.Detect {
			return h, nil
		}
	}
	in, err := j.sound.open(ctx)
	if err != nil {
		return nil, err
	}
	defer in.Close()
	o := j.options()
	var failed error // of the watcher
	if watch != nil {
		o.Progress = func(p model.Progress) {
			if failed == nil {
				failed = watch.progress(p)
			}
		}
	}
	r, err := ses.Transcribe(ctx, in, o, func(g model.Segment) error {
		h.Segments = append(h.Segments, g)
		if s.Print != nil {
			s.Print("[" + transcript.Stamp(g.Start, '.') + " --> " + transcript.Stamp(g.End, '.') + "]  " + g.Text)
		}
		if watch != nil && failed == nil {
			failed = watch.segment(len(h.Segments)-1, g)
		}
		return failed
	})
	if err := outcome(ctx, in, failed, err); err != nil {
		return nil, err
	}
	h.Language, h.seconds = r.Language, in.seconds()
	if r.Languages != nil {
		h.Languages = r.Languages
	}
	return h, nil
}

// outcome says why hearing ended: the client's fault, the sound's or ours.
func outcome(ctx context.Context, in *stream, watch, err error) error {
	switch {
	case err == nil && watch == nil:
		return nil
	case ctx.Err() != nil:
		return ended(ctx)
	case watch != nil:
		return watch
	case in.err != nil:
		return in.err
	}
	return err
}

// detect finds out what language is spoken.
func (j *job) detect(ctx context.Context, ses session, h *heard) error {
	in, err := j.sound.open(ctx)
	if err != nil {
		return err
	}
	defer in.Close()
	l, err := ses.DetectLanguage(ctx, in, j.Options)
	if err := outcome(ctx, in, nil, err); err != nil {
		return err
	}
	h.Language, h.Languages, h.seconds = l[0].Code, l, in.seconds()
	return nil
}

// wantsLanguages says whether it takes a look at the sound of its own to tell the language.
func (j *job) wantsLanguages() bool {
	return j.Detect || j.format == "verbose_json" && !j.NoLanguageProbability && j.Options.Language != model.Auto
}

// options are those of the engine: verbose JSON has the times of tokens, and lines of 60 characters where nothing else is
// asked for, as whisper.cpp's.
func (j *job) options() model.Options {
	o := j.Options
	o.TokenTimes = j.haveTokenTimes && j.tokenTimes || !j.haveTokenTimes && !j.NoTimestamps && j.format == "verbose_json"
	if j.format == "verbose_json" && o.MaxLen == 0 && o.TokenTimes {
		o.MaxLen = lineLength
	}
	return o
}

// lineLength is how many characters a segment of verbose JSON has at most.
const lineLength = 60

// inference is whisper.cpp's POST /inference.
func (s *Server) inference(w http.ResponseWriter, r *http.Request) error {
	j, free, err := s.accept(w, r, s.Defaults)
	if err != nil {
		return err
	}
	defer free()
	ctx, cancel := s.limited(r)
	defer cancel()
	if j.stream {
		return s.streamInference(ctx, w, j)
	}
	h, err := s.hear(ctx, j, nil)
	if err != nil {
		return err
	}
	kind, body, err := h.render()
	if err != nil {
		return err
	}
	return s.answer(w, kind, body)
}

// answer sends an answer to a client that has to take it without stalling.
func (s *Server) answer(w http.ResponseWriter, kind string, body []byte) error {
	if err := http.NewResponseController(w).SetWriteDeadline(time.Now().Add(s.Limits.Stall)); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return errGone
	}
	return reply(w, kind, body)
}

// text is what was heard, a segment a line, as whisper.cpp has it: with the blank that segments start with.
func (h *heard) text() string {
	var b strings.Builder
	for _, g := range h.Segments {
		b.WriteString(g.Text + "\n")
	}
	return b.String()
}

// render writes the answer in whisper.cpp's formats.
func (h *heard) render() (kind string, body []byte, err error) {
	var b strings.Builder
	switch h.format {
	case "text":
		return "text/plain; charset=utf-8", []byte(h.text()), nil
	case "srt":
		err = transcript.WriteSRT(&b, &h.Transcript)
		return "application/x-subrip", []byte(b.String()), err
	case "vtt":
		err = transcript.WriteVTT(&b, &h.Transcript)
		return "text/vtt", []byte(b.String()), err
	case "verbose_json":
		return "application/json", h.verbose(), nil
	}
	var j jsonText
	j.open('{')
	j.key("text")
	j.str(h.text())
	j.close('}')
	return "application/json", j.b, nil
}
