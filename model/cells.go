package model

// cells hands out the cells of a session's slot in the self cache. Sequences that share a beginning share its cells, so a
// cell is counted once for each sequence that sees it, and a beam is copied without copying keys or values.
type cells struct {
	refs []int16
	free []int32 // the next one last
}

// reset frees all of n cells; they are handed out from 0 up.
func (c *cells) reset(n int) {
	if len(c.refs) != n {
		c.refs, c.free = make([]int16, n), make([]int32, 0, n)
	}
	clear(c.refs)
	c.free = c.free[:0]
	for i := n - 1; i >= 0; i-- {
		c.free = append(c.free, int32(i))
	}
}

// take hands out a cell for one sequence.
func (c *cells) take() int32 {
	i := c.free[len(c.free)-1]
	c.free = c.free[:len(c.free)-1]
	c.refs[i] = 1
	return i
}

// share counts one more sequence for each of the cells.
func (c *cells) share(ids []int32) {
	for _, i := range ids {
		c.refs[i]++
	}
}

// drop counts one sequence less for each of the cells.
func (c *cells) drop(ids []int32) {
	for _, i := range ids {
		if c.refs[i]--; c.refs[i] == 0 {
			c.free = append(c.free, i)
		}
	}
}
