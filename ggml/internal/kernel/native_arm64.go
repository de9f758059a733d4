//go:build !noasm

package kernel

// native says how a rung's table is made from its parent's.
var native = map[string]func(Table) Table{"neon": neon, "dotprod": dotprod}

// dotprod returns the rung for processors with SDOT and UDOT, which are most since 2018.
func dotprod(t Table) Table {
	t.DotInt = dotIntsARM(&dotsIntDOTPROD)
	t.Products = productsDOTPROD()
	return t
}
