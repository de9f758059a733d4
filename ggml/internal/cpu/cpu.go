// Package cpu says which rungs of instruction sets this processor, under this system, can run.
package cpu

import "github.com/klauspost/cpuid/v2"

// Rung is a set of instructions that kernels are written for.
type Rung struct {
	Name   string // what WHISPER_ISA calls it
	Parent string // the rung whose kernels it starts from; "" for Generic
	needs  []need
}

// need is a feature and whether the processor has it.
type need struct {
	name string
	has  bool
}

// feature takes the union of two detectors: each is blind on some system where the other sees.
func feature(name string, id cpuid.FeatureID, sys bool) need {
	return need{name, cpuid.CPU.Has(id) || sys}
}

// Rungs lists the rungs that exist for this architecture, the weakest first and each behind its parent. Generic needs
// nothing.
func Rungs() []Rung { return append([]Rung{{Name: Generic}}, native()...) }

// Generic is the name of the rung in plain Go.
const Generic = "generic"

// Missing returns the features that r needs and this CPU lacks; none where r can run.
func (r Rung) Missing() []string {
	var names []string
	for _, n := range r.needs {
		if !n.has {
			names = append(names, n.name)
		}
	}
	return names
}

// Needs returns the features that r's kernels use.
func (r Rung) Needs() []string {
	names := make([]string, len(r.needs))
	for i, n := range r.needs {
		names[i] = n.name
	}
	return names
}
