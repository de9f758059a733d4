package transcribe

import (
	"fmt"
	"io"
)

// writeSRT writes SubRip: a numbered subtitle for each segment.
func writeSRT(w io.Writer, t *Transcript) error {
	for i, s := range t.Segments {
		_, err := fmt.Fprintf(w, "%d\n%s --> %s\n%s\n\n", i+1+t.FirstNumber, stamp(s.Start, ','), stamp(s.End, ','), s.Text)
		if err != nil {
			return err
		}
	}
	return nil
}
