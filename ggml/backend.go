package ggml

import "context"

// HeadSize is the width of one attention head, the same in every Whisper model.
const HeadSize = 64

// A Backend runs Whisper's steps on one device. It speaks of the steps the model takes, not of tensors in general:
// package model is written once on top of it, the CPU fuses inside an operation, and a GPU may record the operations of
// a decoder step once for each number of rows and replay them. For that reason positions, cells and slots of a step lie in
// Buffers and are never arguments.
//
// Operations are queued in order and may return before they are done; Read, Pick and Err wait. An operation that fails makes
// the backend keep the error, which the next Read, Pick or Err returns; whatever was queued after it has no effect.
// A Backend is used by one goroutine at a time.
type Backend interface {
	// Device names what computes, for people: "CPU avx2, 2 threads".
	Device() string

	// Weight takes in a tensor of one to three dimensions and any type. The tensor's bytes must stay readable until
	// Close: the CPU computes straight from them.
	Weight(Tensor) (Weight, error)

	// Floats and Ints reserve zeroed memory for n elements.
	Floats(n int) (Buffer, error)
	Ints(n int) (Buffer, error)

	// Cache reserves memory for keys and values. Memory of a slot that was never written costs nothing.
	Cache(CacheShape) (Cache, error)

	// Write and WriteInts copy src to dst from element off on. src may be reused when they return.
	Write(dst Buffer, off int, src []float32)
	WriteInts(dst Buffer, off int, src []int32)

	// Read waits for all that was queued and copies len(dst) elements of src from element off on.
	Read(ctx context.Context, dst []float32, src Buffer, off int) error

	Conv(Conv)
	Norm(Norm)
	Linear(Linear)
	SelfAttend(SelfAttend)
	Embed(Embed)
	Store(Store)
	Attend(Attend)

	// Pick multiplies, filters and ranks; see Pick. It fills one Picked for each row of p.X.
	Pick(ctx context.Context, p Pick, dst []Picked) error

	// Err waits for all that was queued and returns its first error.
	Err() error

	// Close waits for the queue and gives the device's memory back. It does not close what the caller handed in (a
	// Pool, the file behind the weights).
	Close() error
}

// Buffer is memory of a device. A nil Buffer stands for "none".
type Buffer interface {
	Len() int // elements
}

// Weight is a tensor that a Backend has taken in. A nil Weight stands for "none".
type Weight interface {
	Rows() int // slowest dimension: outputs of a linear layer, tokens of an embedding; 1 for a vector
	Cols() int // elements of a row
}

// Cache holds keys and values: Slots sequences' worth of Cells cells, each with all heads, for every layer.
type Cache interface {
	Shape() CacheShape
}

// CacheShape says how large a Cache is.
type CacheShape struct{ Layers, Heads, Slots, Cells int }

// Mat is a matrix of float32 in a Buffer: row r starts at element Off + r·Stride.
type Mat struct {
	Buf                Buffer
	Off                int
	Rows, Cols, Stride int
}

// View returns a dense matrix of rows × cols at the start of b.
func View(b Buffer, rows, cols int) Mat { return Mat{Buf: b, Rows: rows, Cols: cols, Stride: cols} }

// RowGap is how many numbers should lie between the rows of a matrix of activations. Without a gap, rows of 4 KB and its multiples would all
// fall on the same lines of a CPU's first cache, and products wait for them.
const RowGap = 16

// Spaced returns a matrix of rows × cols from element off of b on, with a RowGap behind each row. It takes SpacedLen elements.
func Spaced(b Buffer, off, rows, cols int) Mat {
	return Mat{Buf: b, Off: off, Rows: rows, Cols: cols, Stride: cols + RowGap}
}

// SpacedLen is the number of elements of a Spaced matrix.
func SpacedLen(rows, cols int) int { return rows * (cols + RowGap) }

// overlaps reports whether m and o may have a number in common.
func (m Mat) overlaps(o Mat) bool {
	a, b := m.slice(), o.slice()
	if len(a) == 0 || len(b) == 0 || &m.Buf.(floats)[0] != &o.Buf.(floats)[0] {
		return false
	}
	if m.Off > o.Off {
		m, o = o, m
	}
	between := o.Off - m.Off // rows of equal stride may lie beside each other
	beside := m.Stride == o.Stride && between%m.Stride >= m.Cols && between%m.Stride+o.Cols <= m.Stride
	return !beside && between < len(m.slice())
}

// Sub returns rows [from, from+n) of m.
func (m Mat) Sub(from, n int) Mat {
	m.Off += from * m.Stride
	m.Rows = n
	return m
}

// A Regime says what may be assumed of the rows of an operation.
type Regime uint8

const (
	// Step: few rows, of any mix of sequences. A row's result has the same bits whichever and however many rows stand
	// beside it, and on any number of threads.
	Step Regime = iota

	// Window: many rows of one sequence, which always come together (an encoder window, a prompt). The device may
	// choose another order of summation than in a Step; the result still does not depend on the number of threads.
	Window
)

