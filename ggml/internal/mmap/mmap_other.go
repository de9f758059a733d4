//go:build !(linux || darwin || freebsd || netbsd || openbsd || windows)

package mmap

import (
	"io"
	"os"
)

func open(f *os.File, size int) (*Map, error) {
	data := make([]byte, size)
	if _, err := io.ReadFull(f, data); err != nil {
		return nil, err
	}
	return &Map{data: data}, nil
}
