//go:build unix && !darwin

package serve

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

// TestBrowseLater: the opener is started before the address is known, gets it as it is, and nobody waits for it to end.
func TestBrowseLater(t *testing.T) {
	dir := t.TempDir()
	script := "#!/bin/sh\nprintf %s \"$1\" >\"" + dir + "/part\"\nmv \"" + dir + "/part\" \"" + dir + "/opened\"\nexec sleep 5\n"
	if err := os.WriteFile(filepath.Join(dir, "opener"), []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
	show := browseLater("opener", nil)
	if show == nil {
		t.Fatal("there is no opener")
	}
	const url = "http://localhost:8080/a b/$(c)\\n/"
	began := time.Now()
	show(url)
	if took := time.Since(began); took > 2*time.Second {
		t.Errorf("it took %v", took)
	}
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		b, err := os.ReadFile(filepath.Join(dir, "opened"))
		if err == nil {
			if string(b) != url {
				t.Errorf("opened %q, want %q", b, url)
			}
			return
		}
		if time.Now().After(deadline) {
			t.Fatal(err)
		}
	}
}
