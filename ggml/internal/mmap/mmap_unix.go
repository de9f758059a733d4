//go:build linux || darwin || freebsd || netbsd || openbsd

package mmap

import (
	"os"

	"golang.org/x/sys/unix"
)

func open(f *os.File, size int) (*Map, error) {
	data, err := unix.Mmap(int(f.Fd()), 0, size, unix.PROT_READ, unix.MAP_SHARED)
	if err != nil {
		return nil, err
	}
	return &Map{data: data, unmap: func() error { return unix.Munmap(data) }}, nil
}
