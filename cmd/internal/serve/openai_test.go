package serve

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/whisperfile/whisperfile/model"
)

func TestOpenAI(t *testing.T) {
	r := one(t, newEar(base, "Good morning.", "Ⅷ \"x\""))
	const (
		head = `"language":"german","duration":1.0,"text":"Good morning. Ⅷ \"x\"",`
		segs = `"segments":[{"id":0,"seek":0,"start":0.0,"end":1.0,"text":" Good morning.","tokens":[1,2],"temperature":0.0,"avg_logprob":-0.46209812037329684,` +
			`"compression_ratio":0.6363636363636364,"no_speech_prob":0.5},{"id":1,"seek":0,"start":1.0,"end":2.0,"text":" Ⅷ \"x\"","tokens":[1,2],"temperature":0.0,` +
			`"avg_logprob":-0.46209812037329684,"compression_ratio":0.6363636363636364,"no_speech_prob":0.5}],`
		wrds = `"words":[{"word":"Good","start":0.0,"end":0.1},{"word":"morning.","start":0.1,"end":0.2},{"word":"Ⅷ","start":1.0,"end":1.1},{"word":"\"x\"","start":1.1,"end":1.2}],`
		end  = `"usage":{"type":"duration","seconds":1}}`
	)
	for _, test := range []struct {
		path, fields string
		want         string
	}{
		{transcriptions, "model=whisper-1", `{"text":"Good morning. Ⅷ \"x\"",` + end},
		{transcriptions, "model=main response_format=text", "Good morning. Ⅷ \"x\"\n"},
		{transcriptions, "response_format=srt", "1\n00:00:00,000 --> 00:00:01,000\nGood morning.\n\n2\n00:00:01,000 --> 00:00:02,000\nⅧ \"x\"\n\n"},
		{translations, "response_format=vtt", "WEBVTT\n\n00:00:00.000 --> 00:00:01.000\nGood morning.\n\n00:00:01.000 --> 00:00:02.000\nⅧ \"x\"\n\n"},
		{transcriptions, "response_format=verbose_json", `{"task":"transcribe",` + head + segs + end},
		{translations, "response_format=verbose_json timestamp_granularities[]=segment", `{"task":"translate",` + head + segs + end},
		{transcriptions, "response_format=verbose_json timestamp_granularities[]=word", `{"task":"transcribe",` + head + wrds + end},
		{transcriptions, "response_format=verbose_json timestamp_granularities[]=word timestamp_granularities[]=segment", `{"task":"transcribe",` + head + segs + wrds + end},
		{transcriptions, "response_format=verbose_json language=en", strings.Replace(`{"task":"transcribe",`+head+segs+end, "german", "english", 1)},
	} {
		t.Run(test.path+test.fields, func(t *testing.T) {
			status, got := r.post(t, test.path, strings.Fields(test.fields)...)
			if diff := cmp.Diff(test.want, got); diff != "" || status != http.StatusOK {
				t.Errorf("%d: %s", status, diff)
			}
		})
	}
}

func TestModels(t *testing.T) {
	r := newRoom(t, nil, map[string]*ear{"main": newEar(base, "main"), "other": newEar(tinyEN, "other")})
	_, got := r.get(t, "/v1/models")
	var list struct {
		Object string
		Data   []struct {
			ID, Object, Type           string
			Languages                  []string
			Translate, Default, Loaded bool
		}
	}
	if err := json.Unmarshal([]byte(got), &list); err != nil || list.Object != "list" || len(list.Data) != 2 {
		t.Fatalf("%v: %s", err, got)
	}
	if m := list.Data[0]; m.ID != "main" || !m.Default || !m.Loaded || !m.Translate || len(m.Languages) != 99 || m.Object != "model" || m.Type != "base" {
		t.Errorf("%+v", m)
	}
	if m := list.Data[1]; m.ID != "other" || m.Default || m.Loaded || m.Translate || !cmp.Equal(m.Languages, []string{"en"}) {
		t.Errorf("%+v", m)
	}
	for id, want := range map[string]int{"main": 200, "other": 200, "whisper-1": 200, "none": 404, "a/b": 404} {
		status, got := r.get(t, "/v1/models/"+id)
		if status != want || want == 200 && !strings.Contains(got, `"id":"`+id+`"`) {
			t.Errorf("%s: %d %s", id, status, got)
		}
	}
	for fields, want := range map[string]string{"": "main", "model=main": "main", "model=other": "other", "model=gpt-4o-transcribe": "main"} {
		for _, path := range []string{"/inference", transcriptions} {
			if status, got := r.post(t, path, strings.Fields(fields)...); status != 200 || !strings.Contains(got, want) {
				t.Errorf("%s %s: %d %s", path, fields, status, got)
			}
		}
	}
	want := `{"error":{"message":"there is no model \"none\"; there is main, other","type":"invalid_request_error","param":"model","code":"model_not_found"}}` + "\n"
	if status, got := r.post(t, transcriptions, "model=none"); status != 404 || got != want {
		t.Errorf("%d %s", status, got)
	}
	if status, got := r.post(t, translations, "model=other"); status != 400 || !strings.Contains(got, "the model cannot translate") {
		t.Errorf("%d %s", status, got)
	}
}

