package kernel_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/whisperfile/whisperfile/ggml/internal/kernel"
)

// elementwise runs a kernel that works in place at all lengths and addresses, and compares each value with want, which
// returns the exact value and how far off it a kernel may be.
func elementwise(t *testing.T, in func(n int) []float32, run func(m *memory, x []float32), want func(n, i int, x float32) (v, tolerance float64)) {
	m := newMemory(t)
	for _, n := range lengths {
		m.bothWays(func() {
			before := in(n)
			x := takeOf(m, before)
			run(m, x)
			for i, got := range x {
				if v, tolerance := want(n, i, before[i]); !(math.Abs(float64(got)-v) <= tolerance) && float64(got) != v {
					t.Fatalf("n %d: [%d] = %v, not %v", n, i, got, v)
				}
			}
			m.release(t, "n %d", n)
		})
	}
}

func TestScale(t *testing.T) {
	eachRung(t, func(t *testing.T, k *kernel.Table) {
		elementwise(t, func(n int) []float32 { return normals(1, n) },
			func(_ *memory, x []float32) { k.Scale(x, 0.3) },
			func(_, _ int, x float32) (float64, float64) { return float64(x * 0.3), 0 })
	})
}

func TestAdd(t *testing.T) {
	eachRung(t, func(t *testing.T, k *kernel.Table) {
		elementwise(t, func(n int) []float32 { return normals(1, n) },
			func(m *memory, x []float32) { k.Add(x, takeOf(m, normals(2, len(x)))) },
			func(n, i int, x float32) (float64, float64) { return float64(x + normals(2, n)[i]), 0 })
	})
}

func TestMax(t *testing.T) {
	eachRung(t, func(t *testing.T, k *kernel.Table) {
		m := newMemory(t)
		for _, n := range lengths[1:] {
			for _, at := range []int{0, n / 3, n - 1} {
				m.bothWays(func() {
					x := normals(1, n)
					for i := range x {
						x[i] -= 100
					}
					x[at] = -3
					if got := k.Max(takeOf(m, x)); got != -3 {
						t.Fatalf("n %d: %v, but [%d] is -3", n, got, at)
					}
					m.release(t, "n %d", n)
				})
			}
		}
		inf := float32(math.Inf(-1))
		if got := k.Max([]float32{inf, inf, inf}); got != inf {
			t.Errorf("of infinities: %v", got)
		}
	})
}

func TestExp2Sum(t *testing.T) {
	eachRung(t, func(t *testing.T, k *kernel.Table) {
		m := newMemory(t)
		for _, n := range lengths {
			m.bothWays(func() {
				r := rand.New(rand.NewPCG(1, uint64(n)))
				const top = 3.25
				before := make([]float32, n)
				for i := range before {
					before[i] = top - float32(r.ExpFloat64()*8)
				}
				if n > 2 {
					before[n/2], before[n-1], before[0] = top, -1e30, float32(math.Inf(-1))
				}
				x := takeOf(m, before)
				total := k.Exp2Sum(x, top)
				var want sum
				for i, got := range x {
					exact := math.Exp2(float64(before[i] - top))
					if !near(got, exact) {
						t.Fatalf("n %d: 2^%v = %v, not %v", n, before[i]-top, got, exact)
					}
					want.add(got, 1)
				}
				if want.wrong(total) {
					t.Fatalf("n %d: the sum is %v, not %v", n, total, want.value)
				}
				m.release(t, "n %d", n)
			})
		}

		x := make([]float32, 1<<16)
		for from := -125.0; from < 0; from += 5 {
			before := make([]float32, len(x))
			for i := range x {
				x[i] = float32(from + float64(i)*5/float64(len(x)))
				before[i] = x[i]
			}
			k.Exp2Sum(x, 0)
			for i, got := range x {
				if exact := math.Exp2(float64(before[i])); !near(got, exact) {
					t.Fatalf("2^%v = %v, not %v", before[i], got, exact)
				}
			}
		}
		if x := []float32{0, float32(math.NaN()), 0}; !math.IsNaN(float64(k.Exp2Sum(x, 0))) {
			t.Error("the sum does not show that there is a NaN")
		}
	})
}

