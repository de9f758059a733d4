package ggml

import (
	"runtime"

	"golang.org/x/sys/unix"
)

func physicalCores() int {
	n, err := unix.SysctlUint32("hw.physicalcpu")
	if err != nil {
		return runtime.NumCPU()
	}
	return int(n)
}
