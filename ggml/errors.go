package ggml

import (
	"errors"
	"fmt"
)

var (
	// ErrFormat: the bytes are not what the format demands. The usual cause is a file of another kind, or a damaged one.
	ErrFormat = errors.New("not a whisper ggml model")

	// ErrTruncated: the file ends before its contents do. The usual cause is a download that broke off.
	ErrTruncated = errors.New("the file is cut short")

	// ErrUnsupported: the file is sound, but holds something that this package does not know.
	ErrUnsupported = errors.New("not supported")
)

// FormatError says where a file is not as it should be. Err is one of the sentinels above or wraps one.
type FormatError struct {
	Path   string // may be empty
	Offset int64  // byte at which the field starts
	Field  string // what was being read, such as "n_vocab" or a tensor's name
	Err    error
}

func (e *FormatError) Error() string {
	s := fmt.Sprintf("%s at byte %d: %v", e.Field, e.Offset, e.Err)
	if e.Path != "" {
		s = e.Path + ": " + s
	}
	return s
}

func (e *FormatError) Unwrap() error { return e.Err }
