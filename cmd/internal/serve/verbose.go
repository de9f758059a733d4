package serve

import (
	"math"
	"strings"
	"time"

	"github.com/whisperfile/whisperfile/cmd/internal/transcript"
	"github.com/whisperfile/whisperfile/model"
)

// leastProbability is below what language_probabilities leaves languages out.
const leastProbability = 0.001

// verbose is whisper.cpp's verbose JSON: keys, their order and the form of numbers are its.
func (h *heard) verbose() []byte {
	var j jsonText
	j.open('{')
	j.key("task")
	j.str(h.task())
	j.key("language")
	j.str(model.LanguageName(h.Language))
	j.key("duration")
	j.float32(float32(h.seconds))
	j.key("text")
	j.str(h.text())
	j.key("segments")
	j.open('[')
	for i, g := range h.Segments {
		h.verboseSegment(&j, i, g)
	}
	j.close(']')
	if !h.NoLanguageProbability && len(h.Languages) > 0 {
		h.probabilities(&j)
	}
	j.close('}')
	return j.b
}

func (h *heard) task() string {
	if h.Options.Translate {
		return "translate"
	}
	return "transcribe"
}

func (h *heard) verboseSegment(j *jsonText, id int, g model.Segment) {
	j.open('{')
	j.key("id")
	j.integer(id)
	j.key("text")
	j.str(g.Text)
	if !h.NoTimestamps {
		j.key("start")
		j.number(hundredths(g.Start))
		j.key("end")
		j.number(hundredths(g.End))
	}
	if h.Turns {
		j.key("speaker_turn_next")
		j.boolean(g.SpeakerTurn)
	}
	if ids := h.textTokens(g); len(ids) > 0 {
		j.key("tokens")
		j.integers(ids)
		j.key("words")
		j.open('[')
		for _, t := range transcript.Whole(g.Tokens) {
			if t.ID >= transcript.EndOfText(h.Model) {
				continue
			}
			j.open('{')
			j.key("word")
			j.str(t.Text)
			if !h.NoTimestamps && t.Start >= 0 && t.End >= 0 {
				j.key("start")
				j.number(hundredths(t.Start))
				j.key("end")
				j.number(hundredths(t.End))
				j.key("t_dtw")
				j.integer(-1)
			}
			j.key("probability")
			j.float32(t.P)
			j.close('}')
		}
		j.close(']')
	}
	j.key("temperature")
	j.float32(g.Temperature)
	j.key("avg_logprob")
	j.float32(h.meanLogProb(g))
	j.key("no_speech_prob")
	j.float32(g.NoSpeech)
	j.close('}')
}

// hundredths are seconds as whisper.cpp computes them, with its rounding.
func hundredths(d time.Duration) float64 { return float64(d/(10*time.Millisecond)) * 0.01 }

// textTokens are the ids of the tokens of a segment that are text.
func (h *heard) textTokens(g model.Segment) []int32 {
	var ids []int32
	for _, t := range g.Tokens {
		if t.ID < transcript.EndOfText(h.Model) {
			ids = append(ids, t.ID)
		}
	}
	return ids
}

// meanLogProb is the log probability of the text of a segment over the number of all its tokens.
func (h *heard) meanLogProb(g model.Segment) float32 {
	var sum float64
	for _, t := range g.Tokens {
		if t.ID < transcript.EndOfText(h.Model) {
			sum += math.Log(float64(t.P))
		}
	}
	return float32(sum / float64(len(g.Tokens)))
}

// probabilities says what language it may be, in the order of their ids.
func (h *heard) probabilities(j *jsonText) {
	best := h.Languages[0]
	j.key("detected_language")
	j.str(model.LanguageName(best.Code))
	j.key("detected_language_probability")
	j.float32(best.P)
	p := make(map[string]float32)
	for _, l := range h.Languages {
		p[l.Code] = l.P
	}
	j.key("language_probabilities")
	j.open('{')
	for _, code := range h.Model.Codes() {
		if p[code] > leastProbability {
			j.key(code)
			j.float32(p[code])
		}
	}
	j.close('}')
}

// trimmed is all text in a piece, without blanks around it.
func (h *heard) trimmed() string {
	var b strings.Builder
	for _, g := range h.Segments {
		b.WriteString(g.Text)
	}
	return strings.TrimSpace(b.String())
}
