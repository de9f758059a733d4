// Command whisper-server turns speech into text for many at once, over HTTP; whisper-server --help tells how.
package main

import (
	"os"

	"github.com/whisperfile/whisperfile/cmd/internal/applet"
	"github.com/whisperfile/whisperfile/cmd/internal/cli"
	"github.com/whisperfile/whisperfile/cmd/internal/serve"
)

func main() { os.Exit(cli.Main(applet.System(), serve.New)) }
