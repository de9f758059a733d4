package ggml

import "math"

// The K types store 256 numbers a block, in sub-blocks of 16 or 32 with a scale each (and a minimum, where the numbers are
// not centred), which are themselves stored as small integers. This file finds the scales; the types' own files pack.

const superBlock = 256

func clamp(v, low, high int) int { return max(low, min(high, v)) }

// minFit finds scale and minimum of a sub-block: it tries several roundings and takes the one with the least weighted error.
type minFit struct {
	levels int     // the largest q
	from   float32 // the first trial's offset to levels; the others follow in steps of 0.1
	steps  int
	abs    bool // the error is |Δ| instead of Δ²
}

// fit fills q and returns scale and low, such that x ≈ scale·q − low. w are the weights of the errors.
func (f minFit) fit(q []uint8, x, w []float32) (scale, low float32) {
	least, most := bounds(x)
	sumW, sumX := w[0], float32(w[0]*x[0])
	for i := 1; i < len(x); i++ {
		sumW += w[i]
		sumX += float32(w[i] * x[i])
	}
	if least > 0 {
		least = 0
	}
	if most == least {
		clear(q)
		return 0, -least
	}
	k := float32(f.levels) / (most - least)
	scale = 1 / k
	f.round(q, x, k, least)
	best := f.cost(q, x, w, scale, least)

	var trial [32]uint8
	a := trial[:len(q)]
	for t := range f.steps + 1 {
		k = (f.from + float32(0.1*float32(t)) + float32(f.levels)) / (most - least)
		f.round(a, x, k, least)
		var sumA, sumAA, sumAX float32
		for i, l := range a {
			wa := float32(w[i] * float32(l))
			sumA += wa
			sumAA += float32(wa * float32(l))
			sumAX += float32(wa * x[i])
		}
		det := float32(sumW*sumAA) - float32(sumA*sumA)
		if !(det > 0) {
			continue
		}
		s := (float32(sumW*sumAX) - float32(sumX*sumA)) / det
		m := (float32(sumAA*sumX) - float32(sumA*sumAX)) / det
		if m > 0 {
			m = 0
			s = sumAX / sumAA
		}
		if c := f.cost(a, x, w, s, m); c < best {
			copy(q, a)
			best, scale, least = c, s, m
		}
	}
	return scale, -least
}

func (f minFit) round(q []uint8, x []float32, k, low float32) {
	for i, v := range x {
		q[i] = uint8(clamp(nearest(float32(k*(v-low))), 0, f.levels))
	}
}

func (f minFit) cost(q []uint8, x, w []float32, scale, low float32) float32 {
	var sum float32
	for i, v := range x {
		e := float32(scale*float32(q[i])) + low - v
		if f.abs {
			e = abs32(e)
		} else {
			e = float32(e * e)
		}
		sum += float32(w[i] * e)
	}
	return sum
}

// negligible is the magnitude below which a sub-block counts as zeros.
const negligible = 1e-15

// symmetricSums are what a fit of x ≈ scale·l needs, with the weights x²: Σ x²·x·l and Σ x²·l·l.
func symmetricSums(x []float32, l *[16]int8) (xl, ll float32) {
	for i, v := range x {
		w := float32(v * v)
		xl += float32(float32(w*v) * float32(l[i]))
		ll += float32(float32(w*float32(l[i])) * float32(l[i]))
	}
	return xl, ll
}

// roundSymmetric sets l = nearest(k·x) within −n…n−1.
func roundSymmetric(l *[16]int8, x []float32, k float32, n int) {
	for i, v := range x {
		l[i] = int8(clamp(nearest(float32(k*v)), -n, n-1))
	}
}

// fitByDescent finds x ≈ scale·l for 16 numbers with l in −n…n−1, improving one l after the other.
func fitByDescent(l *[16]int8, x []float32, n int) (scale float32) {
	most := extreme(x)
	if abs32(most) < negligible {
		*l = [16]int8{}
		return 0
	}
	roundSymmetric(l, x, float32(-n)/most, n)
	xl, ll := symmetricSums(x, l)
	for range 5 {
		changed := false
		for i, v := range x {
			w, old := float32(v*v), float32(l[i])
			newXL := xl - float32(float32(w*v)*old)
			if !(newXL > 0) {
				continue
			}
			newLL := ll - float32(float32(w*old)*old)
			c := clamp(nearest(float32(v*newLL)/newXL), -n, n-1)
			if c == int(l[i]) {
				continue
			}
			newXL += float32(float32(w*v) * float32(c))
			newLL += float32(float32(w*float32(c)) * float32(c))
			if newLL > 0 && float32(float32(newXL*newXL)*ll) > float32(float32(xl*xl)*newLL) {
				l[i], xl, ll, changed = int8(c), newXL, newLL, true
			}
		}
		if !changed {
			break
		}
	}
	if ll > 0 {
		return xl / ll
	}
	return 0
}

