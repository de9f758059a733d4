package audio

import "math"

// analyser turns samples into log₁₀ mel powers.
type analyser interface {
	// batch returns how many frames analyse takes at most.
	batch() int
	// analyse fills dst, which is [n ≤ batch][bands], and returns the largest of it. Frame i is made of x[160·i:][:400]; x
	// reaches to the end of a full batch. What comes of a frame does not depend on n nor on i.
	analyse(dst, x []float32) float32
	// normalise writes (max(x, floor)+4)/4 to dst.
	normalise(dst, x []float32, floor float32)
}

// single analyses frame by frame.
type single struct {
	fft   *spectrum
	bands []band
}

func (*single) batch() int { return 1 }

func (s *single) analyse(dst, x []float32) float32 {
	s.fft.transform((*[FFTSize]float32)(x))
	top := float32(melSilence)
	for i, b := range s.bands {
		var sum float32
		p := s.fft.power[b.from:]
		p = p[:len(b.weights)]
		for j, w := range b.weights {
			sum += w * p[j]
		}
		v := log10(sum)
		if v > top {
			top = v
		}
		dst[i] = v
	}
	return top
}

func (*single) normalise(dst, x []float32, floor float32) { normalise(dst, x, floor) }

func normalise(dst, x []float32, floor float32) {
	for i, v := range x {
		dst[i] = (max(v, floor) + 4) / 4
	}
}

// log₁₀ (1+f) = c0·f + … + c7·f⁸ within 4e-8 for f from √½−1 to √2−1 (Chebyshev interpolation of the quotient by f).
const (
	log10c0 = 0.4342944622039795
	log10c1 = -0.21714887022972107
	log10c2 = 0.14477035403251648
	log10c3 = -0.10843858867883682
	log10c4 = 0.08648256957530975
	log10c5 = -0.07503829896450043
	log10c6 = 0.0700354054570198
	log10c7 = -0.042974963784217834

	log10of2 = math.Ln2 / math.Ln10
	sqrtHalf = 0x3f3504f3 // the bits of √½
	mantissa = 1<<23 - 1
)

// log10 is log₁₀(max(x, 1e−10)) within 1e-6: x = 2ᵉ·(1+f) with 1+f in [√½, √2).
func log10(x float32) float32 {
	if !(x > melPower) {
		return melSilence
	}
	u := math.Float32bits(x) - sqrtHalf
	e := int32(u) >> 23
	f := math.Float32frombits(u&mantissa+sqrtHalf) - 1
	p := log10c0 + f*(log10c1+f*(log10c2+f*(log10c3+f*(log10c4+f*(log10c5+f*(log10c6+f*log10c7))))))
	return float32(e)*log10of2 + f*p
}
