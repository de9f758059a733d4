//go:build !noasm

package kernel

import (
	"math"
	"math/rand/v2"
	"testing"
)

// TestPlaceNEON: the kernels that round otherwise than Go does give a number the same bits wherever it stands, in a whole
// step of the body or in the rest behind it.
func TestPlaceNEON(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	x := make([]float32, 35)
	for i := range x {
		x[i] = float32(r.NormFloat64() * 3)
	}
	for name, f := range map[string]func([]float32){
		"GELU":    geluNEON,
		"Exp2Sum": func(x []float32) { exp2SumNEON(x, 9.5) },
	} {
		alone := make([]float32, len(x))
		for i := range x {
			one := []float32{x[i]}
			f(one)
			alone[i] = one[0]
		}
		for from := range len(x) {
			for to := from; to <= len(x); to++ {
				got := append([]float32(nil), x[from:to]...)
				f(got)
				for i, v := range got {
					if math.Float32bits(v) != math.Float32bits(alone[from+i]) {
						t.Fatalf("%s of [%d:%d]: %v at %d, alone %v", name, from, to, v, i, alone[from+i])
					}
				}
			}
		}
	}
}
