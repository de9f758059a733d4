package ggml

// A block of Q2_K is 256 numbers in 84 bytes: 16 bytes, one for each 16 numbers, with a scale s in the low nibble and a
// minimum m in the high one; 64 bytes with two bits an element (see packTwo); half d, half dmin. An element is
// d·s·q − dmin·m.

func quantizeQ2_K(dst []byte, src []float32) {
	f := minFit{levels: 3, from: -0.5, steps: 15, abs: true}
	for ; len(src) > 0; dst, src = dst[84:], src[superBlock:] {
		x, head := src[:superBlock], dst[:16]
		var q [superBlock]uint8
		var w [16]float32
		var scales, lows [16]float32
		var topScale, topLow float32
		for j := range 16 {
			sub := x[16*j : 16*j+16]
			for i, v := range sub {
				w[i] = abs32(v)
			}
			scales[j], lows[j] = f.fit(q[16*j:16*j+16], sub, w[:])
			topScale, topLow = max(topScale, scales[j]), max(topLow, lows[j])
		}
		clear(head)
		putHalf(dst[80:], topScale/15)
		putHalf(dst[82:], topLow/15)
		for j := range head {
			if topScale > 0 {
				head[j] = uint8(nearest(float32(15 / topScale * scales[j])))
			}
			if topLow > 0 {
				head[j] |= uint8(nearest(float32(15/topLow*lows[j])) << 4)
			}
		}
		for j := range head {
			d, m := scaleMinQ2_K(dst, j)
			if d == 0 {
				continue
			}
			for i := 16 * j; i < 16*j+16; i++ {
				q[i] = uint8(clamp(nearest((x[i]+m)/d), 0, 3))
			}
		}
		packTwo(dst[16:80], &q)
	}
}

func dequantizeQ2_K(dst []float32, src []byte) {
	for ; len(dst) > 0; dst, src = dst[superBlock:], src[84:] {
		qs := src[16:80]
		for j := range 16 {
			d, m := scaleMinQ2_K(src, j)
			y := dst[16*j : 16*j+16]
			p, shift := pairs(qs, j)
			for i, q := range p {
				y[i] = float32(d*float32(q>>shift&3)) - m
			}
		}
	}
}

// scaleMinQ2_K returns scale and minimum of sub-block j.
func scaleMinQ2_K(block []byte, j int) (scale, low float32) {
	s := block[j]
	return float32(half(block[80:]) * float32(s&15)), float32(half(block[82:]) * float32(s>>4))
}
