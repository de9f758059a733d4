package kernel_test

import (
	"bytes"
	"encoding/hex"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/whisperfile/whisperfile/ggml/internal/cpu"
)

// goCommand skips a test that works on the sources where they or the compiler are not at hand.
func goCommand(t *testing.T) string {
	tool, err := exec.LookPath("go")
	if err != nil {
		t.Skip("no go command")
	}
	if _, err := os.Stat("table.go"); err != nil {
		t.Skip("the sources are not here")
	}
	return tool
}

// TestGenerated emits the generated files anew.
func TestGenerated(t *testing.T) {
	tool, dir := goCommand(t), t.TempDir()
	cmd := exec.CommandContext(t.Context(), tool, "run", "-C", "../../_asm", ".", "-out", dir)
	cmd.Env = append(os.Environ(), "GOOS=", "GOARCH=") // the emitter runs here, whatever is under test
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	made, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range made {
		names = append(names, e.Name())
		want, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		if got, err := os.ReadFile(e.Name()); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s is not what ggml/_asm emits: go generate ./ggml/internal/kernel", e.Name())
		}
	}
	all, err := filepath.Glob("*")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range all {
		if b, err := os.ReadFile(name); err == nil && bytes.HasPrefix(b, []byte("// Code generated")) && !slices.Contains(names, name) {
			t.Errorf("%s says that it is generated, but ggml/_asm does not emit it", name)
		}
	}
}

// features says what each vector instruction of amd64 needs, in the forms that the kernels use. Those on whole numbers
// need AVX with X registers and AVX2 with Y registers.
var features = func() map[string]string {
	of := map[string]string{}
	for feature, ops := range map[string]string{
		"AVX": `VADDPS VANDPS VBLENDVPS VBROADCASTSS VCMPPS VCVTDQ2PS VCVTPS2DQ VDIVPS VEXTRACTF128 VEXTRACTPS VHADDPS VINSERTF128
			VMAXPS VMINPS VMOVAPS VMOVD VMOVDQU VMOVHPS VMOVLPS VMOVQ VMOVSD VMOVSHDUP VMOVSS VMOVUPS VMULPS VORPS VPERMILPS VSHUFPS VSUBPS VUNPCKHPD
			VUNPCKHPS VUNPCKLPD VUNPCKLPS VXORPS VZEROUPPER`,
		whole: `VPACKSSDW VPACKSSWB VPADDB VPADDD VPADDW VPAND VPANDN VPCMPEQB VPCMPEQD VPCMPEQW VPINSRW VPMADDUBSW VPMADDWD VPMAXSD
			VPMAXUD VPMOVSXBD VPMOVSXBW VPMOVZXBD VPMOVZXBW VPMOVZXWD VPMULLD VPOR VPSHUFB VPSHUFD VPSLLD VPSLLW VPSRAD VPSRLD VPSRLW VPSUBB VPSUBD
			VPSUBW VPUNPCKHDQ VPUNPCKHQDQ VPUNPCKHWD VPUNPCKLDQ VPUNPCKLQDQ VPUNPCKLWD VPXOR`,
		"AVX2": `VBROADCASTI128 VEXTRACTI128 VINSERTI128 VPBROADCASTB VPBROADCASTD VPBROADCASTQ VPBROADCASTW VPERMD VPERMPS VPERMQ
			VPSRLVD`,
		"FMA":  `VFMADD213PS VFMADD231PS`,
		"F16C": `VCVTPH2PS VCVTPS2PH`,
		"AVX512F": `KMOVW VBROADCASTF64X4 VBROADCASTI32X4 VEXTRACTF32X4 VEXTRACTF64X4 VINSERTF32X4 VINSERTI64X4 VMOVDQU32 VPANDD VPERMI2PS VPTERNLOGD VPXORD
			VSHUFF32X4 VSHUFF64X2`,
		"AVX512BW":   `KMOVQ VPSRAW VPSRLVW`,
		"AVX512VNNI": `VPDPBUSD VPDPWSSD`,
	} {
		for op := range strings.FieldsSeq(ops) {
			of[op] = feature
		}
	}
	return of
}()

// whole is the feature of instructions on whole numbers.
const whole = "AVX or AVX2"

// evexNeeds are instructions that with EVEX, which longer or higher registers and masks imply, need more than F.
var evexNeeds = map[string]string{
	"VANDPS": "AVX512DQ", "VXORPS": "AVX512DQ", "VPADDB": "AVX512BW", "VPADDW": "AVX512BW", "VPBROADCASTW": "AVX512BW",
	"VPMADDUBSW": "AVX512BW", "VPSLLW": "AVX512BW", "VPSRLW": "AVX512BW", "VPSUBB": "AVX512BW", "VPMADDWD": "AVX512BW", "VPDPBUSD": "AVX512VNNI", "VPDPWSSD": "AVX512VNNI",
}

// vexNeeds are the features of the macros in enc_amd64.h, by map and opcode.
var vexNeeds = map[[2]byte]string{{2, 0x50}: "AVXVNNI", {2, 0x52}: "AVXVNNI"}

