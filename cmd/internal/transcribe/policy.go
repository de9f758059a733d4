package transcribe

import (
	"errors"
	"fmt"
	"os"
	"os/exec"

	"github.com/whisperfile/whisperfile/audio"
	"github.com/whisperfile/whisperfile/cmd/internal/models"
	"github.com/whisperfile/whisperfile/cmd/internal/sandbox"
)

// policy is what hearing goes on needing: the model and the inputs, the files that are written, and ffmpeg with its temporary files
// where it may be asked.
func (b *batch) policy(tasks []task) sandbox.Policy {
	var p sandbox.Policy
	if b.settings.render == "" {
		if path, data, err := models.Weights(b.env, b.model, b.anyLanguage()); err == nil && data == nil {
			p.Read = append(p.Read, path)
		}
	}
	for _, t := range tasks {
		if t.input != "-" {
			p.Read = append(p.Read, t.input)
		}
		p.Outputs = append(p.Outputs, t.paths(b.formats)...)
	}
	if b.convert {
		if c, err := ffmpeg(); err == nil {
			p.Programs = append(p.Programs, c.Program)
			p.Scratch = append(p.Scratch, os.TempDir())
		}
	}
	return p
}

// ffmpeg says which one converts.
func ffmpeg() (audio.ConvertOptions, error) {
	program, err := sandbox.LookPath("ffmpeg")
	var failed *exec.Error
	switch {
	case err == nil:
		return audio.ConvertOptions{Program: program}, nil
	case errors.As(err, &failed) && failed.Err == exec.ErrNotFound:
		return audio.ConvertOptions{}, audio.ErrNoConverter
	}
	return audio.ConvertOptions{}, fmt.Errorf("%w: %w", audio.ErrNoConverter, err)
}
