package audio

import (
	"math"
	"math/cmplx"
	"math/rand/v2"
	"testing"
)

func TestSpectrum(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	s := newSpectrum()
	for name, gen := range map[string]func(i int) float32{
		"zeros":   func(int) float32 { return 0 },
		"noise":   func(int) float32 { return rnd.Float32()*2 - 1 },
		"impulse": func(i int) float32 { return float32(b2i(i == 137)) },
		"tone":    func(i int) float32 { return float32(math.Sin(float64(i) * 0.7)) },
		"nyquist": func(i int) float32 { return float32(1 - 2*(i&1)) },
	} {
		t.Run(name, func(t *testing.T) {
			var x [FFTSize]float32
			var sum float64
			for i := range x {
				x[i] = gen(i)
				sum += math.Abs(float64(x[i]))
			}
			s.transform(&x)
			for k, got := range s.power {
				var z complex128
				for i, v := range x {
					w := 0.5 - 0.5*math.Cos(2*math.Pi*float64(i)/FFTSize)
					z += complex(float64(v)*w, 0) * cmplx.Rect(1, -2*math.Pi*float64(i*k%FFTSize)/FFTSize)
				}
				want := real(z)*real(z) + imag(z)*imag(z)
				if d := math.Abs(math.Sqrt(float64(got)) - math.Sqrt(want)); d > 4e-7*sum {
					t.Fatalf("bin %d: power %g, want %g", k, got, want)
				}
			}
		})
	}
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

func BenchmarkSpectrum(b *testing.B) {
	s := newSpectrum()
	var x [FFTSize]float32
	for i := range x {
		x[i] = rand.Float32()
	}
	for b.Loop() {
		s.transform(&x)
	}
}
