package ggml

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/whisperfile/whisperfile/ggml/internal/kernel"
)

// TestWidenIsDequantize: whatever the bytes, a rung's numbers are those of the reference, to the bit.
func TestWidenIsDequantize(t *testing.T) {
	for _, tab := range kernel.Tables() {
		for _, typ := range Types {
			if tab.Widen[typ] == nil {
				continue
			}
			r := rand.New(rand.NewPCG(uint64(typ), 3))
			for blocks := range 4 {
				src := make([]byte, 1+blocks*typ.BlockBytes())[1:]
				for round := range 50 {
					for i := range src {
						src[i] = byte(r.Uint32())
					}
					got, want := make([]float32, blocks*typ.Block()), make([]float32, blocks*typ.Block())
					tab.Widen[typ](got, src)
					Dequantize(typ, want, src)
					for i, w := range want {
						if math.Float32bits(got[i]) != math.Float32bits(w) && (w == w || got[i] == got[i]) {
							t.Fatalf("isa=%s, %v, round %d: number %d is %v, not %v", tab.Name, typ, round, i, got[i], w)
						}
					}
				}
			}
		}
	}
}

func BenchmarkWiden(b *testing.B) {
	const n = 1024
	for _, typ := range Types {
		eachBench(b, fmt.Sprintf("type=%v", typ), func(b *testing.B, c *CPU) {
			dst, src := make([]float32, n), make([]byte, typ.Bytes(n))
			for b.Loop() {
				c.widen(typ, dst, src)
			}
			perSecond(b, n, "Gvalues/s")
		})
	}
}
