package cpu

import (
	"github.com/klauspost/cpuid/v2"
	"golang.org/x/sys/cpu"
)

func native() []Rung {
	avx := []need{feature("AVX", cpuid.AVX, cpu.X86.HasAVX)}
	avx2 := with(avx,
		feature("AVX2", cpuid.AVX2, cpu.X86.HasAVX2),
		feature("FMA", cpuid.FMA3, cpu.X86.HasFMA),
		feature("F16C", cpuid.F16C, cpu.X86.HasF16C))
	avxvnni := with(avx2, feature("AVXVNNI", cpuid.AVXVNNI, cpu.X86.HasAVXVNNI))
	avx512 := with(avx2,
		feature("AVX512F", cpuid.AVX512F, cpu.X86.HasAVX512F),
		feature("AVX512BW", cpuid.AVX512BW, cpu.X86.HasAVX512BW),
		feature("AVX512DQ", cpuid.AVX512DQ, cpu.X86.HasAVX512DQ),
		feature("AVX512VL", cpuid.AVX512VL, cpu.X86.HasAVX512VL))
	avx512vnni := with(avx512, feature("AVX512VNNI", cpuid.AVX512VNNI, cpu.X86.HasAVX512VNNI))
	return []Rung{
		{"avx", Generic, avx},
		{"avx2", "avx", avx2},
		{"avxvnni", "avx2", avxvnni}, // a leaf: Ice Lake and Zen 4 have the instructions with EVEX alone
		{"avx512", "avx2", avx512},
		{"avx512vnni", "avx512", avx512vnni},
	}
}

func with(parent []need, more ...need) []need {
	return append(parent[:len(parent):len(parent)], more...)
}
