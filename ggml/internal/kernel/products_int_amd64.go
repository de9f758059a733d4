//go:build !noasm

package kernel

// The integer dots of avx2.
var (
	dotsQ4_0AVX2 = dotBodies[byte]{
		one:  dotQ4_0_1x1AVX2,
		rows: []int{4, 4, 2, 2, 2},
		cols: []dotBody[byte]{dotQ4_0_4x1AVX2, dotQ4_0_4x2AVX2, dotQ4_0_2x3AVX2, dotQ4_0_2x4AVX2, dotQ4_0_2x5AVX2},
	}
	dotsQ4_1AVX2 = dotBodies[byte]{
		one:  dotQ4_1_1x1AVX2,
		rows: []int{4, 4, 2, 2, 2},
		cols: []dotBody[byte]{dotQ4_1_4x1AVX2, dotQ4_1_4x2AVX2, dotQ4_1_2x3AVX2, dotQ4_1_2x4AVX2, dotQ4_1_2x5AVX2},
	}
	dotsQ5_0AVX2 = dotBodies[byte]{
		one:  dotQ5_0_1x1AVX2,
		rows: []int{4, 4, 2, 2, 2},
		cols: []dotBody[byte]{dotQ5_0_4x1AVX2, dotQ5_0_4x2AVX2, dotQ5_0_2x3AVX2, dotQ5_0_2x4AVX2, dotQ5_0_2x5AVX2},
	}
	dotsQ5_1AVX2 = dotBodies[byte]{
		one:  dotQ5_1_1x1AVX2,
		rows: []int{4, 4, 2, 2, 2},
		cols: []dotBody[byte]{dotQ5_1_4x1AVX2, dotQ5_1_4x2AVX2, dotQ5_1_2x3AVX2, dotQ5_1_2x4AVX2, dotQ5_1_2x5AVX2},
	}
	dotsQ8_0AVX2 = dotBodies[byte]{
		one:  dotQ8_0_1x1AVX2,
		rows: []int{4, 4, 2, 2, 2},
		cols: []dotBody[byte]{dotQ8_0_4x1AVX2, dotQ8_0_4x2AVX2, dotQ8_0_2x3AVX2, dotQ8_0_2x4AVX2, dotQ8_0_2x5AVX2},
	}
)

// The integer dots of avxvnni.
var (
	dotsQ4_0AVXVNNI = dotBodies[byte]{
		one:  dotQ4_0_1x1AVXVNNI,
		rows: []int{4, 4, 2, 2, 2},
		cols: []dotBody[byte]{dotQ4_0_4x1AVXVNNI, dotQ4_0_4x2AVXVNNI, dotQ4_0_2x3AVXVNNI, dotQ4_0_2x4AVXVNNI, dotQ4_0_2x5AVXVNNI},
	}
	dotsQ4_1AVXVNNI = dotBodies[byte]{
		one:  dotQ4_1_1x1AVXVNNI,
		rows: []int{4, 4, 2, 2, 2},
		cols: []dotBody[byte]{dotQ4_1_4x1AVXVNNI, dotQ4_1_4x2AVXVNNI, dotQ4_1_2x3AVXVNNI, dotQ4_1_2x4AVXVNNI, dotQ4_1_2x5AVXVNNI},
	}
	dotsQ5_0AVXVNNI = dotBodies[byte]{
		one:  dotQ5_0_1x1AVXVNNI,
		rows: []int{4, 4, 2, 2, 2},
		cols: []dotBody[byte]{dotQ5_0_4x1AVXVNNI, dotQ5_0_4x2AVXVNNI, dotQ5_0_2x3AVXVNNI, dotQ5_0_2x4AVXVNNI, dotQ5_0_2x5AVXVNNI},
	}
	dotsQ5_1AVXVNNI = dotBodies[byte]{
		one:  dotQ5_1_1x1AVXVNNI,
		rows: []int{4, 4, 2, 2, 2},
		cols: []dotBody[byte]{dotQ5_1_4x1AVXVNNI, dotQ5_1_4x2AVXVNNI, dotQ5_1_2x3AVXVNNI, dotQ5_1_2x4AVXVNNI, dotQ5_1_2x5AVXVNNI},
	}
	dotsQ8_0AVXVNNI = dotBodies[byte]{
		one:  dotQ8_0_1x1AVXVNNI,
		rows: []int{4, 4, 2, 2, 2},
		cols: []dotBody[byte]{dotQ8_0_4x1AVXVNNI, dotQ8_0_4x2AVXVNNI, dotQ8_0_2x3AVXVNNI, dotQ8_0_2x4AVXVNNI, dotQ8_0_2x5AVXVNNI},
	}
)

