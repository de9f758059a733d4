package audio

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// eachISA runs f with the plain Go, and with the kernels where this CPU and this build have some.
func eachISA(t *testing.T, f func(t *testing.T)) {
	t.Helper()
	t.Setenv("WHISPER_ISA", "")
	if k := native(); k != nil {
		t.Run(k.isa, f)
	}
	t.Run("generic", func(t *testing.T) {
		t.Setenv("WHISPER_ISA", "generic")
		f(t)
	})
}

// someKernels skips a test where there are no kernels.
func someKernels(t *testing.T) *kernels {
	t.Helper()
	t.Setenv("WHISPER_ISA", "")
	k := native()
	if k == nil {
		t.Skip("no kernels in this build or for this CPU")
	}
	return k
}

func TestISA(t *testing.T) {
	k := someKernels(t)
	for name, want := range map[string]*kernels{"": k, k.isa: k, "generic": nil, "what ggml refuses": k} {
		t.Setenv("WHISPER_ISA", name)
		if got := native(); got != want {
			t.Errorf("%q gives %v", name, got)
		}
	}
}

// signals are a batch's numbers, among them such that spread where they should not.
func signals(n, lanes int) map[string][]float32 {
	inf, nan := float32(math.Inf(1)), float32(math.NaN())
	of := map[string][]float32{"zeros": make([]float32, n), "noise": noise(n, 11)}
	for name, v := range map[string]float32{"inf": inf, "nan": nan, "large": 1e18, "tiny": 1e-30, "impulse": 1} {
		x := make([]float32, n)
		if v != 1 {
			copy(x, of["noise"])
		}
		for i := lanes / 2; i < n; i += 7 * lanes {
			x[i] = v
		}
		of[name] = x
	}
	return of
}

const guard = 12345.5

// guarded returns n numbers with some behind that must stay.
func guarded(n int) []float32 { return slices.Repeat([]float32{guard}, n+16)[:n] }

func unharmed(t *testing.T, x []float32) {
	t.Helper()
	for i, v := range x[len(x) : len(x)+16] {
		if v != guard {
			t.Errorf("%g written %d behind the end", v, i)
		}
	}
}

// near holds numbers of one lane against the reference's; scale is the sum of what they were made of.
func near(t *testing.T, what string, got, want, scale float32) {
	t.Helper()
	switch odd := math.IsNaN(float64(scale)) || math.IsInf(float64(scale), 0); {
	case odd && math.IsNaN(float64(want)) && math.IsNaN(float64(got)):
	case odd && got == want:
	case odd:
		// Inf − Inf and Inf + NaN depend on the order.
		if !math.IsInf(float64(want), 0) && !math.IsNaN(float64(want)) {
			t.Fatalf("%s: %g, want %g", what, got, want)
		}
	case !(math.Abs(float64(got-want)) <= 5e-7*float64(scale)):
		t.Fatalf("%s: %g, want %g within 5e-7 of %g", what, got, want, scale)
	}
}

// lane takes one frame out of vectors.
func lane(x []float32, lanes, i int) []float32 {
	var out []float32
	for ; i < len(x); i += lanes {
		out = append(out, x[i])
	}
	return out
}

func magnitude(x []float32) (sum float32) {
	for _, v := range x {
		sum += float32(math.Abs(float64(v)))
	}
	return sum
}

func points(x []float32) []point {
	p := make([]point, len(x)/2)
	for i := range p {
		p[i] = point{x[2*i], x[2*i+1]}
	}
	return p
}

func TestSplit(t *testing.T) {
	k := someKernels(t)
	need := HopSize*(k.lanes-1) + FFTSize
	window := noise(FFTSize, 1)
	for off := range 5 {
		x := noise(off+need, 2)[off:]
		dst := guarded(FFTSize * k.lanes)
		k.split(&dst[0], &x[0], &window[0])
		for i, got := range dst {
			n, l := i/k.lanes, i%k.lanes
			if want := x[HopSize*l+n] * window[n]; got != want {
				t.Fatalf("sample %d of frame %d: %g, want %g", n, l, got, want)
			}
		}
		unharmed(t, dst)
	}
}

