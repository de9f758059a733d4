package kernel_test

import (
	"encoding/binary"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/whisperfile/whisperfile/ggml/internal/kernel"
)

// valueOf is the value of a half by its definition.
func valueOf(h uint16) float32 {
	sign, exp, frac := 1-2*float64(h>>15), int(h>>10&31), float64(h&1023)
	switch {
	case exp == 31 && frac != 0:
		return float32(math.NaN())
	case exp == 31:
		return float32(math.Inf(int(sign)))
	case exp == 0:
		return float32(math.Copysign(math.Ldexp(frac, -24), sign))
	}
	return float32(sign * math.Ldexp(1024+frac, exp-25))
}

// halfOf rounds to the nearest half, to the even one of two, by its definition.
func halfOf(f float32) uint16 {
	v := math.Abs(float64(f))
	sign := uint16(0)
	if math.Signbit(float64(f)) {
		sign = 1 << 15
	}
	switch {
	case v != v:
		return sign | 0x7e00
	case v >= 65520:
		return sign | 0x7c00
	case v < 0x1p-14:
		return sign | uint16(math.RoundToEven(v*0x1p24))
	}
	e := math.Ilogb(v)
	return sign | uint16(int(math.RoundToEven(math.Ldexp(v, 10-e)))+(e+14)<<10)
}

func TestWidenF16(t *testing.T) {
	eachRung(t, func(t *testing.T, k *kernel.Table) {
		widen := k.Widen[1]
		all, x := make([]byte, 1<<17), make([]float32, 1<<16)
		for h := range 1 << 16 {
			binary.LittleEndian.PutUint16(all[2*h:], uint16(h))
		}
		widen(x, all)
		for h, got := range x {
			if want := valueOf(uint16(h)); !sameBits(got, want) && !(got != got && want != want) {
				t.Fatalf("half %04x is %v, not %v", h, got, want)
			}
		}
		m := newMemory(t)
		for _, n := range lengths {
			m.bothWays(func() {
				dst := takeOf(m, make([]float32, n))
				widen(dst, takeOf(m, all[2*0x3000:][:2*n]))
				for i, got := range dst {
					if want := valueOf(uint16(0x3000 + i)); got != want {
						t.Fatalf("n %d: [%d] = %v, not %v", n, i, got, want)
					}
				}
				m.release(t, "n %d", n)
			})
		}
	})
}

func TestWidenF32(t *testing.T) {
	eachRung(t, func(t *testing.T, k *kernel.Table) {
		if k.Widen[0] == nil {
			return
		}
		m := newMemory(t)
		for n := range 20 {
			m.bothWays(func() {
				src, want := make([]byte, 4*n), normals(1, n)
				for i, f := range want {
					binary.LittleEndian.PutUint32(src[4*i:], math.Float32bits(f))
				}
				dst := takeOf(m, make([]float32, n))
				k.Widen[0](dst, takeOf(m, src))
				if !slices.Equal(dst, want) {
					t.Fatalf("n %d: %v, not %v", n, dst, want)
				}
				m.release(t, "n %d", n)
			})
		}
	})
}

// TestWiden compares all rungs with the reference, to the bit.
func TestWiden(t *testing.T) {
	generic := kernel.Tables()[0]
	scales := []uint16{0x3c00, 0xbc00, 0x0000, 0x8000, 0x0001, 0x83ff, 0x7bff, 0xfbff, 0x2e66, 0xa123}
	for _, q := range []struct {
		name           string
		typ            int
		bytes, minimum int
	}{
		{"q4_0", 2, 18, 0}, {"q4_1", 3, 20, 2}, {"q5_0", 6, 22, 0}, {"q5_1", 7, 24, 2}, {"q8_0", 8, 34, 0},
	} {
		t.Run(q.name, func(t *testing.T) {
			eachRung(t, func(t *testing.T, k *kernel.Table) {
				if k.Widen[q.typ] == nil {
					t.Skip("no body")
				}
				m := newMemory(t)
				r := rand.New(rand.NewPCG(1, 2))
				for n := range 2*8 + 2 {
					m.bothWays(func() {
						in := make([]byte, n*q.bytes)
						for i := range in {
							in[i] = byte(r.Uint32())
						}
						for b := range n {
							binary.LittleEndian.PutUint16(in[b*q.bytes:], scales[r.IntN(len(scales))])
							if q.minimum > 0 {
								binary.LittleEndian.PutUint16(in[b*q.bytes+q.minimum:], scales[r.IntN(len(scales))])
							}
						}
						got, want := takeOf(m, make([]float32, 32*n)), make([]float32, 32*n)
						k.Widen[q.typ](got, takeOf(m, in))
						generic.Widen[q.typ](want, in)
						for i := range want {
							if !sameBits(got[i], want[i]) {
								t.Fatalf("%d blocks: [%d] = %v, not %v", n, i, got[i], want[i])
							}
						}
						m.release(t, "%d blocks", n)
					})
				}
			})
		})
	}
}

