package audio

import (
	"io"
	"math"
)

// The low-pass filter is a sinc under a Kaiser window that reaches over zeroCrossings of the lower of the two rates on
// either side. Its pass band (−0.1 dB) ends at 0.87 of the lower rate's Nyquist frequency: 6.98 kHz when coming down to 16 kHz.
// From the Nyquist frequency on it is below −95 dB.
const (
	zeroCrossings = 48
	kaiserBeta    = 9.6
	cutoff        = 0.936 // of the lower Nyquist frequency: the middle of the slope

	// A table with a row for each phase that occurs may have that many numbers; for rates that share no large factor with
	// 16000 the rows stand at phaseDensity steps to a zero crossing and what lies between is interpolated, which costs 1e-5
	// at most: −105 dB.
	maxTable     = 1 << 18
	phaseDensity = 512
)

// resampler is a Source that brings src from another rate to SampleRate. Output sample i lies at the time of input
// i·rate/16000 exactly: the filter's delay is compensated, and what the source lacks at either end counts as zero.
// n samples become n·16000/rate, rounded.
type resampler struct {
	src      Source
	rate     int
	up, down int // 16000 and rate without their common factor

	taps  int // numbers a row, input samples an output sample
	rows  int // phases in the table
	table []float32

	buf   []float32
	pos   int // in buf: first input sample of the next output
	phase int // of the next output, in 1/up of an input sample

	in, out int64
	err     error
}

func newResampler(src Source, rate int) *resampler {
	g := gcd(SampleRate, rate)
	r := &resampler{src: src, rate: rate, up: SampleRate / g, down: rate / g}
	lower := float64(min(rate, SampleRate)) / float64(rate) // in units of the input rate
	half := (int(math.Ceil(zeroCrossings/lower)) + 1) &^ 1  // dot wants a multiple of four
	r.taps = 2 * half
	r.rows = r.up
	if r.up*r.taps > maxTable {
		r.rows = int(math.Ceil(phaseDensity * lower))
	}
	r.table = make([]float32, (r.rows+1)*r.taps)
	h := make([]float64, r.taps)
	for i := range r.rows/2 + 1 {
		var sum float64
		for j := range h {
			h[j] = lowpass(float64(i)/float64(r.rows)+float64(half-1-j), lower)
			sum += h[j]
		}
		row, mirror := r.row(i), r.row(r.rows-i) // the filter is even
		for j, v := range h {
			row[j] = float32(v / sum)
			mirror[r.taps-1-j] = row[j]
		}
	}
	r.buf = make([]float32, half-1, r.taps+r.down/r.up+1+4096)
	return r
}

// row is the filter at phase i of r.rows.
func (r *resampler) row(i int) []float32 { return r.table[i*r.taps : (i+1)*r.taps] }

// lowpass is the filter's value d input samples from its middle.
func lowpass(d, lower float64) float64 {
	x := d * lower / zeroCrossings
	if x *= x; x >= 1 {
		return 0
	}
	s := 1.0
	if a := math.Pi * cutoff * lower * d; a != 0 {
		s = math.Sin(a) / a
	}
	return s * bessel0(kaiserBeta*math.Sqrt(1-x))
}

// bessel0 is the modified Bessel function I₀, by its power series.
func bessel0(x float64) float64 {
	sum, term, q := 1.0, 1.0, x*x/4
	for k := 1.0; term > 1e-10*sum; k++ {
		term *= q / (k * k)
		sum += term
	}
	return sum
}

func gcd(a, b int) int {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

func (r *resampler) Read(dst []float32) (int, error) {
	for i := range dst {
		if r.err != nil && r.out >= r.total() {
			if i > 0 {
				return i, nil
			}
			return 0, r.err
		}
		if r.pos+r.taps > len(r.buf) {
			if i > 0 && r.err == nil {
				return i, nil
			}
			r.fill()
			if r.err != nil && r.out >= r.total() {
				return 0, r.err
			}
		}
		dst[i] = r.sample()
		r.out++
		r.phase += r.down
		r.pos += r.phase / r.up
		r.phase %= r.up
	}
	return len(dst), nil
}

// total is how many samples the input makes, valid once it has ended.
func (r *resampler) total() int64 {
	return (r.in*SampleRate + int64(r.rate)/2) / int64(r.rate)
}

// fill makes r.buf hold the input of the next output sample: from the source or, behind its end, zeros.
func (r *resampler) fill() {
	r.buf = r.buf[:copy(r.buf, r.buf[r.pos:])]
	r.pos = 0
	for idle := 0; len(r.buf) < r.taps; {
		have := len(r.buf)
		room := r.buf[have:cap(r.buf)]
		if r.err != nil {
			clear(room)
			r.buf = r.buf[:cap(r.buf)]
			return
		}
		n, err := r.src.Read(room)
		if idle++; n > 0 {
			idle = 0
		} else if err == nil && idle == 100 {
			err = io.ErrNoProgress
		}
		r.buf, r.in, r.err = r.buf[:have+n], r.in+int64(n), err
	}
}

// sample computes the next output.
func (r *resampler) sample() float32 {
	x := r.buf[r.pos : r.pos+r.taps]
	if r.rows == r.up {
		return dot(x, r.row(r.phase))
	}
	at := r.phase * r.rows
	i, f := at/r.up, float32(at%r.up)/float32(r.up)
	a, b := dot(x, r.row(i)), dot(x, r.row(i+1))
	return a + f*(b-a)
}

// dot is the scalar product of x and the first len(x) numbers of y; len(x) is a multiple of four.
func dot(x, y []float32) float32 {
	y = y[:len(x)]
	var s0, s1, s2, s3 float32
	for len(x) >= 4 && len(y) >= 4 {
		s0 += x[0] * y[0]
		s1 += x[1] * y[1]
		s2 += x[2] * y[2]
		s3 += x[3] * y[3]
		x, y = x[4:], y[4:]
	}
	return s0 + s1 + (s2 + s3)
}
