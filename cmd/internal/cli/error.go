package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
)

// Code is the exit code of a program.
type Code int

// The exit codes of all programs. Codes is the same table for people.
const (
	OK          Code = 0
	Partial     Code = 1
	Usage       Code = 2
	Model       Code = 3
	Input       Code = 4
	Output      Code = 5
	Device      Code = 6
	Interrupted Code = 130
)

// Codes says what the exit codes mean, in the order --help shows them.
var Codes = []struct {
	Code    Code
	Meaning string
}{
	{OK, "all done"},
	{Partial, "some inputs failed, others did not; or anything not below"},
	{Usage, "the command line cannot be followed"},
	{Model, "the model is missing, damaged or not supported"},
	{Input, "no input could be read"},
	{Output, "the output could not be written"},
	{Device, "the device failed"},
	{Interrupted, "interrupted; what was done until then is written"},
}

// Error is an error on its way to the user: the exit code it asks for, and a hint what to do next ("" for none).
type Error struct {
	Code Code
	Err  error
	Hint string
}

func (e *Error) Error() string { return e.Err.Error() }

func (e *Error) Unwrap() error { return e.Err }

// Fail gives err an exit code and a hint; nil stays nil.
func Fail(code Code, err error, hint string) error {
	if err == nil {
		return nil
	}
	return &Error{Code: code, Err: err, Hint: hint}
}

// Failf is Fail of fmt.Errorf without a hint.
func Failf(code Code, format string, args ...any) error {
	return &Error{Code: code, Err: fmt.Errorf(format, args...)}
}

// CodeOf returns the exit code that err asks for: that of the first *Error in its chain, Interrupted for a context that
// was cancelled, OK for nil and Partial for everything else.
func CodeOf(err error) Code {
	var e *Error
	switch {
	case err == nil:
		return OK
	case errors.As(err, &e):
		return e.Code
	case errors.Is(err, context.Canceled):
		return Interrupted
	}
	return Partial
}

// errReported stands in for errors that the user has been told of.
var errReported = errors.New("reported")

// Reported asks for an exit code where everything has been said already.
func Reported(code Code) error { return &Error{Code: code, Err: errReported} }

// Report writes what went wrong as one line, and the hint, if there is one, as another.
func Report(w io.Writer, program string, err error) {
	if errors.Is(err, errReported) {
		return
	}
	text := line(err.Error())
	if CodeOf(err) == Interrupted {
		text = "interrupted"
	}
	fmt.Fprintf(w, "%s: %s\n", program, text)
	var e *Error
	if errors.As(err, &e) && e.Hint != "" {
		fmt.Fprintf(w, "hint: %s\n", line(e.Hint))
	}
}

// Bare takes the operation and the path off err, for messages that name them in their own way.
func Bare(err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}

// line makes one line of s, so that a message stays countable whatever a file name or a driver put into it.
func line(s string) string { return strings.Join(strings.Fields(s), " ") }
