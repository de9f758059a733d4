package transcribe

import (
	"errors"
	"fmt"
	"os"

	whisper "github.com/whisperfile/whisperfile/cmd/internal/cli"
	"github.com/whisperfile/whisperfile/cmd/internal/transcript"
)

// render writes the formats asked for out of a JSON file; without one it prints what hearing would have printed.
func (b *batch) render() error {
	tasks, err := plan(b.settings)
	if err != nil {
		return err
	}
	t := tasks[0]
	policy := b.policy(tasks)
	b.env.Sandbox.Begin(policy)
	if err := b.check(t); err != nil {
		return err
	}
	b.env.Sandbox.Enter(policy)
	tr, err := readFile(t.input)
	if err != nil {
		return whisper.Fail(whisper.Input, fmt.Errorf("cannot render: %s: %w", t.input, whisper.Bare(err)), "")
	}
	tr.FirstNumber = b.firstNumber
	l := b.newLive(tr.Model)
	if len(b.formats) == 0 {
		for _, s := range tr.Segments {
			if err := l.print(s); err != nil {
				return err
			}
		}
	}
	return errors.Join(l.end(b.env.Terminal.Stdout), b.write(t, tr))
}

func readFile(path string) (*transcript.Transcript, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if info, err := f.Stat(); err != nil {
		return nil, err
	} else if info.IsDir() {
		return nil, errors.New("is a directory") // Windows has no word for it
	}
	return transcript.ReadJSON(f)
}
