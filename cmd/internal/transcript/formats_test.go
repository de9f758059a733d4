package transcript

import (
	"bytes"
	"encoding/json"
	"flag"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/whisperfile/whisperfile/ggml"
	"github.com/whisperfile/whisperfile/model"
)

var update = flag.Bool("update", false, "write the goldens anew")

const ms = time.Millisecond

// formats are all there are, by the ending of their goldens.
var formats = []struct {
	name  string
	write func(io.Writer, *Transcript) error
}{
	{"txt", WriteTXT},
	{"vtt", WriteVTT},
	{"srt", WriteSRT},
	{"csv", WriteCSV},
	{"lrc", WriteLRC},
	{"json", WriteJSON},
	{"json-full", WriteJSONFull},
}

// tiny is tiny.en as Info describes it.
var tiny = model.Info{
	Header: ggml.Header{
		Vocab: 51864, AudioCtx: 1500, AudioState: 384, AudioHeads: 6, AudioLayers: 4,
		TextCtx: 448, TextState: 384, TextHeads: 6, TextLayers: 4, Mels: 80, FType: 2009,
	},
	Type: "tiny", Languages: 1,
}

func transcripts() map[string]*Transcript {
	params := Params{Model: `C:\models\ggml-tiny.en.bin`, Language: "en"}
	return map[string]*Transcript{
		"empty": {Model: tiny, Params: params, Language: "en", System: "CPU avx2"},
		"speech": {
			Model: tiny, Params: params, Language: "en", System: "CPU avx2", FirstNumber: 10,
			Segments: []model.Segment{
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
			},
		},
	}
}

func TestFormats(t *testing.T) {
	for name, tr := range transcripts() {
		for _, f := range formats {
			t.Run(name+"/"+f.name, func(t *testing.T) {
				var got bytes.Buffer
				if err := f.write(&got, tr); err != nil {
					t.Fatal(err)
				}
				if !utf8.Valid(got.Bytes()) {
					t.Error("not UTF-8")
				}
				if strings.HasPrefix(f.name, "json") && !json.Valid(got.Bytes()) {
					t.Error("not JSON")
				}
				golden(t, filepath.Join("testdata", "formats", name+"."+f.name), got.String())
			})
		}
	}
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

// full stops every writer: after n bytes it takes no more.
type full struct{ n int }

func (f *full) Write(p []byte) (int, error) {
	if len(p) > f.n {
		n := f.n
		f.n = 0
		return n, os.ErrClosed
	}
	f.n -= len(p)
	return len(p), nil
}

func TestFormatsPassErrorsOn(t *testing.T) {
	tr := transcripts()["speech"]
	for _, f := range formats {
		for _, n := range []int{0, 10, 30} {
			if err := f.write(&full{n}, tr); err == nil {
				t.Errorf("%s: no error when the disk is full after %d bytes", f.name, n)
			}
		}
	}
}
