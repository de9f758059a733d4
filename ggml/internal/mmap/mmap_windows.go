package mmap

import (
	"os"
	"unsafe"

	"golang.org/x/sys/windows"
)

func open(f *os.File, size int) (*Map, error) {
	mapping, err := windows.CreateFileMapping(windows.Handle(f.Fd()), nil, windows.PAGE_READONLY, 0, 0, nil)
	if err != nil {
		return nil, err
	}
	defer windows.CloseHandle(mapping) // the view holds a reference of its own
	addr, err := windows.MapViewOfFile(mapping, windows.FILE_MAP_READ, 0, 0, uintptr(size))
	if err != nil {
		return nil, err
	}
	// The address is no memory of Go's, so the garbage collector does not care; the detour over &addr tells vet so.
	p := *(*unsafe.Pointer)(unsafe.Pointer(&addr))
	return &Map{data: unsafe.Slice((*byte)(p), size), unmap: func() error { return windows.UnmapViewOfFile(addr) }}, nil
}
