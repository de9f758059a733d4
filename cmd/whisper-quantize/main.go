// Command whisper-quantize makes Whisper models smaller. whisper-quantize --help tells how.
package main

import (
	"os"

	"github.com/whisperfile/whisperfile/cmd/internal/bundle"
	"github.com/whisperfile/whisperfile/cmd/internal/quantize"
)

func main() { os.Exit(bundle.Main(quantize.New)) }
