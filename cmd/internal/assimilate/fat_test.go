package assimilate

import (
	"bytes"
	"context"
	"io"
	"os"
	"os/exec"
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

// writeFat makes a file for all systems of these files inside. Its header for Windows has one section, which is the first of them.
func writeFat(t testing.TB, path string, names []string, inside map[string][]byte) {
	t.Helper()
	head := make([]byte, 0x2000)
	copy(head, magic)
	const pe = 0x70
	head[0x3c] = pe
	copy(head[pe:], "PE\x00\x00\x64\x86\x01")
	section := head[pe+24:]
	copy(section, ".text")
	le.PutUint32(section[16:], uint32(len(inside[names[0]])))
	le.PutUint32(section[20:], boundary)
	copy(head[lenHead:], strings.Repeat("# launcher\n", 200))
	var parts []bundle.Part
	for _, name := range names {
		data := inside[name]
		parts = append(parts, bundle.Part{
			Name: name, Size: int64(len(data)), Executable: true, Align: boundary, Fill: true,
			Open: func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(data)), nil },
		})
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o755)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.Write(head); err != nil {
		t.Fatal(err)
	}
	if err := bundle.Append(context.Background(), f, int64(len(head)), parts); err != nil {
		t.Fatal(err)
	}
}

// fatten goes to a directory of its own and makes the file "fat" there of these files inside.
func fatten(t *testing.T, names []string, inside map[string][]byte) {
	t.Helper()
	t.Chdir(t.TempDir())
	writeFat(t, "fat", names, inside)
}

// pack runs zipalign.
func pack(t *testing.T, args ...string) {
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
