package ggml

import (
	"strings"

	"github.com/whisperfile/whisperfile/ggml/internal/cpu"
	"github.com/whisperfile/whisperfile/ggml/internal/kernel"
)

// ISAs lists the instruction sets that CPUOptions.ISA may name on this CPU, the slowest first.
func ISAs() []string {
	var names []string
	for _, t := range kernel.Tables() {
		names = append(names, t.Name)
	}
	return names
}

// LacksISA names the instructions that this CPU would need for any faster rung than "generic", such as "AVX"; "" where it
// has them.
func LacksISA() string {
	if rungs := cpu.Rungs(); len(rungs) > 1 {
		return strings.Join(rungs[1].Missing(), ", ") // the weakest
	}
	return ""
}
