package ggml

import (
	"math"
	"testing"
)

func TestPickSamples(t *testing.T) {
	eachISA(t, func(t *testing.T, c *CPU) {
		// Probabilities of 1, 2, 3 and 4 tenths; the second case removes the largest.
		logits := make([]float32, 4)
		for i := range logits {
			logits[i] = float32(math.Log(float64(i + 1)))
		}
		for _, test := range []struct {
			mask uint64
			draw float64
			want int32
		}{
			{0, 0, 0}, {0, 0.099, 0}, {0, 0.101, 1}, {0, 0.299, 1}, {0, 0.301, 2}, {0, 0.601, 3}, {0, 0.9999, 3}, {0, 1, 3},
			{8, 0, 0}, {8, 0.49, 1}, {8, 0.51, 2}, {8, 0.9999, 2}, {7, 0, 3},
		} {
			f := Filter{EOT: 4, Beg: 4, Mask: []uint64{test.mask}, Temperature: 1, Sample: true, Draw: test.draw}
			p := pick(t, c, logitsPick(t, c, [][]float32{logits}, []Filter{f}, 3))[0]
			if len(p.Candidates) != 1 || p.Candidates[0].ID != test.want {
				t.Errorf("mask %b, draw %v: %v, want %d", test.mask, test.draw, p.Candidates, test.want)
				continue
			}
			left := 0.0
			for i := range logits {
				if test.mask>>i&1 == 0 {
					left += float64(i + 1)
				}
			}
			want := math.Log(float64(test.want+1) / left)
			if got := float64(p.Candidates[0].LogProb); math.Abs(got-want) > 1e-5 {
				t.Errorf("mask %b, draw %v: log probability %v, want %v", test.mask, test.draw, got, want)
			}
		}
	})
}
