// Command whisper-bench measures how fast a Whisper model runs on this machine; whisper-bench --help tells how.
package main

import (
	"os"

	"github.com/whisperfile/whisperfile/cmd/internal/bench"
	"github.com/whisperfile/whisperfile/cmd/internal/bundle"
)

func main() { os.Exit(bundle.Main(bench.New)) }
