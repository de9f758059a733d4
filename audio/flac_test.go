package audio

import (
	"bytes"
	"errors"
	"math"
	"os"
	"strings"
	"testing"
	"time"
)

// testChirp is the signal behind testdata/chirp-*: left and right differ in level and average to this. amplitude 0.4,
// 300 Hz rising by 1 kHz a second.
func testChirp(n int) []float32 {
	x := make([]float32, n)
	for i := range x {
		t := float64(i) / SampleRate
		x[i] = float32(0.4 * math.Sin(2*math.Pi*(300*t+500*t*t)))
	}
	return x
}

func testdata(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// snr compares samples from … to of got with want, up to a factor (which it returns), in dB.
func snr(got, want []float32, from, to int) (db, gain float64) {
	var gw, ww, noise float64
	for i := from; i < to; i++ {
		gw += float64(got[i]) * float64(want[i])
		ww += float64(want[i]) * float64(want[i])
	}
	gain = gw / ww
	for i := from; i < to; i++ {
		d := float64(got[i]) - gain*float64(want[i])
		noise += d * d
	}
	return 10 * math.Log10(gain*gain*ww/noise), gain
}

func TestFLAC(t *testing.T) {
	for _, c := range []struct {
		name   string
		format Format
		least  float64
	}{
		{"chirp-32000.flac", Format{"flac", "flac", 32000, 2, 500 * time.Millisecond}, 75},
		{"chirp-8000.flac", Format{"flac", "flac", 8000, 1, time.Second}, 75},
	} {
		got, s, err := decode(testdata(t, c.name))
		if err != nil {
			t.Fatal(c.name, err)
		}
		if want := int(c.format.Duration.Seconds() * SampleRate); s.Format() != c.format || len(got) != want || s.Warning() != "" {
			t.Errorf("%s: %+v, %d samples, warning %q", c.name, s.Format(), len(got), s.Warning())
		}
		if db, gain := snr(got, testChirp(len(got)), 400, len(got)-400); db < c.least || math.Abs(gain-1) > 1e-4 {
			t.Errorf("%s: %.1f dB, gain %g", c.name, db, gain)
		}
	}
}

func TestFLACDamage(t *testing.T) {
	b := testdata(t, "chirp-32000.flac") // 16 frames of 1024 samples
	whole, _, err := decode(b)
	if err != nil {
		t.Fatal(err)
	}
	var starts []int
	for i := range b {
		if bytes.HasPrefix(b[i:], []byte("\xff\xf8")) {
			starts = append(starts, i)
		}
	}
	if len(starts) < 16 {
		t.Fatalf("%d frames", len(starts))
	}

	hit := bytes.Clone(b)
	for i := starts[5] + 20; i < starts[5]+60; i++ {
		hit[i] ^= 0x5a
	}
	got, s, err := decode(hit)
	if err != nil || len(got) != len(whole) || s.Warning() != "the file is damaged in 1 place" {
		t.Fatalf("a frame damaged: %d of %d samples, warning %q, %v", len(got), len(whole), s.Warning(), err)
	}
	// A frame is 512 samples at 16 kHz; at least those before the damage and the last ones are in their place.
	equal(t, got[:5*512-100], whole[:5*512-100])
	equal(t, got[9*512:], whole[9*512:])

	got, s, err = decode(b[:starts[10]+30])
	if err != nil || !strings.HasPrefix(s.Warning(), "the file is cut short") || len(got) != 10*512 {
		t.Errorf("cut: %d samples, warning %q, %v", len(got), s.Warning(), err)
	}
	equal(t, got[:10*512-100], whole[:10*512-100])

	got, s, err = decode(append(bytes.Clone(b), "TAGsome trailing tag"...))
	if err != nil || len(got) != len(whole) || s.Warning() != "" {
		t.Errorf("a tag behind: %d samples, warning %q, %v", len(got), s.Warning(), err)
	}

	for _, n := range []int{4, 7, 20, 45, starts[0] + 10} {
		if got, _, err := decode(b[:n]); !errors.Is(err, ErrFormat) {
			t.Errorf("cut at byte %d: %d samples, %v", n, len(got), err)
		}
	}
}
