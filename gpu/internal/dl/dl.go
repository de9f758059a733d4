// Package dl calls functions of shared libraries without cgo. It is the only importer of purego, which on Linux makes a
// program depend on the dynamic loader of glibc; the tag nogpu leaves it out, and the program is static.
package dl

import (
	"errors"
	"fmt"
)

// ErrNone means that this program cannot open libraries: it was built with the tag nogpu, or for a system without them.
var ErrNone = errors.New("this program was built without GPUs")

// Library is a shared library in this process. It is never closed: drivers do not stand that.
type Library struct {
	name   string
	handle uintptr
}

// Name returns the name that the library was found under.
func (l *Library) Name() string { return l.name }

// Open returns the first of the named libraries that the system's loader finds. The error joins what each attempt said.
func Open(names ...string) (*Library, error) {
	var errs []error
	for _, name := range names {
		handle, err := open(name)
		switch {
		case err == nil:
			return &Library{name, handle}, nil
		case errors.Is(err, ErrNone):
			return nil, err
		}
		errs = append(errs, err)
	}
	return nil, errors.Join(errs...)
}

// Bind makes the function that f points to a call of the library's function of that name. Arguments and results are
// integers, pointers to Go memory that holds no pointers, which C may use during the call alone, and strings. What C
// declares must match: nobody checks.
func (l *Library) Bind(f any, name string) error {
	address, err := symbol(l.handle, name)
	if err != nil {
		return fmt.Errorf("%s lacks %s: %w", l.name, name, err)
	}
	register(f, address)
	return nil
}
