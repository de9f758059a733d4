package kernel_test

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/whisperfile/whisperfile/ggml/internal/cpu"
	"github.com/whisperfile/whisperfile/ggml/internal/kernel"
)

// eachRung runs f for every rung of this CPU, and says which others there are.
func eachRung(t *testing.T, f func(t *testing.T, k *kernel.Table)) {
	for _, r := range cpu.Rungs() {
		k, err := kernel.Choose(r.Name)
		if err != nil {
			t.Logf("rung %s: not on this CPU (%v)", r.Name, err)
			continue
		}
		t.Run(r.Name, func(t *testing.T) { f(t, k) })
	}
}

func TestChoose(t *testing.T) {
	tabs := kernel.Tables()
	best := tabs[len(tabs)-1].Name
	for _, c := range []struct{ env, name, want, err string }{
		{"", "", best, ""},
		{"generic", "", "generic", ""},
		{"generic", best, best, ""},
		{"pentium", "", "", `WHISPER_ISA: "pentium": no such instruction set; there is generic`},
		{"", "pentium", "", `"pentium": no such instruction set; there is generic`},
	} {
		t.Setenv("WHISPER_ISA", c.env)
		got, err := kernel.Choose(c.name)
		switch {
		case c.err != "":
			if err == nil || !strings.HasPrefix(err.Error(), c.err) {
				t.Errorf("%+v: error %v", c, err)
			}
		case err != nil:
			t.Errorf("%+v: %v", c, err)
		case got.Name != c.want:
			t.Errorf("%+v: %s", c, got.Name)
		}
	}
	for _, r := range cpu.Rungs() {
		if k, err := kernel.Choose(r.Name); err == nil && k.Name != r.Name {
			t.Errorf("the table of %s calls itself %s", r.Name, k.Name)
		} else if err != nil && len(r.Missing()) > 0 && !strings.Contains(err.Error(), r.Missing()[0]) {
			t.Errorf("the error for %s does not say what is missing: %v", r.Name, err)
		}
	}
}

// TestShort calls every kernel with one slice too short.
func TestShort(t *testing.T) {
	f := func(n int) []float32 { return make([]float32, n) }
	h := func(n int) []uint16 { return make([]uint16, n) }
	b := func(n int) []byte { return make([]byte, n) }
	eachRung(t, func(t *testing.T, k *kernel.Table) {
		nr, mr := k.NR, k.MR
		for name, call := range map[string]func(){
			"tile c":           func() { k.Tile(f(2*nr+1), nr+2, f(8), 4, f(4*nr), 4, 2, 1, nil, 0) },
			"tile a":           func() { k.Tile(f(2*nr), nr, f(8), 5, f(4*nr), 4, 2, 1, nil, 0) },
			"tile b":           func() { k.Tile(f(4*nr), 2*nr, f(8), 4, f(8*nr-1), 4, 2, 2, nil, 0) },
			"tile rows":        func() { k.Tile(f(9*nr*mr), nr, f(9*mr), 4, f(4*nr), 4, mr+1, 1, nil, 0) },
			"tile no row":      func() { k.Tile(f(9*nr), nr, f(9), 4, f(4*nr), 4, 0, 1, nil, 0) },
			"tile bias":        func() { k.Tile(f(2*nr+2), nr+2, f(8), 4, f(4*nr), 4, 2, 1, f(nr-1), 0) },
			"tile ahead -1":    func() { k.Tile(f(2*nr), nr, f(8), 4, f(4*nr), 4, 2, 1, nil, -1) },
			"tile negative":    func() { k.Tile(f(9*nr), -1, f(9), 4, f(4*nr), 4, 2, 1, nil, 0) },
			"pack dst":         func() { k.Pack(f(4*nr-1), f(4*nr), 4, 4) },
			"pack src":         func() { k.Pack(f(4*nr), f(4*nr), 5, 4) },
			"pack f16 dst":     func() { k.PackF16(f(4*nr-1), b(8*nr), 8, 4) },
			"pack f16 src":     func() { k.PackF16(f(4*nr), b(8*nr), 9, 4) },
			"dot y":            func() { k.DotF32(f(4), 3, b(256), 128, f(64), 32, 2, 2, 32) },
			"dot w":            func() { k.DotF32(f(5), 3, b(256), 129, f(64), 32, 2, 2, 32) },
			"dot x":            func() { k.DotF32(f(5), 3, b(256), 128, f(63), 32, 2, 2, 32) },
			"dot n":            func() { k.DotF32(f(5), 3, b(256), 128, f(64), 32, 2, 2, 16) },
			"dot f16 w":        func() { k.DotF16(f(5), 3, b(127), 64, f(64), 32, 2, 2, 32) },
			"dot f16 negative": func() { k.DotF16(f(5), 3, b(256), -64, f(64), 32, 2, 2, 32) },
			"quantize dst":     func() { k.Quantize(b(kernel.QuantizedBytes(64)-1), f(64), 0) },
			"quantize n":       func() { k.Quantize(b(1000), f(33), 0) },
			"narrow":           func() { k.Narrow(h(2), f(3)) },
			"max":              func() { k.Max(nil) },
			"add":              func() { k.Add(f(2), f(3)) },
			"norm dst":         func() { k.Norm(f(2), f(3), f(3), f(3)) },
			"norm w":           func() { k.Norm(f(3), f(3), f(2), f(3)) },
			"norm b":           func() { k.Norm(f(3), f(3), f(3), f(2)) },
			"scores s":         func() { k.Scores(f(1), f(64), h(128), nil, 2) },
			"scores q":         func() { k.Scores(f(2), f(63), h(128), nil, 2) },
			"scores k":         func() { k.Scores(f(2), f(64), h(127), nil, 2) },
			"scores cell":      func() { k.Scores(f(2), f(64), h(128), []int32{0, 2}, 2) },
			"scores cell < 0":  func() { k.Scores(f(2), f(64), h(128), []int32{0, -1}, 2) },
			"mix cells":        func() { k.Mix(f(64), f(2), h(128), []int32{0}, 2) },
			"mix p":            func() { k.Mix(f(64), f(1), h(128), nil, 2) },
			"mix cell":         func() { k.Mix(f(64), f(2), h(127), []int32{0, 1}, 2) },
			"scores rows s":    func() { k.ScoresRows(f(4*5+1), 5, f(320), h(128), 2) },
			"scores rows q":    func() { k.ScoresRows(f(4*5+2), 5, f(319), h(128), 2) },
			"scores rows k":    func() { k.ScoresRows(f(4*5+2), 5, f(320), h(127), 2) },
			"mix rows out":     func() { k.MixRows(f(128), 65, f(4*5+2), 5, h(128), 2, 2) },
			"mix rows p":       func() { k.MixRows(f(129), 65, f(4*5+1), 5, h(128), 2, 2) },
			"mix rows v":       func() { k.MixRows(f(129), 65, f(4*5+2), 5, h(127), 2, 2) },
			"mix rows 0":       func() { k.MixRows(f(129), 65, f(4*5+2), 5, h(128), 0, 2) },
			"mix rows 6":       func() { k.MixRows(f(6*65), 65, f(4*5+2), 5, h(128), 6, 2) },
		} {
			func() {
				defer func() {
					if recover() == nil {
						t.Errorf("%s: no panic", name)
					}
				}()
				call()
			}()
		}
		for typ, dot := range k.DotInt {
			column := kernel.QuantizedBytes(32)
			for name, call := range map[string]func(){
				"y": func() { dot(f(4), 3, b(256), 40, b(2*column), column, 2, 2, 32) },
				"w": func() { dot(f(5), 3, b(57), 40, b(2*column), column, 2, 2, 32) },
				"x": func() { dot(f(5), 3, b(256), 40, b(2*column-1), column, 2, 2, 32) },
				"n": func() { dot(f(5), 3, b(256), 40, b(2*column), column, 2, 2, 16) },
			} {
				if dot == nil {
					continue
				}
				func() {
					defer func() {
						if recover() == nil {
							t.Errorf("dot of integers %d, %s: no panic", typ, name)
						}
					}()
					call()
				}()
			}
		}
		for typ, widen := range k.Widen {
			if widen == nil {
				continue
			}
			func() {
				defer func() {
					if recover() == nil {
						t.Errorf("widen %d: no panic", typ)
					}
				}()
				widen(f(32), b(5))
			}()
		}
	})
}

