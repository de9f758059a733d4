package ggml

import "encoding/binary"

// A block of Q5_1 is 32 numbers in 24 bytes: half d, half m; 20 bytes with five bits an element as in Q5_0. An element is
// d·q + m.

func quantizeQ5_1(dst []byte, src []float32) {
	for ; len(src) > 0; dst, src = dst[24:], src[32:] {
		x := src[:32:32]
		low, high := bounds(x)
		d := (high - low) / 31
		id := inverse(d)
		putHalf(dst, d)
		putHalf(dst[2:], low)
		var q [32]uint8
		for i := range q {
			q[i] = uint8(trunc(float32((x[i]-low)*id) + 0.5))
		}
		packFive(dst[4:24], &q)
	}
}

func dequantizeQ5_1(dst []float32, src []byte) {
	for ; len(dst) > 0; dst, src = dst[32:], src[24:] {
		y, qs := dst[:32:32], src[8:24:24]
		d, m, qh := half(src), half(src[2:]), binary.LittleEndian.Uint32(src[4:])
		for i, q := range qs {
			y[i] = float32(d*float32(uint32(q&15)|qh>>i&1<<4)) + m
			y[i+16] = float32(d*float32(uint32(q>>4)|qh>>(i+16)&1<<4)) + m
		}
	}
}