var (
	fileName    = regexp.MustCompile(`_(avx\w*)_amd64\.s$`)
	instruction = regexp.MustCompile(`(?m)^\t(0x[0-9a-f]+) \d+ \(.*?:(\d+)\)\t([A-Z0-9.]+)\t?(.*)$`)
	function    = regexp.MustCompile(`(?m)^kernel\.(\w+) STEXT`)
	dump        = regexp.MustCompile(`(?m)^\t0x[0-9a-f]{4} ((?:[0-9a-f]{2} )+)`)
	register    = regexp.MustCompile(`\b[XYZK]\d+\b`)
)

// TestInstructions assembles every file of amd64 and looks at what came out: each instruction belongs to the gate of the
// rung that the file is named after, registers and encodings too, and no function returns with dirty upper halves.
func TestInstructions(t *testing.T) {
	if runtime.GOARCH != "amd64" {
		t.Skip("the gates of amd64 are known there alone")
	}
	tool, needs := goCommand(t), map[string][]string{}
	for _, r := range cpu.Rungs() {
		needs[r.Name] = r.Needs()
	}
	root, err := exec.CommandContext(t.Context(), tool, "env", "GOROOT").Output()
	if err != nil {
		t.Fatal(err)
	}
	include := filepath.Join(strings.TrimSpace(string(root)), "pkg", "include")
	files, err := filepath.Glob("*_amd64.s")
	if err != nil || len(files) == 0 {
		t.Fatal("no assembly", err)
	}
	for _, file := range files {
		m := fileName.FindStringSubmatch(file)
		if m == nil {
			continue
		}
		gate, known := needs[m[1]]
		if !known {
			t.Errorf("%s: there is no rung of this name", file)
			continue
		}
		cmd := exec.CommandContext(t.Context(), tool, "tool", "asm", "-S", "-p", "kernel", "-I", include, "-I", ".",
			"-o", filepath.Join(t.TempDir(), "f.o"), file)
		cmd.Env = append(os.Environ(), "GOOS=linux", "GOARCH=amd64")
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%s: %v\n%s", file, err, out)
		}
		starts := function.FindAllSubmatchIndex(out, -1)
		if len(starts) == 0 {
			t.Errorf("%s: no functions in the listing", file)
		}
		for i, s := range starts {
			end := len(out)
			if i+1 < len(starts) {
				end = starts[i+1][0]
			}
			name := string(out[s[2]:s[3]])
			if !strings.HasSuffix(name, strings.ToUpper(m[1])) {
				t.Errorf("%s: %s is not named after its rung", file, name)
			}
			inspect(t, file+": "+name, string(out[s[0]:end]), m[1], gate)
		}
	}
}

// inspect takes the listing of one function.
func inspect(t *testing.T, what, listing, rung string, gate []string) {
	var code []byte
	for _, d := range dump.FindAllStringSubmatch(listing, -1) {
		b, err := hex.DecodeString(strings.ReplaceAll(d[1], " ", ""))
		if err != nil {
			t.Fatal(err)
		}
		code = append(code, b...)
	}
	before, found := "", 0
	macro, left := false, 0 // within the bytes of a macro, and how many are to come
	for _, m := range instruction.FindAllStringSubmatch(listing, -1) {
		op, _, _ := strings.Cut(m[3], ".")
		pc, err := strconv.ParseUint(m[1], 0, 32)
		if err != nil {
			t.Fatal(err)
		}
		where := what + ", line " + m[2] + ": " + m[3] + " " + m[4]
		if op == "RET" && before != "VZEROUPPER" {
			t.Errorf("%s: RET without VZEROUPPER", where)
		}
		if op == "POPQ" || strings.HasSuffix(m[4], ", SP") {
			continue // what the assembler puts before a RET to leave a frame
		}
		before = op
		if op == "BYTE" {
			if i := int(pc); i+5 <= len(code) && code[i] == 0xC4 && !macro {
				need, known := vexNeeds[[2]byte{code[i+1] & 31, code[i+3]}]
				if !known || !slices.Contains(gate, need) {
					t.Errorf("%s: % x needs %q, which %s does not promise", where, code[i:i+5], need, rung)
				}
				found, left = found+1, 5
			}
			left--
			if macro = left > 0; left < 0 {
				t.Errorf("%s: bytes that are no macro of enc_amd64.h", where)
			}
			continue
		}
		vector := strings.HasPrefix(op, "V") || strings.HasPrefix(op, "K") || register.MatchString(m[4])
		if !vector {
			continue
		}
		found++
		need, known := features[op]
		if !known {
			t.Errorf("%s: say in features what this needs", where)
			continue
		}
		if need == whole {
			need = "AVX"
			if strings.Contains(m[4], "Y") {
				need = "AVX2"
			}
		}
		if op == "VBROADCASTSS" && !strings.Contains(m[4], "(") {
			need = "AVX2" // from a register
		}
		if int(pc) >= len(code) {
			t.Fatalf("%s: behind the end of the code", where)
		}
		if code[pc] == 0x62 { // EVEX
			if need = "AVX512F"; evexNeeds[op] != "" {
				need = evexNeeds[op]
			}
			if !strings.Contains(m[4], "Z") && op != "VMOVSS" && !slices.Contains(gate, "AVX512VL") {
				t.Errorf("%s: needs AVX512VL, which %s does not promise", where, rung)
			}
		}
		if !slices.Contains(gate, need) {
			t.Errorf("%s: needs %s, which %s does not promise", where, need, rung)
		}
	}
	if found == 0 {
		t.Errorf("%s: no vector instructions in the listing", what)
	}
}
