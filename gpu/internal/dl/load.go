//go:build !nogpu && (linux || darwin || windows) && (amd64 || arm64)

package dl

import "github.com/ebitengine/purego"

func register(f any, address uintptr) { purego.RegisterFunc(f, address) }
