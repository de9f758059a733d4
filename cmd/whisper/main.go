// Command whisper turns speech into text; whisper --help tells how.
package main

import (
	"os"

	"github.com/whisperfile/whisperfile/cmd/internal/applet"
	"github.com/whisperfile/whisperfile/cmd/internal/cli"
	"github.com/whisperfile/whisperfile/cmd/internal/transcribe"
)

func main() { os.Exit(cli.Main(applet.System(), transcribe.New)) }