func TestColumns(t *testing.T) {
	k := someKernels(t)
	l := newLanes(k, []band{{}})
	s := newSpectrum()
	for i := range s.window {
		s.window[i] = 1
	}
	for name, x := range signals(FFTSize*k.lanes, k.lanes) {
		dst := guarded(len(l.cells))
		k.columns(&dst[0], &x[0], &l.from[0], &l.k[0])
		unharmed(t, dst)
		for i := range k.lanes {
			in, got := lane(x, k.lanes, i), points(lane(dst, k.lanes, i))
			for n2 := range fftB {
				s.column((*[FFTSize]float32)(in), n2)
				var scale float32
				for _, n := range s.from[n2*fftA : (n2+1)*fftA] {
					scale += magnitude(in[n : n+1])
				}
				for k1 := range s.rows {
					what := fmt.Sprintf("%s, lane %d, column %d, row %d", name, i, n2, k1)
					near(t, what, got[k1*fftB+n2].re, s.rows[k1][n2].re, scale)
					near(t, what, got[k1*fftB+n2].im, s.rows[k1][n2].im, scale)
				}
			}
		}
	}
}

func TestRows(t *testing.T) {
	k := someKernels(t)
	l := newLanes(k, []band{{}})
	s := newSpectrum()
	for name, x := range signals(len(l.cells), k.lanes) {
		dst, y := guarded(len(x)), guarded(len(l.y))
		copy(dst, x)
		k.rows(&dst[0], &y[0], &l.twiddles[0], &l.k[0])
		unharmed(t, dst)
		unharmed(t, y)
		for i := range k.lanes {
			in, got := points(lane(x, k.lanes, i)), points(lane(dst, k.lanes, i))
			for k1 := range s.rows {
				row := (*[fftB]point)(in[k1*fftB:])
				var scale float32
				for _, p := range row {
					scale += magnitude([]float32{p.re, p.im})
				}
				dft25(row, &s.twRe, &s.twIm)
				for k2, want := range row {
					what := fmt.Sprintf("%s, lane %d, row %d, %d", name, i, k1, k2)
					near(t, what, got[k1*fftB+k2].re, want.re, scale)
					near(t, what, got[k1*fftB+k2].im, want.im, scale)
				}
			}
		}
	}
}

func TestPower(t *testing.T) {
	k := someKernels(t)
	l := newLanes(k, []band{{}})
	s := newSpectrum()
	for name, x := range signals(len(l.cells), k.lanes) {
		dst := guarded(len(l.powers))
		k.power(&dst[0], &x[0], &l.bin[0], &l.k[0])
		unharmed(t, dst)
		for i := range k.lanes {
			in, got := points(lane(x, k.lanes, i)), lane(dst, k.lanes, i)
			for k1 := range s.rows {
				s.rows[k1] = [fftB]point(in[k1*fftB:])
			}
			s.squares()
			for b, want := range s.power {
				near(t, fmt.Sprintf("%s, lane %d, bin %d", name, i, b), got[b], want, want)
			}
		}
	}
}

func TestBands(t *testing.T) {
	k := someKernels(t)
	for _, widths := range [][]int{{1}, {0}, {0, 1}, {3, 0, 2, 1, 3}, {bins}, {bins, 5, bins, 1, 1, 7, 0, 9, 2}} {
		var bands []band
		for i, n := range widths {
			w := noise(n, uint64(20+i))
			for j := range w {
				w[j] = float32(math.Abs(float64(w[j])))
			}
			bands = append(bands, band{(i * 3) % (bins - n + 1), w})
		}
		l := newLanes(k, bands)
		for name, x := range signals(len(l.powers), k.lanes) {
			for i := range x {
				x[i] *= x[i]
			}
			dst, peak := guarded(len(bands)*k.lanes), guarded(k.lanes)
			k.bands(&dst[0], &peak[0], &x[0], &l.weights[0], &l.spans[0], len(bands), &l.k[0])
			unharmed(t, dst)
			unharmed(t, peak)
			for i := range k.lanes {
				in, got := lane(x, k.lanes, i), lane(dst, k.lanes, i)
				for j, b := range bands {
					var sum float64
					for n, w := range b.weights {
						sum += float64(w) * float64(in[b.from+n])
					}
					// An infinite sum has the logarithm of a number beyond the largest.
					want := math.Log10(max(min(sum, 0x1p128), melPower))
					if math.IsNaN(sum) {
						want = melSilence
					}
					if math.Abs(float64(got[j])-want) > 1e-6*max(1, math.Abs(want)/2) {
						t.Fatalf("%v, %s, lane %d, band %d: %g, want %g", widths, name, i, j, got[j], want)
					}
				}
				if want := slices.Max(got); peak[i] != want {
					t.Fatalf("%v, %s, lane %d: peak %g, want %g", widths, name, i, peak[i], want)
				}
			}
		}
	}
}

