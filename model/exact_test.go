package model

import (
	"context"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/whisperfile/whisperfile/ggml"
)

// exact is a Backend whose caches hold keys and values in float32, as they are or rounded to the halves that other caches
// hold, and whose attention computes in double precision.
type exact struct {
	ggml.Backend
	halves bool
}

// exactInts keeps what was written to the Buffer, for the operations that are not the Backend's.
type exactInts struct {
	ggml.Buffer
	x []int32
}

// exactCache holds the keys and values of one slot: [layer][cell][heads·64].
type exactCache struct {
	shape ggml.CacheShape
	k, v  [][]float32
}

func (c *exactCache) Shape() ggml.CacheShape { return c.shape }

func (e exact) Cache(s ggml.CacheShape) (ggml.Cache, error) {
	c := &exactCache{shape: s}
	for range s.Layers {
		c.k = append(c.k, make([]float32, s.Cells*s.Heads*ggml.HeadSize))
		c.v = append(c.v, make([]float32, s.Cells*s.Heads*ggml.HeadSize))
	}
	return c, nil
}

func (e exact) Ints(n int) (ggml.Buffer, error) {
	b, err := e.Backend.Ints(n)
	return &exactInts{b, make([]int32, n)}, err
}

func (e exact) WriteInts(dst ggml.Buffer, off int, src []int32) {
	b := dst.(*exactInts)
	copy(b.x[off:], src)
	e.Backend.WriteInts(b.Buffer, off, src)
}

func (e exact) Embed(o ggml.Embed) {
	o.Tokens, o.Positions = o.Tokens.(*exactInts).Buffer, o.Positions.(*exactInts).Buffer
	e.Backend.Embed(o)
}

// row reads a row of m.
func (e exact) row(m ggml.Mat, r int) []float32 {
	x := make([]float32, m.Cols)
	if err := e.Read(context.Background(), x, m.Buf, m.Off+r*m.Stride); err != nil {
		panic(err)
	}
	return x
}

func (e exact) Store(o ggml.Store) {
	c := o.Cache.(*exactCache)
	put := func(cells []float32, m ggml.Mat) {
		for r, cell := range o.Cells.(*exactInts).x[:m.Rows] {
			x := e.row(m, r)
			if e.halves {
				x = halved(x)
			}
			copy(cells[int(cell)*m.Cols:], x)
		}
	}
	put(c.k[o.Layer], o.K)
	put(c.v[o.Layer], o.V)
}

// halved is x rounded to halves.
func halved(x []float32) []float32 {
	h := make([]float32, len(x))
	for i := range x {
		h[i] = ggml.FromHalf(ggml.ToHalf(x[i]))
	}
	return h
}

func (e exact) Attend(o ggml.Attend) {
	c, width := o.Cache.(*exactCache), o.Q.Cols
	for r := range o.Q.Rows {
		q, out := e.row(o.Q, r), make([]float32, width)
		k, v := make([][]float32, o.Counts.(*exactInts).x[r]), make([][]float32, o.Counts.(*exactInts).x[r])
		for h := 0; h < width; h += ggml.HeadSize {
			for i := range k {
				at := i
				if o.Cells != nil {
					at = int(o.Cells.(*exactInts).x[r*o.Span+i])
				}
				at = at*width + h
				k[i], v[i] = c.k[o.Layer][at:][:ggml.HeadSize], c.v[o.Layer][at:][:ggml.HeadSize]
			}
			mixed, _ := softmaxed(q[h:][:ggml.HeadSize], k, v)
			for d, x := range mixed {
				out[h+d] = float32(x)
			}
		}
		e.Write(o.Dst.Buf, o.Dst.Off+r*o.Dst.Stride, out)
	}
}

// softmaxed is the attention of one head as it is written in books, in double precision, and the weights of the values in it.
func softmaxed(q []float32, k, v [][]float32) (out [ggml.HeadSize]float64, weights []float64) {
	weights = make([]float64, len(k))
	most := math.Inf(-1)
	for i := range k {
		for d, x := range k[i] {
			weights[i] += float64(q[d]) * float64(x) / math.Sqrt(ggml.HeadSize)
		}
		most = max(most, weights[i])
	}
	var sum float64
	for i, w := range weights {
		weights[i] = math.Exp(w - most)
		sum += weights[i]
	}
	for i := range weights {
		weights[i] /= sum
		for d, x := range v[i] {
			out[d] += weights[i] * float64(x)
		}
	}
	return out, weights
}

// TestHalvesAreBounded holds what halves do to attention against what they can do. With u = 2⁻¹¹, half the distance of two
// halves, a score q·k/8 moves by at most u·A, A being the largest Σ|q·k|/8 of a key; a weight w by a factor within
// exp(±2uA); and an output out = Σwv by exp(2uA)·u·Σw|v| + (exp(2uA)−1)·Σw|v−out|.
func TestHalvesAreBounded(t *testing.T) {
	const u = 1. / 2048
	rng := rand.New(rand.NewPCG(4, 5))
	random := func(scale float64) []float32 {
		x := make([]float32, ggml.HeadSize)
		for i := range x {
			x[i] = float32(scale * rng.NormFloat64())
		}
		return x
	}
	for _, scale := range []float64{0.1, 1, 4} { // of queries and keys
		for _, cells := range []int{1, 10, 1500} {
			q, k, v, halfK, halfV := random(scale), make([][]float32, cells), make([][]float32, cells), make([][]float32, cells), make([][]float32, cells)
			var a float64
			for i := range cells {
				k[i], v[i] = random(scale), random(1)
				halfK[i], halfV[i] = halved(k[i]), halved(v[i])
				var sum float64
				for d := range q {
					sum += math.Abs(float64(q[d])*float64(k[i][d])) / math.Sqrt(ggml.HeadSize)
				}
				a = max(a, sum)
			}
			want, weights := softmaxed(q, k, v)
			got, _ := softmaxed(q, halfK, halfV)
			var most, share float64
			for d := range want {
				var size, spread float64
				for i, w := range weights {
					size += w * math.Abs(float64(v[i][d]))
					spread += w * math.Abs(float64(v[i][d])-want[d])
				}
				// Below 2⁻¹⁴ halves are 2⁻²⁴ apart, however small.
				bound := math.Exp(2*u*a)*u*size + (math.Exp(2*u*a)-1)*spread + 1e-6
				off := math.Abs(got[d] - want[d])
				most, share = max(most, off), max(share, off/bound)
			}
			t.Logf("queries and keys of %g, %d cells: off by %.2g, %.0f %% of the bound", scale, cells, most, 100*share)
			if !(share <= 1) {
				t.Errorf("queries and keys of %g, %d cells: off by %g, %g times the bound", scale, cells, most, share)
			}
		}
	}
}
