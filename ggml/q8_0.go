package ggml

import "math"

// A block of Q8_0 is 32 numbers in 34 bytes: half d; 32 signed bytes. An element is d·q.

func quantizeQ8_0(dst []byte, src []float32) {
	for ; len(src) > 0; dst, src = dst[34:], src[32:] {
		x, qs := src[:32:32], dst[2:34:34]
		d := abs32(extreme(x)) / 127
		id := inverse(d)
		putHalf(dst, d)
		for i := range qs {
			qs[i] = uint8(trunc(float32(math.Round(float64(float32(x[i] * id)))))) // ties away from zero
		}
	}
}

func dequantizeQ8_0(dst []float32, src []byte) {
	for ; len(dst) > 0; dst, src = dst[32:], src[34:] {
		y, qs := dst[:32:32], src[2:34:34]
		d := half(src)
		for i := range y {
			y[i] = d * float32(int8(qs[i]))
		}
	}
}
