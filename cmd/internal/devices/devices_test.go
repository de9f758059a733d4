package devices

import (
	"errors"
	"strings"
	"testing"

	"github.com/whisperfile/whisperfile/gpu"
)

// machine has two NVIDIA devices, one of them broken, nothing of AMD's, and one of Apple's that works.
func machine() ([]gpu.Device, []*gpu.Absent) {
	return []gpu.Device{
			{Kind: gpu.CUDA, Name: "NVIDIA H100", Memory: 80 << 30, Capability: "9.0", Driver: "13.0", Err: gpu.ErrNoKernels},
			{Kind: gpu.CUDA, Index: 1, Name: "NVIDIA T4", Err: errors.New("the device is in use")},
			{Kind: gpu.Metal, Name: "Apple M4"},
		}, []*gpu.Absent{
			{Kind: gpu.ROCm, Err: errors.Join(errors.New("libamdhip64.so.6: not found"), errors.New("libamdhip64.so: not found"))},
		}
}

func TestList(t *testing.T) {
	var b strings.Builder
	if err := list(&b, machine); err != nil {
		t.Fatal(err)
	}
	got := strings.Split(strings.TrimSuffix(b.String(), "\n"), "\n")
	want := [][]string{
		{"KIND", "NAME", "MEMORY", "CAPABILITY", "DRIVER", "STATE"},
		{"cpu", "ready"},
		{"cuda", "NVIDIA H100", "80.0 GiB", "9.0", "13.0", "there are no kernels for it yet"},
		{"cuda", "NVIDIA T4", "-", "the device is in use"},
		{"metal", "Apple M4", "ready"},
		{"no device: rocm: libamdhip64.so.6: not found; libamdhip64.so: not found"},
	}
	if len(got) != len(want) {
		t.Fatalf("%d lines:\n%s", len(got), b.String())
	}
	for i, parts := range want {
		rest := got[i]
		for _, p := range parts {
			_, after, ok := strings.Cut(rest, p)
			if !ok {
				t.Errorf("line %q lacks %q", got[i], p)
			}
			rest = after
		}
	}
}

func TestRefuse(t *testing.T) {
	for _, test := range []struct {
		kind gpu.Kind
		want string // "" for a device that can be used
	}{
		{gpu.CUDA, "no device: cuda: NVIDIA H100: there are no kernels for it yet\nno device: cuda: NVIDIA T4: the device is in use"},
		{gpu.ROCm, "no device: rocm: libamdhip64.so.6: not found\nlibamdhip64.so: not found"},
		{gpu.Metal, ""},
	} {
		got := ""
		if err := refuse(test.kind, machine); err != nil {
			got = err.Error()
		}
		if got != test.want {
			t.Errorf("%s: %q, want %q", test.kind, got, test.want)
		}
	}
}
