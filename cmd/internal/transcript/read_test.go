package transcript

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/whisperfile/whisperfile/model"
)

// recorded are what whisper.cpp wrote of clips.
func recorded(t testing.TB) []string {
	t.Helper()
	list, err := filepath.Glob(filepath.FromSlash("../../../testdata/golden/*/*.greedy.json"))
	if err != nil || len(list) == 0 {
		t.Fatalf("no recorded JSON: %v", err)
	}
	return list
}

// TestReadRecorded renders whisper.cpp's JSON: its own text and, from what was read, its own JSON have to come out.
func TestReadRecorded(t *testing.T) {
	for _, path := range recorded(t) {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		tr, err := ReadJSON(bytes.NewReader(data))
		if err != nil {
			t.Errorf("%s: %v", path, err)
			continue
		}
		for _, f := range formats {
			name := path
			switch f.name {
			case "txt":
				name = strings.TrimSuffix(path, "json") + "txt"
			case "json-full":
			default:
				continue
			}
			want, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			var got bytes.Buffer
			if err := f.write(&got, tr); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got.String()); diff != "" {
				t.Errorf("%s: %s", name, diff)
			}
		}
	}
}

func TestReadJSON(t *testing.T) {
	segments := func(s string) string { return `{"transcription": [` + s + `]}` }
	text := func(s string) string { return segments(`{"text": "` + s + `"}`) }
	one := func(s string) []model.Segment { return []model.Segment{{Text: s}} }
	for _, test := range []struct {
		name, json string
		want       []model.Segment
		err        string
	}{
		{"empty", segments(""), nil, ""},
		{"escapes", text(`\"\\\/\b\f\n\r\t\u00e9\u4F60\ud83d\ude00`), one("\"\\/\b\f\n\r\té你😀"), ""},
		{"half a pair", text(`\ud83dx\ude00\ud83d\u0041`), one("\uFFFDx\uFFFD\uFFFDA"), ""},
		{"control characters as they stand", text("a\nb\x01\x7f"), one("a\nb\x01\x7f"), ""},
		{"broken bytes", text("a\xff\xc3b\xe4\xbd"), one("a\uFFFDb\uFFFD"), ""},
		{
			"a character over two segments", segments("{\"text\": \"a\xe4\xbd\"}, {\"text\": \"\xa0b\"}"),
			[]model.Segment{{Text: "a"}, {Text: "你b"}}, "",
		},
		{
			"a character over three segments", segments("{\"text\": \"\xe4\"}, {\"text\": \"\xbd\"}, {\"text\": \"\xa0\"}"),
			[]model.Segment{{Text: ""}, {Text: ""}, {Text: "你"}}, "",
		},
		{
			"times", segments(`{"timestamps": {"from": "x"}, "offsets": {"from": 10, "to": 2e3}, "speaker": "0"}`),
			[]model.Segment{{Start: 10 * ms, End: 2000 * ms}}, "",
		},
		{
			"tokens", segments(`{"tokens": [{"text": "a", "id": 5, "p": 0.5, "t_dtw": -1}, {"offsets": {"from": 0, "to": 10}, "p": 1}]}`),
			[]model.Segment{{Tokens: []model.Token{{Text: "a", ID: 5, P: 0.5, Start: -1, End: -1}, {P: 1, Start: 0, End: 10 * ms}}}}, "",
		},
		{"what is not known", `{"a": null, "b": [1, {"c": true}, []], "transcription": [], "d": "x", "e": -1.5E3}`, nil, ""},
		{"nothing", "", nil, "byte 0: the text ends where '{' should be"},
		{"no transcription", "{}", nil, `there is no "transcription" in it`},
		{"a list", "[]", nil, "byte 0: '[' where '{' should be"},
		{"cut", `{"transcription": [{"text": "abc`, nil, "byte 32: the text ends within a string"},
		{"cut in an escape", `{"transcription": [{"text": "abc\`, nil, "byte 32: the text ends within a string"},
		{"cut in a list", `{"transcription": [{"text": "abc"}`, nil, "byte 34: the text ends where ',' should be"},
		{"something behind", "{\"transcription\": []}\n{}", nil, "byte 22: something behind the end"},
		{"bad escape", text(`\x`), nil, "byte 29: unknown escape \\x"},
		{"short escape", text(`\u12`), nil, `byte 29: \u without four hexadecimal digits`},
		{"time below 0", segments(`{"offsets": {"from": -10}}`), nil, "byte 40: no whole number from 0 to 1000000000000"},
		{"time that is none", segments(`{"offsets": {"from": nan}}`), nil, "byte 40: no whole number from 0 to 1000000000000"},
		{"wrong kind", segments(`{"offsets": 5}`), nil, "byte 31: '5' where '{' should be"},
		{"no number", segments(`{"tokens": [{"p": "x"}]}`), nil, "byte 37: no number where one should be"},
		{"no boolean", `{"model": {"multilingual": 1}}`, nil, "byte 27: neither true nor false"},
		{"deep", `{"x": ` + strings.Repeat("[", 1000), nil, "byte 38: nested deeper than 32"},
	} {
		t.Run(test.name, func(t *testing.T) {
			tr, err := ReadJSON(strings.NewReader(test.json))
			if test.err != "" {
				if err == nil || err.Error() != test.err {
					t.Fatalf("error %v, want %s", err, test.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, tr.Segments); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestReadJSONCut reads every beginning of a JSON: it is refused, never half understood.
func TestReadJSONCut(t *testing.T) {
	data, err := os.ReadFile(filepath.Join("testdata", "formats", "speech.json-full"))
	if err != nil {
		t.Fatal(err)
	}
	data = bytes.TrimSpace(data)
	for n := range data {
		if _, err := ReadJSON(bytes.NewReader(data[:n])); err == nil {
			t.Fatalf("%d of %d bytes are enough", n, len(data))
		}
	}
}

// FuzzRender reads anything; what is understood survives being written and read again, and makes valid files.
func FuzzRender(f *testing.F) {
	for _, path := range append(recorded(f)[:1], filepath.Join("testdata", "formats", "speech.json"), filepath.Join("testdata", "formats", "empty.json")) {
		data, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data[:min(len(data), 4096)])
	}
	f.Add([]byte(`{"model":{"vocab":51864},"transcription":[{"offsets":{"from":0,"to":10},"tokens":[{"text":"a","offsets":{"from":0,"to":1e1},"id":5,"p":0.5}]}]}`))
	f.Add([]byte("{\"transcription\":[{\"text\":\"a\xe4\"},{\"text\":\"\xbd\xa0\\ud83d\"}]}"))
	f.Fuzz(func(t *testing.T, data []byte) {
		first, err := ReadJSON(bytes.NewReader(data))
		if err != nil {
			return
		}
		for _, format := range formats {
			var out bytes.Buffer
			if err := format.write(&out, first); err != nil {
				t.Fatal(err)
			}
			if !utf8.Valid(out.Bytes()) {
				t.Fatalf("%s is not UTF-8", format.name)
			}
			if format.name != "json-full" {
				continue
			}
			again, err := ReadJSON(&out)
			if err != nil {
				t.Fatalf("our own JSON is refused: %v", err)
			}
			if diff := cmp.Diff(texts(first), texts(again)); diff != "" {
				t.Fatal(diff)
			}
		}
	})
}

func texts(t *Transcript) []string {
	var list []string
	for _, s := range t.Segments {
		list = append(list, s.Text)
	}
	return list
}
