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

// features says what each vector instruction of amd64 needs, in the forms that the kernels use. Those of AVX come with AVX2.
var features = map[string]string{
	"VADDPS": "AVX2", "VANDPS": "AVX2", "VBROADCASTSS": "AVX2", "VCVTDQ2PS": "AVX2", "VDIVPS": "AVX2", "VEXTRACTF128": "AVX2",
	"VEXTRACTI128": "AVX2", "VHADDPS": "AVX2", "VINSERTF128": "AVX2", "VINSERTI128": "AVX2", "VMAXPS": "AVX2", "VMINPS": "AVX2",
	"VMOVAPS": "AVX2", "VMOVDQU": "AVX2", "VMOVHPS": "AVX2", "VMOVLPS": "AVX2", "VMOVSS": "AVX2", "VMOVUPS": "AVX2",
	"VMULPS": "AVX2", "VPADDD": "AVX2", "VPAND": "AVX2", "VPANDN": "AVX2", "VPBROADCASTB": "AVX2", "VPBROADCASTD": "AVX2",
	"VPBROADCASTQ": "AVX2", "VPBROADCASTW": "AVX2", "VPCMPEQB": "AVX2", "VPERMILPS": "AVX2", "VPMOVSXBD": "AVX2",
	"VPMOVZXBD": "AVX2", "VPOR": "AVX2", "VPSHUFB": "AVX2", "VPSLLD": "AVX2", "VPSRLD": "AVX2", "VPSRLW": "AVX2",
	"VPSUBD": "AVX2", "VSUBPS": "AVX2", "VUNPCKHPD": "AVX2", "VUNPCKHPS": "AVX2", "VUNPCKLPD": "AVX2", "VUNPCKLPS": "AVX2",
	"VXORPS": "AVX2", "VZEROUPPER": "AVX2",

	"VFMADD213PS": "FMA", "VFMADD231PS": "FMA",
	"VCVTPH2PS": "F16C", "VCVTPS2PH": "F16C",

	"KMOVW": "AVX512F", "VEXTRACTF64X4": "AVX512F", "VINSERTF32X4": "AVX512F", "VPANDD": "AVX512F", "VPXORD": "AVX512F",
}

// evexNeedsDQ are instructions of AVX that with EVEX, which longer or higher registers and masks imply, need more than F.
var evexNeedsDQ = []string{"VANDPS", "VXORPS"}

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
		before = op
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
		if int(pc) >= len(code) {
			t.Fatalf("%s: behind the end of the code", where)
		}
		if code[pc] == 0x62 { // EVEX
			need = "AVX512F"
			if slices.Contains(evexNeedsDQ, op) {
				need = "AVX512DQ"
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
