package ggml

// A block of Q5_K is 256 numbers in 176 bytes: half d, half dmin and 12 bytes as in Q4_K; 32 bytes, of which bit i/32 of
// byte i%32 is element i's fifth bit; 128 bytes of nibbles as in Q4_K. An element is d·s·q − dmin·m.

func quantizeQ5_K(dst []byte, src []float32) {
	f := minFit{levels: 31, from: -0.5, steps: 15}
	for ; len(src) > 0; dst, src = dst[176:], src[superBlock:] {
		var q [superBlock]uint8
		scaleMins(dst[:16], &q, src[:superBlock], f)
		qh := dst[16:48]
		clear(qh)
		for i, v := range q {
			qh[i%32] |= v >> 4 << (i / 32)
		}
		packNibbles(dst[48:176], &q)
	}
}

func dequantizeQ5_K(dst []float32, src []byte) {
	for ; len(dst) > 0; dst, src = dst[superBlock:], src[176:] {
		qh, qs := src[16:48], src[48:176]
		for j := range 8 {
			d, m := scaleMin(src, j)
			y, p, shift := dst[32*j:32*j+32], qs[j/2*32:j/2*32+32], j%2*4
			for i, q := range p {
				y[i] = float32(d*float32(q>>shift&15|qh[i]>>j&1<<4)) - m
			}
		}
	}
}
