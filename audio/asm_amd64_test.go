//go:build !noasm

package audio

import (
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/klauspost/cpuid/v2"
)

// TestInstructions: each instruction of the bodies for amd64 needs what the gate names, all of which is needed, and none returns with
// dirty upper halves.
func TestInstructions(t *testing.T) {
	needs := map[string]cpuid.FeatureID{}
	for feature, ops := range map[cpuid.FeatureID]string{
		cpuid.AVX: `VADDPS VBLENDVPS VBROADCASTF128 VBROADCASTSS VCMPPS VCVTDQ2PS VINSERTF128 VMAXPS VMOVAPS VMOVUPS VMULPS
			VSUBPS VUNPCKHPD VUNPCKHPS VUNPCKLPD VUNPCKLPS VXORPS VZEROUPPER`,
		cpuid.AVX2: `VPADDD VPAND VPSRAD VPSUBD`,
		cpuid.FMA3: `VFMADD132PS VFMADD213PS VFMADD231PS VFMSUB132PS VFNMADD231PS`,
	} {
		for op := range strings.FieldsSeq(ops) {
			needs[op] = feature
		}
	}
	used := map[cpuid.FeatureID]bool{}
	vector := regexp.MustCompile(`\b[XYZK]\d+\b`)
	fs := assemble(t, "amd64", "lanes_avx2_amd64.s")
	if len(fs) != 7 {
		t.Errorf("%d functions in the listing, not those of kernels", len(fs))
	}
	for _, f := range fs {
		if !strings.HasSuffix(f.name, "AVX2") {
			t.Errorf("%s is not named after its instruction set", f.name)
		}
		before := ""
		for _, m := range f.lines {
			op, where := m[3], f.name+", line "+m[2]+": "+m[3]+" "+m[4]
			if op == "RET" && before != "VZEROUPPER" {
				t.Errorf("%s: without VZEROUPPER", where)
			}
			before = op
			feature, known := needs[op]
			switch pc, err := strconv.ParseUint(m[1], 0, 32); {
			case err != nil || int(pc) >= len(f.code):
				t.Fatalf("%s: behind the end of the code", where)
			case known && f.code[pc] == 0x62:
				t.Errorf("%s: has the encoding of AVX-512", where)
			case known && op == "VBROADCASTSS" && !strings.Contains(m[4], "("):
				feature = cpuid.AVX2 // from a register
			case !known && (strings.HasPrefix(op, "V") || op == "BYTE" || vector.MatchString(m[4])):
				t.Errorf("%s: say what this needs", where)
			}
			if known {
				used[feature] = true
			}
		}
	}
	if got := slices.Sorted(maps.Keys(used)); !slices.Equal(got, slices.Sorted(slices.Values(gate))) {
		t.Errorf("the bodies use %v, the gate names %v", got, gate)
	}
}
