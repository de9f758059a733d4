package model

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/whisperfile/whisperfile/audio"
	"github.com/whisperfile/whisperfile/model/tinyen"
)

// clip reads a clip of the module's testdata.
func clip(t testing.TB, name string) []float32 {
	t.Helper()
	f, err := audio.Open(filepath.Join("..", "testdata", name+".wav"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var pcm []float32
	buf := make([]float32, 4096)
	for {
		n, err := f.Read(buf)
		pcm = append(pcm, buf[:n]...)
		if errors.Is(err, io.EOF) {
			return pcm
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// samples is a Source that gives at most chunk samples at a time.
type samples struct {
	pcm   []float32
	chunk int
}

func (s *samples) Read(dst []float32) (int, error) {
	if len(s.pcm) == 0 {
		return 0, io.EOF
	}
	n := copy(dst[:min(len(dst), s.chunk)], s.pcm)
	s.pcm = s.pcm[n:]
	return n, nil
}

// tinyEn opens the model that is committed, which takes too long without assembly.
func tinyEn(t testing.TB, threads int) *Model {
	t.Helper()
	if testing.Short() {
		t.Skip("slow")
	}
	m, _ := openOn(t, tinyen.Data(), threads, "")
	return m
}

// hear transcribes samples.
func hear(t testing.TB, m *Model, pcm []float32, chunk int, o Options) []Segment {
	t.Helper()
	s, err := m.NewSession()
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	var out []Segment
	if _, err := s.Transcribe(context.Background(), &samples{pcm, chunk}, o, func(g Segment) error {
		out = append(out, g)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return out
}

func text(segments []Segment) string {
	var b strings.Builder
	for _, s := range segments {
		b.WriteString(s.Text)
	}
	return b.String()
}

// joined is 40 s of clips with pauses in between: two windows and more.
func joined(t testing.TB) []float32 {
	var pcm []float32
	for i := range 8 {
		pcm = append(pcm, clip(t, []string{"austen-0870", "austen-0880", "austen-0890", "austen-0930"}[i%4])...)
		pcm = append(pcm, make([]float32, 8000)...)
	}
	return pcm
}

func TestThreadsAndChunksChangeNothing(t *testing.T) {
	pcm := joined(t)
	o := Options{TokenTimes: true}
	m := tinyEn(t, 1)
	want := hear(t, m, pcm, len(pcm), o)
	if len(want) < 4 || !strings.Contains(text(want), "power to do for them") {
		t.Fatalf("heard %q", text(want))
	}
	for _, threads := range []int{2, 7} {
		m := tinyEn(t, threads)
		if d := cmp.Diff(want, hear(t, m, pcm, 777, o)); d != "" {
			t.Errorf("%d threads, small pieces (-1 thread, all at once; +this):\n%s", threads, d)
		}
	}
	inOrder(t, want, time.Duration(len(pcm))*time.Second/audio.SampleRate)
}

// inOrder checks that times never run backwards, never leave the audio, and that every token lies in its segment.
func inOrder(t *testing.T, segments []Segment, length time.Duration) {
	t.Helper()
	var last time.Duration
	for _, s := range segments {
		if s.Start < last || s.End < s.Start || s.End > length+10*time.Millisecond {
			t.Errorf("segment %v–%v behind %v in %v of audio: %q", s.Start, s.End, last, length, s.Text)
		}
		if !utf8.ValidString(s.Text) {
			t.Errorf("not UTF-8: %q", s.Text)
		}
		last = s.End
		at := s.Start
		for _, k := range s.Tokens {
			if k.Start < at || k.End < k.Start || k.End > s.End {
				t.Errorf("token %q %v–%v behind %v in a segment of %v–%v", k.Text, k.Start, k.End, at, s.Start, s.End)
			}
			at = k.Start
		}
	}
}

func TestOffsetAndDuration(t *testing.T) {
	var pcm []float32
	for _, name := range []string{"austen-0880", "austen-0890", "austen-0930"} {
		pcm = append(pcm, clip(t, name)...)
	}
	second := time.Duration(len(clip(t, "austen-0880"))) * time.Second / audio.SampleRate
	length := time.Duration(len(clip(t, "austen-0890"))) * time.Second / audio.SampleRate
	m := tinyEn(t, 0)
	got := hear(t, m, pcm, len(pcm), Options{Offset: second, Duration: length})
	if g := strings.ToLower(text(got)); !strings.Contains(g, "cold-hearted") || strings.Contains(g, "young man") || strings.Contains(g, "amiable") {
		t.Errorf("heard %q", g)
	}
	for _, s := range got {
		if s.Start < second-10*time.Millisecond || s.End > second+length {
			t.Errorf("%v–%v lies outside %v + %v", s.Start, s.End, second, length)
		}
	}
	if got := hear(t, m, pcm, len(pcm), Options{Offset: time.Hour}); len(got) != 0 {
		t.Errorf("behind the end of the audio: %q", text(got))
	}
	if got := hear(t, m, nil, 1, Options{}); len(got) != 0 {
		t.Errorf("in no audio: %q", text(got))
	}
}

func TestMaxLen(t *testing.T) {
	m := tinyEn(t, 0)
	pcm := clip(t, "austen-0870")
	whole := hear(t, m, pcm, len(pcm), Options{})
	for _, words := range []bool{false, true} {
		got := hear(t, m, pcm, len(pcm), Options{MaxLen: 20, SplitOnWord: words})
		if text(got) != text(whole) {
			t.Errorf("heard %q, want %q", text(got), text(whole))
		}
		for _, s := range got {
			if n := utf8.RuneCountInString(s.Text); n > 20+12 || n > 20 && !words {
				t.Errorf("%d characters: %q", n, s.Text)
			}
			if words && !strings.HasPrefix(s.Text, " ") {
				t.Errorf("cut inside a word: %q", s.Text)
			}
		}
		inOrder(t, got, time.Duration(len(pcm))*time.Second/audio.SampleRate)
	}
}

func TestPromptChangesSpelling(t *testing.T) {
	m := tinyEn(t, 0)
	pcm := clip(t, "austen-0870")
	if got := text(hear(t, m, pcm, len(pcm), Options{Prompt: "Mister John Dashwoode of Norland Park."})); !strings.Contains(got, "Dashwoode") {
		t.Errorf("heard %q", got)
	}
}

func TestCancel(t *testing.T) {
	m := tinyEn(t, 0)
	s, err := m.NewSession()
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	ctx, cancel := context.WithCancel(context.Background())
	pcm := joined(t)
	n := 0
	_, err = s.Transcribe(ctx, &samples{pcm, len(pcm)}, Options{}, func(Segment) error { n++; cancel(); return nil })
	if !errors.Is(err, context.Canceled) || n == 0 {
		t.Errorf("%d segments, then %v", n, err)
	}
	boom := errors.New("boom")
	_, err = s.Transcribe(context.Background(), &samples{pcm, len(pcm)}, Options{}, func(Segment) error { return boom })
	if !errors.Is(err, boom) {
		t.Errorf("an error of the callback comes back as %v", err)
	}
}

func TestSessionsAreBounded(t *testing.T) {
	m := smallModel(t)
	var all []*Session
	for range Slots {
		s, err := m.NewSession()
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, s)
	}
	if _, err := m.NewSession(); !errors.Is(err, ErrBusy) {
		t.Errorf("one session more: %v", err)
	}
	for _, s := range all {
		s.Close()
		s.Close()
	}
	if n := len(m.free); n != Slots {
		t.Errorf("%d slots are free", n)
	}
}

func TestValidate(t *testing.T) {
	for _, c := range []struct {
		o    Options
		want string
	}{
		{Options{}, ""},
		{Options{Language: "German"}, ""},
		{Options{Language: "xx"}, "language"},
		{Options{Offset: -1}, "offset"},
		{Options{Duration: -1}, "duration"},
		{Options{MaxLen: -1}, "max len"},
		{Options{NoSpeechThreshold: 2}, "no-speech"},
	} {
		err := c.o.Validate()
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: %v, want %q", c.o, err, c.want)
		}
	}
}

func TestOpenRefuses(t *testing.T) {
	if _, err := Open(filepath.Join(t.TempDir(), "none"), nil); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a file that is not there: %v", err)
	}
}
