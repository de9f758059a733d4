package cpu_test

import (
	"slices"
	"testing"

	"github.com/whisperfile/whisperfile/ggml/internal/cpu"
)

func TestRungs(t *testing.T) {
	rungs := cpu.Rungs()
	if rungs[0].Name != cpu.Generic || len(rungs[0].Missing()) != 0 {
		t.Errorf("the weakest rung is %q and misses %q", rungs[0].Name, rungs[0].Missing())
	}
	names := map[string]cpu.Rung{}
	for i, r := range rungs {
		t.Logf("%s needs %q, misses %q", r.Name, r.Needs(), r.Missing())
		if _, twice := names[r.Name]; twice {
			t.Errorf("two rungs are called %q", r.Name)
		}
		names[r.Name] = r
		parent, known := names[r.Parent]
		if known != (i > 0) {
			t.Errorf("%s has the parent %q", r.Name, r.Parent)
		}
		for _, f := range r.Missing() {
			if !slices.Contains(r.Needs(), f) {
				t.Errorf("%s misses %s, which it does not need", r.Name, f)
			}
		}
		// A rung starts from its parent's kernels, so that it needs what they need.
		for _, f := range parent.Needs() {
			if !slices.Contains(r.Needs(), f) {
				t.Errorf("%s does not need %s, but its parent %s does", r.Name, f, parent.Name)
			}
		}
	}
}
