//go:build !noasm

package kernel

import "encoding/binary"

// The K types of ggml have 256 numbers a block, in sub-blocks of 16 or 32 with a scale and a minimum each. Plain code
// opens a block to bytes, eight at a time, and to factors; scale16x16AVX2 makes numbers of them.
const superBlock = 256

// openedK is a block of a K type: number i is d[i/16]·q[i] − m[i/16].
type openedK struct {
	q    [superBlock]byte // signed
	d, m [16]float32
}

func (o *openedK) put(i int, eight uint64) { binary.LittleEndian.PutUint64(o.q[i:], eight) }

// each is a byte eight times.
const each = 0x0101010101010101

// minus subtracts n from each byte; bytes and n are below 128.
func minus(eight, n uint64) uint64 { return (eight | 0x80*each - n*each) ^ 0x80*each }

func eightAt(b []byte) uint64 { return binary.LittleEndian.Uint64(b) }

// widenK takes the bytes of a block and what opens it.
func widenK(dst []float32, src []byte, size, typ int) {
	checkWiden(dst, src, superBlock, size)
	var o openedK
	for ; len(dst) > 0; dst, src = dst[superBlock:], src[size:] {
		b := src[:size]
		switch typ {
		case 10:
			o.q2(b)
		case 11:
			o.q3(b)
		case 12:
			o.nibbles(b[16:], nil)
			o.factors(b)
		case 13:
			o.nibbles(b[48:], b[16:])
			o.factors(b)
		case 14:
			o.q6(b)
		}
		scale16x16AVX2(&dst[0], &o.q[0], &o.d[0], &o.m[0])
	}
}

func widenQ2_KAVX2(dst []float32, src []byte) { widenK(dst, src, 84, 10) }
func widenQ3_KAVX2(dst []float32, src []byte) { widenK(dst, src, 110, 11) }
func widenQ4_KAVX2(dst []float32, src []byte) { widenK(dst, src, 144, 12) }
func widenQ5_KAVX2(dst []float32, src []byte) { widenK(dst, src, 176, 13) }
func widenQ6_KAVX2(dst []float32, src []byte) { widenK(dst, src, 210, 14) }

// q2 opens 16 bytes of factors, then two bits a number: those of i, i+32, i+64 and i+96 in one byte; half d, half m.
func (o *openedK) q2(b []byte) {
	for i := range superBlock / 8 {
		at, shift := i/16*32+i%4*8, i/4%4*2
		o.put(8*i, eightAt(b[16+at:])>>shift&(3*each))
	}
	d, m := halfAt(b[80:]), halfAt(b[82:])
	for j, s := range b[:16] {
		o.d[j], o.m[j] = d*float32(s&15), m*float32(s>>4)
	}
}

// q3 opens 32 bytes of third bits, which are set where nothing is to be subtracted, then two bits a number as q2 has them;
// 12 bytes of factors; half d.
func (o *openedK) q3(b []byte) {
	for i := range superBlock / 8 {
		at, shift := i/16*32+i%4*8, i/4%4*2
		third := eightAt(b[i%4*8:]) >> (i / 4) & each
		o.put(8*i, minus(eightAt(b[32+at:])>>shift&(3*each)|third<<2, 4))
	}
	d, s := halfAt(b[108:]), b[96:108]
	for j := range o.d {
		o.d[j] = d * float32(int(s[j%8]>>(j/8*4)&15|s[8+j%4]>>(j/4*2)&3<<4)-32)
		o.m[j] = 0
	}
}

// nibbles opens 128 bytes, in groups of 32 that hold 64 numbers, and the fifth bits, if any: bit i/32 of byte i%32.
func (o *openedK) nibbles(b, fifth []byte) {
	for i := range superBlock / 8 {
		q := eightAt(b[i/8*32+i%4*8:]) >> (i / 4 % 2 * 4) & (15 * each)
		if fifth != nil {
			q |= eightAt(fifth[i%4*8:]) >> (i / 4) & each << 4
		}
		o.put(8*i, q)
	}
}

// factors opens half d, half m, and 12 bytes with a scale and a minimum of six bits for each 32 numbers.
func (o *openedK) factors(b []byte) {
	d, m, s := halfAt(b), halfAt(b[2:]), b[4:16]
	for j := range 8 {
		scale, low := s[j%4+j/4*8]&15|s[j%4]>>6<<4, s[j%4+8]>>4|s[j]>>6<<4
		if j < 4 {
			scale, low = s[j]&63, s[j+4]&63
		}
		o.d[2*j], o.m[2*j] = d*float32(scale), m*float32(low)
		o.d[2*j+1], o.m[2*j+1] = o.d[2*j], o.m[2*j]
	}
}

// q6 opens 128 bytes of nibbles, 64 bytes of two bits, 16 signed bytes of factors, half d.
func (o *openedK) q6(b []byte) {
	for i := range superBlock / 8 {
		part, at := i/4%4, i%4*8
		low := eightAt(b[i/16*64+part%2*32+at:]) >> (part / 2 * 4) & (15 * each)
		high := eightAt(b[128+i/16*32+at:]) >> (2 * part) & (3 * each)
		o.put(8*i, minus(low|high<<4, 32))
	}
	d := halfAt(b[208:])
	for j, s := range b[192:208] {
		o.d[j], o.m[j] = d*float32(int8(s)), 0
	}
}

//go:noescape
func scale16x16AVX2(dst *float32, q *byte, d, m *float32)
