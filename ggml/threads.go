package ggml

import "runtime"

// DefaultThreads returns how many cores the process may use: physical ones, within its CPU affinity and, by way of
// GOMAXPROCS, its cgroup's quota; at least 1. A second thread on a core would share its multipliers.
func DefaultThreads() int {
	return max(1, min(physicalCores(), runtime.GOMAXPROCS(0), runtime.NumCPU()))
}
