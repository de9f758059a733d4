//go:build !noasm

package kernel

import "unsafe"

// tileBody is Table.Tile for one number of rows.
type tileBody func(c *float32, ldc int, a *float32, lda int, b *float32, kn, panels int, bias *float32, ahead int)

// dotBody is Table.DotF32, Table.DotF16 or Table.DotInt for groups of one number of rows, times one number of columns. Columns are X.
// Results of a row lie yr apart; a group begins yn numbers and wn bytes behind the one before.
type dotBody[X float32 | byte] func(y *float32, ys, yr int, w *byte, ws int, x *X, xs int, n, groups, yn, wn int)

// dotBodies are all bodies of a type of weights.
type dotBodies[X float32 | byte] struct {
	one  dotBody[X] // 1 × 1
	rows []int      // rows of the body for 1, 2, … columns
	cols []dotBody[X]

	// apart says that the rows which a body takes at once are as far from each other as can be, each in a part of its own. A processor of AMD
	// fetches ahead within the small page that it reads from: so it is four pages that it fetches from, and its memory gives a third more than for rows
	// that follow each other, whatever is prefetched. One of Intel's gives 5 % less. Rows of few bytes take longer to multiply than to read: they follow
	// each other, and their bodies prefetch, as those of AVX-512 do.
	apart bool
}

const (
	// dotGroup is how many bytes of weights stay in the first cache while all columns pass by.
	dotGroup = 16 << 10
)

// run multiplies all rows with all columns. Every body has one sum of the same lanes for each (row, column), and adds the
// lanes in the same order. size is that of a row in bytes.
func (d *dotBodies[X]) run(y []float32, ys int, w []byte, ws int, px unsafe.Pointer, xs int, rows, cols, n, size int) {
	if rows == 0 || cols == 0 {
		return
	}
	if n == 0 {
		for c := range cols {
			clear(y[c*ys:][:rows])
		}
		return
	}
	pw, line := unsafe.Pointer(unsafe.SliceData(w)), xs*int(unsafe.Sizeof(*new(X)))
	group, most := rows, len(d.cols)
	if cols > most {
		group = min(rows, max(1, dotGroup/(4*size))*4)
	}
	passes := (cols + most - 1) / most
	for from := 0; from < rows; from += group {
		to := min(from+group, rows)
		for pass, c := 0, 0; pass < passes; pass++ {
			wide := (cols - c + passes - pass - 1) / (passes - pass)
			at, step := (*X)(unsafe.Add(px, c*line)), d.rows[wide-1]
			whole := (to - from) / step
			next, apart := step, 1
			if d.apart {
				next, apart = 1, whole
			}
			if whole > 0 {
				d.cols[wide-1](&y[c*ys+from], ys, apart, (*byte)(unsafe.Add(pw, from*ws)), apart*ws, at, xs, n, whole, next, next*ws)
			}
			if r := from + whole*step; r < to {
				for i := range wide {
					d.one(&y[(c+i)*ys+r], ys, 1, (*byte)(unsafe.Add(pw, r*ws)), ws, (*X)(unsafe.Add(px, (c+i)*line)), xs, n, to-r, 1, ws)
				}
			}
			c += wide
		}
	}
}

var tilesAVX = [...]tileBody{tile1AVX, tile2AVX, tile3AVX, tile4AVX, tile5AVX, tile6AVX}

var (
	dotsF32AVX = dotBodies[float32]{
		apart: true,
		one:   dotF321x1AVX,
		rows:  []int{4, 4, 2, 2, 2, 2},
		cols:  []dotBody[float32]{dotF324x1AVX, dotF324x2AVX, dotF322x3AVX, dotF322x4AVX, dotF322x5AVX, dotF322x6AVX},
	}
	dotsF16AVX = dotBodies[float32]{
		apart: true,
		one:   dotF161x1AVX,
		rows:  []int{4, 4, 2, 2, 2, 2},
		cols:  []dotBody[float32]{dotF164x1AVX, dotF164x2AVX, dotF162x3AVX, dotF162x4AVX, dotF162x5AVX, dotF162x6AVX},
	}
)

var tilesAVX2 = [...]tileBody{tile1AVX2, tile2AVX2, tile3AVX2, tile4AVX2, tile5AVX2, tile6AVX2}

var (
	dotsF32AVX2 = dotBodies[float32]{
		apart: true,
		one:   dotF321x1AVX2,
		rows:  []int{4, 4, 4, 2, 2, 2},
		cols:  []dotBody[float32]{dotF324x1AVX2, dotF324x2AVX2, dotF324x3AVX2, dotF322x4AVX2, dotF322x5AVX2, dotF322x6AVX2},
	}
	dotsF16AVX2 = dotBodies[float32]{
		apart: true,
		one:   dotF161x1AVX2,
		rows:  []int{4, 4, 4, 2, 2, 2},
		cols:  []dotBody[float32]{dotF164x1AVX2, dotF164x2AVX2, dotF164x3AVX2, dotF162x4AVX2, dotF162x5AVX2, dotF162x6AVX2},
	}
)

var tilesAVX512 = [...]tileBody{
	tile1AVX512, tile2AVX512, tile3AVX512, tile4AVX512, tile5AVX512, tile6AVX512,
	tile7AVX512, tile8AVX512, tile9AVX512, tile10AVX512, tile11AVX512, tile12AVX512,
}

var (
	dotsF32AVX512 = dotBodies[float32]{
		one:  dotF321x1AVX512,
		rows: []int{4, 4, 4, 4, 4, 4},
		cols: []dotBody[float32]{
			dotF324x1AVX512, dotF324x2AVX512, dotF324x3AVX512, dotF324x4AVX512, dotF324x5AVX512, dotF324x6AVX512,
		},
	}
	dotsF16AVX512 = dotBodies[float32]{
		one:  dotF161x1AVX512,
		rows: []int{4, 4, 4, 4, 4, 4},
		cols: []dotBody[float32]{
			dotF164x1AVX512, dotF164x2AVX512, dotF164x3AVX512, dotF164x4AVX512, dotF164x5AVX512, dotF164x6AVX512,
		},
	}
)
