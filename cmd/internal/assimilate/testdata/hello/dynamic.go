//go:build gpu

package main

import (
	"os"

	"github.com/ebitengine/purego"
)

// linkage is found by asking the C library something.
var linkage = func() string {
	self, err := purego.Dlopen("", purego.RTLD_NOW)
	if err != nil {
		return err.Error()
	}
	var getpid func() int32
	purego.RegisterLibFunc(&getpid, self, "getpid")
	if int(getpid()) != os.Getpid() {
		return "wrong"
	}
	return "dynamic"
}()
