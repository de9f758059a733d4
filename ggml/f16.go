package ggml

import (
	"encoding/binary"
	"math"

	"github.com/whisperfile/whisperfile/ggml/internal/kernel"
)

// ToHalf rounds f to half precision (IEEE 754 binary16), to nearest with ties to even. Small values underflow gradually,
// values from 65520 on become infinite, and every NaN becomes the quiet one with f's sign.
func ToHalf(f float32) uint16 { return kernel.ToHalf(f) }

// FromHalf returns the value of a half, which float32 holds exactly. A NaN keeps its payload and becomes quiet.
func FromHalf(h uint16) float32 { return kernel.FromHalf(h) }

// half returns the value of the half at the start of b; putHalf rounds f into it.
func half(b []byte) float32       { return FromHalf(binary.LittleEndian.Uint16(b)) }
func putHalf(b []byte, f float32) { binary.LittleEndian.PutUint16(b, ToHalf(f)) }

// F32: little-endian IEEE 754 binary32.
func quantizeF32(dst []byte, src []float32) {
	for i, f := range src {
		binary.LittleEndian.PutUint32(dst[4*i:], math.Float32bits(f))
	}
}

func dequantizeF32(dst []float32, src []byte) {
	for i := range dst {
		dst[i] = math.Float32frombits(binary.LittleEndian.Uint32(src[4*i:]))
	}
}

// F16: little-endian IEEE 754 binary16.
func quantizeF16(dst []byte, src []float32) {
	for i, f := range src {
		putHalf(dst[2*i:], f)
	}
}

func dequantizeF16(dst []float32, src []byte) {
	for i := range dst {
		dst[i] = half(src[2*i:])
	}
}
