package ggml

import (
	"os"

	"golang.org/x/sys/unix"
)

// largePages asks for large pages behind b, which are taken as its memory is first touched. A system without them says no, and that is fine.
func largePages(b []byte) {
	_ = unix.Madvise(b[:len(b)-len(b)%os.Getpagesize()], unix.MADV_HUGEPAGE)
}
