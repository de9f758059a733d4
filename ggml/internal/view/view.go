// Package view casts between slices of bytes and of numbers. What it returns shares the memory of its argument and lives
// no longer than that. It does not check alignment: amd64 and arm64 load from any address, and the Go code that reads
// through these views does so on those alone or copies first. Nor does it check the byte order: numbers come out as
// stored where the machine is little-endian. Bytes behind the last whole number are left out; where there is none, so is the
// pointer, which might leave its allocation.
package view

import "unsafe"

// F32 returns the float32 numbers in b.
func F32(b []byte) []float32 {
	if len(b) < 4 {
		return nil
	}
	return unsafe.Slice((*float32)(unsafe.Pointer(unsafe.SliceData(b))), len(b)/4)
}

// F16 returns the bits of the half-precision numbers in b.
func F16(b []byte) []uint16 {
	if len(b) < 2 {
		return nil
	}
	return unsafe.Slice((*uint16)(unsafe.Pointer(unsafe.SliceData(b))), len(b)/2)
}

// Bytes returns the bytes of s. They must not be written to.
func Bytes(s string) []byte { return unsafe.Slice(unsafe.StringData(s), len(s)) }
