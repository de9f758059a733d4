//go:build unix

package bundle

import (
	"os"
	"syscall"
)

// isSparse reports whether a file takes far less room than it is long.
func isSparse(f *os.File) bool {
	info, err := f.Stat()
	if err != nil {
		return false
	}
	s, ok := info.Sys().(*syscall.Stat_t)
	return ok && int64(s.Blocks)*512 < info.Size()/100 //nolint:unconvert // its type differs between systems
}
