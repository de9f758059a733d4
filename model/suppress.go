package model

import (
	"fmt"
	"regexp"
	"strings"
)

// nonSpeech are the texts of tokens that stand for no speech, each as it is and behind a space; OpenAI's list. Those that
// are no token of the vocabulary do not count.
const nonSpeech = "\" # ( ) * + / : ; < = > @ [ \\ ] ^ _ ` { | } ~ 「 」 『 』 << >> <<< >>> -- --- -( -[ (' (\" (( )) ((( ))) [[ ]] {{ }} " +
	"♪♪ ♪♪♪ ♩ ♪ ♫ ♬ ♭ ♮ ♯"

// suppress adds to mask what the options of a transcription rule out.
func (v *vocab) suppress(mask []uint64, o *Options) error {
	if o.SuppressNonSpeech {
		ids := v.ranks()
		texts := []string{" -", " '"}
		for s := range strings.FieldsSeq(nonSpeech) {
			texts = append(texts, s, " "+s)
		}
		for _, s := range texts {
			if id, ok := ids[s]; ok {
				set(mask, id)
			}
		}
	}
	if o.SuppressRegex == "" {
		return nil
	}
	re, err := regexp.Compile(`^(?:` + o.SuppressRegex + `)$`)
	if err != nil {
		return fmt.Errorf("suppress regex: %w", err)
	}
	for id, text := range v.texts {
		if re.MatchString(text) {
			set(mask, int32(id))
		}
	}
	return nil
}
