//go:build !linux && !darwin

package ggml

import (
	"runtime"

	"github.com/klauspost/cpuid/v2"
)

func physicalCores() int {
	return runtime.NumCPU() / max(1, cpuid.CPU.ThreadsPerCore)
}
