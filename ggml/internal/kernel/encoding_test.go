package kernel

import (
	"bytes"
	"encoding/hex"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestEncoding compares what Go's assembler makes of the macros in enc_<arch>.h with the bytes of another assembler, which
// stand in testdata as a number of unit bytes.
func TestEncoding(t *testing.T) {
	for _, arch := range []struct {
		name, helpers string // of macros that stand in others
		unit          int
	}{{"amd64", "VEX", 1}, {"arm64", "NEON_", 4}} {
		t.Run(arch.name, func(t *testing.T) { encoding(t, arch.name, arch.helpers, arch.unit) })
	}
}

func encoding(t *testing.T, arch, helpers string, unit int) {
	golden, err := os.ReadFile("testdata/enc_" + arch + ".txt")
	if err != nil {
		t.Fatal(err)
	}
	var code strings.Builder
	var calls []string
	var wanted [][]byte
	named := map[string]bool{}
	for line := range strings.Lines(string(golden)) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		fields := strings.Split(strings.TrimSpace(line), "\t")
		want, err := hex.DecodeString(fields[len(fields)-1])
		if err != nil || len(fields) != 3 {
			t.Fatalf("bad line %q", line)
		}
		if unit > 1 {
			slices.Reverse(want) // a word, which is stored with its low byte first
		}
		calls, wanted = append(calls, fields[0]), append(wanted, want)
		name, _, _ := strings.Cut(fields[0], "(")
		named[name] = true
		code.WriteString("\t" + fields[0] + "\n")
	}

	got := assemble(t, arch, "#include \"enc_"+arch+".h\"\nTEXT ·f(SB), 4, $0-0\n"+code.String())
	for i, want := range wanted {
		if len(got) < len(want) {
			t.Fatalf("no bytes for %s", calls[i])
		}
		if !bytes.Equal(got[:len(want)], want) {
			t.Errorf("%s: %x, want %x", calls[i], got[:len(want)], want)
		}
		got = got[len(want):]
	}

	header, err := os.ReadFile("enc_" + arch + ".h")
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range regexp.MustCompile(`(?m)^#define (\w+)`).FindAllStringSubmatch(string(header), -1) {
		if !named[m[1]] && !strings.HasPrefix(m[1], helpers) {
			t.Errorf("testdata has nothing for %s", m[1])
		}
	}
}

var dumped = regexp.MustCompile(`(?m)^\t0x[0-9a-f]{4,} ((?:[0-9a-f]{2} )+)`)

// assemble returns the bytes of the one function in src, which may include the headers of this folder.
func assemble(t *testing.T, arch, src string) []byte {
	t.Helper()
	tool, err := exec.LookPath("go")
	if err != nil {
		t.Skip("no go command to assemble with")
	}
	dir := t.TempDir()
	file := filepath.Join(dir, "f.s")
	if err := os.WriteFile(file, []byte(src), 0o644); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(tool, "tool", "asm", "-S", "-p", "kernel", "-I", ".", "-o", filepath.Join(dir, "f.o"), file)
	cmd.Env = append(os.Environ(), "GOOS=linux", "GOARCH="+arch)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	var code []byte
	for _, m := range dumped.FindAllStringSubmatch(string(out), -1) {
		b, err := hex.DecodeString(strings.ReplaceAll(m[1], " ", ""))
		if err != nil {
			t.Fatal(err)
		}
		code = append(code, b...)
	}
	return code
}
