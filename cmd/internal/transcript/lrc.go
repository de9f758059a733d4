package transcript

import (
	"fmt"
	"io"
)

// WriteLRC writes lyrics: a line for each segment with the minutes, seconds and hundredths at which it starts. The head
// names whisper.cpp, so that files are the same byte for byte.
func WriteLRC(w io.Writer, t *Transcript) error {
	if _, err := io.WriteString(w, "[by:whisper.cpp]\n"); err != nil {
		return err
	}
	for _, s := range t.Segments {
		ms := s.Start.Milliseconds()
		if _, err := fmt.Fprintf(w, "[%02d:%02d.%02d]%s\n", ms/60000, ms/1000%60, ms/10%100, s.Text); err != nil {
			return err
		}
	}
	return nil
}
