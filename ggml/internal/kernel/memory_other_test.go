//go:build !linux

package kernel_test

import "testing"

func region(testing.TB) []byte { return make([]byte, regionSize+margin) }
