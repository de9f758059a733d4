// Package kernel holds the inner loops of package ggml, once in plain Go and again in assembly for each rung of
// instruction sets. A rung is a value, a [Table]; [Tables] lists those this CPU can run, so that tests, fuzzers and
// benchmarks loop over them.
//
// Every function checks the lengths of its slices and panics where they are too short: that is a bug of the caller. Slices
// may start at any address. A call takes at most about 100 µs with the sizes that package ggml passes, because the
// runtime cannot preempt assembly. Nothing here allocates.
package kernel

// Table is one rung: a name and a body for each kernel. A rung starts as a copy of its parent's table and replaces what
// it does better.
type Table struct {
	Name string // what WHISPER_ISA calls it: generic, avx2, avx512, neon

	// MR and NR are the rows and columns of the register tile of Tile. NR is the width of a panel.
	MR, NR int

	// Tile multiplies up to MR rows with consecutive panels:
	//
	//	c[r·ldc + p·NR + j] = bias[p·NR + j] + Σ_k a[r·lda + k] · b[(p·kn + k)·NR + j]   for r < rows, p < panels, j < NR
	//
	// that is, panel p is the kn × NR floats at b[p·kn·NR]. bias may be nil, for zeros. 1 ≤ rows ≤ MR. The sum runs over k from 0 up in one
	// chain for each (r, column), so that a value does not depend on rows or panels. ahead is how many rows behind those of the tile are
	// multiplied next: a rung may fetch them meanwhile, wherever they lie.
	Tile func(c []float32, ldc int, a []float32, lda int, b []float32, kn, rows, panels int, bias []float32, ahead int)

	// Pack transposes NR rows of kn floats into a panel: dst[k·NR + j] = src[j·stride + k].
	Pack func(dst, src []float32, stride, kn int)

	// PackF16 is Pack of halves as they are stored, a row every stride bytes of src; nil where this rung has no body. It may fetch the rows
	// behind.
	PackF16 func(dst []float32, src []byte, stride, kn int)

	// DotF32 and DotF16 multiply rows of weights with columns of activations:
	//
	//	y[c·ys + r] = Σ_k w_r[k] · x[c·xs + k]   for r < rows, c < cols
	//
	// w_r starts at byte r·ws of w. n is a multiple of 32. The bits of a value depend on its row and its column alone, not on
	// rows, cols or the place in the call.
	DotF32 func(y []float32, ys int, w []byte, ws int, x []float32, xs int, rows, cols, n int)
	DotF16 func(y []float32, ys int, w []byte, ws int, x []float32, xs int, rows, cols, n int)

	// Quantize rounds a row of activations to what DotInt multiplies: len(x) is a multiple of 32, and dst holds
	// [QuantizedBytes]. Split by 32 or 64, the even numbers of each so many come before the odd ones, and a last 32 are split by
	// themselves; 0 splits nothing. Split says by how many DotInt wants a row to be split, by ggml's number of the weights' type.
	// A row with a number that is not finite has no finite products.
	Quantize func(dst []byte, x []float32, split int)
	Split    [16]int

	// DotInt is DotF16 for quantised weights, by ggml's type number; nil where this rung has no body. A column is a row that
	// Quantize has rounded, split as Split says; xs is in bytes. The integers of a block are exact, and the sum over blocks keeps the promise of
	// DotF16.
	DotInt [16]func(y []float32, ys int, w []byte, ws int, x []byte, xs int, rows, cols, n int)

	// Widen turns stored numbers into float32, by ggml's type number; nil where this rung has no body. len(dst) is a
	// multiple of the type's block, and src holds exactly as many blocks. The values are those of the reference
	// dequantiser to the bit.
	Widen [16]func(dst []float32, src []byte)

	// Products are the ways to multiply a window of rows with weights of a type, by ggml's type number, that do not turn
	// them into float32; nil where this rung has none.
	Products [16]*Product

	// Narrow rounds to half precision, to nearest even: dst[i] = half(src[i]).
	Narrow func(dst []uint16, src []float32)

	// Max returns the largest of x, which is not empty and holds no NaN.
	Max func(x []float32) float32

	// Exp2Sum replaces x[i] by 2^(x[i]−m) and returns the sum. x[i] ≤ m; results below 2^−125 are 0 or the like. Within 2 ulp.
	Exp2Sum func(x []float32, m float32) float32

	// Scale multiplies x by s. Add adds x to dst.
	Scale func(x []float32, s float32)
	Add   func(dst, x []float32)

	// GELU replaces x[i] by x/2·(1 + erf(x/√2)), within 2e−6 absolutely.
	GELU func(x []float32)

	// Norm is a layer norm of one row: dst = (x−mean)/√(var+1e−5)·w + b, two passes, population variance. dst may be x.
	Norm func(dst, x, w, b []float32)

	// Scores gives the product of one query with the keys of n cells: s[i] = Σ_d q[d]·k[64·cell(i) + d], d < 64, where cell(i)
	// is cells[i], or i if cells is nil. k holds halves. Mix is the other half of attention:
	// out[d] = Σ_i p[i]·v[64·cell(i) + d], the sum running over i from 0 up. n may be 0.
	Scores func(s, q []float32, k []uint16, cells []int32, n int)
	Mix    func(out, p []float32, v []uint16, cells []int32, n int)

	// ScoresRows and MixRows are Scores and Mix of 1 to MaxQueries queries that see the first n cells, to the bit: s[r·ls + i] is the score of the query at
	// q[64·r] with cell i, and out[r·lo + d] is mixed by the weights at p[r·lp]. q, s and p have MaxQueries rows in any case; what the others of s become means
	// nothing. nil where this rung has no bodies.
	ScoresRows func(s []float32, ls int, q []float32, k []uint16, n int)
	MixRows    func(out []float32, lo int, p []float32, lp int, v []uint16, rows, n int)
}

// MaxQueries is how many queries ScoresRows and MixRows take, which is how many beams a search has by default.
const MaxQueries = 5
