package serve

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/whisperfile/whisperfile/model"
)

// events sends server-sent events, each as soon as it happens. The zero value of started means that nothing was sent, so that
// an error can still be an ordinary answer.
type events struct {
	w       http.ResponseWriter
	ctl     *http.ResponseController
	stall   time.Duration
	started bool
	openai  bool
	sound   *sound
}

func (s *Server) newEvents(w http.ResponseWriter, j *job, openai bool) *events {
	return &events{w: w, ctl: http.NewResponseController(w), stall: s.Limits.Stall, openai: openai, sound: j.sound}
}

// send sends one event.
func (e *events) send(j *jsonText) error {
	if !e.started {
		e.started = true
		h := e.w.Header()
		h.Set("Content-Type", "text/event-stream")
		h.Set("Cache-Control", "no-store")
		h.Set("X-Accel-Buffering", "no")
	}
	if err := e.ctl.SetWriteDeadline(time.Now().Add(e.stall)); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return errGone
	}
	if _, err := e.w.Write(append(append([]byte("data: "), j.b...), "\n\n"...)); err != nil {
		return errGone
	}
	if err := e.ctl.Flush(); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return errGone
	}
	return nil
}

// event starts an event of a type.
func event(kind string) *jsonText {
	j := &jsonText{}
	j.open('{')
	j.key("type")
	j.str(kind)
	return j
}

// delta sends text as OpenAI does.
func (e *events) delta(text string) error {
	j := event("transcript.text.delta")
	j.key("delta")
	j.str(text)
	j.close('}')
	return e.send(j)
}

// fail tells of an error: as an event if there were some, else it is returned.
func (e *events) fail(err error) error {
	if err == nil || !e.started || errors.Is(err, errGone) {
		return err
	}
	j := event("error")
	j.key("error")
	asFault(err).value(j, true)
	j.close('}')
	if e := e.send(j); e != nil {
		return e
	}
	return err // for the log; the answer has begun
}

// openaiEvents tells what OpenAI's clients know.
type openaiEvents struct{ *events }

func (openaiEvents) waits(int) error { return nil }

func (openaiEvents) progress(model.Progress) error { return nil }

func (e openaiEvents) segment(_ int, s model.Segment) error { return e.delta(s.Text) }

// allEvents tells all there is.
type allEvents struct{ *events }

func (e allEvents) waits(place int) error {
	return e.send(e.report(0, seconds(e.sound.format.Duration), place))
}

func (e allEvents) progress(p model.Progress) error {
	return e.send(e.report(seconds(p.Done), seconds(p.Total), 0))
}

// report is how far it is; a total of 0 is not known.
func (e allEvents) report(done, total float64, place int) *jsonText {
	j := event("transcript.progress")
	j.key("done")
	j.number(done)
	j.key("total")
	if total > 0 {
		j.number(total)
	} else {
		j.raw("null")
	}
	j.key("queue")
	j.integer(place)
	j.close('}')
	return j
}

func (e allEvents) segment(id int, s model.Segment) error {
	j := event("transcript.text.segment")
	j.key("id")
	j.integer(id)
	j.key("start")
	j.number(seconds(s.Start))
	j.key("end")
	j.number(seconds(s.End))
	j.key("text")
	j.str(s.Text)
	j.close('}')
	if err := e.send(j); err != nil {
		return err
	}
	return e.delta(s.Text)
}

// streamInference answers /inference with events.
func (s *Server) streamInference(ctx context.Context, w http.ResponseWriter, j *job) error {
	e := allEvents{s.newEvents(w, j, false)}
	h, err := s.hear(ctx, j, e)
	if err != nil {
		return e.fail(err)
	}
	done := h.done()
	done.key("language")
	done.str(h.Language)
	done.key("duration")
	done.number(h.seconds)
	done.close('}')
	return e.send(done)
}

// done starts the last event.
func (h *heard) done() *jsonText {
	j := event("transcript.text.done")
	j.key("text")
	j.str(h.trimmed())
	j.key("usage")
	h.usage(j)
	return j
}
