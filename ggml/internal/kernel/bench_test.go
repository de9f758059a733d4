package kernel_test

import (
	"fmt"
	"testing"

	"github.com/whisperfile/whisperfile/ggml/internal/kernel"
)

// eachBench runs f for every rung; name may hold a %s for it.
func eachBench(b *testing.B, name string, f func(b *testing.B, k *kernel.Table)) {
	for _, k := range kernel.Tables() {
		b.Run(fmt.Sprintf(name, "isa="+k.Name), func(b *testing.B) { f(b, k) })
	}
}

// rate reports how many units of work of one round were done a nanosecond.
func rate(b *testing.B, perRound float64, unit string) {
	b.ReportMetric(perRound*float64(b.N)/float64(b.Elapsed().Nanoseconds()), unit)
}

// BenchmarkTile multiplies one panel that stays in the first cache; the peak to compare with is two vectors of fused
// multiply-adds a cycle.
func BenchmarkTile(b *testing.B) {
	for _, kn := range []int{64, 256, 512} {
		eachBench(b, fmt.Sprintf("%%s/k=%d", kn), func(b *testing.B, k *kernel.Table) {
			a, panel, c := normals(1, k.MR*kn), normals(2, k.NR*kn), make([]float32, k.MR*k.NR)
			for b.Loop() {
				k.Tile(c, k.NR, a, kn, panel, kn, k.MR, 1, nil, 0)
			}
			rate(b, float64(2*kn*k.MR*k.NR), "GFLOP/s")
		})
	}
}

// BenchmarkProduct is a whole product of an encoder layer, one thread, the weights in memory as float32.
func BenchmarkProduct(b *testing.B) {
	const rows, kn, columns, group = 1500, 512, 512, 4
	a, w, c := normals(1, rows*kn), normals(2, columns*kn), make([]float32, rows*columns)
	eachBench(b, "%s", func(b *testing.B, k *kernel.Table) {
		panels := make([]float32, group*k.NR*kn)
		for b.Loop() {
			for j := 0; j < columns; j += group * k.NR {
				for p := range group {
					k.Pack(panels[p*k.NR*kn:], w[(j+p*k.NR)*kn:], kn, kn)
				}
				for r := 0; r < rows; r += k.MR {
					k.Tile(c[r*columns+j:], columns, a[r*kn:], kn, panels, kn, min(k.MR, rows-r), group, nil, 0)
				}
			}
		}
		rate(b, 2*rows*kn*columns, "GFLOP/s")
	})
}

func BenchmarkPack(b *testing.B) {
	const kn = 512
	eachBench(b, "%s", func(b *testing.B, k *kernel.Table) {
		dst, src := make([]float32, k.NR*kn), normals(1, k.NR*(kn+16))
		for b.Loop() {
			k.Pack(dst, src, kn+16, kn)
		}
		rate(b, float64(kn*k.NR), "values/ns")
	})
}

// BenchmarkDot reads weights from memory, 77 MB of them, as a step of the decoder does.
func BenchmarkDot(b *testing.B) {
	const size, n = 77 << 20, 512
	w := make([]byte, size)
	for i := range w {
		w[i] = byte(i & 63) // memory that was never written is one page of zeros
	}
	x, y := normals(1, 17*n), make([]float32, 17*size/n/2)
	for _, typ := range []string{"f16", "f32"} {
		for _, cols := range []int{1, 2, 3, 5, 8, 16} {
			eachBench(b, fmt.Sprintf("type=%s/%%s/cols=%d", typ, cols), func(b *testing.B, k *kernel.Table) {
				d := dots(k)[typ]
				rows := size / n / d.size
				const part = 64 // rows a call
				for b.Loop() {
					for r := 0; r < rows; r += part {
						d.dot(y[r*cols:], part, w[r*n*d.size:], n*d.size, x, n, part, cols, n)
					}
				}
				rate(b, size, "GB/s")
			})
		}
	}
}

func BenchmarkWiden(b *testing.B) {
	const n = 512
	for _, q := range []struct {
		name       string
		typ, bytes int
	}{
		{"f16", 1, 2 * n}, {"q4_0", 2, n / 32 * 18}, {"q4_1", 3, n / 32 * 20}, {"q5_0", 6, n / 32 * 22}, {"q5_1", 7, n / 32 * 24},
		{"q8_0", 8, n / 32 * 34},
	} {
		eachBench(b, "type="+q.name+"/%s", func(b *testing.B, k *kernel.Table) {
			dst, src := make([]float32, n), make([]byte, q.bytes)
			for b.Loop() {
				k.Widen[q.typ](dst, src)
			}
			rate(b, n, "values/ns")
		})
	}
}

func BenchmarkFunction(b *testing.B) {
	const n = 1504
	x, y, w := normals(1, n), make([]float32, n), normals(2, n)
	h, cells := make([]uint16, 64*n), make([]int32, n)
	for i := range cells {
		cells[i] = int32(i)
	}
	for _, f := range []struct {
		name string
		size float64
		call func(k *kernel.Table)
	}{
		{"max", n, func(k *kernel.Table) { k.Max(x) }},
		{"exp2sum", n, func(k *kernel.Table) {
			copy(y, x)
			k.Exp2Sum(y, 4)
		}},
		{"scale", n, func(k *kernel.Table) { k.Scale(y, 1) }},
		{"add", n, func(k *kernel.Table) { k.Add(y, x) }},
		{"gelu", n, func(k *kernel.Table) {
			copy(y, x)
			k.GELU(y)
		}},
		{"norm", n, func(k *kernel.Table) { k.Norm(y, x, w, w) }},
		{"narrow", n, func(k *kernel.Table) { k.Narrow(h, x) }},
		{"scores", n * 64, func(k *kernel.Table) { k.Scores(y, x, h, cells, n) }},
		{"mix", n * 64, func(k *kernel.Table) { k.Mix(y, x, h, cells, n) }},
	} {
		eachBench(b, f.name+"/%s", func(b *testing.B, k *kernel.Table) {
			for b.Loop() {
				f.call(k)
			}
			rate(b, f.size, "values/ns")
		})
	}
}
