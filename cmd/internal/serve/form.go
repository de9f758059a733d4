package serve

import (
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"os"
	"strings"
	"time"
	"unicode/utf8"
)

// form is what a client sent: fields by name, in order, and the sound.
type form struct {
	values map[string][]string
	sound  *blob  // nil where there was none
	name   string // what the client calls the sound's file
}

// free lets go of the sound.
func (f *form) free() {
	if f.sound != nil {
		f.sound.free()
	}
}

// get returns the first value of a field.
func (f *form) get(name string) (value string, ok bool) {
	if v := f.values[name]; len(v) > 0 {
		return v[0], true
	}
	return "", false
}

// soundField is the field that holds the sound.
const soundField = "file"

// readForm reads a form, wherever in it the sound stands. Errors are faults.
func readForm(w http.ResponseWriter, r *http.Request, l Limits, a *account) (*form, error) {
	kind, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/form-data" || params["boundary"] == "" {
		return nil, bad("", "the body must be multipart/form-data")
	}
	body := newUpload(w, r, l)
	f := &form{values: make(map[string][]string)}
	err = f.read(multipart.NewReader(body, params["boundary"]), l, a)
	if err == nil {
		err = body.Close()
	}
	if err != nil {
		f.free()
		body.abandon(w)
		return nil, uploadFault(err, l)
	}
	return f, nil
}

func (f *form) read(r *multipart.Reader, l Limits, a *account) error {
	for n := 0; ; n++ {
		p, err := r.NextPart()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if n == l.Parts {
			return bad("", "the form has more than %d fields", l.Parts)
		}
		name := p.FormName()
		if name == soundField && f.sound == nil {
			f.sound, f.name = &blob{account: a}, p.FileName()
			if _, err := f.sound.ReadFrom(p); err != nil {
				return err
			}
			continue
		}
		if !isField(name) {
			continue // NextPart passes over it
		}
		v, err := io.ReadAll(io.LimitReader(p, int64(l.Field)+1))
		switch {
		case err != nil:
			return err
		case len(v) > l.Field:
			return bad(name, "%s is longer than %d bytes", name, l.Field)
		case !utf8.Valid(v):
			return bad(name, "%s is not UTF-8", name)
		}
		f.values[name] = append(f.values[name], string(v))
	}
}

// uploadFault is what a client is told whose upload could not be read.
func uploadFault(err error, l Limits) error {
	var f *fault
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &f):
		return f
	case errors.As(err, &large):
		return &fault{status: http.StatusRequestEntityTooLarge, message: fmt.Sprintf("the body is larger than %d bytes", large.Limit)}
	case errors.Is(err, errHeld):
		return &fault{status: http.StatusServiceUnavailable, message: "too many uploads at once", retry: 5 * time.Second}
	case errors.Is(err, os.ErrDeadlineExceeded):
		return &fault{status: http.StatusRequestTimeout, message: fmt.Sprintf("nothing came for %v", l.Stall)}
	}
	return &fault{status: http.StatusBadRequest, message: "the form is broken: " + oneLine(err.Error())}
}

// oneLine makes of s something short that can be printed.
func oneLine(s string) string {
	s = strings.Join(strings.Fields(strings.ToValidUTF8(s, "\uFFFD")), " ")
	if r := []rune(s); len(r) > 100 {
		s = string(r[:100]) + "…"
	}
	return s
}
