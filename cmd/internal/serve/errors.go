package serve

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"time"
)

// fault is an error with what the client is told of it.
type fault struct {
	status  int
	message string
	param   string        // the field at fault, "" for none
	code    string        // OpenAI's name for it, "" for none
	retry   time.Duration // when to come back, 0 for never mind
	err     error         // the cause, for the log; may be nil
}

func (f *fault) Error() string {
	if f.err != nil {
		return fmt.Sprintf("%s: %v", f.message, f.err)
	}
	return f.message
}

func (f *fault) Unwrap() error { return f.err }

// bad is a request that makes no sense; param names the field at fault.
func bad(param, format string, args ...any) *fault {
	return &fault{status: http.StatusBadRequest, param: param, message: fmt.Sprintf(format, args...)}
}

var (
	// errGone: the client left, so that nobody is there to be told.
	errGone = errors.New("the client left")

	// errStopping: the server stops and has waited long enough.
	errStopping = errors.New("the server stops")

	// errTime: the request has taken as long as one may.
	errTime = errors.New("the time limit is over")
)

// ended says why a request's context ended, given the cause.
func ended(ctx context.Context) error {
	switch cause := context.Cause(ctx); {
	case errors.Is(cause, errStopping):
		return &fault{status: http.StatusServiceUnavailable, message: "the server stops", retry: time.Second}
	case errors.Is(cause, errTime):
		return &fault{status: http.StatusGatewayTimeout, message: "the request took longer than the time limit"}
	}
	return errGone
}

// asFault is what the client is told of err. What is not made for clients is an inner failure, whose cause is for the log.
func asFault(err error) *fault {
	var f *fault
	if errors.As(err, &f) {
		return f
	}
	return &fault{status: http.StatusInternalServerError, message: "failed to process audio", err: err}
}

// body is the JSON of an error: a string as whisper.cpp's, an object as OpenAI's.
func (f *fault) body(openai bool) []byte {
	var j jsonText
	j.open('{')
	j.key("error")
	f.value(&j, openai)
	j.close('}')
	return j.b
}

func (f *fault) value(j *jsonText, openai bool) {
	if !openai {
		j.str(f.message)
		return
	}
	kind := "invalid_request_error"
	switch {
	case f.status == http.StatusTooManyRequests:
		kind = "rate_limit_error"
	case f.status >= 500:
		kind = "server_error"
	}
	j.open('{')
	j.key("message")
	j.str(f.message)
	j.key("type")
	j.str(kind)
	j.key("param")
	j.strOrNull(f.param)
	j.key("code")
	j.strOrNull(f.code)
	j.close('}')
}

// write sends the error.
func (f *fault) write(w http.ResponseWriter, openai bool) {
	h := w.Header()
	h.Set("Content-Type", "application/json")
	if f.retry > 0 {
		h.Set("Retry-After", strconv.Itoa(int(math.Ceil(f.retry.Seconds()))))
	}
	w.WriteHeader(f.status)
	w.Write(append(f.body(openai), '\n')) //nolint:errcheck // there is nobody else to tell
}
