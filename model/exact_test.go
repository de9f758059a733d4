package model

import (
	"context"
	"math"

	"github.com/whisperfile/whisperfile/ggml"
)

// exact is a Backend whose caches hold keys and values as they are, in place of halves.
type exact struct{ ggml.Backend }

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
	for r, cell := range o.Cells.(*exactInts).x[:o.K.Rows] {
		copy(c.k[o.Layer][int(cell)*o.K.Cols:], e.row(o.K, r))
		copy(c.v[o.Layer][int(cell)*o.V.Cols:], e.row(o.V, r))
	}
}

// Attend is the softmax as it is written in books, in double precision.
func (e exact) Attend(o ggml.Attend) {
	c, width := o.Cache.(*exactCache), o.Q.Cols
	for r := range o.Q.Rows {
		q, out := e.row(o.Q, r), make([]float32, width)
		weights := make([]float64, o.Counts.(*exactInts).x[r])
		for h := 0; h < width; h += ggml.HeadSize {
			cell := func(i int) int {
				if o.Cells != nil {
					i = int(o.Cells.(*exactInts).x[r*o.Span+i])
				}
				return i*width + h
			}
			most := math.Inf(-1)
			for i := range weights {
				var dot float64
				for d, k := range c.k[o.Layer][cell(i):][:ggml.HeadSize] {
					dot += float64(q[h+d]) * float64(k)
				}
				weights[i] = dot / math.Sqrt(ggml.HeadSize)
				most = max(most, weights[i])
			}
			var sum float64
			var mixed [ggml.HeadSize]float64
			for i, w := range weights {
				w = math.Exp(w - most)
				sum += w
				for d, v := range c.v[o.Layer][cell(i):][:ggml.HeadSize] {
					mixed[d] += w * float64(v)
				}
			}
			for d, x := range mixed {
				out[h+d] = float32(x / sum)
			}
		}
		e.Write(o.Dst.Buf, o.Dst.Off+r*o.Dst.Stride, out)
	}
}
