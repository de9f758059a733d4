package transcript

import (
	"fmt"
	"io"
)

// WriteSRT writes SubRip: a numbered subtitle for each segment.
func WriteSRT(w io.Writer, t *Transcript) error {
	for i, s := range t.Segments {
		_, err := fmt.Fprintf(w, "%d\n%s --> %s\n%s\n\n", i+1+t.FirstNumber, Stamp(s.Start, ','), Stamp(s.End, ','), s.Text)
		if err != nil {
			return err
		}
	}
	return nil
}
