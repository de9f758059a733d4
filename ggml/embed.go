package ggml

import "fmt"

// Embed implements Backend.
func (c *CPU) Embed(e Embed) {
	w, pos := e.W.(*weight), e.Pos.(*weight)
	tokens, positions := e.Tokens.(ints), e.Positions.(ints)
	n := e.Dst.Cols
	if w.cols != n || pos.cols != n {
		panic(fmt.Sprintf("ggml: embed: rows of %d from tokens of %d and positions of %d", n, w.cols, pos.cols))
	}
	c.flush()
	dst, s := e.Dst.slice(), &c.scratch[0]
	grow(&s.line, n)
	for r := range e.Dst.Rows {
		line := dst[r*e.Dst.Stride:][:n]
		c.widenRow(w, line, int(tokens[r]), 0)
		c.widenRow(pos, s.line[:n], int(positions[r]), 0)
		c.tab.Add(line, s.line[:n])
	}
}
