package transcribe

import (
	"io"
	"strings"
)

// writeTXT writes a line of text for each segment, without the blanks in front.
func writeTXT(w io.Writer, t *Transcript) error {
	for _, s := range t.Segments {
		if _, err := io.WriteString(w, strings.TrimLeft(s.Text, " \t")+"\n"); err != nil {
			return err
		}
	}
	return nil
}
