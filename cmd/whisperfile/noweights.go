//go:build noweights

package main

// weights is nil: no model was built into this file.
var weights func() (name string, data []byte)
