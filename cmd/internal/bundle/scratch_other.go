//go:build !linux

package bundle

import (
	"errors"
	"os"
)

// scratch makes a file beside path, of the name returned.
func scratch(path string, mode os.FileMode) (f *os.File, name string, err error) {
	return create(path, mode)
}

// show would give a file a name; here all have one.
func show(*os.File, string) (string, error) { return "", errors.ErrUnsupported }

// syncDir is left to the system.
func syncDir(string) error { return nil }
