package cli

import (
	"time"

	"github.com/schollz/progressbar/v3"

	"github.com/whisperfile/whisperfile/cmd/internal/applet"
)

// Bar shows on a terminal how far the work is and how long it will take. A nil Bar shows nothing.
type Bar struct {
	bar    *progressbar.ProgressBar
	total  int64
	hidden bool
}

// NewBar starts a bar on env.Stderr for total units of work, or returns nil where that is no terminal or total is not
// above 0.
func NewBar(env applet.Env, what string, total int64) *Bar {
	if !env.Terminal.Stderr || total <= 0 {
		return nil
	}
	b := &Bar{total: total, bar: progressbar.NewOptions64(total,
		progressbar.OptionSetWriter(env.Stderr),
		progressbar.OptionSetDescription(what),
		progressbar.OptionSetWidth(min(40, max(10, env.Terminal.Width-len(what)-30))),
		progressbar.OptionSetPredictTime(true),
		progressbar.OptionThrottle(100*time.Millisecond),
		progressbar.OptionClearOnFinish(),
	)}
	b.bar.StartWithoutRender()
	return b
}

// Set says that n units of the work are done.
func (b *Bar) Set(n int64) {
	if b == nil {
		return
	}
	b.bar.Set64(min(max(n, 0), b.total))
	if b.hidden {
		b.hidden = false
		b.bar.RenderBlank()
	}
}

// Hide clears the line, so that something else can be printed there; the next Set draws the bar again.
func (b *Bar) Hide() {
	if b == nil || b.hidden {
		return
	}
	b.hidden = true
	b.bar.Clear()
}

// Close clears the line for good.
func (b *Bar) Close() {
	if b == nil {
		return
	}
	b.Hide()
	b.bar.Exit()
}
