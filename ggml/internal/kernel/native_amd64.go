//go:build !noasm

package kernel

// native lists the rungs above generic, the weakest first.
var native = []rung{{"avx2", avx2}, {"avx512", avx512}}