func TestJoin(t *testing.T) {
	k := someKernels(t)
	for n := k.lanes; n <= 5*k.lanes; n += k.lanes {
		for stride := n; stride < n+4; stride++ {
			src, dst := noise(n*k.lanes, 3), guarded(stride*(k.lanes-1)+n)
			k.join(&dst[0], stride, &src[0], n)
			unharmed(t, dst)
			for i, got := range dst {
				want := float32(guard)
				if l, b := i/stride, i%stride; b < n {
					want = src[b*k.lanes+l]
				}
				if got != want {
					t.Fatalf("%d numbers, stride %d, at %d: %g, want %g", n, stride, i, got, want)
				}
			}
		}
	}
}

func TestNormalise(t *testing.T) {
	l := newLanes(someKernels(t), []band{{}})
	for n := range 4*l.lanes + 2 {
		x, dst, want := noise(n, 4), guarded(n), make([]float32, n)
		normalise(want, x, 0.125)
		l.normalise(dst, x, 0.125)
		unharmed(t, dst)
		if !slices.Equal(dst, want) {
			t.Fatalf("%d numbers: %g, want %g", n, dst, want)
		}
	}
}

// TestBatch: a frame's bits are the same in any lane, in any company, and alone.
func TestBatch(t *testing.T) {
	k := someKernels(t)
	const frames = 20
	nan := float32(math.NaN())
	for _, n := range []int{1, k.lanes, 2*k.lanes + 1} {
		m := newMel(t, &samples{}, n)
		a, span := m.analyser, len(m.last)
		x := noise(span+frames*HopSize, 5)
		alone := make([]float32, n*frames)
		for f := range frames {
			part := slices.Repeat([]float32{nan}, span)
			copy(part, x[f*HopSize:][:FFTSize])
			peak := a.analyse(alone[f*n:(f+1)*n], part)
			if want := slices.Max(alone[f*n : (f+1)*n]); peak != want {
				t.Fatalf("%d bands, frame %d alone: peak %g, want %g", n, f, peak, want)
			}
		}
		for f := range frames - k.lanes {
			for batch := 1; batch <= k.lanes; batch++ {
				dst := guarded(batch * n)
				peak := a.analyse(dst, x[f*HopSize:])
				unharmed(t, dst)
				if want := alone[f*n : (f+batch)*n]; !slices.Equal(dst, want) || peak != slices.Max(want) {
					t.Fatalf("%d bands: %d frames from %d differ from those frames alone", n, batch, f)
				}
			}
		}
	}
}

// TestMelGroups: how a source cuts its samples and which windows are asked for does not change a frame's bits.
func TestMelGroups(t *testing.T) {
	eachISA(t, func(t *testing.T) {
		const bands, more = 8, 500
		x := noise((WindowFrames+more)*HopSize-77, 12)
		whole := newMel(t, &samples{x: x}, bands)
		window(t, whole, 0)
		raw := slices.Clone(whole.log)
		window(t, whole, more)
		raw = append(raw, whole.log[len(whole.log)-more*bands:]...)
		rnd := rand.New(rand.NewPCG(13, 0))
		rounds := 5
		if testing.Short() {
			rounds = 1
		}
		for range rounds {
			sizes := make([]int, 50)
			for i := range sizes {
				sizes[i] = rnd.IntN(1 + rnd.IntN(5000))
			}
			m := newMel(t, &samples{x: x, sizes: sizes, early: rnd.IntN(2) == 0}, bands)
			skip := rnd.IntN(20)
			if err := m.Skip(context.Background(), skip); err != nil {
				t.Fatal(err)
			}
			for f := skip; f <= more; f += 1 + rnd.IntN(200) {
				window(t, m, f)
				if !slices.Equal(m.log, raw[f*bands:(f+WindowFrames)*bands]) {
					t.Fatalf("the window at %d differs", f)
				}
			}
		}
	})
}
