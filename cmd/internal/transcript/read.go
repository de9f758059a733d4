package transcript

import (
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
	"time"

	"github.com/whisperfile/whisperfile/model"
)

// maxJSON bounds the JSON that is read: ten hours of speech with every token are a tenth of it.
const maxJSON = 256 << 20

// maxItems bounds segments and tokens, which may be smaller as text than in memory.
const maxItems = 4 << 20

// maxTime bounds times, in milliseconds: 30 years.
const maxTime = 1e12

// ReadJSON reads what WriteJSON or WriteJSONFull wrote, or whisper.cpp in their place. Characters whose bytes whisper.cpp
// spread over two segments come whole, in the second; what stays broken is U+FFFD. Keys that are not known are passed
// over, "speaker" and "t_dtw" among them. Errors say at which byte.
func ReadJSON(r io.Reader) (*Transcript, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxJSON+1))
	if err != nil {
		return nil, err
	}
	if len(data) > maxJSON {
		return nil, fmt.Errorf("larger than %d MiB", maxJSON>>20)
	}
	p := &reader{scanner: scanner{data: data}, t: &Transcript{}}
	if err := p.transcript(); err != nil {
		return nil, err
	}
	if p.peek(); p.pos < len(data) {
		return nil, p.fail("something behind the end")
	}
	if !p.heard {
		return nil, errors.New(`there is no "transcription" in it`)
	}
	mend(p.t.Segments)
	return p.t, nil
}

// mend makes the texts of segments valid UTF-8.
func mend(segments []model.Segment) {
	carry := ""
	for i := range segments {
		text := carry + segments[i].Text
		kept := text
		if i+1 < len(segments) {
			kept, _ = model.CutPartial(text)
		}
		carry = text[len(kept):]
		segments[i].Text = strings.ToValidUTF8(kept, "\uFFFD")
	}
}

type reader struct {
	scanner
	t     *Transcript
	heard bool // there was a transcription
	items int  // segments and tokens so far
}

func (p *reader) count() error {
	if p.items++; p.items > maxItems {
		return p.fail("more than %d segments and tokens", maxItems)
	}
	return nil
}

func (p *reader) transcript() error {
	return p.object(func(key string) error {
		switch key {
		case "systeminfo":
			return p.strTo(&p.t.System)
		case "model":
			return p.model()
		case "params":
			return p.object(func(key string) error {
				switch key {
				case "model":
					return p.strTo(&p.t.Params.Model)
				case "language":
					return p.strTo(&p.t.Params.Language)
				case "translate":
					return p.boolTo(&p.t.Params.Translate)
				}
				return p.skip()
			})
		case "result":
			return p.object(func(key string) error {
				if key == "language" {
					return p.strTo(&p.t.Language)
				}
				return p.skip()
			})
		case "transcription":
			p.heard = true
			return p.array(p.segment)
		}
		return p.skip()
	})
}

func (p *reader) model() error {
	m := &p.t.Model
	part := func(ctx, state, heads, layers *int) error {
		return p.object(func(key string) error {
			switch key {
			case "ctx":
				return p.intTo(ctx)
			case "state":
				return p.intTo(state)
			case "head":
				return p.intTo(heads)
			case "layer":
				return p.intTo(layers)
			}
			return p.skip()
		})
	}
	return p.object(func(key string) error {
		switch key {
		case "type":
			return p.strTo(&m.Type)
		case "multilingual":
			return p.boolTo(&m.Multilingual)
		case "vocab":
			return p.intTo(&m.Vocab)
		case "audio":
			return part(&m.AudioCtx, &m.AudioState, &m.AudioHeads, &m.AudioLayers)
		case "text":
			return part(&m.TextCtx, &m.TextState, &m.TextHeads, &m.TextLayers)
		case "mels":
			return p.intTo(&m.Mels)
		case "ftype":
			return p.intTo(&m.FType)
		}
		return p.skip()
	})
}

func (p *reader) segment() error {
	if err := p.count(); err != nil {
		return err
	}
	var s model.Segment
	err := p.object(func(key string) error {
		switch key {
		case "offsets":
			return p.offsets(&s.Start, &s.End)
		case "text":
			return p.strTo(&s.Text)
		case "tokens":
			return p.array(func() error { return p.token(&s) })
		}
		return p.skip()
	})
	p.t.Segments = append(p.t.Segments, s)
	return err
}

func (p *reader) token(s *model.Segment) error {
	if err := p.count(); err != nil {
		return err
	}
	t := model.Token{Start: -1, End: -1}
	err := p.object(func(key string) error {
		switch key {
		case "text":
			return p.strTo(&t.Text)
		case "offsets":
			return p.offsets(&t.Start, &t.End)
		case "id":
			id, err := p.integer(0, math.MaxInt32)
			t.ID = int32(id)
			return err
		case "p":
			v, err := p.number()
			t.P = float32(v)
			return err
		}
		return p.skip()
	})
	s.Tokens = append(s.Tokens, t)
	return err
}

func (p *reader) offsets(from, to *time.Duration) error {
	return p.object(func(key string) error {
		d := from
		switch key {
		case "from":
		case "to":
			d = to
		default:
			return p.skip()
		}
		ms, err := p.integer(0, maxTime)
		*d = time.Duration(ms) * time.Millisecond
		return err
	})
}

func (p *reader) strTo(s *string) (err error) {
	*s, err = p.str()
	return err
}

func (p *reader) boolTo(b *bool) (err error) {
	*b, err = p.boolean()
	return err
}

func (p *reader) intTo(n *int) error {
	v, err := p.integer(0, math.MaxInt32)
	*n = int(v)
	return err
}
