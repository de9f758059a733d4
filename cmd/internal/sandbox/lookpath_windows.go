package sandbox

import (
	"os/exec"
	"path/filepath"
)

// LookPath returns the absolute path of a program in the directories of %PATH%, of which none may be relative. The error wraps
// exec.ErrNotFound.
func LookPath(name string) (string, error) {
	path, err := exec.LookPath(name)
	if err == nil && !filepath.IsAbs(path) {
		err = exec.ErrNotFound
	}
	if err != nil {
		return "", &exec.Error{Name: name, Err: exec.ErrNotFound}
	}
	return path, nil
}
