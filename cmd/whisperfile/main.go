// Command whisperfile is all programs and a model in one file: the name it was started by or its first argument says which runs.
package main

import (
	"os"

	"github.com/whisperfile/whisperfile/cmd/internal/applet"
	"github.com/whisperfile/whisperfile/cmd/internal/cli"
)

func main() {
	env := applet.System()
	env.Weights = weights
	os.Exit(cli.Multicall(env, programs(), "whisper"))
}
