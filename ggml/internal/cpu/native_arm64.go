package cpu

// native needs no question: Advanced SIMD is part of every 64-bit ARM processor that runs Go.
func native() []Rung { return []Rung{{Name: "neon", Parent: Generic}} }
