package transcribe

import (
	"bytes"
	"flag"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/whisperfile/whisperfile/cmd/internal/transcript"
	"github.com/whisperfile/whisperfile/ggml"
	"github.com/whisperfile/whisperfile/model"
)

var update = flag.Bool("update", false, "write the goldens anew")

const ms = time.Millisecond

// tiny is tiny.en as Info describes it.
var tiny = model.Info{
	Header: ggml.Header{
		Vocab: 51864, AudioCtx: 1500, AudioState: 384, AudioHeads: 6, AudioLayers: 4,
		TextCtx: 448, TextState: 384, TextHeads: 6, TextLayers: 4, Mels: 80, FType: 2009,
	},
	Type: "tiny", Languages: 1,
}

// spoken is what can stand in segments: text of every kind, and characters spread over tokens.
var spoken = []model.Segment{
	{Start: 0, End: 2500 * ms, Text: " He said \"no\", twice.", Tokens: []model.Token{
		{ID: 50363, Text: "[_BEG_]", P: 0.8254054, Start: 0, End: 0},
		{ID: 679, Text: " He", P: 0.5, Start: 320 * ms, End: 400 * ms},
		{ID: 1, Text: " \"no\"", P: 1, Start: -1, End: -1},
		{ID: 2, Text: "\n", P: 1.25e-5, Start: 400 * ms, End: -1},
	}},
	{Start: 2500 * ms, End: 59*time.Minute + 59990*ms, Text: "\t \\ tab\x01", Tokens: []model.Token{
		// 你 (E4 BD A0) over three tokens, 好 (E5 A5 BD) over two, then a half that is never completed.
		{ID: 3, Text: " \xe4", P: 0.1, Start: 2500 * ms, End: 2600 * ms},
		{ID: 4, Text: "\xbd", P: 0.2, Start: 2600 * ms, End: 2700 * ms},
		{ID: 5, Text: "\xa0\xe5", P: 0.3, Start: 2700 * ms, End: 2800 * ms},
		{ID: 6, Text: "\xa5\xbd", P: 0.4, Start: 2800 * ms, End: -1},
		{ID: 7, Text: "\xf0\x9f", P: float32(math.NaN()), Start: 2900 * ms, End: 3000 * ms},
	}},
	{Start: 100*time.Hour + 1*time.Minute + 2030*ms, End: 100*time.Hour + 1*time.Minute + 3040*ms, Text: " 你好"},
}

func golden(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s: %s", path, diff)
	}
}

func TestLive(t *testing.T) {
	for name, l := range map[string]*live{
		"lines":         {},
		"text":          {noTimestamps: true},
		"colors":        {colors: true},
		"special":       {colors: true, special: true},
		"colored-text":  {colors: true, noTimestamps: true},
		"special-plain": {special: true},
	} {
		var got bytes.Buffer
		l.w, l.endOfText = &got, transcript.EndOfText(tiny)
		for _, s := range spoken {
			if err := l.print(s); err != nil {
				t.Fatal(err)
			}
		}
		if err := l.end(name == "text"); err != nil {
			t.Fatal(err)
		}
		golden(t, filepath.Join("testdata", "formats", "live."+name), got.String())
	}
}

func TestColor(t *testing.T) {
	for p, want := range map[float32]int{-1: 160, 0: 160, 0.52: 160, 0.53: 166, 0.66: 208, 0.755: 215, 0.831: 227, 0.895: 114, 0.951: 71, 1: 71, 2: 71} {
		if got := color(p); got != want {
			t.Errorf("%g: %d, want %d", p, got, want)
		}
	}
}

func TestProgressLines(t *testing.T) {
	var got bytes.Buffer
	p := &progress{lines: &got}
	for _, percent := range []time.Duration{0, 4, 5, 37, 37, 37, 100, 100} {
		p.set(model.Progress{Done: percent * time.Second, Total: 100 * time.Second})
		p.set(model.Progress{Done: percent * time.Second})
	}
	var want strings.Builder
	for _, n := range []string{"  5", " 37", " 37", " 37", "100", "100"} {
		want.WriteString("whisper_print_progress_callback: progress = " + n + "%\n")
	}
	if diff := cmp.Diff(want.String(), got.String()); diff != "" {
		t.Error(diff)
	}
}