// TestWidenGeneric pins the layouts with blocks written out.
func TestWidenGeneric(t *testing.T) {
	nibbles := []byte{0xf0, 0xe1, 0xd2, 0xc3, 0xb4, 0xa5, 0x96, 0x87, 0x78, 0x69, 0x5a, 0x4b, 0x3c, 0x2d, 0x1e, 0x0f}
	one, half := []byte{0x00, 0x3c}, []byte{0x00, 0x38} // 1 and 0.5
	fifth := []byte{0x01, 0x00, 0x02, 0x80}             // of numbers 0, 17, 31
	q8 := make([]byte, 32)
	for i := range q8 {
		q8[i] = byte(i * 9)
	}
	for _, c := range []struct {
		name  string
		typ   int
		block [][]byte
		want  func(i, q int) float32
	}{
		{"q4_0", 2, [][]byte{half, nibbles}, func(_, q int) float32 { return 0.5 * float32(q-8) }},
		{"q4_1", 3, [][]byte{half, one, nibbles}, func(_, q int) float32 { return 0.5*float32(q) + 1 }},
		{"q5_0", 6, [][]byte{half, fifth, nibbles}, func(i, q int) float32 { return 0.5 * float32(q+bit(i)-16) }},
		{"q5_1", 7, [][]byte{half, one, fifth, nibbles}, func(i, q int) float32 { return 0.5*float32(q+bit(i)) + 1 }},
		{"q8_0", 8, [][]byte{half, q8}, func(i, _ int) float32 { return 0.5 * float32(int8(i*9)) }},
	} {
		var src []byte
		for _, b := range c.block {
			src = append(src, b...)
		}
		var dst [32]float32
		kernel.Tables()[0].Widen[c.typ](dst[:], src)
		for i, got := range dst {
			q := i
			if i >= 16 {
				q = 31 - i
			}
			if want := c.want(i, q); got != want {
				t.Errorf("%s: [%d] = %v, not %v", c.name, i, got, want)
			}
		}
	}
}

func bit(i int) int {
	if i == 0 || i == 17 || i == 31 {
		return 16
	}
	return 0
}

func TestNarrow(t *testing.T) {
	var in []float32
	for h := range 0x7c00 {
		v := valueOf(uint16(h))
		next := valueOf(uint16(h + 1))
		if h == 0x7bff {
			next = 65536
		}
		middle := (v + next) / 2
		for _, f := range []float32{v, middle, math.Nextafter32(middle, 0), math.Nextafter32(middle, 1e9)} {
			in = append(in, f, -f)
		}
	}
	inf := float32(math.Inf(1))
	in = append(in, inf, -inf, math.MaxFloat32, -math.MaxFloat32, 1e-45, -1e-45, 0x1p-25, 0x1.000002p-25)
	eachRung(t, func(t *testing.T, k *kernel.Table) {
		out := make([]uint16, len(in))
		k.Narrow(out, in)
		for i, got := range out {
			if want := halfOf(in[i]); got != want {
				t.Fatalf("half of %v is %04x, not %04x", in[i], got, want)
			}
		}
		nan := [1]uint16{}
		k.Narrow(nan[:], []float32{float32(math.NaN())})
		if v := valueOf(nan[0]); v == v {
			t.Errorf("half of NaN is %04x", nan[0])
		}
		m := newMemory(t)
		for _, n := range lengths {
			m.bothWays(func() {
				src := takeOf(m, normals(1, n))
				dst := takeOf(m, make([]uint16, n))
				k.Narrow(dst, src)
				for i, got := range dst {
					if want := halfOf(src[i]); got != want {
						t.Fatalf("n %d: half of %v is %04x, not %04x", n, src[i], got, want)
					}
				}
				m.release(t, "n %d", n)
			})
		}
	})
}
