// Command whisper-server turns speech into text for many at once, over HTTP; whisper-server --help tells how.
package main

import (
	"os"

	"github.com/whisperfile/whisperfile/cmd/internal/bundle"
	"github.com/whisperfile/whisperfile/cmd/internal/serve"
)

func main() { os.Exit(bundle.Main(serve.New)) }
