// Command whisper-quantize makes Whisper models smaller. whisper-quantize --help tells how.
package main

import (
	"os"

	"github.com/whisperfile/whisperfile/cmd/internal/applet"
	"github.com/whisperfile/whisperfile/cmd/internal/cli"
	"github.com/whisperfile/whisperfile/cmd/internal/quantize"
)

func main() { os.Exit(cli.Main(applet.System(), quantize.New)) }