// The integer dots of avx512.
var (
	dotsQ4_0AVX512 = dotBodies[byte]{
		one:  dotQ4_0_1x1AVX512,
		rows: []int{4, 4, 4, 4, 4, 4},
		cols: []dotBody[byte]{dotQ4_0_4x1AVX512, dotQ4_0_4x2AVX512, dotQ4_0_4x3AVX512, dotQ4_0_4x4AVX512, dotQ4_0_4x5AVX512, dotQ4_0_4x6AVX512},
	}
	dotsQ4_1AVX512 = dotBodies[byte]{
		one:  dotQ4_1_1x1AVX512,
		rows: []int{4, 4, 4, 4, 4, 4},
		cols: []dotBody[byte]{dotQ4_1_4x1AVX512, dotQ4_1_4x2AVX512, dotQ4_1_4x3AVX512, dotQ4_1_4x4AVX512, dotQ4_1_4x5AVX512, dotQ4_1_4x6AVX512},
	}
	dotsQ5_0AVX512 = dotBodies[byte]{
		one:  dotQ5_0_1x1AVX512,
		rows: []int{4, 4, 4, 4, 4, 4},
		cols: []dotBody[byte]{dotQ5_0_4x1AVX512, dotQ5_0_4x2AVX512, dotQ5_0_4x3AVX512, dotQ5_0_4x4AVX512, dotQ5_0_4x5AVX512, dotQ5_0_4x6AVX512},
	}
	dotsQ5_1AVX512 = dotBodies[byte]{
		one:  dotQ5_1_1x1AVX512,
		rows: []int{4, 4, 4, 4, 4, 4},
		cols: []dotBody[byte]{dotQ5_1_4x1AVX512, dotQ5_1_4x2AVX512, dotQ5_1_4x3AVX512, dotQ5_1_4x4AVX512, dotQ5_1_4x5AVX512, dotQ5_1_4x6AVX512},
	}
	dotsQ8_0AVX512 = dotBodies[byte]{
		one:  dotQ8_0_1x1AVX512,
		rows: []int{4, 4, 4, 4, 4, 4},
		cols: []dotBody[byte]{dotQ8_0_4x1AVX512, dotQ8_0_4x2AVX512, dotQ8_0_4x3AVX512, dotQ8_0_4x4AVX512, dotQ8_0_4x5AVX512, dotQ8_0_4x6AVX512},
	}
)

// The integer dots of avx512vnni.
var (
	dotsQ4_0AVX512VNNI = dotBodies[byte]{
		one:  dotQ4_0_1x1AVX512VNNI,
		rows: []int{4, 4, 4, 4, 4, 4},
		cols: []dotBody[byte]{dotQ4_0_4x1AVX512VNNI, dotQ4_0_4x2AVX512VNNI, dotQ4_0_4x3AVX512VNNI, dotQ4_0_4x4AVX512VNNI, dotQ4_0_4x5AVX512VNNI, dotQ4_0_4x6AVX512VNNI},
	}
	dotsQ4_1AVX512VNNI = dotBodies[byte]{
		one:  dotQ4_1_1x1AVX512VNNI,
		rows: []int{4, 4, 4, 4, 4, 4},
		cols: []dotBody[byte]{dotQ4_1_4x1AVX512VNNI, dotQ4_1_4x2AVX512VNNI, dotQ4_1_4x3AVX512VNNI, dotQ4_1_4x4AVX512VNNI, dotQ4_1_4x5AVX512VNNI, dotQ4_1_4x6AVX512VNNI},
	}
	dotsQ5_0AVX512VNNI = dotBodies[byte]{
		one:  dotQ5_0_1x1AVX512VNNI,
		rows: []int{4, 4, 4, 4, 4, 4},
		cols: []dotBody[byte]{dotQ5_0_4x1AVX512VNNI, dotQ5_0_4x2AVX512VNNI, dotQ5_0_4x3AVX512VNNI, dotQ5_0_4x4AVX512VNNI, dotQ5_0_4x5AVX512VNNI, dotQ5_0_4x6AVX512VNNI},
	}
	dotsQ5_1AVX512VNNI = dotBodies[byte]{
		one:  dotQ5_1_1x1AVX512VNNI,
		rows: []int{4, 4, 4, 4, 4, 4},
		cols: []dotBody[byte]{dotQ5_1_4x1AVX512VNNI, dotQ5_1_4x2AVX512VNNI, dotQ5_1_4x3AVX512VNNI, dotQ5_1_4x4AVX512VNNI, dotQ5_1_4x5AVX512VNNI, dotQ5_1_4x6AVX512VNNI},
	}
	dotsQ8_0AVX512VNNI = dotBodies[byte]{
		one:  dotQ8_0_1x1AVX512VNNI,
		rows: []int{4, 4, 4, 4, 4, 4},
		cols: []dotBody[byte]{dotQ8_0_4x1AVX512VNNI, dotQ8_0_4x2AVX512VNNI, dotQ8_0_4x3AVX512VNNI, dotQ8_0_4x4AVX512VNNI, dotQ8_0_4x5AVX512VNNI, dotQ8_0_4x6AVX512VNNI},
	}
)
