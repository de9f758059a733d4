package transcribe

import (
	"context"

	"github.com/whisperfile/whisperfile/audio"
	"github.com/whisperfile/whisperfile/cmd/internal/applet"
)

func openSound(ctx context.Context, env applet.Env, name string, convert bool) (sound, error) {
	return audio.Open(name)
}
