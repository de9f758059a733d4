package assimilate

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/whisperfile/whisperfile/cmd/internal/applet"
	"github.com/whisperfile/whisperfile/cmd/internal/bundle"
	whisper "github.com/whisperfile/whisperfile/cmd/internal/cli"
)

// assimilate runs the program and returns its exit code and what it says.
func assimilate(args ...string) (code whisper.Code, said string) {
	var out bytes.Buffer
	env := applet.Env{Program: "assimilate", Args: args, Stdout: &out, Stderr: &out, Getenv: os.Getenv}
	return whisper.Run(context.Background(), env, New(env)), out.String()
}

// must runs assimilate, which must be content.
func must(t *testing.T, args ...string) string {
	t.Helper()
	code, said := assimilate(args...)
	if code != 0 {
		t.Fatalf("assimilate %q: exit %d: %s", args, code, said)
	}
	return said
}

func read(t testing.TB, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// fatHead returns what is in front of the first file inside: a PE header, and text. The header says nothing of its section yet.
func fatHead() []byte {
	b := make([]byte, 0x2000)
	copy(b, magic)
	b[0x3c] = 0x70
	copy(b[0x70:], "PE\x00\x00d\x86")
	copy(b[0x70+24:], ".text")
	le.PutUint32(b[0x70+24+16:], 8)
	le.PutUint32(b[0x70+24+20:], 1<<16)
	copy(b[lenHead:], strings.Repeat("# launcher\n", 200))
	return b
}

// fatten goes to a directory of its own and makes the file "fat" there of these files inside.
func fatten(t testing.TB, names []string, inside map[string][]byte) {
	t.Helper()
	t.Chdir(t.TempDir())
	if err := os.WriteFile("fat", fatHead(), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, inside[name], 0o755); err != nil {
			t.Fatal(err)
		}
	}
	pack(t, append([]string{"fat"}, names...)...)
	b := read(t, "fat")
	b[0x76] = 1 // section
	if err := os.WriteFile("fat", b, 0o755); err != nil {
		t.Fatal(err)
	}
}

// pack runs zipalign.
func pack(t testing.TB, args ...string) {
	t.Helper()
	var out bytes.Buffer
	env := applet.Env{Program: "zipalign", Args: args, Stdout: &out, Stderr: &out, Getenv: os.Getenv}
	if code := whisper.Run(t.Context(), env, bundle.NewZipalign(env)); code != 0 {
		t.Fatalf("zipalign %q: exit %d: %s", args, code, out.String())
	}
}

// tool returns the path of a program that may be missing, except where all tests must run.
func tool(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil && os.Getenv("CI") == "true" {
		t.Fatal(err)
	}
	if err != nil {
		t.Skip(err)
	}
	return path
}

// run returns what a program prints.
func run(t *testing.T, name string, args ...string) string {
	t.Helper()
	var out, failed bytes.Buffer
	c := exec.CommandContext(t.Context(), name, args...)
	c.Stdout, c.Stderr = &out, &failed
	if err := c.Run(); err != nil {
		t.Fatalf("%s %q: %v\n%s%s", name, args, err, out.Bytes(), failed.Bytes())
	}
	return out.String()
}
