package transcribe

import (
	"errors"
	"fmt"
	"io"
	"strings"

	whisper "github.com/whisperfile/whisperfile/cmd/internal/cli"
	"github.com/whisperfile/whisperfile/cmd/internal/transcript"
	"github.com/whisperfile/whisperfile/model"
)

// errStdout marks failures of standard output, after which going on makes no sense.
var errStdout = errors.New("cannot write to standard output")

func stdoutFailed(err error) error {
	if err == nil {
		return nil
	}
	return whisper.Fail(whisper.Output, fmt.Errorf("%w: %w", errStdout, whisper.Bare(err)), "")
}

// live prints segments as they come.
type live struct {
	w                             io.Writer
	noTimestamps, special, colors bool
	turns                         bool // mark where the speaker changes

	endOfText int32
	started   bool
}

// print prints s, a line of it, or with noTimestamps just the text. A blank line goes before the first segment.
func (l *live) print(s model.Segment) error {
	var b strings.Builder
	if !l.started {
		l.started = true
		b.WriteByte('\n')
	}
	if !l.noTimestamps {
		fmt.Fprintf(&b, "[%s --> %s]  ", transcript.Stamp(s.Start, '.'), transcript.Stamp(s.End, '.'))
	}
	if l.colors && len(s.Tokens) > 0 {
		for _, t := range transcript.Whole(s.Tokens) {
			if t.ID < l.endOfText || l.special {
				fmt.Fprintf(&b, "\x1b[38;5;%dm%s\x1b[0m", color(t.P), t.Text)
			}
		}
	} else {
		b.WriteString(s.Text)
	}
	if l.turns && s.SpeakerTurn {
		b.WriteString(" [SPEAKER_TURN]")
	}
	if !l.noTimestamps {
		b.WriteByte('\n')
	}
	_, err := io.WriteString(l.w, b.String())
	return stdoutFailed(err)
}

// end ends the line on a terminal, where the prompt comes next.
func (l *live) end(terminal bool) error {
	if !l.started || !l.noTimestamps || !terminal {
		return nil
	}
	_, err := io.WriteString(l.w, "\n")
	return stdoutFailed(err)
}

// color is a colour of the 256 of terminals for a probability, from red to green.
func color(p float32) int {
	colors := [...]int{160, 166, 208, 215, 227, 114, 71}
	return colors[min(max(int(float32(len(colors))*p*p*p), 0), len(colors)-1)]
}
