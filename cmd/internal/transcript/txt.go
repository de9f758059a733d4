package transcript

import (
	"io"
	"strings"
)

// WriteTXT writes a line of text for each segment, without the blanks in front.
func WriteTXT(w io.Writer, t *Transcript) error {
	for _, s := range t.Segments {
		if _, err := io.WriteString(w, strings.TrimLeft(s.Text, " \t")+"\n"); err != nil {
			return err
		}
	}
	return nil
}
