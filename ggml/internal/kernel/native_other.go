//go:build noasm || (!amd64 && !arm64)

package kernel

var native map[string]func(Table) Table
