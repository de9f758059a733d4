package kernel

import (
	"encoding/binary"

	"github.com/whisperfile/whisperfile/ggml/internal/view"
)

// A block of the quantised types is 32 numbers. The layouts are those of ggml: a scale d, a minimum m, the fifth bits, and
// bytes whose low nibbles are the first 16 numbers and whose high nibbles are the last 16.
const (
	block     = 32
	bytesQ4_0 = 2 + 16
	bytesQ4_1 = 4 + 16
	bytesQ5_0 = 2 + 4 + 16
	bytesQ5_1 = 4 + 4 + 16
	bytesQ8_0 = 2 + 32
)

// widenF32 is for rungs whose processors are little-endian: floats are there as they are stored.
func widenF32(dst []float32, src []byte) {
	checkWiden(dst, src, 1, 4)
	copy(dst, view.F32(src))
}

func widenF16Generic(dst []float32, src []byte) {
	checkWiden(dst, src, 1, 2)
	for i := range dst {
		dst[i] = halfAt(src[2*i:])
	}
}

func widenQ4_0Generic(dst []float32, src []byte) {
	checkWiden(dst, src, block, bytesQ4_0)
	for ; len(dst) > 0; dst, src = dst[block:], src[bytesQ4_0:] {
		d := halfAt(src)
		for i, q := range src[2:bytesQ4_0] {
			dst[i] = d * float32(int(q&15)-8)
			dst[i+16] = d * float32(int(q>>4)-8)
		}
	}
}

func widenQ4_1Generic(dst []float32, src []byte) {
	checkWiden(dst, src, block, bytesQ4_1)
	for ; len(dst) > 0; dst, src = dst[block:], src[bytesQ4_1:] {
		d, m := halfAt(src), halfAt(src[2:])
		for i, q := range src[4:bytesQ4_1] {
			dst[i] = float32(d*float32(q&15)) + m
			dst[i+16] = float32(d*float32(q>>4)) + m
		}
	}
}

func widenQ5_0Generic(dst []float32, src []byte) {
	checkWiden(dst, src, block, bytesQ5_0)
	for ; len(dst) > 0; dst, src = dst[block:], src[bytesQ5_0:] {
		d, fifth := halfAt(src), binary.LittleEndian.Uint32(src[2:])
		for i, q := range src[6:bytesQ5_0] {
			dst[i] = d * float32(int(q&15)|int(fifth>>i&1)<<4-16)
			dst[i+16] = d * float32(int(q>>4)|int(fifth>>(i+16)&1)<<4-16)
		}
	}
}

func widenQ5_1Generic(dst []float32, src []byte) {
	checkWiden(dst, src, block, bytesQ5_1)
	for ; len(dst) > 0; dst, src = dst[block:], src[bytesQ5_1:] {
		d, m, fifth := halfAt(src), halfAt(src[2:]), binary.LittleEndian.Uint32(src[4:])
		for i, q := range src[8:bytesQ5_1] {
			dst[i] = float32(d*float32(uint32(q&15)|fifth>>i&1<<4)) + m
			dst[i+16] = float32(d*float32(uint32(q>>4)|fifth>>(i+16)&1<<4)) + m
		}
	}
}

func widenQ8_0Generic(dst []float32, src []byte) {
	checkWiden(dst, src, block, bytesQ8_0)
	for ; len(dst) > 0; dst, src = dst[block:], src[bytesQ8_0:] {
		d := halfAt(src)
		for i, q := range src[2:bytesQ8_0] {
			dst[i] = d * float32(int8(q))
		}
	}
}
