package kernel

// Product is a way to multiply many rows of activations with weights of one stored type: rows and weights are brought into
// layouts of its own, which its tile multiplies. Depths (kn) are multiples of 32.
type Product struct {
	MR int // rows of the tile; a panel has Table.NR columns, and MR is no more than Table.MR

	// RowBytes and PanelBytes are the sizes of an encoded row and of a panel.
	RowBytes, PanelBytes func(kn int) int

	// Encode rounds a row of activations to what the tile reads: dst has RowBytes(len(x)) bytes. The numbers are the same on
	// every rung where all activations are finite, and in one layout so are the bytes; a NaN or an infinity makes NaNs or infinities of all sums of the row.
	Encode func(dst []byte, x []float32)

	// Pack makes a panel of rows weights, of which row j starts at byte j·stride of w; columns from rows up to NR become zero.
	// The panel's bytes are those of every other rung of the same layout and NR, 1 ≤ rows ≤ NR.
	Pack func(dst, w []byte, stride, kn, rows int)

	// Tile is Table.Tile of encoded rows, a row every lda bytes, and packed panels, one behind the other; lda is a multiple
	// of 4. What is summed in whole numbers is exact, so that rungs differ only in the roundings of the float32 sums of
	// blocks; the order of those does not depend on rows or panels.
	Tile func(c []float32, ldc int, a []byte, lda int, b []byte, kn, rows, panels int, bias []float32, ahead int)
}
