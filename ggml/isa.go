package ggml

import "github.com/whisperfile/whisperfile/ggml/internal/kernel"

// ISAs lists the instruction sets that CPUOptions.ISA may name on this CPU, the slowest first.
func ISAs() []string {
	var names []string
	for _, t := range kernel.Tables() {
		names = append(names, t.Name)
	}
	return names
}
