package kernel

import (
	"encoding/binary"
	"math"
)

// ToHalf rounds f to half precision, to nearest even; a NaN becomes the quiet one of its sign.
func ToHalf(f float32) uint16 {
	bits := math.Float32bits(f)
	sign := uint16(bits >> 16 & 0x8000)
	bits &= 1<<31 - 1
	switch {
	case bits > 0x7f800000:
		return sign | 0x7e00
	case bits >= 0x477ff000: // 65520, halfway from the largest half to the next power of two
		return sign | 0x7c00
	case bits < 0x38800000: // 2⁻¹⁴: the last place of 1/2 + f is that of a subnormal half
		return sign | uint16(math.Float32bits(math.Float32frombits(bits)+0.5))
	}
	bits -= (127 - 15) << 23
	return sign | uint16((bits+0xfff+bits>>13&1)>>13)
}

// FromHalf returns the value of a half. A NaN becomes quiet.
func FromHalf(h uint16) float32 {
	if e := h & 0x7c00; e == 0 || e == 0x7c00 {
		return fromRareHalf(h)
	}
	return math.Float32frombits(uint32(h&0x8000)<<16 | (uint32(h&0x7fff)<<13 + (127-15)<<23))
}

// fromRareHalf returns the value of a half that is subnormal, infinite or no number.
func fromRareHalf(h uint16) float32 {
	sign, bits := uint32(h&0x8000)<<16, uint32(h&0x7fff)
	switch {
	case bits > 0x7c00:
		return math.Float32frombits(sign | 0x7fc00000 | bits<<13)
	case bits == 0x7c00:
		return math.Float32frombits(sign | 0x7f800000)
	}
	return math.Float32frombits(sign | math.Float32bits(float32(bits)*0x1p-24))
}

func halfAt(b []byte) float32 { return FromHalf(binary.LittleEndian.Uint16(b)) }
