package cpu

import (
	"github.com/klauspost/cpuid/v2"
	"golang.org/x/sys/cpu"
)

func native() []Rung {
	avx2 := []need{
		feature("AVX2", cpuid.AVX2, cpu.X86.HasAVX2),
		feature("FMA", cpuid.FMA3, cpu.X86.HasFMA),
		feature("F16C", cpuid.F16C, cpu.X86.HasF16C),
	}
	avx512 := append(avx2[:len(avx2):len(avx2)],
		feature("AVX512F", cpuid.AVX512F, cpu.X86.HasAVX512F),
		feature("AVX512BW", cpuid.AVX512BW, cpu.X86.HasAVX512BW),
		feature("AVX512DQ", cpuid.AVX512DQ, cpu.X86.HasAVX512DQ),
		feature("AVX512VL", cpuid.AVX512VL, cpu.X86.HasAVX512VL),
	)
	return []Rung{{"avx2", avx2}, {"avx512", avx512}}
}
