package ggml

// A block of Q6_K is 256 numbers in 210 bytes: 128 bytes with the low four bits; 64 bytes with the high two (see packTwo);
// 16 signed bytes, a scale s for each 16 numbers; half d. In each half of 128 numbers and 64 bytes, byte i < 64 holds
// element i in its low nibble and element i+64 in the high one. An element is d·s·(q−32).

func quantizeQ6_K(dst []byte, src []float32) {
	for ; len(src) > 0; dst, src = dst[210:], src[superBlock:] {
		x := src[:superBlock]
		clear(dst[:210])
		var q [superBlock]uint8
		var scales [16]float32
		for j := range scales {
			var l [16]int8
			scales[j] = fitByTrial(&l, x[16*j:16*j+16], 32)
			for i, v := range l {
				q[16*j+i] = uint8(v + 32)
			}
		}
		top := extreme(scales[:])
		if abs32(top) < negligible {
			continue
		}
		k := -128 / top
		for j, s := range scales {
			dst[192+j] = uint8(min(127, nearest(float32(k*s))))
		}
		putHalf(dst[208:], 1/k)
		for j := range scales {
			d := scaleQ6_K(dst, j)
			if d == 0 {
				continue
			}
			for i := 16 * j; i < 16*j+16; i++ {
				q[i] = uint8(clamp(nearest(x[i]/d), -32, 31) + 32)
			}
		}
		for i := range dst[:128] {
			p := q[i/64*128+i%64:]
			dst[i] = p[0]&15 | p[64]<<4
		}
		for i := range q {
			q[i] >>= 4
		}
		packTwo(dst[128:192], &q)
	}
}

func dequantizeQ6_K(dst []float32, src []byte) {
	for ; len(dst) > 0; dst, src = dst[superBlock:], src[210:] {
		ql, qh := src[:128], src[128:192]
		for j := range 16 {
			d := scaleQ6_K(src, j)
			y, low := dst[16*j:16*j+16], ql[j/8*64+j%4*16:j/8*64+j%4*16+16]
			p, shift := pairs(qh, j)
			for i, q := range p {
				y[i] = d * float32(int(low[i]>>(j%8/4*4)&15|q>>shift&3<<4)-32)
			}
		}
	}
}

// scaleQ6_K returns the scale of sub-block j.
func scaleQ6_K(block []byte, j int) float32 {
	return half(block[208:]) * float32(int8(block[192+j]))
}
