package model

import "math/bits"

// Stats count what the decoder of a Model has done since it was opened.
type Stats struct {
	Steps uint64 // how often the weights were read for a token of each sequence
	Rows  uint64 // tokens that those steps took in, prompts left out

	// Sizes is how many of the steps took 1, 2, 3 to 4, 5 to 8, 9 to 16, 17 to 32, 33 to 64 and more rows.
	Sizes [8]uint64
}

// Stats returns the counts of this moment.
func (m *Model) Stats() Stats {
	m.turns.mu.Lock()
	defer m.turns.mu.Unlock()
	return m.turns.stats
}

// count adds a step of that many rows, at least 1.
func (s *Stats) count(rows int) {
	s.Steps++
	s.Rows += uint64(rows)
	s.Sizes[min(bits.Len(uint(rows-1)), len(s.Sizes)-1)]++
}
