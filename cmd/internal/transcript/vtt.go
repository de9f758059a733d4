package transcript

import (
	"fmt"
	"io"
)

// WriteVTT writes WebVTT: a cue for each segment.
func WriteVTT(w io.Writer, t *Transcript) error {
	if _, err := io.WriteString(w, "WEBVTT\n\n"); err != nil {
		return err
	}
	for _, s := range t.Segments {
		if _, err := fmt.Fprintf(w, "%s --> %s\n%s\n\n", Stamp(s.Start, '.'), Stamp(s.End, '.'), s.Text); err != nil {
			return err
		}
	}
	return nil
}