// fitByTrial finds x ≈ scale·l for 16 numbers with l in −n…n−1, trying 19 roundings.
func fitByTrial(l *[16]int8, x []float32, n int) (scale float32) {
	most := extreme(x)
	if abs32(most) < negligible {
		*l = [16]int8{}
		return 0
	}
	roundSymmetric(l, x, float32(-n)/most, n)
	xl, ll := symmetricSums(x, l)
	if ll != 0 {
		scale = xl / ll
	}
	best := float32(scale * xl)
	for t := -9; t <= 9; t++ {
		if t == 0 {
			continue
		}
		var a [16]int8
		roundSymmetric(&a, x, -(float32(n)+float32(0.1*float32(t)))/most, n)
		xl, ll := symmetricSums(x, &a)
		if ll > 0 && float32(xl*xl) > float32(best*ll) {
			*l = a
			scale = xl / ll
			best = float32(scale * xl)
		}
	}
	return scale
}

// packTwo writes the low two bits of 256 numbers: in each half of 128, byte i holds elements i, i+32, i+64 and i+96.
func packTwo(dst []byte, q *[superBlock]uint8) {
	for h := range 2 {
		for i := range 32 {
			p := q[128*h+i:]
			dst[32*h+i] = p[0]&3 | p[32]&3<<2 | p[64]&3<<4 | p[96]&3<<6
		}
	}
}

// pairs returns the 16 bytes that hold the two bits of sub-block j's elements, and from which bit on.
func pairs(src []byte, j int) (p []byte, shift int) {
	from := j/8*32 + j%2*16
	return src[from : from+16 : from+16], j % 8 / 2 * 2
}

// packNibbles writes the low four bits of 256 numbers: in each 32 bytes the low nibbles hold 32 elements, the high ones
// the next 32.
func packNibbles(dst []byte, q *[superBlock]uint8) {
	for i := range dst[:128] {
		p := q[i/32*64+i%32:]
		dst[i] = p[0]&15 | p[32]<<4
	}
}

// scaleMins fits the eight sub-blocks of 32 that Q4_K and Q5_K have. It writes the head of their blocks (half d, half dmin
// and 12 bytes with a scale and a minimum of 6 bits for each sub-block) and fills q.
func scaleMins(dst []byte, q *[superBlock]uint8, x []float32, f minFit) {
	var scales, lows [8]float32
	var topScale, topLow float32
	var w [32]float32
	for j := range 8 {
		sub := x[32*j : 32*j+32]
		var sum float32
		for _, v := range sub {
			sum += float32(v * v)
		}
		root := float32(math.Sqrt(float64(sum / 32)))
		for i, v := range sub {
			w[i] = root + abs32(v)
		}
		scales[j], lows[j] = f.fit(q[32*j:32*j+32], sub, w[:])
		topScale, topLow = max(topScale, scales[j]), max(topLow, lows[j])
	}
	var kScale, kLow float32
	if topScale > 0 {
		kScale = 63 / topScale
	}
	if topLow > 0 {
		kLow = 63 / topLow
	}
	putHalf(dst, topScale/63)
	putHalf(dst[2:], topLow/63)
	p := dst[4:16]
	clear(p)
	for j := range 8 {
		s := min(63, uint8(nearest(float32(kScale*scales[j]))))
		m := min(63, uint8(nearest(float32(kLow*lows[j]))))
		if j < 4 {
			p[j], p[j+4] = s, m
			continue
		}
		p[j+4] = s&15 | m<<4
		p[j-4] |= s >> 4 << 6
		p[j] |= m >> 4 << 6
	}
	for j := range 8 {
		d, m := scaleMin(dst, j)
		if d == 0 {
			continue
		}
		for i := 32 * j; i < 32*j+32; i++ {
			q[i] = uint8(clamp(nearest((x[i]+m)/d), 0, f.levels))
		}
	}
}

// scaleMin returns scale and minimum of sub-block j of a Q4_K or Q5_K block.
func scaleMin(block []byte, j int) (scale, low float32) {
	p := block[4:16]
	var s, m uint8
	if j < 4 {
		s, m = p[j]&63, p[j+4]&63
	} else {
		s, m = p[j+4]&15|p[j-4]>>6<<4, p[j+4]>>4|p[j]>>6<<4
	}
	return float32(half(block) * float32(s)), float32(half(block[2:]) * float32(m))
}