// TestAllocs: nothing on the hot path reaches the collector.
func TestAllocs(t *testing.T) {
	eachRung(t, func(t *testing.T, k *kernel.Table) {
		x, y := make([]float32, 4096), make([]float32, 4096)
		w, h, q := make([]byte, 4096), make([]uint16, 4096), make([]byte, kernel.QuantizedBytes(64))
		cells := []int32{3, 1, 2}
		if n := testing.AllocsPerRun(5, func() { // what the runtime allocates meanwhile is not in every run
			k.Tile(y, 2*k.NR, x, 32, x, 32, k.MR, 2, y, k.MR)
			k.Pack(y, x, 33, 32)
			if k.PackF16 != nil {
				k.PackF16(y, w, 40, 16)
			}
			k.DotF32(y, 8, w, 128, x, 32, 8, 7, 32)
			k.DotF16(y, 8, w, 64, x, 32, 8, 7, 32)
			k.Quantize(q, x[:64], 0)
			for _, dot := range k.DotInt {
				if dot != nil {
					dot(y, 8, w, 80, q, 0, 8, 7, 64)
				}
			}
			for typ, size := range map[int]int{1: 64, 2: 18, 3: 20, 6: 22, 7: 24, 8: 34} {
				k.Widen[typ](y[:32], w[:size])
			}
			k.Narrow(h, x)
			k.Exp2Sum(x, k.Max(x))
			k.Scale(x, 0.5)
			k.Add(y, x)
			k.GELU(x)
			k.Norm(y, x, x, x)
			k.Scores(y, x, h, cells, 3)
			k.Mix(y, x, h, cells, 3)
			if k.ScoresRows != nil {
				k.ScoresRows(y, 8, x, h, 8)
				k.MixRows(y, 64, x, 8, h, 3, 8)
			}
		}); n != 0 {
			t.Errorf("%v allocations", n)
		}
	})
}

// normals returns n numbers of about 1; the same for the same seed.
func normals(seed uint64, n int) []float32 {
	r := rand.New(rand.NewPCG(seed, uint64(n)))
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(r.NormFloat64())
	}
	return x
}

// sum adds products in float64 and the bound of what float32 may make of it: each of n roundings at most eps of the sum
// of absolute values.
type sum struct{ value, bound float64 }

func (s *sum) add(a, b float32) {
	s.value += float64(a) * float64(b)
	s.bound += math.Abs(float64(a) * float64(b))
}

func (s *sum) wrong(got float32) bool {
	return !(math.Abs(float64(got)-s.value) <= s.bound*8*0x1p-24+0x1p-140)
}

func sameBits(a, b float32) bool { return math.Float32bits(a) == math.Float32bits(b) }

// lengths crosses the borders of every block a kernel could have, twice, and adds those of Whisper.
var lengths = func() []int {
	var ns []int
	for n := range 2*64 + 2 {
		ns = append(ns, n)
	}
	return append(ns, 384, 512, 1500, 1504)
}()
