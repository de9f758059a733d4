package model

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/whisperfile/whisperfile/audio"
	"github.com/whisperfile/whisperfile/ggml"
)

// TestProperties has random models hear random audio with random options, and checks what must hold whatever they say.
func TestProperties(t *testing.T) {
	cases, seconds := uint64(40), 35
	if testing.Short() {
		cases, seconds = 2, 0
	}
	// Few tokens a window, so that not all time goes into loops.
	models := map[string]*Model{}
	names := []string{"tiny.en", "base", "large-v3", "tiny"}
	for i, name := range names {
		models[name] = randomModel(t, name, uint64(i), []int{64, 64, 100, 448}[i], 2)
		mixed(models[name].vocab)
	}
	all, pieces, wide := 0, 0, 0
	for seed := range cases {
		rng := rand.New(rand.NewPCG(seed, 3))
		name := names[rng.IntN(len(names))]
		pcm := randomAudio(rng, seconds)
		o := randomOptions(rng, models[name])
		t.Run(fmt.Sprintf("seed=%d/model=%s", seed, name), func(t *testing.T) {
			p := properties{t: t, m: models[name], o: o, length: time.Duration(len(pcm)) * time.Second / audio.SampleRate}
			p.hear(pcm)
			all, pieces = all+len(p.segments), pieces+p.pieces
			for _, r := range text(p.segments) {
				if r >= utf8.RuneSelf && r != utf8.RuneError {
					wide++
				}
			}
			if t.Failed() {
				t.Logf("options %+v", o)
			}
		})
	}
	t.Logf("%d segments, %d of them bounded, %d characters beyond ASCII", all, pieces, wide)
	if !testing.Short() && (all < 60 || pieces < 30 || wide < 20) {
		t.Error("that is too little to tell anything")
	}
}

// mixed gives every second word of a random model's vocabulary one to four bytes of some text, with characters cut.
func mixed(v *vocab) {
	const from = "你好，世界 Привет, мир! 👍🏽 नमस्ते é "
	rng := rand.New(rand.NewPCG(1, 4))
	for id := int32(256); id < v.eot; id += 2 {
		at := rng.IntN(len(from) - 4)
		v.texts[id] = from[at : at+1+rng.IntN(4)]
	}
}

// TestWrap cuts a segment of words, of characters that are spread over tokens, and of both.
func TestWrap(t *testing.T) {
	v := newVocab(ggml.Header{Vocab: 51864}, nil)
	for _, c := range []struct {
		tokens  []string
		maxLen  int
		onWords bool
		want    []string
	}{
		{[]string{" one", " two", " three"}, 8, false, []string{" one two", " three"}},
		{[]string{" one", " two", " three"}, 7, false, []string{" one", " two", " three"}},
		{[]string{" on", "e", " two"}, 3, false, []string{" on", "e", " two"}},
		{[]string{" on", "e", " two"}, 3, true, []string{" one", " two"}},
		{[]string{" incomprehensible", "!"}, 4, false, []string{" incomprehensible", "!"}},
		{[]string{"你", "好", "世"}, 2, false, []string{"你好", "世"}},
		{[]string{"\xe4", "\xbd\xa0", "\xe5\xa5", "\xbd", "\xe4\xb8", "\x96"}, 2, false, []string{"你好", "世"}},
		{[]string{"a", "\xe4", "\xbd", "\xa0", "b"}, 1, false, []string{"a", "你", "b"}},
		{[]string{"\xe4", "\xbd\xa0\xe5", "\xa5\xbd"}, 1, false, []string{"你好"}}, // no place to cut
	} {
		h := &hearing{Session: &Session{m: &Model{vocab: v}}, o: Options{MaxLen: c.maxLen, SplitOnWord: c.onWords}}
		s := span{to: 100}
		for i, text := range c.tokens {
			v.texts[i] = text
			s.tokens = append(s.tokens, timedToken{token{id: int32(i)}, 10 * i, 10 * (i + 1)})
		}
		var got []string
		last := 0
		for _, piece := range h.wrap(s) {
			got = append(got, h.text(piece.tokens))
			if piece.from != last {
				t.Errorf("%q: a piece begins at %d, the one before ends at %d", c.tokens, piece.from, last)
			}
			last = piece.to
		}
		if d := cmp.Diff(c.want, got); d != "" || last != s.to {
			t.Errorf("%q, %d, at words %v, to %d (-want +got):\n%s", c.tokens, c.maxLen, c.onWords, last, d)
		}
	}
}

