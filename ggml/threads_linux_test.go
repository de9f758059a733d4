package ggml

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

func TestCountCores(t *testing.T) {
	root := t.TempDir()
	for cpu := range 8 { // four cores of two threads, CPU i beside CPU i+4
		dir := filepath.Join(root, fmt.Sprintf("cpu%d", cpu), "topology")
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		siblings := fmt.Appendf(nil, "%d,%d\n", cpu%4, cpu%4+4)
		if err := os.WriteFile(filepath.Join(dir, "thread_siblings_list"), siblings, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, test := range []struct {
		name    string
		allowed func(int) bool
		want    int
	}{
		{"all", func(cpu int) bool { return cpu < 8 }, 4},
		{"one thread a core", func(cpu int) bool { return cpu < 4 }, 4},
		{"both threads of a core", func(cpu int) bool { return cpu == 1 || cpu == 5 }, 1},
		{"one core and CPUs not described", func(cpu int) bool { return cpu == 7 || cpu == 8 || cpu == 9 }, 3},
	} {
		if got := countCores(root, test.allowed, 16); got != test.want {
			t.Errorf("%s: %d cores, want %d", test.name, got, test.want)
		}
	}
	if n := DefaultThreads(); n < 1 {
		t.Errorf("DefaultThreads() = %d", n)
	}
}
