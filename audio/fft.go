package audio

import "math"

// The power spectrum of a frame is computed by the prime factor algorithm: 16 and 25 have no common factor, so the
// transform of 400 points is a two-dimensional one of 16 × 25 without twiddle factors in between. With
//
//	n = (25·n₁ + 16·n₂) mod 400,  k ≡ k₁ mod 16,  k ≡ k₂ mod 25
//
// X[k] = Σ_{n₂} W₂₅^{n₂k₂} Σ_{n₁} W₁₆^{n₁k₁} x[n]. The input is real, so rows k₁ = 9…15 mirror 7…1, rows 0 and 8 stay
// real after the first step and go through the second as one complex row, and each of the 201 bins comes out once.
const (
	fftA = 16
	fftB = 25
	bins = FFTSize/2 + 1
)

// spectrum holds the tables and the work space of the transform.
type spectrum struct {
	from   [FFTSize]uint16         // sample that goes to [n₂][n₁]
	window [FFTSize]float32        // periodic Hann, in the order of from
	bin    [fftA/2 + 1][fftB]uint8 // [k₁][k₂] → bin, k and 400−k being the same one
	twRe   [fftB]float32           // W₂₅^{bc} at [5·b + c]
	twIm   [fftB]float32
	rows   [fftA / 2][fftB]point // after the first step; row 0 holds rows 0 (re) and 8 (im)
	power  [bins]float32
}

// hann is the periodic Hann window.
func hann(n int) float32 { return float32(0.5 - 0.5*math.Cos(2*math.Pi*float64(n)/FFTSize)) }

type point struct{ re, im float32 }

func newSpectrum() *spectrum {
	s := new(spectrum)
	for n2 := range fftB {
		for n1 := range fftA {
			i, n := n2*fftA+n1, (fftB*n1+fftA*n2)%FFTSize
			s.from[i] = uint16(n)
			s.window[i] = hann(n)
		}
	}
	for k := range FFTSize {
		if k1 := k % fftA; k1 <= fftA/2 {
			s.bin[k1][k%fftB] = uint8(min(k, FFTSize-k))
		}
	}
	for b := range 5 {
		for c := range 5 {
			sin, cos := math.Sincos(-2 * math.Pi * float64(b*c) / fftB)
			s.twRe[5*b+c], s.twIm[5*b+c] = float32(cos), float32(sin)
		}
	}
	return s
}

// transform windows the frame x and leaves re² + im² of its bins in s.power.
func (s *spectrum) transform(x *[FFTSize]float32) {
	for n2 := range fftB {
		s.column(x, n2)
	}
	for k1 := range s.rows {
		dft25(&s.rows[k1], &s.twRe, &s.twIm)
	}
	s.squares()
}

// squares leaves re² + im² of the rows' bins in s.power.
func (s *spectrum) squares() {
	for k1 := 1; k1 < len(s.rows); k1++ {
		bin := &s.bin[k1]
		for k2, z := range &s.rows[k1] {
			s.power[bin[k2]] = z.re*z.re + z.im*z.im
		}
	}
	z := &s.rows[0]
	s.power[s.bin[0][0]] = z[0].re * z[0].re
	s.power[s.bin[8][0]] = z[0].im * z[0].im
	for k2 := 1; k2 <= fftB/2; k2++ {
		a, b := z[k2], z[fftB-k2]
		re, im := (a.re+b.re)/2, (a.im-b.im)/2
		s.power[s.bin[0][k2]] = re*re + im*im
		re, im = (a.im+b.im)/2, (b.re-a.re)/2
		s.power[s.bin[8][k2]] = re*re + im*im
	}
}

const (
	cos16 = 0.92387953251128675613 // cos π/8
	sin16 = 0.38268343236508977173 // sin π/8
	cos8  = 0.70710678118654752440 // cos π/4
)