// randomAudio is noise, tones and silence, as long as seconds and up to as much again.
func randomAudio(rng *rand.Rand, seconds int) []float32 {
	pcm := make([]float32, seconds*audio.SampleRate+rng.IntN(max(seconds, 10)*audio.SampleRate))
	for from := 0; from < len(pcm); {
		n := min(len(pcm)-from, 1+rng.IntN(10*audio.SampleRate))
		kind, level, pitch := rng.IntN(3), math.Pow(10, -3*rng.Float64()), 50+4000*rng.Float64()
		for i := range n {
			switch kind {
			case 1:
				pcm[from+i] = float32(level * rng.NormFloat64())
			case 2:
				pcm[from+i] = float32(level * math.Sin(2*math.Pi*pitch*float64(i)/audio.SampleRate))
			}
		}
		from += n
	}
	return pcm
}

func randomOptions(rng *rand.Rand, m *Model) Options {
	pick := func(n ...float32) float32 { return n[rng.IntN(len(n))] }
	half := func() bool { return rng.IntN(2) == 0 }
	o := Options{
		Prompt:      strings.Repeat(" Mr. Dashwood 你好,", rng.IntN(3)*rng.IntN(60)),
		CarryPrompt: half(), MaxContext: rng.IntN(5)*20 - 1, NoTimestamps: rng.IntN(4) == 0, TokenTimes: half(),
		WordThreshold: pick(0, 0, 0.3, 1e-6), MaxLen: int(pick(0, 0, 1, 8, 30)), SplitOnWord: half(), SpecialText: rng.IntN(6) == 0,
		BeamSize: rng.IntN(5), BestOf: 1 + rng.IntN(3), Patience: pick(0, 0, 0.5, 2), LengthPenalty: pick(0, 0, 1),
		Temperature: pick(0, 0, 0, 0.7), TemperatureStep: pick(0.5, 1), NoFallback: half(),
		EntropyThreshold: pick(0, -1), CompressionThreshold: pick(0, -1), Seed: rng.Uint64(), SuppressNonSpeech: half(), SpeakerTurns: half(),
		LogProbThreshold: pick(0, -100, -3), NoSpeechThreshold: pick(0, 1, 1e-6),
	}
	if rng.IntN(3) == 0 {
		o.SuppressRegex = ` w\d*[02468]`
	}
	if rng.IntN(3) == 0 {
		o.Offset = time.Duration(rng.IntN(20000)) * time.Millisecond
	}
	if rng.IntN(3) == 0 {
		o.Duration = time.Duration(rng.IntN(40000)) * time.Millisecond
	}
	if m.vocab.multilingual {
		o.Language, o.Translate = []string{"", Auto, "de", "Japanese"}[rng.IntN(4)], m.Info().Translates() && half()
	}
	return o
}

// properties is one transcription and what must hold for it.
type properties struct {
	t        *testing.T
	m        *Model
	o        Options
	length   time.Duration
	segments []Segment
	pieces   int // segments that MaxLen bounds
}

