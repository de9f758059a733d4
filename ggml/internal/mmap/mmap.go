// Package mmap maps files read-only. The pages are shared with every process that maps the same file and are read from
// the disk when they are first touched. Where a system offers no mapping the file is read into memory instead.
package mmap

import (
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"sync"
)

// Map is a mapped file.
type Map struct {
	data  []byte
	once  sync.Once
	unmap func() error
}

// Open maps the regular file at path. Errors are *fs.PathError.
func Open(path string) (*Map, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	switch size := info.Size(); {
	case info.IsDir():
		return nil, &fs.PathError{Op: "map", Path: path, Err: errors.New("is a directory")}
	case !info.Mode().IsRegular():
		return nil, &fs.PathError{Op: "map", Path: path, Err: errors.New("is not a regular file")}
	case size == 0:
		return &Map{}, nil
	case size > math.MaxInt:
		return nil, &fs.PathError{Op: "map", Path: path, Err: fmt.Errorf("%d bytes do not fit this system's address space", size)}
	default:
		m, err := open(f, int(size))
		if err != nil {
			return nil, &fs.PathError{Op: "map", Path: path, Err: err}
		}
		return m, nil
	}
}

// Data returns the bytes of the file. They must not be written to, nor read after Close. If the file shrinks while it is
// mapped, reading what is gone ends the process.
func (m *Map) Data() []byte { return m.data }

// Close unmaps the file. Further calls do nothing.
func (m *Map) Close() (err error) {
	m.once.Do(func() {
		m.data = nil
		if m.unmap != nil {
			err = m.unmap()
		}
	})
	return err
}
