package ggml

// A block of Q4_K is 256 numbers in 144 bytes: half d, half dmin; 12 bytes with a scale s and a minimum m of 6 bits for each
// 32 numbers (see scaleMin); 128 bytes of nibbles (see packNibbles). An element is d·s·q − dmin·m.

func quantizeQ4_K(dst []byte, src []float32) {
	f := minFit{levels: 15, from: -1, steps: 20}
	for ; len(src) > 0; dst, src = dst[144:], src[superBlock:] {
		var q [superBlock]uint8
		scaleMins(dst[:16], &q, src[:superBlock], f)
		packNibbles(dst[16:144], &q)
	}
}

func dequantizeQ4_K(dst []float32, src []byte) {
	for ; len(dst) > 0; dst, src = dst[superBlock:], src[144:] {
		qs := src[16:144]
		for j := range 8 {
			d, m := scaleMin(src, j)
			y, p, shift := dst[32*j:32*j+32], qs[j/2*32:j/2*32+32], j%2*4
			for i, q := range p {
				y[i] = float32(d*float32(q>>shift&15)) - m
			}
		}
	}
}
