package transcript

import (
	"io"

	"github.com/whisperfile/whisperfile/model"
)

// WriteJSONFull is WriteJSON with every token of every segment: its text, its times where they are known, its id and
// its probability. Tokens that are parts of one character are merged, so that all texts are whole.
func WriteJSONFull(w io.Writer, t *Transcript) error {
	return encode(w, t, func(j *jsonWriter, s model.Segment) {
		j.open("tokens", '[')
		for _, token := range Whole(s.Tokens) {
			j.open("", '{')
			j.str("text", token.Text)
			if token.Start >= 0 && token.End >= 0 {
				j.times(token.Start, token.End)
			}
			j.num("id", int(token.ID))
			j.float("p", float64(token.P))
			j.float("t_dtw", -1) // the time that alignment by attention gives; there is none
			j.close('}')
		}
		j.close(']')
	})
}
