package gpu_test

import (
	"testing"

	"github.com/whisperfile/whisperfile/gpu"
)

// TestDevices holds on every machine: each kind has devices or a reason why not.
func TestDevices(t *testing.T) {
	devices, absent := gpu.Devices()
	answered := map[gpu.Kind]bool{}
	for _, d := range devices {
		answered[d.Kind] = true
		t.Logf("%+v", d)
		if d.Err == nil || d.Err == gpu.ErrNoKernels {
			if d.Name == "" || d.Memory == 0 {
				t.Errorf("%+v lacks a name or memory", d)
			}
		}
	}
	for _, a := range absent {
		if a.Err == nil || answered[a.Kind] {
			t.Errorf("%s is absent because of %v, and is there: %v", a.Kind, a.Err, answered[a.Kind])
		}
		answered[a.Kind] = true
		t.Log(a)
	}
	for _, k := range []gpu.Kind{gpu.CUDA, gpu.ROCm, gpu.Metal} {
		if !answered[k] {
			t.Errorf("no word about %s", k)
		}
	}
}