func (p *properties) hear(pcm []float32) {
	t := p.t
	s, err := p.m.NewSession()
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	o, calls, done := p.o, 0, time.Duration(-1)
	o.Progress = func(g Progress) {
		calls++
		if g.Done < done || g.Total != 0 && g.Done > g.Total || g.Done == done && calls > 2 {
			t.Errorf("progress %v of %v behind %v", g.Done, g.Total, done)
		}
		done = g.Done
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	result, err := s.Transcribe(ctx, &samples{pcm, 16000}, o, func(g Segment) error {
		p.segments = append(p.segments, g)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if limit := p.length + 31*time.Second; result.Duration > limit {
		t.Errorf("%v were heard of %v", result.Duration, p.length)
	}
	p.times()
	p.text()
	p.lengths()
}

// times never run backwards and never leave what is to be heard; with TokenTimes each token lies in its segment, in order.
func (p *properties) times() {
	if p.o.TokenTimes || p.o.MaxLen > 0 {
		inOrder(p.t, p.segments, p.length)
	}
	const frame = 10 * time.Millisecond
	end := p.length + frame
	if p.o.Duration > 0 {
		end = min(end, p.o.Offset+p.o.Duration)
	}
	last := p.o.Offset.Truncate(frame)
	window := last
	for _, g := range p.segments {
		if g.Start < last || g.End < g.Start || g.End > end {
			p.t.Errorf("segment %v–%v behind %v, the end is at %v", g.Start, g.End, last, end)
		}
		last = g.End
		if !(g.NoSpeech >= 0 && g.NoSpeech <= 1) {
			p.t.Errorf("no speech: %g", g.NoSpeech)
		}
		if !slices.Contains(p.o.temperatures(), g.Temperature) {
			p.t.Errorf("at temperature %g, asked for %g", g.Temperature, p.o.temperatures())
		}
		if g.Window < window || g.Window > g.Start {
			p.t.Errorf("segment %v of window %v, the one before of %v", g.Start, g.Window, window)
		}
		window = g.Window
		for _, k := range g.Tokens {
			if !(k.P >= 0 && k.P <= 1) || k.Text != p.m.vocab.text(k.ID) {
				p.t.Errorf("token %+v", k)
			}
			if !p.o.TokenTimes && p.o.MaxLen == 0 && (k.Start != -1 || k.End != -1) {
				p.t.Errorf("nobody asked for the times of %+v", k)
			}
		}
	}
}

// text is that of the tokens, whatever pieces it comes in: whole characters, and none lost but for broken ones.
func (p *properties) text() {
	var texts, tokens strings.Builder
	for _, g := range p.segments {
		if !utf8.ValidString(g.Text) {
			p.t.Errorf("not UTF-8: %q", g.Text)
		}
		texts.WriteString(g.Text)
		for _, k := range g.Tokens {
			if k.ID < p.m.vocab.eot || p.o.SpecialText {
				tokens.WriteString(k.Text)
			}
		}
	}
	whole := func(s string) string { return strings.ReplaceAll(strings.ToValidUTF8(s, ""), "\uFFFD", "") }
	// What is incomplete at the end of the audio stays away.
	if want, _ := CutPartial(tokens.String()); whole(texts.String()) != whole(want) {
		p.t.Errorf("the texts are %q, the tokens %q", texts.String(), want)
	}
}

// lengths are at most MaxLen characters, but for a single token, and with SplitOnWord for a word.
func (p *properties) lengths() {
	if p.o.MaxLen == 0 || p.o.SpecialText {
		return
	}
	for _, g := range p.segments {
		var texts []string
		for _, k := range g.Tokens {
			if k.ID < p.m.vocab.eot {
				texts = append(texts, k.Text)
			}
		}
		p.pieces++
		joined := strings.Join(texts, "")
		if utf8.RuneCountInString(joined) <= p.o.MaxLen || len(texts) < 2 || !utf8.ValidString(joined) {
			continue
		}
		last := 1 // tokens of the first word
		for last < len(texts) && p.o.SplitOnWord && !strings.HasPrefix(texts[last], " ") {
			last++
		}
		first := strings.Join(texts[:last], "")
		if last < len(texts) && utf8.ValidString(first) {
			p.t.Errorf("%d characters, more than %d: %q", utf8.RuneCountInString(joined), p.o.MaxLen, texts)
		}
	}
}
