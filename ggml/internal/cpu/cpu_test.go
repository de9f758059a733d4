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
	names := map[string]bool{}
	for i, r := range rungs {
		t.Logf("%s needs %q, misses %q", r.Name, r.Needs(), r.Missing())
		if names[r.Name] {
			t.Errorf("two rungs are called %q", r.Name)
		}
		names[r.Name] = true
		for _, f := range r.Missing() {
			if !slices.Contains(r.Needs(), f) {
				t.Errorf("%s misses %s, which it does not need", r.Name, f)
			}
		}
		// A rung starts from its parent's kernels, so that it needs what they need.
		for _, f := range rungs[max(i-1, 0)].Needs() {
			if !slices.Contains(r.Needs(), f) {
				t.Errorf("%s does not need %s, but %s below it does", r.Name, f, rungs[i-1].Name)
			}
		}
	}
}
