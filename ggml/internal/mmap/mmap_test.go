package mmap

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestOpen(t *testing.T) {
	for _, want := range []string{"", "x", strings.Repeat("whisper ", 5000)} {
		path := filepath.Join(t.TempDir(), "file")
		if err := os.WriteFile(path, []byte(want), 0o600); err != nil {
			t.Fatal(err)
		}
		m, err := Open(path)
		if err != nil {
			t.Fatal(err)
		}
		if got := string(m.Data()); got != want {
			t.Errorf("%d bytes read, %d written", len(got), len(want))
		}
		for range 2 {
			if err := m.Close(); err != nil {
				t.Error(err)
			}
		}
		if m.Data() != nil {
			t.Error("Data after Close is not nil")
		}
	}
}

func TestOpenRefuses(t *testing.T) {
	dir := t.TempDir()
	for _, path := range []string{dir, filepath.Join(dir, "none")} {
		_, err := Open(path)
		var p *fs.PathError
		if !errors.As(err, &p) || p.Path != path {
			t.Errorf("Open(%q): %v", path, err)
		}
	}
}