// near allows two units in the last place, and anything tiny where the value is.
func near(got float32, exact float64) bool {
	if exact <= 0x1p-125 {
		return got >= 0 && got <= 0x1p-124
	}
	ulp := math.Ldexp(1, math.Ilogb(exact)-23)
	return math.Abs(float64(got)-exact) <= 2*ulp
}

func exactGELU(x float64) float64 { return x / 2 * math.Erfc(-x/math.Sqrt2) }

func TestGELU(t *testing.T) {
	eachRung(t, func(t *testing.T, k *kernel.Table) {
		elementwise(t, func(n int) []float32 {
			x := normals(1, n)
			for i := range x {
				x[i] *= 3
			}
			return x
		}, func(_ *memory, x []float32) { k.GELU(x) },
			func(_, _ int, x float32) (float64, float64) { return exactGELU(float64(x)), 2e-6 })

		// Every 4,001st float there is, in both signs, and densely where the function bends.
		var before []float32
		for bits := uint32(0); bits < 0x7f800000; bits += 4001 {
			f := math.Float32frombits(bits)
			before = append(before, f, -f)
		}
		for f := float32(-7); f < 7; f += 1.0 / 8192 {
			before = append(before, f)
		}
		x := append([]float32(nil), before...)
		for at := 0; at < len(x); at += 4096 {
			k.GELU(x[at:min(at+4096, len(x))])
		}
		worst, where := 0.0, float32(0)
		for i, got := range x {
			want := exactGELU(float64(before[i]))
			if d := math.Abs(float64(got) - want); !(d <= worst) {
				worst, where = d, before[i]
			}
		}
		t.Logf("largest error %.2g at %v", worst, where)
		if !(worst <= 2e-6) {
			t.Errorf("error of %v at %v", worst, where)
		}
		x = []float32{float32(math.NaN()), float32(math.Inf(1))}
		if k.GELU(x); !math.IsNaN(float64(x[0])) || !math.IsInf(float64(x[1]), 1) {
			t.Errorf("NaN, +Inf give %v", x)
		}
	})
}

func TestNorm(t *testing.T) {
	eachRung(t, func(t *testing.T, k *kernel.Table) {
		m := newMemory(t)
		for _, n := range lengths[1:] {
			for _, mean := range []float32{0, 50} {
				m.bothWays(func() {
					in, w, b := normals(1, n), normals(2, n), normals(3, n)
					for i := range in {
						in[i] = in[i]*2 + mean
					}
					x, scale, shift := takeOf(m, in), takeOf(m, w), takeOf(m, b)
					dst := takeOf(m, make([]float32, n))
					k.Norm(dst, x, scale, shift)
					k.Norm(x, x, scale, shift)
					avg, square := 0.0, 0.0
					for _, v := range in {
						avg += float64(v) / float64(n)
					}
					for _, v := range in {
						square += (float64(v) - avg) * (float64(v) - avg) / float64(n)
					}
					for i, got := range dst {
						want := (float64(in[i])-avg)/math.Sqrt(square+1e-5)*float64(w[i]) + float64(b[i])
						if tolerance := (1 + float64(mean)) * 1e-5; !(math.Abs(float64(got)-want) <= tolerance*(1+math.Abs(want))) && n > 1 {
							t.Fatalf("n %d, mean %v: [%d] = %v, not %v", n, mean, i, got, want)
						}
						if !sameBits(got, x[i]) {
							t.Fatalf("n %d, mean %v: [%d] = %v, but %v in place", n, mean, i, got, x[i])
						}
					}
					m.release(t, "n %d", n)
				})
			}
		}
	})
}