func TestWords(t *testing.T) {
	const eot = 100
	token := func(text string, at, to int) model.Token {
		d := func(n int) time.Duration {
			if n < 0 {
				return -1
			}
			return time.Duration(n) * ms
		}
		return model.Token{Text: text, Start: d(at), End: d(to)}
	}
	special := model.Token{ID: eot, Text: "[_BEG_]"}
	for _, test := range []struct {
		name, language string
		tokens         []model.Token
		want           []word
	}{
		{"none", "en", nil, nil},
		{"special", "en", []model.Token{special}, nil},
		{
			"parts of words and punctuation", "en",
			[]model.Token{special, token(" am", 0, 10), token("iable", 10, 20), token(",", 20, 30), token(" (", 30, 40), token("he", 40, 50), token(" said", 50, 60), token(").", 60, 70)},
			[]word{{"amiable,", 0, 30 * ms}, {"(he", 30 * ms, 50 * ms}, {"said).", 50 * ms, 70 * ms}},
		},
		{
			"the first word without a blank", "en", []model.Token{token("He", 0, 10), token(" ran", 10, 20)},
			[]word{{"He", 0, 10 * ms}, {"ran", 10 * ms, 20 * ms}},
		},
		{
			"times that are not known, fall, or lie outside", "en",
			[]model.Token{token(" a", -1, -1), token(" b", 50, -1), token(" c", 20, 40), token(" d", 5000, 6000)},
			[]word{{"a", 0, 0}, {"b", 50 * ms, 50 * ms}, {"c", 50 * ms, 50 * ms}, {"d", 1000 * ms, 1000 * ms}},
		},
		{
			"characters over tokens", "en", []model.Token{token(" na", 0, 10), token("\xc3", 10, 20), token("\xaf", 20, 30), token("ve", 30, 40)},
			[]word{{"naïve", 0, 40 * ms}},
		},
		{
			"no blanks between words", "ja", []model.Token{token("日本", 0, 10), token("語", 10, 20), token("。", 20, 30)},
			[]word{{"日本", 0, 10 * ms}, {"語。", 10 * ms, 30 * ms}},
		},
		{
			"a blank alone", "en", []model.Token{token(" ", 0, 10), token("x", 10, 20)},
			[]word{{"x", 10 * ms, 20 * ms}},
		},
		{
			"quotes around a word", "en", []model.Token{token(" \"", 0, 10), token("Yes", 10, 20), token("\"", 20, 30), token(" he", 30, 40)},
			[]word{{"\"Yes\"", 0, 30 * ms}, {"he", 30 * ms, 40 * ms}},
		},
	} {
		got := words(model.Segment{End: time.Second, Tokens: test.tokens}, test.language, eot)
		if diff := cmp.Diff(test.want, got, cmp.AllowUnexported(word{})); diff != "" {
			t.Errorf("%s: %s", test.name, diff)
		}
	}
}

func TestNumbers(t *testing.T) {
	for x, want := range map[float64]string{
		0: "0.0", 1: "1.0", -2: "-2.0", 0.1: "0.1", float64(float32(0.2)): "0.20000000298023224", 1e-4: "0.0001", 1.93e-5: "1.93e-05",
		999999999999999: "999999999999999.0", 1e15: "1e+15", 1.5e300: "1.5e+300", 0.05000000074505806: "0.05000000074505806",
	} {
		var j jsonText
		if j.number(x); string(j.b) != want {
			t.Errorf("%g: %s, want %s", x, j.b, want)
		}
	}
}
