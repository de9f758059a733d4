package ggml

// A block of Q4_1 is 32 numbers in 20 bytes: half d, half m; 16 bytes of nibbles as in Q4_0. An element is d·q + m.

func quantizeQ4_1(dst []byte, src []float32) {
	for ; len(src) > 0; dst, src = dst[20:], src[32:] {
		x, qs := src[:32:32], dst[4:20:20]
		low, high := bounds(x)
		d := (high - low) / 15
		id := inverse(d)
		putHalf(dst, d)
		putHalf(dst[2:], low)
		for i := range qs {
			lo := min(15, int8(trunc(float32((x[i]-low)*id)+0.5)))
			hi := min(15, int8(trunc(float32((x[i+16]-low)*id)+0.5)))
			qs[i] = uint8(lo) | uint8(hi)<<4
		}
	}
}

func dequantizeQ4_1(dst []float32, src []byte) {
	for ; len(dst) > 0; dst, src = dst[32:], src[20:] {
		y, qs := dst[:32:32], src[4:20:20]
		d, m := half(src), half(src[2:])
		for i, q := range qs {
			y[i] = float32(d*float32(q&15)) + m
			y[i+16] = float32(d*float32(q>>4)) + m
		}
	}
}
