package cpu

import (
	"github.com/klauspost/cpuid/v2"
	"golang.org/x/sys/cpu"
)

// native asks nothing for neon: Advanced SIMD is part of every 64-bit ARM processor that runs Go.
func native() []Rung {
	return []Rung{
		{Name: "neon", Parent: Generic},
		{"dotprod", "neon", []need{feature("ASIMDDP", cpuid.ASIMDDP, cpu.ARM64.HasASIMDDP)}},
	}
}
