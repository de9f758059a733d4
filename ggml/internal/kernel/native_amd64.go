//go:build !noasm

package kernel

// native lists the rungs above generic, the weakest first.
var native []rung
