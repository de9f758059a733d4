package ggml

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

// samples returns blocks of 256 numbers of every kind that quantisers treat in ways of their own.
func samples() []float32 {
	r := rand.New(rand.NewPCG(3, 4))
	kinds := []func(i int) float32{
		func(int) float32 { return float32(r.NormFloat64()) },
		func(int) float32 { return float32(r.NormFloat64() * 0.02) },
		func(int) float32 { return float32(r.Float64() + 0.1) },
		func(int) float32 { return float32(-r.Float64() - 0.1) },
		func(int) float32 { return 0 },
		func(int) float32 { return 0.37 },
		func(int) float32 { return -0.37 },
		func(int) float32 { return float32(r.IntN(3) - 1) },
		func(int) float32 { return float32(r.NormFloat64() * 1e-12) },
		func(int) float32 { return float32(r.NormFloat64() * 1e-20) },
		func(int) float32 { return float32(r.NormFloat64() * 1e-41) },
		func(int) float32 { return float32(r.NormFloat64() * 300) },
		func(i int) float32 { return float32(i) / 256 },
		func(i int) float32 { return float32(i%32-16) * 0.125 },
		func(i int) float32 { return float32(i/32) * float32(r.NormFloat64()) },
		func(i int) float32 { return float32(math.Copysign(0, float64(i%2)-0.5)) },
		func(i int) float32 { // halves, as they come out of a file
			return FromHalf(ToHalf(float32(r.NormFloat64() * 0.05)))
		},
	}
	var x []float32
	for _, kind := range kinds {
		for i := range 2 * superBlock {
			x = append(x, kind(i))
		}
	}
	return x
}

// The sums are those of this package at a time when it made whisper.cpp's bytes out of tiny.en and base, in all ten types.
func TestQuantizeGolden(t *testing.T) {
	x := samples()
	for typ, want := range map[Type]string{
		Q4_0: "fc4c813e7f1b61b6f9b07dcb7d40c57f785f0b0939807a9cf7cdfd53fbad6e9a",
		Q4_1: "ff5f7b29cc2e3ae993d6a44a9f7945011a4de523adfa17ceaa4f885d84e1c7ef",
		Q5_0: "0cf637c1da32f20bfb66ba8afede1f8b53e2a20730c13710e480642ccea41658",
		Q5_1: "c51897e0694f51e7ba311d06bcfed41ce053b83d5f8a318b867b6080ea6bfa0f",
		Q8_0: "5511cb1a2a17ae3b4de379f0c969b6417623a50127664fcc371412dc3a92d795",
		Q2_K: "f9fcca982db655d5540eff58263a657ba83b83f774261e7939092b530a3850b5",
		Q3_K: "b53c6daa70c3978deced1ef34c1ad81a4ebb30b8333a2d6d0b445542e0fbd536",
		Q4_K: "ecb0a75f7e11a0a09fb05e95fbc13c441f36f1c23c1c0603f0c8b747bba84607",
		Q5_K: "ce22f9e70408074214756258acfffac2dde9c7af68beda9e43ecfeaa794f8b8a",
		Q6_K: "ce1b9db190fdda1c13f28406f6222d55fcaa479c693b567aa8308b976d27eb94",
	} {
		b := make([]byte, typ.Bytes(len(x)))
		Quantize(typ, b, x)
		if got := fmt.Sprintf("%x", sha256.Sum256(b)); got != want {
			t.Errorf("%v: %s, want %s", typ, got, want)
		}
	}
}

