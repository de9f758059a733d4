package model

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/whisperfile/whisperfile/model/internal/synth"
)

func TestCellsInOrder(t *testing.T) {
	var c cells
	for range 2 {
		c.reset(5)
		for want := range int32(5) {
			if got := c.take(); got != want {
				t.Errorf("cell %d, want %d", got, want)
			}
		}
	}
	c.share([]int32{1, 3})
	c.drop([]int32{0, 1, 2, 3})
	if !slices.Equal(c.free, []int32{0, 2}) {
		t.Errorf("free are %v, want 0 and 2", c.free)
	}
	c.drop([]int32{3, 1})
	if got := []int32{c.take(), c.take(), c.take(), c.take()}; !slices.Equal(got, []int32{1, 3, 2, 0}) {
		t.Errorf("handed out again: %v, want those that came free last first", got)
	}
}

// TestCellsOfBeams has beams multiply and die at random and holds the counts against a list of who sees what: the longest
// prompt there is, the most beams, and as many tokens as a window may have.
func TestCellsOfBeams(t *testing.T) {
	h := synth.Header("base")
	e := engine{h: h}
	prompt := h.TextCtx/2 + 4 // previous text with the token before it, and the four that name the task
	rng := rand.New(rand.NewPCG(5, 6))
	for _, width := range []int{1, 2, 5, MaxWidth} {
		for _, apart := range []bool{true, false} {
			var c cells
			c.reset(e.selfCells())
			beams := make([][]int32, width)
			for range prompt {
				beams[0] = append(beams[0], c.take())
			}
			for i := range beams[1:] {
				beams[i+1] = slices.Clone(beams[0])
				c.share(beams[0])
			}
			for range h.TextCtx/2 - 4 {
				for i := range beams {
					beams[i] = append(beams[i], c.take())
				}
				next := make([][]int32, width)
				for i := range next {
					of := beams[i] // where beams stay apart no cell comes free
					if !apart {
						of = beams[rng.IntN(width)]
					}
					next[i] = slices.Clone(of)
					c.share(next[i])
				}
				for _, b := range beams {
					c.drop(b)
				}
				beams = next
				checkCells(t, &c, beams)
				if t.Failed() {
					t.Fatalf("%d beams, apart %v, %d tokens", width, apart, len(beams[0])-prompt)
				}
			}
			for _, b := range beams {
				c.drop(b)
			}
			if len(c.free) != len(c.refs) {
				t.Errorf("%d beams: %d of %d cells are free at the end", width, len(c.free), len(c.refs))
			}
		}
	}
}

// checkCells holds the counts and the free cells against the beams.
func checkCells(t *testing.T, c *cells, beams [][]int32) {
	t.Helper()
	refs := make([]int16, len(c.refs))
	for _, b := range beams {
		for _, id := range b {
			refs[id]++
		}
	}
	if !slices.Equal(refs, c.refs) {
		t.Error("the counts are not how many beams see a cell")
	}
	for _, id := range c.free {
		if refs[id] != 0 {
			t.Errorf("cell %d is free, and seen by %d or free twice", id, refs[id])
		}
		refs[id] = -1
	}
	for id, n := range refs {
		if n == 0 {
			t.Errorf("cell %d is lost", id)
		}
	}
}
