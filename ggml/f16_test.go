package ggml

import (
	"math"
	"math/rand/v2"
	"testing"
)

func TestHalfRoundTrip(t *testing.T) {
	for i := range 1 << 16 {
		h := uint16(i)
		want := h
		if h&0x7fff > 0x7c00 {
			want = h&0x8000 | 0x7e00
		}
		if got := ToHalf(FromHalf(h)); got != want {
			t.Fatalf("%#04x became %#04x", h, got)
		}
	}
}

func TestFromHalf(t *testing.T) {
	for h, want := range map[uint16]float64{
		0x0000: 0, 0x3c00: 1, 0xc000: -2, 0x7bff: 65504, 0x0001: 0x1p-24, 0x03ff: 1023 * 0x1p-24, 0x0400: 0x1p-14,
		0x3555: 0x1.554p-2, 0x7c00: math.Inf(1), 0xfc00: math.Inf(-1),
	} {
		if got := FromHalf(h); float64(got) != want {
			t.Errorf("%#04x is %v, want %v", h, got, want)
		}
	}
	if got := math.Float32bits(FromHalf(0xfd01)); got != 0xffe02000 {
		t.Errorf("a signalling NaN became %#08x", got)
	}
}

func TestToHalf(t *testing.T) {
	for _, test := range []struct {
		f    float32
		want uint16
	}{
		{0, 0}, {float32(math.Copysign(0, -1)), 0x8000}, {1, 0x3c00}, {-1, 0xbc00}, {65504, 0x7bff},
		{65519.996, 0x7bff}, {65520, 0x7c00}, {-65520, 0xfc00}, {math.MaxFloat32, 0x7c00},
		{1 + 0x1p-11, 0x3c00}, {1 + 0x3p-11, 0x3c02}, {0x1.002002p+00, 0x3c01},
		{0x1p-14, 0x0400}, {0x1p-14 - 0x1p-25, 0x0400}, {0x1p-24, 0x0001}, {0x1p-25, 0x0000}, {0x1.000002p-25, 0x0001}, {-0x3p-25, 0x8002},
		{math.SmallestNonzeroFloat32, 0},
		{float32(math.Inf(1)), 0x7c00}, {math.Float32frombits(0x7f800001), 0x7e00}, {math.Float32frombits(0xffc12345), 0xfe00},
	} {
		if got := ToHalf(test.f); got != test.want {
			t.Errorf("%v (%x) became %#04x, want %#04x", test.f, test.f, got, test.want)
		}
	}
}

// The half found must be no farther away than its neighbours, and even where they are as near.
func TestToHalfIsNearest(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 100_000 {
		f := math.Float32frombits(r.Uint32())
		h := ToHalf(f)
		if bits := h & 0x7fff; f != f || bits >= 0x7bff || bits == 0 {
			continue
		}
		here := math.Abs(float64(f) - float64(FromHalf(h)))
		for _, n := range []uint16{h - 1, h + 1} {
			there := math.Abs(float64(f) - float64(FromHalf(n)))
			if there < here || there == here && h&1 == 1 {
				t.Fatalf("%x became %#04x, but %#04x is nearer", f, h, n)
			}
		}
	}
}
