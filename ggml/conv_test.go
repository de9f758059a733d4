package ggml

import (
	"fmt"
	"testing"
)

func TestConv(t *testing.T) {
	type shape struct{ frames, channels, out, stride int }
	eachISA(t, func(t *testing.T, c *CPU) {
		for i, s := range []shape{{1, 8, 5, 1}, {2, 8, 5, 1}, {2, 8, 16, 2}, {3, 5, 7, 2}, {30, 80, 33, 1}, {31, 12, 70, 2}, {50, 33, 1, 2}, {40, 260, 9, 2}} {
			typ, add := []Type{F16, F32}[i%2], i%3 > 0
			rows := (s.frames-1)/s.stride + 1
			tw, w := tensor(typ, random(1, 3*s.channels*s.out, 0.2), 3, s.channels, s.out)
			tb, bias := tensor(F32, random(2, s.out, 1), 1, s.out)
			tp, pos := tensor([]Type{F32, F16}[i%2], random(3, (rows+1)*s.out, 1), s.out, rows+1)
			x, xs := matrix(4, s.frames, s.channels, i%3) // with something else in the gaps
			dst, _ := matrix(5, rows, s.out, 2)
			op := Conv{Dst: dst, X: x, W: weightOf(t, c, tw), Bias: weightOf(t, c, tb), Stride: s.stride}
			if add {
				op.Add = weightOf(t, c, tp)
			}
			var want []float64
			for r := range rows {
				for o := range s.out {
					sum := float64(bias[o])
					for tap := range 3 {
						if f := r*s.stride + tap - 1; f >= 0 && f < s.frames {
							for ch := range s.channels {
								sum += float64(xs[f*s.channels+ch]) * float64(w[(o*s.channels+ch)*3+tap])
							}
						}
					}
					sum = gelu(sum)
					if add {
						sum += float64(pos[r*s.out+o])
					}
					want = append(want, sum)
				}
			}
			c.Conv(op)
			near(t, fmt.Sprintf("%+v", s), contents(t, dst), want, 2e-5)
		}
	})
}

func TestConvAddsBlocks(t *testing.T) {
	eachISA(t, func(t *testing.T, c *CPU) {
		const frames, channels, out = 4, 3, 96
		tw, _ := tensor(F16, random(1, 3*channels*out, 0.2), 3, channels, out)
		tb, _ := tensor(F32, random(2, out, 1), 1, out)
		tp, pos := tensor(Q8_0, random(3, frames*out, 1), out, frames)
		x, _ := matrix(4, frames, channels, 0)
		bare, _ := matrix(5, frames, out, 0)
		op := Conv{Dst: bare, X: x, W: weightOf(t, c, tw), Bias: weightOf(t, c, tb), Stride: 1}
		c.Conv(op)
		var want []float64
		for i, v := range contents(t, bare) {
			want = append(want, float64(v)+float64(pos[i]))
		}
		op.Dst, _ = matrix(5, frames, out, 0)
		op.Add = weightOf(t, c, tp)
		c.Conv(op)
		near(t, "conv + blocks", contents(t, op.Dst), want, 1e-6)
	})
}

func TestConvOnAnyThreads(t *testing.T) {
	tw, _ := tensor(F16, random(1, 3*40*100, 0.2), 3, 40, 100)
	x, _ := matrix(4, 77, 40, 0)
	sameOnAllCPUs(t, func(c *CPU) []float32 {
		bias, _ := vectorOf(t, c, 2, 100)
		dst, _ := matrix(5, 39, 100, 1)
		c.Conv(Conv{Dst: dst, X: x, W: weightOf(t, c, tw), Bias: bias, Stride: 2})
		return contents(t, dst)
	})
}
