package ggml

// Tensor is a view of numbers somewhere else, most often in a mapped file. Data may start at any address: more than
// half of the tensors of a published file lie at odd offsets.
type Tensor struct {
	Name string
	Type Type
	Dims []int // ggml's order: fastest first
	Data []byte
}

// Len returns the number of elements.
func (t Tensor) Len() int {
	n := 1
	for _, d := range t.Dims {
		n *= d
	}
	return n
}

// Cols returns the length of a row, the fastest dimension; 1 for a scalar.
func (t Tensor) Cols() int {
	if len(t.Dims) == 0 {
		return 1
	}
	return t.Dims[0]
}

// Rows returns the number of rows.
func (t Tensor) Rows() int {
	n := 1
	for _, d := range t.Dims[min(1, len(t.Dims)):] {
		n *= d
	}
	return n
}

// Row returns the bytes of row i.
func (t Tensor) Row(i int) []byte {
	n := t.Type.Bytes(t.Cols())
	return t.Data[i*n : (i+1)*n]
}
