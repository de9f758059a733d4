package kernel_test

import (
	"os"
	"syscall"
	"testing"
)

// region returns memory with a page behind it that faults.
func region(t testing.TB) []byte {
	page := os.Getpagesize()
	b, err := syscall.Mmap(-1, 0, regionSize+page, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := syscall.Munmap(b); err != nil {
			t.Error(err)
		}
	})
	if err := syscall.Mprotect(b[regionSize:], syscall.PROT_NONE); err != nil {
		t.Fatal(err)
	}
	return b[:regionSize]
}
