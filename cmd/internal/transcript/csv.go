package transcript

import (
	"fmt"
	"io"
	"strings"
)

// WriteCSV writes a table of start and end in milliseconds and text in quotes.
func WriteCSV(w io.Writer, t *Transcript) error {
	if _, err := io.WriteString(w, "start,end,text\n"); err != nil {
		return err
	}
	for _, s := range t.Segments {
		text := strings.ReplaceAll(s.Text, `"`, `""`)
		if _, err := fmt.Fprintf(w, "%d,%d,\"%s\"\n", s.Start.Milliseconds(), s.End.Milliseconds(), text); err != nil {
			return err
		}
	}
	return nil
}
