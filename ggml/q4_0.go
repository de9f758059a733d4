package ggml

// A block of Q4_0 is 32 numbers in 18 bytes: half d; 16 bytes, of which byte i holds element i in its low nibble and
// element i+16 in the high one. An element is d·(q−8).

func quantizeQ4_0(dst []byte, src []float32) {
	for ; len(src) > 0; dst, src = dst[18:], src[32:] {
		x, qs := src[:32:32], dst[2:18:18]
		d := extreme(x) / -8
		id := inverse(d)
		putHalf(dst, d)
		for i := range qs {
			lo := min(15, int8(trunc(float32(x[i]*id)+8.5)))
			hi := min(15, int8(trunc(float32(x[i+16]*id)+8.5)))
			qs[i] = uint8(lo) | uint8(hi)<<4
		}
	}
}

func dequantizeQ4_0(dst []float32, src []byte) {
	for ; len(dst) > 0; dst, src = dst[32:], src[18:] {
		y, qs := dst[:32:32], src[2:18:18]
		d := half(src)
		for i, q := range qs {
			y[i] = d * float32(int(q&15)-8)
			y[i+16] = d * float32(int(q>>4)-8)
		}
	}
}
