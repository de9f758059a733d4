package ggml

// A block of Q3_K is 256 numbers in 110 bytes: 32 bytes, of which bit i/32 of byte i%32 is element i's third bit; 64 bytes
// with the other two (see packTwo); 12 bytes with 16 scales of 6 bits, one for each 16 numbers; half d. Scale j has its low
// four bits in byte j%8, in the low nibble if j < 8, and the other two in byte 8+j%4 from bit 2·(j/4) on. An element is
// d·(s−32)·(q−4).

func quantizeQ3_K(dst []byte, src []float32) {
	for ; len(src) > 0; dst, src = dst[110:], src[superBlock:] {
		x := src[:superBlock]
		clear(dst[:110])
		var q [superBlock]uint8
		var scales [16]float32
		for j := range scales {
			var l [16]int8
			scales[j] = fitByDescent(&l, x[16*j:16*j+16], 4)
			for i, v := range l {
				q[16*j+i] = uint8(v + 4)
			}
		}
		if top := extreme(scales[:]); top != 0 {
			k := -32 / top
			p := dst[96:108]
			for j, s := range scales {
				c := uint8(clamp(nearest(float32(k*s)), -32, 31) + 32)
				p[j%8] |= c & 15 << (j / 8 * 4)
				p[8+j%4] |= c >> 4 << (j / 4 * 2)
			}
			putHalf(dst[108:], 1/k)
		}
		for j := range scales {
			d := scaleQ3_K(dst, j)
			if d == 0 {
				continue
			}
			for i := 16 * j; i < 16*j+16; i++ {
				q[i] = uint8(clamp(nearest(x[i]/d), -4, 3) + 4)
			}
		}
		for i, v := range q {
			dst[i%32] |= v >> 2 << (i / 32)
		}
		packTwo(dst[32:96], &q)
	}
}

func dequantizeQ3_K(dst []float32, src []byte) {
	for ; len(dst) > 0; dst, src = dst[superBlock:], src[110:] {
		mask, qs := src[:32], src[32:96]
		for j := range 16 {
			d := scaleQ3_K(src, j)
			y, high := dst[16*j:16*j+16], mask[j%2*16:j%2*16+16]
			p, shift := pairs(qs, j)
			for i, q := range p {
				y[i] = d * float32(int(q>>shift&3|high[i]>>(j/2)&1<<2)-4)
			}
		}
	}
}

// scaleQ3_K returns the scale of sub-block j.
func scaleQ3_K(block []byte, j int) float32 {
	p := block[96:108]
	s := p[j%8]>>(j/8*4)&15 | p[8+j%4]>>(j/4*2)&3<<4
	return half(block[108:]) * float32(int(s)-32)
}
