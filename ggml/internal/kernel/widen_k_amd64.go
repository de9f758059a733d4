//go:build !noasm

package kernel

// The K types of ggml have 256 numbers a block, in sub-blocks of 16 or 32 with a scale and a minimum each. A block is
// opened to bytes and to factors, of which scale16x16AVX2 makes numbers.
const superBlock = 256

// openedK is a block of a K type: number i is d[i/16]·q[i] − m[i/16].
type openedK struct {
	q    [superBlock]byte // signed
	d, m [16]float32
}

// widenK takes the bytes of a block and what opens it.
func widenK(dst []float32, src []byte, size, typ int) {
	checkWiden(dst, src, superBlock, size)
	var o openedK
	for ; len(dst) > 0; dst, src = dst[superBlock:], src[size:] {
		b := src[:size]
		switch typ {
		case 10:
			openPairsAVX2(&o.q[0], &b[16], nil)
			o.factorsQ2(b)
		case 11:
			openPairsAVX2(&o.q[0], &b[32], &b[0])
			o.factorsQ3(b)
		case 12:
			openNibblesAVX2(&o.q[0], &b[16], nil)
			o.factors(b)
		case 13:
			openNibblesAVX2(&o.q[0], &b[48], &b[16])
			o.factors(b)
		case 14:
			openSixAVX2(&o.q[0], &b[0], &b[128])
			o.factorsQ6(b)
		}
		scale16x16AVX2(&dst[0], &o.q[0], &o.d[0], &o.m[0])
	}
}

func widenQ2_KAVX2(dst []float32, src []byte) { widenK(dst, src, 84, 10) }
func widenQ3_KAVX2(dst []float32, src []byte) { widenK(dst, src, 110, 11) }
func widenQ4_KAVX2(dst []float32, src []byte) { widenK(dst, src, 144, 12) }
func widenQ5_KAVX2(dst []float32, src []byte) { widenK(dst, src, 176, 13) }
func widenQ6_KAVX2(dst []float32, src []byte) { widenK(dst, src, 210, 14) }

// factorsQ2 takes 16 bytes with a scale and a minimum of four bits each, and half d, half m at the end.
func (o *openedK) factorsQ2(b []byte) {
	d, m := halfAt(b[80:]), halfAt(b[82:])
	for j, s := range b[:16] {
		o.d[j], o.m[j] = d*float32(s&15), m*float32(s>>4)
	}
}

// factorsQ3 takes 12 bytes with 16 scales of six bits, which are 32 too large, and half d at the end.
func (o *openedK) factorsQ3(b []byte) {
	d, s := halfAt(b[108:]), b[96:108]
	for j := range o.d {
		o.d[j] = d * float32(int(s[j%8]>>(j/8*4)&15|s[8+j%4]>>(j/4*2)&3<<4)-32)
	}
}

// factors takes half d, half m, and 12 bytes with a scale and a minimum of six bits for each 32 numbers.
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

// factorsQ6 takes 16 signed bytes and half d at the end.
func (o *openedK) factorsQ6(b []byte) {
	d := halfAt(b[208:])
	for j, s := range b[192:208] {
		o.d[j] = d * float32(int8(s))
	}
}

//go:noescape
func openNibblesAVX2(q, b, fifth *byte)

//go:noescape
func openPairsAVX2(q, b, third *byte)

//go:noescape
func openSixAVX2(q, low, high *byte)

//go:noescape
func scale16x16AVX2(dst *float32, q *byte, d, m *float32)
