//go:build !noasm

package audio

import "os"

// native returns the kernels of NEON, which every CPU has, or nil if the environment variable WHISPER_ISA asks for less.
func native() *kernels {
	if os.Getenv("WHISPER_ISA") == "generic" {
		return nil
	}
	return &neon
}

var neon = kernels{
	isa: "neon", lanes: 4,
	split: splitNEON, columns: columnsNEON, rows: rowsNEON, power: powerNEON, bands: bandsNEON, join: joinNEON, normalise: normaliseNEON,
}

//go:noescape
func splitNEON(t, x, window *float32)

//go:noescape
func columnsNEON(rows, t *float32, from *uint16, k *float32)

//go:noescape
func rowsNEON(rows, y, twiddles, k *float32)

//go:noescape
func powerNEON(power, rows *float32, bin *uint16, k *float32)

//go:noescape
func bandsNEON(dst, peak, power, weights *float32, spans *span, n int, k *float32)

//go:noescape
func joinNEON(dst *float32, stride int, src *float32, n int)

//go:noescape
func normaliseNEON(dst, x *float32, n int, floor float32)
