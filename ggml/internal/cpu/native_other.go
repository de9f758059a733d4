//go:build !amd64 && !arm64

package cpu

func native() []Rung { return nil }
