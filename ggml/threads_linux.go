package ggml

import (
	"fmt"
	"os"
	"runtime"

	"golang.org/x/sys/unix"
)

// physicalCores counts the cores behind the CPUs of the process's affinity mask.
func physicalCores() int {
	var mask unix.CPUSet
	if err := unix.SchedGetaffinity(0, &mask); err != nil {
		return runtime.NumCPU()
	}
	return countCores("/sys/devices/system/cpu", mask.IsSet, 1024) // what a CPUSet holds
}

// countCores counts the sets of sibling threads in the tree of sysfs at root among the CPUs below n that are allowed.
// A CPU that the tree does not describe counts as a core.
func countCores(root string, allowed func(cpu int) bool, n int) int {
	cores := make(map[string]bool)
	for cpu := range n {
		if !allowed(cpu) {
			continue
		}
		siblings, err := os.ReadFile(fmt.Sprintf("%s/cpu%d/topology/thread_siblings_list", root, cpu))
		if err != nil {
			siblings = fmt.Appendf(nil, "cpu%d", cpu)
		}
		cores[string(siblings)] = true
	}
	return len(cores)
}