// element returns number i of a block from the bytes, as the formats are specified.
func element(t Type, b []byte, i int) float64 {
	h := func(off int) float64 { return float64(FromHalf(binary.LittleEndian.Uint16(b[off:]))) }
	u32 := func(off int) uint32 { return binary.LittleEndian.Uint32(b[off:]) }
	nibble := func(off int) int { return int(b[off+i%16]) >> (i / 16 * 4) & 15 }
	fifth := func(off int) int { return int(u32(off)>>i&1) << 4 }
	six := func(p []byte, j int) (s, m int) {
		if j < 4 {
			return int(p[j]) & 63, int(p[j+4]) & 63
		}
		return int(p[j+4])&15 | int(p[j-4])>>6<<4, int(p[j+4])>>4 | int(p[j])>>6<<4
	}
	pair := func(off int) int { return int(b[off+i/128*32+i%32]) >> (2 * (i / 32 % 4)) & 3 }
	long := func(off int) int { return int(b[off+i/64*32+i%32]) >> (i / 32 % 2 * 4) & 15 }
	switch t {
	case F32:
		return float64(math.Float32frombits(u32(0)))
	case F16:
		return h(0)
	case Q4_0:
		return h(0) * float64(nibble(2)-8)
	case Q4_1:
		return h(0)*float64(nibble(4)) + h(2)
	case Q5_0:
		return h(0) * float64(nibble(6)|fifth(2)-16)
	case Q5_1:
		return h(0)*float64(nibble(8)|fifth(4)) + h(2)
	case Q8_0:
		return h(0) * float64(int8(b[2+i]))
	case Q2_K:
		s := b[i/16]
		return h(80)*float64(s&15)*float64(pair(16)) - h(82)*float64(s>>4)
	case Q3_K:
		j := i / 16
		s := int(b[96+j%8])>>(j/8*4)&15 | int(b[104+j%4])>>(2*(j/4))&3<<4
		q := pair(32)
		if b[i%32]>>(i/32)&1 == 0 {
			q -= 4
		}
		return h(108) * float64(s-32) * float64(q)
	case Q4_K:
		s, m := six(b[4:], i/32)
		return h(0)*float64(s)*float64(long(16)) - h(2)*float64(m)
	case Q5_K:
		s, m := six(b[4:], i/32)
		q := long(48) | int(b[16+i%32])>>(i/32)&1<<4
		return h(0)*float64(s)*float64(q) - h(2)*float64(m)
	case Q6_K:
		low := int(b[i/128*64+i%64]) >> (i / 64 % 2 * 4) & 15
		return h(208) * float64(int8(b[192+i/16])) * float64(low|pair(128)<<4-32)
	}
	panic(t)
}

func TestDequantizeBySpecification(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for _, typ := range Types {
		for range 20 {
			// Random bytes at an odd address, with two blocks to see the second one start where it should.
			b := make([]byte, 2*typ.BlockBytes()+1)[1:]
			for i := range b {
				b[i] = byte(r.Uint32())
			}
			sane(typ, b[:typ.BlockBytes()])
			sane(typ, b[typ.BlockBytes():])
			got := make([]float32, 2*typ.Block())
			Dequantize(typ, got, b)
			for i, v := range got {
				want := element(typ, b[i/typ.Block()*typ.BlockBytes():], i%typ.Block())
				if math.Abs(float64(v)-want) > 1e-6*(math.Abs(want)+1) {
					t.Fatalf("%v: element %d is %v, want %v", typ, i, v, want)
				}
			}
		}
	}
}

// sane replaces the halves (or floats) of a random block by finite ones near 1.
func sane(t Type, b []byte) {
	scales := map[Type][]int{F16: {0}, Q4_0: {0}, Q4_1: {0, 2}, Q5_0: {0}, Q5_1: {0, 2}, Q8_0: {0}, Q2_K: {80, 82}, Q3_K: {108},
		Q4_K: {0, 2}, Q5_K: {0, 2}, Q6_K: {208}}
	for _, off := range scales[t] {
		b[off+1] = b[off+1]&0x83 | 0x38
	}
	if t == F32 {
		b[3] = 0x3f
	}
}

func TestQuantizeError(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	x := make([]float32, 64*superBlock)
	var power float64
	for i := range x {
		x[i] = float32(r.NormFloat64() * 0.05)
		power += float64(x[i]) * float64(x[i])
	}
	// Root mean square of the error, as a share of that of the numbers.
	for typ, most := range map[Type]float64{
		F32: 0, F16: 0.0003, Q8_0: 0.006, Q6_K: 0.021, Q5_K: 0.037, Q5_1: 0.040, Q5_0: 0.045, Q4_K: 0.073, Q4_1: 0.085, Q4_0: 0.095, Q3_K: 0.16, Q2_K: 0.30,
	} {
		b, y := make([]byte, typ.Bytes(len(x))), make([]float32, len(x))
		Quantize(typ, b, x)
		Dequantize(typ, y, b)
		var sum float64
		for i := range x {
			d := float64(x[i]) - float64(y[i])
			sum += d * d
		}
		if e := math.Sqrt(sum / power); e > most || e < most/2 {
			t.Errorf("%v: error %.4f, want at most %.4f and about that", typ, e, most)
		}
	}
}

