package bundle

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/whisperfile/whisperfile/cmd/internal/applet"
)

func TestBeside(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"a b.bin", "exe.bin"} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(dir, "dir.bin"), 0o777); err != nil {
		t.Fatal(err)
	}
	for program, want := range map[string]string{
		"a b":               "a b.bin",
		"a b.exe":           "a b.bin",
		"a b.EXE":           "a b.bin",
		"a b.llamafile":     "a b.bin",
		"a b.llamafile.exe": "a b.bin",
		"exe.exe":           "exe.bin",
		"a":                 "",
		"a b.bin":           "",
		"dir":               "",
	} {
		if want != "" {
			want = filepath.Join(dir, want)
		}
		b := &Bundle{path: filepath.Join(dir, program)}
		if got := b.beside(); got != want {
			t.Errorf("%s: %q, want %q", program, got, want)
		}
	}
	if got := (&Bundle{}).beside(); got != "" {
		t.Errorf("of nothing: %q", got)
	}
	if !weightsInside(applet.Env{Beside: "a.bin"}) {
		t.Error("a model beside the program does not come with it")
	}
}
