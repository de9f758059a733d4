// Command whisperfile is all programs and a model in one file; docs/whisperfile.md tells which of them a start is.
package main

import (
	"os"

	"github.com/whisperfile/whisperfile/cmd/internal/applet"
	"github.com/whisperfile/whisperfile/cmd/internal/bundle"
)

func main() {
	env := applet.System()
	env.Weights = weights
	os.Exit(bundle.Multicall(env, programs()))
}
