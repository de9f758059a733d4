package kernel_test

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

	"github.com/whisperfile/whisperfile/ggml/internal/cpu"
)

// baseline are the instructions of ARMv8.0 that the kernels use and Go's assembler knows.
var baseline = strings.Fields(`ADD AND B CBNZ CBZ EOR FDIVS FLDPQ FMOVQ FMOVS FSTPQ JMP LSL LSR MADD MOVBU MOVD MOVW MUL PRFM RET SUB VADD VADDP
	VADDV VAND VBIT VCMTST VDUP VEOR VFMLA VFMLS VLD1 VLD1R VMOVI VORR VSHL VST1 VSUB VTBL VTRN1 VTRN2 VUMAX VUSHR VUZP1 VUZP2`)

// extensions are the features that macros of enc_arm64.h need; the others need none.
var extensions = map[string]string{"SDOT_4S": "ASIMDDP", "UDOT_4S": "ASIMDDP", "SDOT_4S_E": "ASIMDDP"}

// operands are the bits of an instruction that name its registers and, in those with an index, the index.
const (
	operandsRR  = 31<<5 | 31
	operandsRRR = operandsRR | 31<<16
	operandsE   = operandsRRR | 1<<21 | 1<<11
)

// extended reports whether an instruction is of the encodings that ARMv8.0 leaves empty and dot products stand in, with three
// registers or by element.
func extended(word uint32) bool {
	three := word&0x9F208400 == 0x0E008400
	element := word&0x9F000400 == 0x0F000000 && word>>22&3 == 2 && word>>12&15 >= 14
	return three || element
}

var arm64File = regexp.MustCompile(`_([a-z]+)_arm64\.s$`)

// TestInstructionsARM assembles every file of arm64: each instruction belongs to ARMv8.0 or to the gate of the rung that the
// file is named after, and a gate is nothing but what the rung's bodies use.
func TestInstructionsARM(t *testing.T) {
	tool, used, needs := goCommand(t), map[string]bool{}, map[string][]string{}
	for _, r := range cpu.Rungs() {
		needs[r.Name] = r.Needs()
	}
	macros := macrosARM(t)
	root, err := exec.CommandContext(t.Context(), tool, "env", "GOROOT").Output()
	if err != nil {
		t.Fatal(err)
	}
	include := filepath.Join(strings.TrimSpace(string(root)), "pkg", "include")
	files, err := filepath.Glob("*_arm64.s")
	if err != nil || len(files) == 0 {
		t.Fatal("no assembly", err)
	}
	for _, file := range files {
		m := arm64File.FindStringSubmatch(file)
		if m == nil {
			t.Errorf("%s is not named after a rung", file)
			continue
		}
		gate, known := needs[m[1]]
		if !known {
			t.Errorf("%s: there is no rung of this name", file)
		}
		cmd := exec.CommandContext(t.Context(), tool, "tool", "asm", "-S", "-p", "kernel", "-I", include, "-I", ".",
			"-o", filepath.Join(t.TempDir(), "f.o"), file)
		cmd.Env = append(os.Environ(), "GOOS=linux", "GOARCH=arm64")
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%s: %v\n%s", file, err, out)
		}
		listing := string(out)
		for _, f := range function.FindAllStringSubmatch(listing, -1) {
			if !strings.HasSuffix(f[1], strings.ToUpper(m[1])) {
				t.Errorf("%s: %s is not named after its rung", file, f[1])
			}
		}
		found := 0
		for _, m := range instruction.FindAllStringSubmatch(listing, -1) {
			op, _, _ := strings.Cut(m[3], ".")
			where := file + ", line " + m[2] + ": " + m[3] + " " + m[4]
			if op == "TEXT" || op == "FUNCDATA" {
				continue
			}
			found++
			if op != "WORD" {
				if !slices.Contains(baseline, op) {
					t.Errorf("%s: say in baseline that ARMv8.0 has this", where)
				}
				continue
			}
			word, err := strconv.ParseUint(strings.TrimPrefix(m[4], "$"), 0, 32)
			if err != nil {
				t.Fatalf("%s: %v", where, err)
			}
			name := macros.name(uint32(word))
			need := extensions[name]
			if name == "" || extended(uint32(word)) != (need != "") {
				t.Errorf("%s: %q needs %q, and its encoding says otherwise", where, name, need)
			}
			if used[need] = true; need != "" && !slices.Contains(gate, need) {
				t.Errorf("%s: %s needs %s, which its rung does not promise", where, name, need)
			}
		}
		if found == 0 {
			t.Errorf("%s: no instructions in the listing", file)
		}
	}
	for rung, gate := range needs {
		for _, feature := range gate {
			if !used[feature] {
				t.Errorf("%s needs %s, which nothing uses", rung, feature)
			}
		}
	}
}

// wordsARM are the macros of enc_arm64.h by what is left of their instructions without the operands.
type wordsARM map[uint32]string

// macrosARM takes them from the table of another assembler's words.
func macrosARM(t *testing.T) wordsARM {
	golden, err := os.ReadFile("testdata/enc_arm64.txt")
	if err != nil {
		t.Fatal(err)
	}
	words := wordsARM{}
	for line := range strings.Lines(string(golden)) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		fields := strings.Split(strings.TrimSpace(line), "\t")
		b, err := hex.DecodeString(fields[len(fields)-1])
		if err != nil || len(b) != 4 {
			t.Fatalf("bad line %q", line)
		}
		name, arguments, _ := strings.Cut(fields[0], "(")
		word := binary.BigEndian.Uint32(b)
		switch strings.Count(arguments, ",") {
		case 1:
			word &^= operandsRR
		case 2:
			word &^= operandsRRR
		case 3:
			word &^= operandsE
		}
		if other := words[word]; other != "" && other != name {
			t.Fatalf("%s and %s have the same encoding", name, other)
		}
		words[word] = name
	}
	return words
}

func (w wordsARM) name(word uint32) string {
	for _, operands := range []uint32{operandsRR, operandsRRR, operandsE} {
		if name := w[word&^operands]; name != "" {
			return name
		}
	}
	return ""
}
