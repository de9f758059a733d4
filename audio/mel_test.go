package audio

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"testing"
)

// samples is a Source over a slice that hands out chunks of the sizes in turn (nil: as much as asked for), and
// io.EOF with the last sample if early is set.
type samples struct {
	x     []float32
	sizes []int
	early bool
	calls int
}

func (s *samples) Read(dst []float32) (int, error) {
	if len(s.x) == 0 {
		return 0, io.EOF
	}
	n := len(dst)
	if len(s.sizes) > 0 {
		n = min(n, max(s.sizes[s.calls%len(s.sizes)], 1))
		s.calls++
	}
	n = copy(dst[:n], s.x)
	s.x = s.x[n:]
	if s.early && len(s.x) == 0 {
		return n, io.EOF
	}
	return n, nil
}

// slaney returns Whisper's filter bank for 16 kHz, [bands][201]: triangles on Slaney's mel scale, each of area 2 in Hz.
func slaney(bands int) []float32 {
	toMel := func(f float64) float64 {
		if f < 1000 {
			return f * 3 / 200
		}
		return 15 + 27*math.Log(f/1000)/math.Log(6.4)
	}
	toHz := func(m float64) float64 {
		if m < 15 {
			return m * 200 / 3
		}
		return 1000 * math.Exp(math.Log(6.4)/27*(m-15))
	}
	w := make([]float32, bands*bins)
	step := toMel(8000) / float64(bands+1)
	for b := range bands {
		lo, mid, hi := toHz(step*float64(b)), toHz(step*float64(b+1)), toHz(step*float64(b+2))
		for k := range bins {
			f := float64(k) * 40
			w[b*bins+k] = float32(max(0, min((f-lo)/(mid-lo), (hi-f)/(hi-mid))) * 2 / (hi - lo))
		}
	}
	return w
}

func noise(n int, seed uint64) []float32 {
	rnd := rand.New(rand.NewPCG(seed, 0))
	x := make([]float32, n)
	for i := range x {
		x[i] = (rnd.Float32()*2 - 1) * (1 + float32(math.Sin(float64(i)/3000))) / 2
	}
	return x
}

// chirp is the signal behind testdata/mel128.bin.
func chirp() []float32 {
	x := make([]float32, 24000)
	for i := range x {
		t := float64(i) / SampleRate
		v := 0.6 * math.Sin(2*math.Pi*(100*t+2400*t*t)) * math.Exp(-1.5*t)
		if i%4001 == 17 {
			v += 0.25
		}
		x[i] = float32(v)
	}
	return x
}

