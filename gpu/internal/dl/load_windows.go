//go:build !nogpu && (amd64 || arm64)

package dl

import (
	"fmt"

	"golang.org/x/sys/windows"
)

// open looks in the system's directory alone, so that no library beside a sound file is ever run.
func open(name string) (uintptr, error) {
	handle, err := windows.LoadLibraryEx(name, 0, windows.LOAD_LIBRARY_SEARCH_SYSTEM32)
	if err != nil {
		return 0, fmt.Errorf("%s: %w", name, err)
	}
	return uintptr(handle), nil
}

func symbol(library uintptr, name string) (uintptr, error) {
	return windows.GetProcAddress(windows.Handle(library), name)
}