// Conv is a convolution over time with kernel 3, padding 1 and a GELU behind it:
//
//	Dst[t][o] = gelu(Bias[o] + Σ_{i,c} X[t·Stride + i − 1][c] · W[o][c][i]) (+ Add[t][o])
//
// X is [frames][channels], and what lies between its rows must be finite; rows before the first and behind the last count as zero.
// Dst has (frames−1)/Stride + 1 rows. W is a tensor of shape [out][channels][3] (ggml order 3, channels, out). Add may be
// nil, or have more rows than Dst.
type Conv struct {
	Dst, X Mat
	W      Weight
	Bias   Weight
	Stride int // 1 or 2
	Add    Weight
}

// Norm is a layer norm of each row with population variance and ε = 1e−5: Dst = (X−mean)/√(var+ε)·W + B. Where Add has a
// buffer it is added to X first, which keeps the sum. Dst may be X or Add.
type Norm struct {
	Dst, X, Add Mat
	W, B        Weight
}

// Linear is Dst[r][n] = f(Σ_k X[r][k]·W[n][k] + Bias[n]), f being GELU in its erf form or nothing. Dst must not overlap X. Those of
// one X are cheaper one behind the other.
type Linear struct {
	Dst, X Mat
	W      Weight
	Bias   Weight // nil: none
	GELU   bool
	Regime Regime
}

// SelfAttend is the encoder's attention: for each head h of Heads, with q, k, v the columns [64h, 64h+64) of Q, K, V,
// Dst = softmax(q·kᵀ/√64)·v over exactly K.Rows keys. Dst may be Q.
type SelfAttend struct {
	Dst, Q, K, V Mat
	Heads        int
}

// Embed is Dst[r] = Tokens[r]'s row of W + Positions[r]'s row of Pos.
type Embed struct {
	Dst               Mat
	W, Pos            Weight
	Tokens, Positions Buffer // ints, a row each
}

// Store puts the keys and values of each row into cell Cells[r] of slot Slots[r].
type Store struct {
	Cache        Cache
	Layer        int
	K, V         Mat    // [rows][heads·64]
	Slots, Cells Buffer // ints, a row each
}

// Attend is attention of rows over a Cache: row r sees Counts[r] cells of slot Slots[r], namely the first ones of the
// slot where Cells is nil, else Cells[r·Span], … Cells[r·Span + Counts[r] − 1]. The order of the cells is the order of
// summation. Dst[r] = softmax(q·kᵀ/√64)·v for each head. Dst may be Q.
type Attend struct {
	Dst, Q Mat
	Cache  Cache
	Layer  int
	Slots  Buffer // ints, a row each
	Counts Buffer // ints, a row each
	Cells  Buffer // ints, Span a row, or nil
	Span   int
	Regime Regime
}

// Pick multiplies rows by the token embedding and ranks what comes out, so that a device needs to hand back a few
// numbers a row instead of the whole vocabulary.
type Pick struct {
	X       Mat      // [rows][state]
	W       Weight   // [vocabulary][state]
	Filters []Filter // one a row
	K       int      // candidates wanted a row, at least 1
}

// Filter says which tokens a row may take. It is data and never a callback, so that a device can apply it.
// The steps are those of whisper.cpp's logit filters, in this order: the logits are divided by Temperature (if above 0);
// ids in Mask are removed; then the rules below; log-softmax over what is left; then Mass.
type Filter struct {
	// Mask has a bit for each id (id/64, id%64); a set bit removes it. nil removes none.
	Mask []uint64

	// EOT and Beg bound the classes of ids: text is [0, EOT), timestamps are [Beg, …).
	EOT, Beg int32

	NoText bool // remove text
	NoTime bool // remove timestamps

	// TimeFrom and TimeTo are the first and the last timestamp id that may come: others are removed. 0, 0 sets no bounds.
	TimeFrom, TimeTo int32

	// Mass removes every id below Beg when the timestamps together are likelier than the likeliest of those ids.
	// Log probabilities are not normalised again.
	Mass bool

	Temperature float32

	// Sample asks for one candidate drawn at random in place of the likeliest: the first id at which the sum of the
	// probabilities that are left, in the order of the ids, exceeds Draw, in [0, 1), times all of them.
	Sample bool
	Draw   float64

	// Probe is an id whose probability before any filter is wanted, where Probing is set: that of "no speech" at the start
	// token.
	Probing bool
	Probe   int32
}

// Picked is what a row may take next, the likeliest first; equal ones in the order of their ids.
type Picked struct {
	Candidates []Candidate // at most K; the slice is reused

	// Time is the likeliest timestamp that was not removed, the first of equal ones, TimeP its share of TimeSum, and TimeSum
	// the probability of all timestamps that were not removed; 0 where there is none. Mass does not change them.
	Time           int32
	TimeP, TimeSum float32

	Probe float32 // probability of Filter.Probe in the unfiltered logits
}

// Candidate is a token and its log probability after the filters.
type Candidate struct {
	ID      int32
	LogProb float32
}
