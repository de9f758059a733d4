// Command whisper turns speech into text; whisper --help tells how.
package main

import (
	"os"

	"github.com/whisperfile/whisperfile/cmd/internal/bundle"
	"github.com/whisperfile/whisperfile/cmd/internal/transcribe"
)

func main() { os.Exit(bundle.Main(transcribe.New)) }
