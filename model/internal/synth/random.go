package synth

import (
	"hash/fnv"
	"math/rand/v2"
)

// source gives the numbers of one tensor. Which they are depends on the seed and the tensor's name alone, and only on
// integer arithmetic and one rounding, so that every processor makes the same file.
type source struct{ pcg *rand.PCG }

func newSource(seed uint64, name string) source {
	h := fnv.New64a()
	h.Write([]byte(name))
	return source{rand.NewPCG(seed, h.Sum64())}
}

// fill sets x to mean + std·n, n being close to a normal distribution: the sum of four uniform ones, within ±3.5.
func (s source) fill(x []float32, mean, std float32) {
	const sigma = 37837.227 // of the sum of four uniform numbers of 16 bits
	scale := std / sigma
	for i := range x {
		u := s.pcg.Uint64()
		sum := int32(u&0xffff) + int32(u>>16&0xffff) + int32(u>>32&0xffff) + int32(u>>48) - 2*0xffff
		x[i] = mean + float32(float32(sum)*scale) // the conversion forbids a fused multiply-add
	}
}
