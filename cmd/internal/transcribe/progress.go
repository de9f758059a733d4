package transcribe

import (
	"fmt"
	"io"
	"time"

	whisper "github.com/whisperfile/whisperfile/cmd/internal/cli"
	"github.com/whisperfile/whisperfile/model"
)

// progress shows how far an input is: as lines, as a bar, or not at all.
type progress struct {
	lines  io.Writer                      // nil for none
	newBar func(total int64) *whisper.Bar // nil for none

	bar  *whisper.Bar
	said int
}

func (p *progress) set(now model.Progress) {
	if now.Total <= 0 {
		return
	}
	if p.lines != nil {
		// Steps of five and a line a call at most, so that a long window brings several lines later, as whisper.cpp does.
		if percent := int(100 * now.Done / now.Total); percent >= p.said+5 {
			p.said += 5
			fmt.Fprintf(p.lines, "whisper_print_progress_callback: progress = %3d%%\n", percent)
		}
	}
	if p.newBar != nil {
		if p.bar == nil {
			p.bar = p.newBar(int64(now.Total / time.Millisecond))
		}
		p.bar.Set(int64(now.Done / time.Millisecond))
	}
}
