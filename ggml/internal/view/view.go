// Package view casts between slices of bytes and of numbers. It does not check alignment: amd64 and arm64 load from any
// address, and the Go code that reads through these views does so on those alone or copies first.
package view
