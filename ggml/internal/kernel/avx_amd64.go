//go:build !noasm

package kernel

// avx is the rung of Sandy Bridge: AVX without what came later.
func avx(t Table) Table {
	return t
}
