//go:build !noasm

package audio

import (
	"os"

	"github.com/klauspost/cpuid/v2"
)

// gate is what the bodies need.
var gate = []cpuid.FeatureID{cpuid.AVX, cpuid.AVX2, cpuid.FMA3}

// native returns the kernels of this CPU, nil if it has none, or if the environment variable WHISPER_ISA asks for less.
func native() *kernels {
	isa := os.Getenv("WHISPER_ISA")
	if isa == "generic" || isa == "avx" || !cpuid.CPU.Supports(gate...) {
		return nil
	}
	return &avx2
}

var avx2 = kernels{
	isa: "avx2", lanes: 8,
	split: splitAVX2, columns: columnsAVX2, rows: rowsAVX2, power: powerAVX2, bands: bandsAVX2, join: joinAVX2, normalise: normaliseAVX2,
}

//go:noescape
func splitAVX2(t, x, window *float32)

//go:noescape
func columnsAVX2(rows, t *float32, from *uint16, k *float32)

//go:noescape
func rowsAVX2(rows, y, twiddles, k *float32)

//go:noescape
func powerAVX2(power, rows *float32, bin *uint16, k *float32)

//go:noescape
func bandsAVX2(dst, peak, power, weights *float32, spans *span, n int, k *float32)

//go:noescape
func joinAVX2(dst *float32, stride int, src *float32, n int)

//go:noescape
func normaliseAVX2(dst, x *float32, n int, floor float32)
