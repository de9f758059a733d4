//go:build !noasm

package kernel

// The integer dots of a rung, by ggml's type number.
var (
	dotsIntNEON = [16]dotBodies[byte]{
		2: {
			one:  []dotBody[byte]{dotQ4_0_1x1NEON},
			four: []dotBody[byte]{dotQ4_0_4x1NEON, dotQ4_0_4x2NEON, dotQ4_0_4x3NEON},
		},
		3: {
			one:  []dotBody[byte]{dotQ4_1_1x1NEON},
			four: []dotBody[byte]{dotQ4_1_4x1NEON, dotQ4_1_4x2NEON, dotQ4_1_4x3NEON},
		},
		6: {
			one:  []dotBody[byte]{dotQ5_0_1x1NEON},
			four: []dotBody[byte]{dotQ5_0_4x1NEON, dotQ5_0_4x2NEON, dotQ5_0_4x3NEON},
		},
		7: {
			one:  []dotBody[byte]{dotQ5_1_1x1NEON},
			four: []dotBody[byte]{dotQ5_1_4x1NEON, dotQ5_1_4x2NEON, dotQ5_1_4x3NEON},
		},
		8: {
			one:  []dotBody[byte]{dotQ8_0_1x1NEON},
			four: []dotBody[byte]{dotQ8_0_4x1NEON, dotQ8_0_4x2NEON, dotQ8_0_4x3NEON},
		},
	}
	dotsIntDOTPROD = [16]dotBodies[byte]{
		2: {
			one:  []dotBody[byte]{dotQ4_0_1x1DOTPROD},
			four: []dotBody[byte]{dotQ4_0_4x1DOTPROD, dotQ4_0_4x2DOTPROD, dotQ4_0_4x3DOTPROD},
		},
		3: {
			one:  []dotBody[byte]{dotQ4_1_1x1DOTPROD},
			four: []dotBody[byte]{dotQ4_1_4x1DOTPROD, dotQ4_1_4x2DOTPROD, dotQ4_1_4x3DOTPROD},
		},
		6: {
			one:  []dotBody[byte]{dotQ5_0_1x1DOTPROD},
			four: []dotBody[byte]{dotQ5_0_4x1DOTPROD, dotQ5_0_4x2DOTPROD, dotQ5_0_4x3DOTPROD},
		},
		7: {
			one:  []dotBody[byte]{dotQ5_1_1x1DOTPROD},
			four: []dotBody[byte]{dotQ5_1_4x1DOTPROD, dotQ5_1_4x2DOTPROD, dotQ5_1_4x3DOTPROD},
		},
		8: {
			one:  []dotBody[byte]{dotQ8_0_1x1DOTPROD},
			four: []dotBody[byte]{dotQ8_0_4x1DOTPROD, dotQ8_0_4x2DOTPROD, dotQ8_0_4x3DOTPROD},
		},
	}
)

// dotIntsARM returns Table.DotInt of a rung.
func dotIntsARM(bodies *[16]dotBodies[byte]) (dots [16]func(y []float32, ys int, w []byte, ws int, x []byte, xs, rows, cols, n int)) {
	for typ, f := range products {
		if f != nil {
			dots[typ] = dotInt(&bodies[typ], f.size)
		}
	}
	return dots
}

// dotInt returns DotInt for weights of a type whose blocks take size bytes.
func dotInt(d *dotBodies[byte], size int) func(y []float32, ys int, w []byte, ws int, x []byte, xs, rows, cols, n int) {
	return func(y []float32, ys int, w []byte, ws int, x []byte, xs, rows, cols, n int) {
		checkDotInt(y, ys, w, ws, x, xs, rows, cols, n, size)
		d.run(y, ys, w, ws, x, xs, rows, cols, n)
		if rows == 0 {
			return
		}
		for c := range cols {
			scaleNEON(y[c*ys:][:rows], scaleAt(x[c*xs+QuantizedBytes(n)-4:]))
		}
	}
}

func quantizeNEON(dst []byte, x []float32, split int) {
	checkQuantize(dst, x)
	if len(x) == 0 || split > 0 {
		quantizeGeneric(dst, x, split)
		return
	}
	quantize32NEON(&dst[0], &x[0], len(x))
}

//go:noescape
func quantize32NEON(dst *byte, x *float32, n int)
