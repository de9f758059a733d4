//go:build !noasm

package kernel

// native says how a rung's table is made from its parent's.
var native = map[string]func(Table) Table{
	"avx":        avx,
	"avx2":       avx2,
	"avxvnni":    avxVNNI,
	"avx512":     avx512,
	"avx512vnni": avx512VNNI,
}
