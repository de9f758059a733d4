//go:build !noweights

package main

import "github.com/whisperfile/whisperfile/model/tinyen"

// weights are the model in this file.
func weights() (name string, data []byte) { return tinyen.Name, tinyen.Data() }
