//go:build !noasm

package kernel

// native says how a rung's table is made from its parent's.
var native = map[string]func(Table) Table{"neon": neon}
