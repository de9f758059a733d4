package kernel

import (
	"encoding/binary"
	"encoding/hex"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// TestEncodingARM64 compares what Go's assembler makes of the macros in enc_arm64.h with the words of another assembler.
func TestEncodingARM64(t *testing.T) {
	golden, err := os.ReadFile("testdata/enc_arm64.txt")
	if err != nil {
		t.Fatal(err)
	}
	var code strings.Builder
	var calls []string
	var words []uint32
	named := map[string]bool{}
	for line := range strings.Lines(string(golden)) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		fields := strings.Split(strings.TrimSpace(line), "\t")
		word, err := strconv.ParseUint(fields[len(fields)-1], 16, 32)
		if err != nil || len(fields) != 3 {
			t.Fatalf("bad line %q", line)
		}
		calls, words = append(calls, fields[0]), append(words, uint32(word))
		name, _, _ := strings.Cut(fields[0], "(")
		named[name] = true
		code.WriteString("\t" + fields[0] + "\n")
	}

	got := assemble(t, "arm64", "#include \"enc_arm64.h\"\nTEXT ·f(SB), 4, $0-0\n"+code.String())
	if len(got) < 4*len(words) {
		t.Fatalf("%d bytes for %d instructions", len(got), len(words))
	}
	for i, want := range words {
		if w := binary.LittleEndian.Uint32(got[4*i:]); w != want {
			t.Errorf("%s: %08x, want %08x", calls[i], w, want)
		}
	}

	header, err := os.ReadFile("enc_arm64.h")
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range regexp.MustCompile(`(?m)^#define (\w+)`).FindAllStringSubmatch(string(header), -1) {
		if !named[m[1]] && !strings.HasPrefix(m[1], "NEON_") {
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
