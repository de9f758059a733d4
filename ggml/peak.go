package ggml

import (
	"context"
	"errors"
	"time"

	"github.com/klauspost/cpuid/v2"
)

// CPUName returns what the processor calls itself, such as "AMD EPYC 7B13"; "" where it does not say.
func CPUName() string { return cpuid.CPU.BrandName }

// Peak is what a CPU reaches where nothing holds it up: the bounds of everything that runs on it.
type Peak struct {
	Ops   float64 // float32 operations a second, a multiply and an add counting as two
	Bytes float64 // bytes read from memory a second
}

const (
	peakTries  = 5
	peakTime   = 25 * time.Millisecond // of a try
	peakMemory = 150 << 20             // more than any cache holds
)

// Peak measures the CPU with the kernels of its rung and all its threads: register tiles whose operands stay in the first
// cache, and dots that read 150 MB. The best of five tries counts, since neighbours can only slow a try down; what they
// take for the whole third of a second that this lasts, they take from the result. The error is that of ctx.
func (c *CPU) Peak(ctx context.Context) (Peak, error) {
	var p Peak
	var err error
	if p.Ops, err = c.peakOps(ctx); err != nil {
		return Peak{}, err
	}
	p.Bytes, err = c.peakBytes(ctx)
	return p, err
}

// tileJob multiplies the same tile again and again, that of its worker.
type tileJob struct {
	c       *CPU
	depth   int
	repeats int
	a, b, y [][]float32
}

func (j *tileJob) run(worker, _ int) {
	t := j.c.tab
	for range j.repeats {
		t.Tile(j.y[worker], t.NR, j.a[worker], j.depth, j.b[worker], j.depth, t.MR, 1, nil, 0)
	}
}

func (c *CPU) peakOps(ctx context.Context) (float64, error) {
	const cache, chunk = 24 << 10, 1 << 22 // bytes of operands, operations a chunk
	t := c.tab
	j := &tileJob{c: c, depth: cache / 4 / (t.MR + t.NR)}
	for range c.pool.Threads() {
		j.a, j.b = append(j.a, pattern(t.MR*j.depth)), append(j.b, pattern(t.NR*j.depth))
		j.y = append(j.y, make([]float32, t.MR*t.NR))
	}
	tile := 2 * t.MR * t.NR * j.depth
	j.repeats = max(1, chunk/tile)
	return c.best(ctx, j, float64(j.repeats*tile), 0)
}

// readJob reads its chunk of memory once.
type readJob struct {
	c    *CPU
	w    []byte
	x    []float32
	sums [][]float32
}

const (
	readRow  = 1024 // floats
	readRows = 128  // rows a chunk
)

func (j *readJob) run(worker, i int) {
	const bytes = readRows * readRow * 4
	j.c.tab.DotF32(j.sums[worker], readRows, j.w[i*bytes:], readRow*4, j.x, readRow, readRows, 1, readRow)
}

func (c *CPU) peakBytes(ctx context.Context) (float64, error) {
	j := &readJob{c: c, w: make([]byte, peakMemory), x: make([]float32, readRow)}
	for i := range j.w {
		j.w[i] = byte(i & 63) // memory that was never written is one page of zeros
	}
	for range c.pool.Threads() {
		j.sums = append(j.sums, make([]float32, readRows))
	}
	const chunk = readRows * readRow * 4
	return c.best(ctx, j, chunk, peakMemory/chunk)
}

// best returns how much a second j does at its best, where a chunk does work. chunks is how many there are, or 0 for as
// many as one likes.
func (c *CPU) best(ctx context.Context, j job, work float64, chunks int) (float64, error) {
	repeat := chunks == 0
	if repeat {
		chunks = 8 * c.pool.Threads()
	}
	best := 0.0
	for range peakTries {
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		start := Now()
		c.pool.run(stage{j, chunks})
		spent := Now().Sub(start)
		if spent <= 0 {
			continue // the clock was set back
		}
		best = max(best, work*float64(chunks)/spent.Seconds())
		if repeat {
			chunks = max(chunks, int(best/work*peakTime.Seconds()))
		}
	}
	if best == 0 {
		return 0, errors.New("the clock does not move on")
	}
	return best, nil
}

// pattern is n numbers that are neither large nor all alike.
func pattern(n int) []float32 {
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(i%7-3) / 8
	}
	return x
}
