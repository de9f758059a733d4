package kernel

import "fmt"

// The checks panic where a slice is too short for what a kernel is asked to touch, so that assembly never leaves it.

func check(what string, have, want int) {
	if have < want {
		panic(fmt.Sprintf("kernel: %s has %d elements, not %d", what, have, want))
	}
}

// span is the number of elements from the first to the last of n lines of width elements each.
func span(n, stride, width int) int {
	if n <= 0 || width <= 0 {
		return 0
	}
	return (n-1)*stride + width
}

func natural(numbers ...int) {
	for _, n := range numbers {
		if n < 0 {
			panic("kernel: a size or a stride is negative")
		}
	}
}

func checkTile(c []float32, ldc int, a []float32, lda int, b []float32, kn, rows, panels int, bias []float32, ahead, mr, nr int) {
	natural(ldc, lda, kn, panels)
	if rows < 1 || rows > mr {
		panic(fmt.Sprintf("kernel: a tile of %d rows, not 1 to %d", rows, mr))
	}
	if panels > 0 {
		check("c", len(c), span(rows, ldc, panels*nr))
		checkBias(bias, ahead, panels*nr)
		check("a", len(a), span(rows, lda, kn))
		check("b", len(b), kn*panels*nr)
	}
}

// checkBias takes the columns of a tile.
func checkBias(bias []float32, ahead, columns int) {
	natural(ahead)
	if bias != nil {
		check("bias", len(bias), columns)
	}
}

// checkPack takes how many elements of src a number is.
func checkPack[T float32 | byte](dst []float32, src []T, stride, kn, nr, size int) {
	natural(stride, kn)
	check("dst", len(dst), kn*nr)
	check("src", len(src), span(nr, stride, kn*size))
}

// checkDot takes the size of a number in w.
func checkDot(y []float32, ys int, w []byte, ws int, x []float32, xs int, rows, cols, n, size int) {
	natural(ys, ws, xs, rows, cols, n)
	if n%32 != 0 {
		panic(fmt.Sprintf("kernel: rows of %d numbers, not a multiple of 32", n))
	}
	if rows > 0 && cols > 0 {
		check("y", len(y), span(cols, ys, rows))
		check("w", len(w), span(rows, ws, n*size))
		check("x", len(x), span(cols, xs, n))
	}
}

// checkDotInt takes the bytes of a block of w.
func checkDotInt(y []float32, ys int, w []byte, ws int, x []byte, xs, rows, cols, n, size int) {
	natural(ys, ws, xs, rows, cols, n)
	if n%block != 0 {
		panic(fmt.Sprintf("kernel: rows of %d numbers, not a multiple of %d", n, block))
	}
	if rows > 0 && cols > 0 {
		check("y", len(y), span(cols, ys, rows))
		check("w", len(w), span(rows, ws, n/block*size))
		check("x", len(x), span(cols, xs, QuantizedBytes(n)))
	}
}

func checkQuantize(dst []byte, x []float32) {
	if len(x)%block != 0 {
		panic(fmt.Sprintf("kernel: a row of %d numbers, not a multiple of %d", len(x), block))
	}
	check("dst", len(dst), QuantizedBytes(len(x)))
}

// checkWiden takes the numbers and the bytes of a block.
func checkWiden(dst []float32, src []byte, block, size int) {
	if len(dst)%block != 0 || len(src) != len(dst)/block*size {
		panic(fmt.Sprintf("kernel: %d numbers from %d bytes in blocks of %d from %d", len(dst), len(src), block, size))
	}
}

// headSize is the width of a row of keys or values.
const headSize = 64

func checkScoresRows(s []float32, ls int, q []float32, k []uint16, n int) {
	natural(ls, n)
	check("s", len(s), span(MaxQueries, ls, n))
	check("q", len(q), MaxQueries*headSize)
	check("k", len(k), n*headSize)
}

func checkMixRows(out []float32, lo int, p []float32, lp int, v []uint16, rows, n int) {
	natural(lo, lp, n)
	if rows < 1 || rows > MaxQueries {
		panic(fmt.Sprintf("kernel: %d queries, not 1 to %d", rows, MaxQueries))
	}
	check("out", len(out), span(rows, lo, headSize))
	check("p", len(p), span(MaxQueries, lp, n))
	check("v", len(v), n*headSize)
}

// checkCells looks at every cell, since an index from outside could point anywhere.
func checkCells(vec, per []float32, rows []uint16, cells []int32, n int) {
	natural(n)
	check("a head", len(vec), headSize)
	check("scores", len(per), n)
	if cells == nil {
		check("rows", len(rows), n*headSize)
		return
	}
	check("cells", len(cells), n)
	have := uint32(len(rows) / headSize)
	for _, c := range cells[:n] {
		if uint32(c) >= have {
			panic(fmt.Sprintf("kernel: cell %d of %d", c, have))
		}
	}
}

func checkNorm(dst, x, w, b []float32) {
	check("dst", len(dst), len(x))
	check("w", len(w), len(x))
	check("b", len(b), len(x))
}
