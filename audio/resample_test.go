package audio

import (
	"fmt"
	"io"
	"math"
	"math/cmplx"
	"slices"
	"testing"
)

var testRates = []int{1000, 8000, 11025, 12000, 22050, 24000, 32000, 44100, 44101, 48000, 96000, 192000, 767999}

func sine(rate, n int, freq float64) []float32 {
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(0.5 * math.Sin(2*math.Pi*freq*float64(i)/float64(rate)))
	}
	return x
}

// level is the amplitude in dB (0 dB: that of sine) of freq in the middle of y, at SampleRate, after what fits has been
// taken out; rest is what remains, all frequencies together.
func level(y []float32, freq float64) (gain, rest float64) {
	y = y[len(y)/4 : len(y)*3/4]
	var z complex128
	var weight float64
	at := func(i int) complex128 { return cmplx.Rect(1, -2*math.Pi*freq*float64(i)/SampleRate) }
	hann := func(i int) float64 { return 1 - math.Cos(2*math.Pi*(float64(i)+0.5)/float64(len(y))) }
	for i, v := range y {
		z += complex(float64(v)*hann(i), 0) * at(i)
		weight += hann(i)
	}
	z *= complex(2/weight, 0)
	var power float64
	for i, v := range y {
		d := float64(v) - real(z*cmplx.Conj(at(i)))
		power += d * d
	}
	db := func(a float64) float64 { return 20 * math.Log10(max(a/0.5, 1e-12)) }
	return db(cmplx.Abs(z)), db(math.Sqrt(2 * power / float64(len(y))))
}

func TestResampleTones(t *testing.T) {
	for _, rate := range testRates {
		lower := float64(min(rate, SampleRate)) / 2
		worst, worstGain := -200.0, 0.0
		for _, part := range []float64{0.13, 0.5, 0.87} {
			freq := part * lower
			y := readAll(t, newResampler(&samples{x: sine(rate, max(rate/8, 8000), freq)}, rate))
			gain, rest := level(y, freq)
			worst, worstGain = max(worst, rest), max(worstGain, math.Abs(gain))
		}
		if worstGain > 0.1 || worst > -90 {
			t.Errorf("%d Hz, pass band: off by %.3f dB, images and noise at %.1f dB", rate, worstGain, worst)
		}
		t.Logf("%d Hz, pass band: off by %.4f dB, rest %.1f dB", rate, worstGain, worst)
		worst = -200
		if rate <= SampleRate {
			continue
		}
		for _, freq := range []float64{8001, 8500, 12000, 15500, 21000, 0.499 * float64(rate)} {
			if freq > 0.5*float64(rate) {
				continue
			}
			y := readAll(t, newResampler(&samples{x: sine(rate, max(rate/8, 8000), freq)}, rate))
			_, rest := level(y, 0)
			worst = max(worst, rest)
		}
		if worst > -90 {
			t.Errorf("%d Hz, stop band: %.1f dB", rate, worst)
		}
		t.Logf("%d Hz, stop band: %.1f dB", rate, worst)
	}
}

// An output sample lies where it should in time, and there are as many as there should be.
func TestResampleTime(t *testing.T) {
	for _, rate := range testRates {
		for _, n := range []int{0, 1, 2, 7, 160, 1001, 9999} {
			y := readAll(t, newResampler(&samples{x: make([]float32, n)}, rate))
			if want := int(math.Round(float64(n) * SampleRate / float64(rate))); len(y) != want {
				t.Errorf("%d samples at %d Hz: %d, want %d", n, rate, len(y), want)
			}
		}
		freq := 0.05 * float64(min(rate, SampleRate))
		y := readAll(t, newResampler(&samples{x: sine(rate, max(rate/8, 8000), freq)}, rate))
		want := sine(SampleRate, len(y), freq)
		for i := len(y) / 4; i < len(y)*3/4; i++ {
			if d := math.Abs(float64(y[i] - want[i])); d > 5e-5 {
				t.Fatalf("%d Hz, output %d: %g, want %g", rate, i, y[i], want[i])
			}
		}
	}
}

func TestResampleChunks(t *testing.T) {
	for _, rate := range testRates {
		x := noise(min(rate, 30000), uint64(rate))
		want := readAll(t, newResampler(&samples{x: x}, rate))
		for _, sizes := range [][]int{{1}, {1, 5000, 3}, {777}} {
			for _, early := range []bool{false, true} {
				got := readAll(t, newResampler(&samples{x: x, sizes: sizes, early: early}, rate))
				if !slices.Equal(got, want) {
					t.Errorf("%d Hz in chunks of %v: differs", rate, sizes)
				}
			}
		}
	}
	r := newResampler(&failing{x: noise(1000, 1), err: io.ErrUnexpectedEOF}, 8000)
	n, err := 0, error(nil)
	for err == nil {
		var k int
		k, err = r.Read(make([]float32, 64))
		n += k
	}
	if n != 2000 || err != io.ErrUnexpectedEOF {
		t.Errorf("a failing source: %d samples, %v", n, err)
	}
}

func TestResampleTable(t *testing.T) {
	for _, rate := range []int{1000, 1009, 7999, 11025, 15999, 16001, 22051, 44099, 88200, 176400, 191999, 767980, 767999} {
		if r := newResampler(nil, rate); len(r.table) > maxTable+2*r.taps {
			t.Errorf("%d Hz: a table of %d numbers", rate, len(r.table))
		}
	}
}

func BenchmarkResample(b *testing.B) {
	for _, rate := range []int{8000, 44100, 44101, 48000} {
		b.Run(fmt.Sprintf("rate=%d", rate), func(b *testing.B) {
			x, dst := noise(rate, 1), make([]float32, SampleRate)
			for b.Loop() {
				r := newResampler(&samples{x: x}, rate)
				for {
					if _, err := r.Read(dst); err != nil {
						break
					}
				}
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "times-real-time")
		})
	}
}