func newMel(t testing.TB, src Source, bands int) *Mel {
	t.Helper()
	m, err := NewMel(src, bands, slaney(bands))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func window(t testing.TB, m *Mel, frame int) []float32 {
	t.Helper()
	dst := make([]float32, WindowFrames*len(m.bands))
	if err := m.Window(context.Background(), dst, frame); err != nil {
		t.Fatal(err)
	}
	return dst
}

func readAll(t testing.TB, src Source) []float32 {
	t.Helper()
	var all []float32
	buf := make([]float32, 1000)
	for {
		n, err := src.Read(buf)
		all = append(all, buf[:n]...)
		if err == io.EOF {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// The oracle in testdata is OpenAI's definition in numpy (float32 samples, reflected padding).
func TestMelOracle(t *testing.T) {
	for _, c := range []struct {
		name, want string
		bands      int
		samples    func() []float32
	}{
		{"speech, 80 bands", "testdata/mel80.bin", 80, func() []float32 {
			s, err := Open("testdata/austen-0880.wav")
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			return readAll(t, s)
		}},
		{"chirp, 128 bands", "testdata/mel128.bin", 128, chirp},
	} {
		t.Run(c.name, func(t *testing.T) {
			raw, err := os.ReadFile(c.want)
			if err != nil {
				t.Fatal(err)
			}
			x := c.samples()
			eachISA(t, func(t *testing.T) {
				got := window(t, newMel(t, &samples{x: x}, c.bands), 0)
				var worst float64
				for i := range len(raw) / 4 {
					want := math.Float32frombits(binary.LittleEndian.Uint32(raw[4*i:]))
					d := math.Abs(float64(got[i] - want))
					if worst = max(worst, d); d > 1e-4 {
						t.Fatalf("frame %d band %d: %g, want %g", i/c.bands, i%c.bands, got[i], want)
					}
				}
				t.Logf("largest difference %.2g", worst)
			})
		})
	}
}

func TestMelFloor(t *testing.T) { eachISA(t, melFloor) }

func melFloor(t *testing.T) {
	const bands = 80
	silence := window(t, newMel(t, &samples{x: make([]float32, 5000)}, bands), 0)
	nothing := window(t, newMel(t, &samples{}, bands), 0)
	for i := range silence {
		if silence[i] != -1.5 || nothing[i] != -1.5 {
			t.Fatalf("%d: %g and %g, want (−10+4)/4", i, silence[i], nothing[i])
		}
	}
	m := newMel(t, &samples{x: noise(20000, 1)}, bands)
	w := window(t, m, 0)
	floor := slices.Max(w) - melRange/4
	// 20,000 samples reach into frames 0 … 126.
	if w[126*bands] <= floor+0.1 {
		t.Errorf("frame 126: %g, should be sound", w[126*bands])
	}
	for i, x := range w[127*bands:] {
		if math.Abs(float64(x-floor)) > 1e-6 {
			t.Fatalf("%d numbers behind the audio: %g, want %g", i, x, floor)
		}
	}
}

func TestMelFrames(t *testing.T) {
	for _, c := range []struct{ samples, frames int }{
		{0, 0}, {1, 0}, {40, 0}, {41, 1}, {199, 1}, {200, 1}, {359, 1}, {360, 2}, {16000, 99}, {480000, 2999}, {481799, 3010},
	} {
		m := newMel(t, &samples{x: make([]float32, c.samples)}, 1)
		window(t, m, 0)
		if n, final := m.Frames(); n != c.frames || !final {
			t.Errorf("%d samples: %d frames, final %v, want %d", c.samples, n, final, c.frames)
		}
	}
	m := newMel(t, &samples{x: make([]float32, 600000)}, 1)
	window(t, m, 0)
	if n, final := m.Frames(); n != WindowFrames+Lookahead+1 || final {
		t.Errorf("long audio: %d frames, final %v", n, final)
	}
	window(t, m, 2000)
	if n, final := m.Frames(); n != 3749 || !final {
		t.Errorf("long audio's end: %d frames, final %v", n, final)
	}
}

// Later windows must hold what one transform of the whole audio holds, up to the normalisation.
func TestMelWindows(t *testing.T) {
	const bands = 8
	ctx := context.Background()
	x := noise(1200000, 2)
	x[700000] = 30 // raises the maximum in a later window only
	whole := newMel(t, &samples{x: x}, bands)
	raw := map[int][]float32{} // frame → log₁₀, from windows that step by their length
	for f := 0; f < 9000; f += WindowFrames {
		window(t, whole, f)
		for i := range WindowFrames {
			raw[f+i] = slices.Clone(whole.log[i*bands : (i+1)*bands])
		}
	}
	for _, c := range []struct {
		name   string
		skip   int
		frames []int
	}{
		{"small steps", 0, []int{0, 0, 1, 2, 700, 3699, 3700}},
		{"a jump over more than a window", 0, []int{0, 3100, 7000}},
		{"first window late", 0, []int{6000}},
		{"skip", 250, []int{250, 260, 4000}},
		{"skip of a frame that begins before the audio", 1, []int{1}},
		{"skip, then a jump", 100, []int{3500}},
		{"beyond the end", 0, []int{7499, 7501, 8000, 20000, 1 << 23}},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := newMel(t, &samples{x: x, sizes: []int{1000, 7, 33333}}, bands)
			if err := m.Skip(ctx, c.skip); err != nil {
				t.Fatal(err)
			}
			top, seen := float32(melSilence), c.skip
			for _, f := range c.frames {
				got := window(t, m, f)
				for ; seen < f+WindowFrames && seen < 9000; seen++ {
					top = max(top, slices.Max(raw[seen]))
				}
				for i, v := range got {
					r := float32(melSilence)
					if row := raw[f+i/bands]; row != nil {
						r = row[i%bands]
					}
					if want := (max(r, top-melRange) + 4) / 4; v != want {
						t.Fatalf("window %d frame %d: %g, want %g", f, i/bands, v, want)
					}
				}
				a, b := min(f*HopSize+800, len(x)), min(f*HopSize+1600, len(x))
				if got := m.PCM(f+5, f+10); !slices.Equal(got, x[a:b]) {
					t.Errorf("PCM of window %d: %d samples, want %d", f, len(got), b-a)
				}
			}
			if got := m.PCM(-5, m.frame); len(got) != 0 {
				t.Errorf("PCM before the window: %d samples", len(got))
			}
		})
	}
}

func TestMelErrors(t *testing.T) {
	ctx := context.Background()
	if _, err := NewMel(&samples{}, 80, make([]float32, 80*200)); err == nil {
		t.Error("a filter bank of the wrong size is taken")
	}
	m := newMel(t, &samples{x: noise(20000, 3)}, 2)
	dst := make([]float32, 2*WindowFrames)
	if m.Window(ctx, dst[1:], 0) == nil {
		t.Error("a short dst is taken")
	}
	if m.Skip(ctx, -1) == nil {
		t.Error("a negative skip is taken")
	}
	window(t, m, 10)
	if m.Window(ctx, dst, 9) == nil {
		t.Error("a window before the last one is taken")
	}
	if m.Skip(ctx, 20) == nil {
		t.Error("a skip after a window is taken")
	}
	broken := errors.New("broken")
	m = newMel(t, &failing{x: noise(20000, 3), err: broken}, 2)
	for range 2 {
		if err := m.Window(ctx, dst, 0); err != broken {
			t.Errorf("error %v, want the source's", err)
		}
	}
	if _, final := m.Frames(); final {
		t.Error("final after an error")
	}
}

type failing struct {
	x   []float32
	err error
}

func (f *failing) Read(dst []float32) (int, error) {
	n := copy(dst, f.x)
	if f.x = f.x[n:]; n == 0 {
		return 0, f.err
	}
	return n, nil
}

// A cancelled call is taken up by the next one without loss.
func TestMelCancel(t *testing.T) {
	x := noise(900000, 4)
	want := newMel(t, &samples{x: x}, 4)
	if err := want.Skip(context.Background(), 1000); err != nil {
		t.Fatal(err)
	}
	m := newMel(t, nil, 4)
	dst := make([]float32, 4*WindowFrames)
	var cancel context.CancelFunc
	m.src = &hooked{samples{x: x}, func() { cancel() }}
	retry := func(f func(context.Context) error) (tries int) {
		for {
			var ctx context.Context
			ctx, cancel = context.WithCancel(context.Background())
			err := f(ctx)
			cancel()
			if err == nil {
				return
			}
			if tries++; !errors.Is(err, context.Canceled) || tries > 1000 {
				t.Fatal(tries, err)
			}
		}
	}
	ctx, stop := context.WithCancel(context.Background())
	stop()
	if err := m.Skip(ctx, 1000); err != context.Canceled {
		t.Fatal(err)
	}
	if n := retry(func(ctx context.Context) error { return m.Window(ctx, dst, 1000) }); n < 10 {
		t.Errorf("cancelled %d times", n)
	}
	if !slices.Equal(dst, window(t, want, 1000)) {
		t.Error("the window differs after being cancelled")
	}
}

type hooked struct {
	samples
	before func()
}

func (h *hooked) Read(dst []float32) (int, error) {
	h.before()
	return h.samples.Read(dst)
}

func TestLog10(t *testing.T) {
	for x := float32(1.1e-10); x < 1e30; x *= 1.003 {
		if got, want := float64(log10(x)), math.Log10(float64(x)); math.Abs(got-want) > 1e-6*max(1, math.Abs(want)/2) {
			t.Fatalf("log10(%g) = %g, want %g", x, got, want)
		}
	}
	for _, x := range []float32{0, 1e-11, -1, float32(math.NaN())} {
		if log10(x) != melSilence {
			t.Errorf("log10(%g) = %g", x, log10(x))
		}
	}
}

func TestMelAllocs(t *testing.T) { eachISA(t, melAllocs) }

func melAllocs(t *testing.T) {
	m := newMel(t, &endless{noise(100000, 5)}, 80)
	dst := make([]float32, 80*WindowFrames)
	frame := 0
	if n := testing.AllocsPerRun(3, func() { // what the runtime allocates meanwhile is not in every run
		if err := m.Window(context.Background(), dst, frame); err != nil {
			t.Fatal(err)
		}
		frame += 2500
	}); n != 0 {
		t.Errorf("%g allocations a window", n)
	}
}

// FuzzMel: how a source cuts its samples into chunks changes nothing.
func FuzzMel(f *testing.F) {
	f.Add(uint32(50000), []byte{1, 2, 3}, uint16(10), uint16(20), uint16(0), true)
	f.Add(uint32(500000), []byte{200}, uint16(3000), uint16(100), uint16(7), false)
	f.Add(uint32(0), []byte{}, uint16(0), uint16(0), uint16(2), true)
	f.Add(uint32(201), []byte{0}, uint16(1), uint16(1), uint16(1), false)
	x := noise(700000, 6)
	f.Fuzz(func(t *testing.T, n uint32, chunks []byte, step1, step2, skip uint16, early bool) {
		x := x[:n%uint32(len(x))]
		sizes := make([]int, len(chunks))
		for i, c := range chunks {
			sizes[i] = int(c)*int(c) + 50
		}
		a := newMel(t, &samples{x: x}, 3)
		b := newMel(t, &samples{x: x, sizes: sizes, early: early}, 3)
		if early := a.Skip(t.Context(), int(skip)); early != nil || b.Skip(t.Context(), int(skip)) != nil {
			t.Fatal(early)
		}
		frame := int(skip)
		for _, s := range []uint16{0, step1 % 4000, step2 % 4000} {
			frame += int(s)
			if !slices.Equal(window(t, a, frame), window(t, b, frame)) {
				t.Fatalf("window at %d differs", frame)
			}
			an, af := a.Frames()
			bn, bf := b.Frames()
			if an != bn || af != bf || !slices.Equal(a.PCM(frame, frame+50), b.PCM(frame, frame+50)) {
				t.Fatalf("after window %d: %d %v, %d %v", frame, an, af, bn, bf)
			}
		}
	})
}

// BenchmarkMel is a window of 30 s behind others.
func BenchmarkMel(b *testing.B) {
	for _, isa := range []string{"", "generic"} {
		b.Setenv("WHISPER_ISA", isa)
		name := "generic"
		if k := native(); k != nil {
			name = k.isa
		} else if isa == "" {
			continue
		}
		for _, bands := range []int{80, 128} {
			b.Run(fmt.Sprintf("isa=%s/bands=%d", name, bands), func(b *testing.B) {
				m, frame := newMel(b, &endless{noise(WindowFrames*HopSize, 7)}, bands), 0
				dst := make([]float32, bands*WindowFrames)
				for b.Loop() {
					if err := m.Window(context.Background(), dst, frame); err != nil {
						b.Fatal(err)
					}
					frame += WindowFrames
				}
				b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N)/WindowFrames, "µs/frame")
			})
		}
	}
}

// endless is a Source that repeats itself.
type endless struct{ x []float32 }

func (e *endless) Read(dst []float32) (int, error) { return copy(dst, e.x), nil }