func TestQuantizeZeros(t *testing.T) {
	x := make([]float32, superBlock)
	for _, typ := range Types {
		b := bytes.Repeat([]byte{0xa5}, typ.Bytes(len(x)))
		Quantize(typ, b, x)
		y := make([]float32, len(x))
		y[3] = 7
		Dequantize(typ, y, b)
		for i, v := range y {
			if v != 0 {
				t.Fatalf("%v: element %d is %v", typ, i, v)
			}
		}
	}
	b := make([]byte, 18)
	Quantize(Q4_0, b, x[:32])
	if want := append([]byte{0, 0x80}, bytes.Repeat([]byte{0x88}, 16)...); !bytes.Equal(b, want) {
		t.Errorf("a block of Q4_0 with zeros is %x, want %x", b, want)
	}
}

// Rows that a block does not cross give the same bytes together and one by one; what the destination held does not matter.
func TestQuantizeByRows(t *testing.T) {
	x := samples()
	for _, typ := range Types {
		all := make([]byte, typ.Bytes(len(x)))
		Quantize(typ, all, x)
		parts := bytes.Repeat([]byte{0xff}, len(all)+1)[1:]
		n := typ.Bytes(superBlock)
		for i := 0; i < len(x)/superBlock; i++ {
			Quantize(typ, parts[i*n:(i+1)*n], x[i*superBlock:(i+1)*superBlock])
		}
		if !bytes.Equal(all, parts) {
			t.Errorf("%v: other bytes by rows", typ)
		}
	}
}

func TestQuantizeSurvivesAnything(t *testing.T) {
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	for _, odd := range []float32{nan, inf, -inf, math.MaxFloat32, -math.MaxFloat32, math.SmallestNonzeroFloat32} {
		for _, at := range []int{0, 17, superBlock - 1} {
			x := make([]float32, superBlock)
			for i := range x {
				x[i] = float32(i) - 100
			}
			x[at] = odd
			for _, typ := range Types {
				b := make([]byte, typ.Bytes(len(x)))
				Quantize(typ, b, x)
				Dequantize(typ, x[:len(x):len(x)], b)
			}
		}
	}
}

func TestQuantizePanics(t *testing.T) {
	for name, f := range map[string]func(){
		"half a block": func() { Quantize(Q4_0, make([]byte, 9), make([]float32, 16)) },
		"short bytes":  func() { Quantize(Q2_K, make([]byte, 83), make([]float32, 256)) },
		"long bytes":   func() { Dequantize(Q8_0, make([]float32, 32), make([]byte, 35)) },
		"unknown type": func() { Dequantize(4, nil, nil) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: no panic", name)
				}
			}()
			f()
		}()
	}
}

func BenchmarkQuantize(b *testing.B) {
	r := rand.New(rand.NewPCG(9, 10))
	x := make([]float32, 16*superBlock)
	for i := range x {
		x[i] = float32(r.NormFloat64() * 0.05)
	}
	for _, typ := range Types {
		q := make([]byte, typ.Bytes(len(x)))
		b.Run("type="+typ.String(), func(b *testing.B) {
			b.SetBytes(int64(4 * len(x)))
			for b.Loop() {
				Quantize(typ, q, x)
			}
		})
	}
}

func BenchmarkDequantize(b *testing.B) {
	x := make([]float32, 16*superBlock)
	for _, typ := range Types {
		q := make([]byte, typ.Bytes(len(x)))
		b.Run("type="+typ.String(), func(b *testing.B) {
			b.SetBytes(int64(4 * len(x)))
			for b.Loop() {
				Dequantize(typ, x, q)
			}
		})
	}
}
