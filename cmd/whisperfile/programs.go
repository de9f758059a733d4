package main

import (
	"github.com/whisperfile/whisperfile/cmd/internal/applet"
	"github.com/whisperfile/whisperfile/cmd/internal/assimilate"
	"github.com/whisperfile/whisperfile/cmd/internal/bench"
	"github.com/whisperfile/whisperfile/cmd/internal/bundle"
	"github.com/whisperfile/whisperfile/cmd/internal/quantize"
	"github.com/whisperfile/whisperfile/cmd/internal/serve"
	"github.com/whisperfile/whisperfile/cmd/internal/transcribe"
)

// programs are those in this file, under their own names and the ones that whisper.cpp gave them.
func programs() applet.Registry {
	var r applet.Registry
	r.Add("whisper", transcribe.New)
	r.Add("whisper-cli", transcribe.New)
	r.Add("main", transcribe.New)
	r.Add("whisper-bench", bench.New)
	r.Add("whisper-server", serve.New)
	r.Add("server", serve.New)
	r.Add("whisper-quantize", quantize.New)
	r.Add("zipalign", bundle.NewZipalign)
	r.Add("assimilate", assimilate.New)
	return r
}
