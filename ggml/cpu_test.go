package ggml

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/whisperfile/whisperfile/ggml/internal/kernel"
)

var threadCounts = []int{1, 2, 3, 7}

// eachISA runs f on every rung, with two threads.
func eachISA(t *testing.T, f func(t *testing.T, c *CPU)) {
	for _, tab := range kernel.Tables() {
		t.Run("isa="+tab.Name, func(t *testing.T) { f(t, testCPU(t, tab, 2)) })
	}
}

func testCPU(tb testing.TB, tab *kernel.Table, threads int) *CPU {
	p := newPool(threads)
	tb.Cleanup(p.Close)
	return newCPU(p, tab)
}

// sameOnAllCPUs runs f on every number of threads of each rung and demands the same bits of it.
func sameOnAllCPUs(t *testing.T, f func(c *CPU) []float32) {
	t.Helper()
	for _, tab := range kernel.Tables() {
		var want []float32
		for _, n := range threadCounts {
			got := f(testCPU(t, tab, n))
			if want == nil {
				want = got
			}
			if i := differ(got, want); i >= 0 {
				t.Errorf("isa=%s: number %d is %v on %d threads and %v on one", tab.Name, i, got[i], n, want[i])
			}
		}
	}
}

// differ returns where the bits of a and b differ, or −1.
func differ(a, b []float32) int {
	if len(a) != len(b) {
		return min(len(a), len(b))
	}
	for i := range a {
		if math.Float32bits(a[i]) != math.Float32bits(b[i]) {
			return i
		}
	}
	return -1
}

// random returns n numbers of about the given size.
func random(seed uint64, n int, size float64) []float32 {
	r := rand.New(rand.NewPCG(seed, 1))
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(r.NormFloat64() * size)
	}
	return x
}

// matrix returns a matrix with gaps between its rows, which hold 7, and the numbers in it.
func matrix(seed uint64, rows, cols, gap int) (Mat, []float32) {
	m := Mat{Off: 3, Rows: rows, Cols: cols, Stride: cols + gap}
	buf := make(floats, m.Off+rows*m.Stride)
	for i := range buf {
		buf[i] = 7
	}
	x := random(seed, rows*cols, 1)
	for r := range rows {
		copy(buf[m.Off+r*m.Stride:][:cols], x[r*cols:])
	}
	m.Buf = buf
	return m, x
}

// contents returns the rows of m without the gaps, and demands that the gaps still hold 7.
func contents(tb testing.TB, m Mat) []float32 {
	tb.Helper()
	buf := slices.Clone(m.Buf.(floats))
	var x []float32
	for r := range m.Rows {
		line := buf[m.Off+r*m.Stride:][:m.Cols]
		x = append(x, line...)
		for i := range line {
			line[i] = 7
		}
	}
	if i := slices.IndexFunc(buf, func(v float32) bool { return v != 7 }); i >= 0 {
		tb.Errorf("element %d outside the matrix was overwritten with %v", i, buf[i])
	}
	return x
}

// tensor stores numbers at an odd address and returns them as they are after that.
func tensor(typ Type, x []float32, dims ...int) (Tensor, []float32) {
	data := make([]byte, 1+typ.Bytes(len(x)))[1:]
	Quantize(typ, data, x)
	stored := make([]float32, len(x))
	Dequantize(typ, stored, data)
	return Tensor{Name: "test", Type: typ, Dims: dims, Data: data}, stored
}

func weightOf(tb testing.TB, c *CPU, t Tensor) Weight {
	tb.Helper()
	w, err := c.Weight(t)
	if err != nil {
		tb.Fatal(err)
	}
	return w
}

// vectorOf returns a random vector of n as a weight and as numbers.
func vectorOf(tb testing.TB, c *CPU, seed uint64, n int) (Weight, []float32) {
	tb.Helper()
	t, x := tensor(F32, random(seed, n, 1), n)
	return weightOf(tb, c, t), x
}

