package ggml

import "encoding/binary"

// A block of Q5_0 is 32 numbers in 22 bytes: half d; 32 bits, of which bit i is the highest of element i's five; 16 bytes
// with the other four as in Q4_0. An element is d·(q−16).

func quantizeQ5_0(dst []byte, src []float32) {
	for ; len(src) > 0; dst, src = dst[22:], src[32:] {
		x := src[:32:32]
		d := extreme(x) / -16
		id := inverse(d)
		putHalf(dst, d)
		var q [32]uint8
		for i := range q {
			q[i] = uint8(min(31, int8(trunc(float32(x[i]*id)+16.5))))
		}
		packFive(dst[2:22], &q)
	}
}

func dequantizeQ5_0(dst []float32, src []byte) {
	for ; len(dst) > 0; dst, src = dst[32:], src[22:] {
		y, qs := dst[:32:32], src[6:22:22]
		d, qh := half(src), binary.LittleEndian.Uint32(src[2:])
		for i, q := range qs {
			y[i] = d * float32(int(uint32(q&15)|qh>>i&1<<4)-16)
			y[i+16] = d * float32(int(uint32(q>>4)|qh>>(i+16)&1<<4)-16)
		}
	}
}

// packFive writes numbers of five bits as Q5_0 and Q5_1 have them.
func packFive(dst []byte, q *[32]uint8) {
	var high uint32
	for i := range 16 {
		dst[4+i] = q[i]&15 | q[i+16]<<4
		high |= uint32(q[i]>>4&1)<<i | uint32(q[i+16]>>4&1)<<(i+16)
	}
	binary.LittleEndian.PutUint32(dst, high)
}
