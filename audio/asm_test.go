package audio

import (
	"encoding/binary"
	"encoding/hex"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// function is what the assembler made of one: its bytes, and lines of address, line, instruction and operands.
type function struct {
	name  string
	code  []byte
	lines [][]string
}

var (
	functions = regexp.MustCompile(`(?m)^audio\.(\w+) STEXT`)
	dumped    = regexp.MustCompile(`(?m)^\t0x[0-9a-f]{4,} ((?:[0-9a-f]{2} )+)`)
	listed    = regexp.MustCompile(`(?m)^\t(0x[0-9a-f]+) \d+ \(.*?:(\d+)\)\t([A-Z0-9.]+)\t?(.*)$`)
)

func assemble(t *testing.T, arch, file string) []function {
	t.Helper()
	tool, err := exec.LookPath("go")
	if err != nil {
		t.Skip("no go command to assemble with")
	}
	if _, err := os.Stat("lanes.go"); err != nil {
		t.Skip("the sources are not here")
	}
	root, err := exec.CommandContext(t.Context(), tool, "env", "GOROOT").Output()
	if err != nil {
		t.Fatal(err)
	}
	include := filepath.Join(strings.TrimSpace(string(root)), "pkg", "include")
	cmd := exec.CommandContext(t.Context(), tool, "tool", "asm", "-S", "-p", "audio", "-I", include, "-I", ".",
		"-o", filepath.Join(t.TempDir(), "f.o"), file)
	cmd.Env = append(os.Environ(), "GOOS=linux", "GOARCH="+arch)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	var fs []function
	starts := functions.FindAllStringSubmatchIndex(string(out), -1)
	for i, s := range starts {
		end := len(out)
		if i+1 < len(starts) {
			end = starts[i+1][0]
		}
		listing := string(out[s[0]:end])
		f := function{name: string(out[s[2]:s[3]]), lines: listed.FindAllStringSubmatch(listing, -1)}
		for _, d := range dumped.FindAllStringSubmatch(listing, -1) {
			b, err := hex.DecodeString(strings.ReplaceAll(d[1], " ", ""))
			if err != nil {
				t.Fatal(err)
			}
			f.code = append(f.code, b...)
		}
		fs = append(fs, f)
	}
	return fs
}

// TestEncoding compares what Go's assembler makes of the macros in enc_arm64.h with another assembler's words in testdata.
func TestEncoding(t *testing.T) {
	golden, err := os.ReadFile("testdata/enc_arm64.txt")
	if err != nil {
		t.Fatal(err)
	}
	var calls, words []string
	for line := range strings.Lines(string(golden)) {
		if f := strings.Split(strings.TrimSpace(line), "\t"); len(f) == 3 {
			calls, words = append(calls, f[0]), append(words, f[2])
		}
	}
	file := filepath.Join(t.TempDir(), "macros.s")
	src := "#include \"enc_arm64.h\"\nTEXT ·f(SB), 4, $0-0\n\t" + strings.Join(calls, "\n\t") + "\n"
	if err := os.WriteFile(file, []byte(src), 0o600); err != nil {
		t.Fatal(err)
	}
	code := assemble(t, "arm64", file)[0].code
	for i, call := range calls {
		if got := strconv.FormatUint(uint64(binary.LittleEndian.Uint32(code[4*i:])), 16); got != strings.TrimLeft(words[i], "0") {
			t.Errorf("%s: %s, want %s", call, got, words[i])
		}
	}
	header, err := os.ReadFile("enc_arm64.h")
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range regexp.MustCompile(`(?m)^#define (\w+)`).FindAllStringSubmatch(string(header), -1) {
		named := slices.ContainsFunc(calls, func(c string) bool { return strings.HasPrefix(c, m[1]+"(") })
		if !named && !strings.HasPrefix(m[1], "NEON_") {
			t.Errorf("testdata has nothing for %s", m[1])
		}
	}
}