// near demands that got is within tol of want, absolutely where want is small.
func near(tb testing.TB, what string, got []float32, want []float64, tol float64) {
	tb.Helper()
	if len(got) != len(want) {
		tb.Fatalf("%s: %d numbers, want %d", what, len(got), len(want))
	}
	for i, w := range want {
		if d := math.Abs(float64(got[i]) - w); !(d <= tol*max(1, math.Abs(w))) {
			tb.Fatalf("%s: number %d is %v, want %v (off by %.2g)", what, i, got[i], w, d)
		}
	}
}

func gelu(x float64) float64 { return x / 2 * (1 + math.Erf(x/math.Sqrt2)) }

func TestBuffers(t *testing.T) {
	p := NewPool(1)
	defer p.Close()
	c, err := NewCPU(p, CPUOptions{ISA: "generic"})
	if err != nil {
		t.Fatal(err)
	}
	if got := c.Device(); got != "CPU generic, 1 thread" {
		t.Errorf("Device() = %q", got)
	}
	f, _ := c.Floats(5)
	c.Write(f, 2, []float32{1, 2})
	got := make([]float32, 4)
	if err := c.Read(t.Context(), got, f, 1); err != nil || !slices.Equal(got, []float32{0, 1, 2, 0}) {
		t.Errorf("Read: %v, %v", got, err)
	}
	i, _ := c.Ints(3)
	c.WriteInts(i, 1, []int32{4})
	if !slices.Equal(i.(ints), ints{0, 4, 0}) || i.Len() != 3 || f.Len() != 5 {
		t.Errorf("%v, %d, %d", i, i.Len(), f.Len())
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := c.Read(ctx, got, f, 0); !errors.Is(err, context.Canceled) {
		t.Errorf("Read after cancel: %v", err)
	}
	if _, err := c.Floats(-1); err == nil {
		t.Error("Floats(-1) gave a buffer")
	}
	if _, err := NewCPU(p, CPUOptions{ISA: "vax"}); err == nil {
		t.Error("a rung that does not exist was found")
	}
	if err := errors.Join(c.Err(), c.Close()); err != nil {
		t.Error(err)
	}
}

func TestWeight(t *testing.T) {
	c := testCPU(t, kernel.Tables()[0], 1)
	for _, test := range []struct {
		name       string
		t          Tensor
		rows, cols int
		err        error
	}{
		{"vector", Tensor{Type: F32, Dims: []int{5}, Data: make([]byte, 20)}, 1, 5, nil},
		{"matrix", Tensor{Type: F16, Dims: []int{5, 3}, Data: make([]byte, 30)}, 3, 5, nil},
		{"column", Tensor{Type: F32, Dims: []int{1, 4}, Data: make([]byte, 16)}, 4, 1, nil},
		{"kernel", Tensor{Type: F16, Dims: []int{3, 2, 4}, Data: make([]byte, 48)}, 4, 6, nil},
		{"blocks", Tensor{Type: Q5_0, Dims: []int{64, 2}, Data: make([]byte, 88)}, 2, 64, nil},
		{"short", Tensor{Type: F16, Dims: []int{5, 3}, Data: make([]byte, 29)}, 0, 0, ErrTruncated},
		{"half a block", Tensor{Type: Q5_0, Dims: []int{16, 2}, Data: make([]byte, 88)}, 0, 0, ErrFormat},
		{"empty", Tensor{Type: F16, Dims: []int{0, 3}}, 0, 0, ErrFormat},
		{"type", Tensor{Type: 4, Dims: []int{1}}, 0, 0, ErrUnsupported},
		{"scalar", Tensor{Type: F32, Data: make([]byte, 4)}, 0, 0, ErrUnsupported},
	} {
		t.Run(test.name, func(t *testing.T) {
			w, err := c.Weight(test.t)
			if !errors.Is(err, test.err) {
				t.Fatalf("error %v, want %v", err, test.err)
			}
			if err == nil && (w.Rows() != test.rows || w.Cols() != test.cols) {
				t.Errorf("%d×%d, want %d×%d", w.Rows(), w.Cols(), test.rows, test.cols)
			}
		})
	}
}
