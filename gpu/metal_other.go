//go:build !darwin

package gpu

import "errors"

func metal() ([]Device, error) { return nil, errors.New("only macOS has it") }