// column does the real transform of 16 points for one n₂.
func (s *spectrum) column(x *[FFTSize]float32, n2 int) {
	f := (*[fftA]uint16)(s.from[n2*fftA:])
	w := (*[fftA]float32)(s.window[n2*fftA:])
	x0, x8 := x[f[0]]*w[0], x[f[8]]*w[8]
	x1, x9 := x[f[1]]*w[1], x[f[9]]*w[9]
	x2, x10 := x[f[2]]*w[2], x[f[10]]*w[10]
	x3, x11 := x[f[3]]*w[3], x[f[11]]*w[11]
	x4, x12 := x[f[4]]*w[4], x[f[12]]*w[12]
	x5, x13 := x[f[5]]*w[5], x[f[13]]*w[13]
	x6, x14 := x[f[6]]*w[6], x[f[14]]*w[14]
	x7, x15 := x[f[7]]*w[7], x[f[15]]*w[15]

	// Even outputs: a transform of 8 points over x[i] + x[i+8].
	a0, a4 := x0+x8, x4+x12
	a1, a5 := x1+x9, x5+x13
	a2, a6 := x2+x10, x6+x14
	a3, a7 := x3+x11, x7+x15
	c0, c1, c2, c3 := a0+a4, a1+a5, a2+a6, a3+a7
	d0, d1, d2, d3 := a0-a4, a1-a5, a2-a6, a3-a7
	s.rows[0][n2] = point{c0 + c2 + (c1 + c3), c0 + c2 - (c1 + c3)}
	s.rows[4][n2] = point{c0 - c2, c3 - c1}
	u, v := cos8*(d1-d3), cos8*(d1+d3)
	s.rows[2][n2] = point{d0 + u, -d2 - v}
	s.rows[6][n2] = point{d0 - u, d2 - v}

	// Odd outputs: b[i] = x[i] − x[i+8]; i and 8−i share a cosine but for its sign.
	b0, b4 := x0-x8, x4-x12
	b1, b7 := x1-x9, x7-x15
	b2, b6 := x2-x10, x6-x14
	b3, b5 := x3-x11, x5-x13
	e1, e2, e3 := b1-b7, cos8*(b2-b6), b3-b5
	f1, f2, f3 := b1+b7, cos8*(b2+b6), b3+b5
	p, q := b0+e2, b0-e2
	g, h := cos16*e1+sin16*e3, sin16*e1-cos16*e3
	k, l := sin16*f1+cos16*f3, cos16*f1-sin16*f3
	s.rows[1][n2] = point{p + g, -(k + (f2 + b4))}
	s.rows[7][n2] = point{p - g, -(k - (f2 + b4))}
	s.rows[3][n2] = point{q + h, -(l + (f2 - b4))}
	s.rows[5][n2] = point{q - h, -(l - (f2 - b4))}
}

// dft25 transforms 25 points in place as 5 × 5.
func dft25(x *[fftB]point, twRe, twIm *[fftB]float32) {
	var y [fftB]point
	for b := range 5 {
		z0, z1, z2, z3, z4 := dft5(x[b], x[b+5], x[b+10], x[b+15], x[b+20])
		re, im := (*[5]float32)(twRe[5*b:]), (*[5]float32)(twIm[5*b:])
		y[b] = z0
		y[b+5] = point{z1.re*re[1] - z1.im*im[1], z1.re*im[1] + z1.im*re[1]}
		y[b+10] = point{z2.re*re[2] - z2.im*im[2], z2.re*im[2] + z2.im*re[2]}
		y[b+15] = point{z3.re*re[3] - z3.im*im[3], z3.re*im[3] + z3.im*re[3]}
		y[b+20] = point{z4.re*re[4] - z4.im*im[4], z4.re*im[4] + z4.im*re[4]}
	}
	for c := range 5 {
		z := (*[5]point)(y[5*c:])
		x[c], x[c+5], x[c+10], x[c+15], x[c+20] = dft5(z[0], z[1], z[2], z[3], z[4])
	}
}

const (
	cos5a = 0.30901699437494742410  // cos 2π/5
	cos5b = -0.80901699437494742410 // cos 4π/5
	sin5a = 0.95105651629515357212  // sin 2π/5
	sin5b = 0.58778525229247312917  // sin 4π/5
)

func dft5(x0, x1, x2, x3, x4 point) (z0, z1, z2, z3, z4 point) {
	ar, ai, br, bi := x1.re+x4.re, x1.im+x4.im, x2.re+x3.re, x2.im+x3.im
	cr, ci, dr, di := x1.re-x4.re, x1.im-x4.im, x2.re-x3.re, x2.im-x3.im
	z0 = point{x0.re + ar + br, x0.im + ai + bi}
	mr, mi := x0.re+cos5a*ar+cos5b*br, x0.im+cos5a*ai+cos5b*bi
	nr, ni := sin5a*cr+sin5b*dr, sin5a*ci+sin5b*di
	z1, z4 = point{mr + ni, mi - nr}, point{mr - ni, mi + nr}
	mr, mi = x0.re+cos5b*ar+cos5a*br, x0.im+cos5b*ai+cos5a*bi
	nr, ni = sin5b*cr-sin5a*dr, sin5b*ci-sin5a*di
	z2, z3 = point{mr + ni, mi - nr}, point{mr - ni, mi + nr}
	return
}
