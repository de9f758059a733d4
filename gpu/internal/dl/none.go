//go:build nogpu || !(linux || darwin || windows) || !(amd64 || arm64)

package dl

func open(string) (uintptr, error) { return 0, ErrNone }

func symbol(uintptr, string) (uintptr, error) { return 0, ErrNone }

func register(any, uintptr) {}
