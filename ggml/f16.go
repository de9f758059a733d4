package ggml

import (
	"encoding/binary"
	"math"
)

// ToHalf rounds f to half precision (IEEE 754 binary16), to nearest with ties to even. Small values underflow gradually,
// values from 65520 on become infinite, and every NaN becomes the quiet one with f's sign.
func ToHalf(f float32) uint16 {
	bits := math.Float32bits(f)
	sign := uint16(bits >> 16 & 0x8000)
	switch bits &= 0x7fffffff; {
	case bits > 0x7f800000:
		return sign | 0x7e00
	case bits >= 0x477ff000:
		return sign | 0x7c00
	case bits < 0x38800000:
		// Below 2^-14 a half counts units of 2^-24, which is what the last bit of a float32 in [0.5, 1) stands for.
		return sign | uint16(math.Float32bits(math.Float32frombits(bits)+0.5)-0x3f000000)
	default:
		return sign | uint16((bits+0xfff+bits>>13&1)>>13-112<<10)
	}
}

// FromHalf returns the value of a half, which float32 holds exactly. A NaN keeps its payload and becomes quiet.
func FromHalf(h uint16) float32 {
	sign, bits := uint32(h&0x8000)<<16, uint32(h&0x7fff)
	switch {
	case bits > 0x7c00:
		return math.Float32frombits(sign | 0x7fc00000 | bits<<13)
	case bits == 0x7c00:
		return math.Float32frombits(sign | 0x7f800000)
	case bits >= 0x0400:
		return math.Float32frombits(sign | (bits<<13 + 112<<23))
	default:
		return math.Float32frombits(sign | math.Float32bits(float32(bits)*0x1p-24))
	}
}

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
