package ggml

import "fmt"

// Type is how the numbers of a tensor are stored. The values are those of ggml, as they stand in a tensor record.
type Type uint32

// The types a tensor can have, under ggml's names.
const (
	F32  Type = 0
	F16  Type = 1
	Q4_0 Type = 2
	Q4_1 Type = 3
	Q5_0 Type = 6
	Q5_1 Type = 7
	Q8_0 Type = 8
	Q2_K Type = 10
	Q3_K Type = 11
	Q4_K Type = 12
	Q5_K Type = 13
	Q6_K Type = 14
)

// typeInfo describes a Type. FType is the number that stands in the file header for a file of this type, which for
// some types differs from the one in the records.
type typeInfo struct {
	name  string
	block int // numbers a block
	bytes int // bytes a block
	ftype int32
}

var types = [...]typeInfo{
	F32:  {"f32", 1, 4, 0},
	F16:  {"f16", 1, 2, 1},
	Q4_0: {"q4_0", 32, 18, 2},
	Q4_1: {"q4_1", 32, 20, 3},
	Q5_0: {"q5_0", 32, 22, 8},
	Q5_1: {"q5_1", 32, 24, 9},
	Q8_0: {"q8_0", 32, 34, 7},
	Q2_K: {"q2_K", 256, 84, 10},
	Q3_K: {"q3_K", 256, 110, 11},
	Q4_K: {"q4_K", 256, 144, 12},
	Q5_K: {"q5_K", 256, 176, 13},
	Q6_K: {"q6_K", 256, 210, 14},
}

// Types lists all types, in the order of their numbers.
var Types = []Type{F32, F16, Q4_0, Q4_1, Q5_0, Q5_1, Q8_0, Q2_K, Q3_K, Q4_K, Q5_K, Q6_K}

// Valid reports whether t is one of Types.
func (t Type) Valid() bool { return int(t) < len(types) && types[t].block != 0 }

// String returns ggml's name of the type, such as "q5_0" or "q4_K".
func (t Type) String() string {
	if !t.Valid() {
		return fmt.Sprintf("type %d", uint32(t))
	}
	return types[t].name
}

// Block returns how many numbers a block of the type holds; 1 for F32 and F16.
func (t Type) Block() int { return types[t].block }

// BlockBytes returns the size of a block in bytes.
func (t Type) BlockBytes() int { return types[t].bytes }

// FType returns the number that stands in the header of a file whose matrices have this type (without the 2000 that
// quantised files add).
func (t Type) FType() int32 { return types[t].ftype }

// Quantized reports whether a block holds more than one number.
func (t Type) Quantized() bool { return t.Block() > 1 }

// Bytes returns the size of n numbers. n must be a multiple of Block.
func (t Type) Bytes(n int) int { return n / types[t].block * types[t].bytes }
