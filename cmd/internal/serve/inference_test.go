package serve

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/whisperfile/whisperfile/model"
)

func TestFormats(t *testing.T) {
	e := newEar(base, "Good morning.", "Ⅷ \"x\"")
	r := one(t, e)
	const words0 = `"words":[{"word":" Good","start":0.0,"end":0.1,"t_dtw":-1,"probability":0.5},{"word":" morning.","start":0.1,"end":0.2,"t_dtw":-1,"probability":0.5}]`
	for _, test := range []struct {
		fields string
		want   string
	}{
		{"", `{"text":" Good morning.\n Ⅷ \"x\"\n"}`},
		{"response_format=text", " Good morning.\n Ⅷ \"x\"\n"},
		{"response_format=srt offset_n=4", "5\n00:00:00,000 --> 00:00:01,000\n Good morning.\n\n6\n00:00:01,000 --> 00:00:02,000\n Ⅷ \"x\"\n\n"},
		{"response_format=vtt", "WEBVTT\n\n00:00:00.000 --> 00:00:01.000\n Good morning.\n\n00:00:01.000 --> 00:00:02.000\n Ⅷ \"x\"\n\n"},
		{"response_format=verbose_json", `{"task":"transcribe","language":"english","duration":1.0,"text":" Good morning.\n Ⅷ \"x\"\n","segments":[` +
			`{"id":0,"text":" Good morning.","start":0.0,"end":1.0,"tokens":[1,2],` + words0 + `,"temperature":0.0,"avg_logprob":-0.4620981216430664,"no_speech_prob":0.5},` +
			`{"id":1,"text":" Ⅷ \"x\"","start":1.0,"end":2.0,"tokens":[1,2],"words":[{"word":" Ⅷ","start":1.0,"end":1.1,"t_dtw":-1,"probability":0.5},` +
			`{"word":" \"x\"","start":1.1,"end":1.2,"t_dtw":-1,"probability":0.5}],"temperature":0.0,"avg_logprob":-0.4620981216430664,"no_speech_prob":0.5}],` +
			`"detected_language":"german","detected_language_probability":0.75,"language_probabilities":{"en":0.25,"de":0.75}}`},
		{"response_format=verbose_json no_timestamps=1 no_language_probabilities=yes translate=true language=French temperature=0.2 max_len=20",
			`{"task":"translate","language":"french","duration":1.0,"text":" Good morning.\n Ⅷ \"x\"\n","segments":[` +
				`{"id":0,"text":" Good morning.","tokens":[1,2],"words":[{"word":" Good","probability":0.5},{"word":" morning.","probability":0.5}],` +
				`"temperature":0.20000000298023224,"avg_logprob":-0.4620981216430664,"no_speech_prob":0.5},` +
				`{"id":1,"text":" Ⅷ \"x\"","tokens":[1,2],"words":[{"word":" Ⅷ","probability":0.5},{"word":" \"x\"","probability":0.5}],` +
				`"temperature":0.20000000298023224,"avg_logprob":-0.4620981216430664,"no_speech_prob":0.5}]}`},
		{"response_format=verbose_json detect_language=1", `{"task":"transcribe","language":"german","duration":1.0,"text":"","segments":[],` +
			`"detected_language":"german","detected_language_probability":0.75,"language_probabilities":{"en":0.25,"de":0.75}}`},
		{"detect_language=y", `{"text":""}`},
	} {
		t.Run(test.fields, func(t *testing.T) {
			status, got := r.post(t, "/inference", strings.Fields(test.fields)...)
			if diff := cmp.Diff(test.want, got); diff != "" || status != http.StatusOK {
				t.Errorf("%d: %s", status, diff)
			}
		})
	}
}

func TestContentTypes(t *testing.T) {
	r := one(t, newEar(base, "x"))
	for format, want := range map[string]string{
		"json": "application/json", "verbose_json": "application/json", "text": "text/plain; charset=utf-8",
		"srt": "application/x-subrip", "vtt": "text/vtt",
	} {
		for _, path := range []string{"/inference", transcriptions, translations} {
			kind, b := body(wav(time.Second), "@file", "response_format="+format)
			resp, err := http.Post(r.http.URL+path, kind, b)
			if err != nil {
				t.Fatal(err)
			}
			if status, _ := read(t, resp); status != http.StatusOK || resp.Header.Get("Content-Type") != want {
				t.Errorf("%s %s: %d, %s", path, format, status, resp.Header.Get("Content-Type"))
			}
		}
	}
}

// TestFields holds what a form says against what the engine is asked for.
func TestFields(t *testing.T) {
	plain := model.Options{Language: "en", BeamSize: 3}
	with := func(change func(*model.Options)) model.Options {
		o := plain
		change(&o)
		return o
	}
	for fields, want := range map[string]model.Options{
		"":                                     plain,
		"unknown=1 beam=x":                     plain,
		"offset_t=1500 duration=20":            with(func(o *model.Options) { o.Offset, o.Duration = 1500*ms, 20*ms }),
		"beam_size=5 beam_size=7":              with(func(o *model.Options) { o.BeamSize = 5 }),
		"beam_size=-1 best_of=4":               with(func(o *model.Options) { o.BeamSize, o.BestOf = 0, 4 }),
		"temperature=0.4 temperature_inc=0":    with(func(o *model.Options) { o.Temperature, o.NoFallback = 0.4, true }),
		"temperature_inc=0.5":                  with(func(o *model.Options) { o.TemperatureStep = 0.5 }),
		"language=GERMAN translate=true":       with(func(o *model.Options) { o.Language, o.Translate = "de", true }),
		"language=auto":                        with(func(o *model.Options) { o.Language = model.Auto }),
		"max_context=0":                        with(func(o *model.Options) { o.MaxContext = -1 }),
		"max_context=-1":                       plain,
		"max_len=7 split_on_word=on":           with(func(o *model.Options) { o.MaxLen, o.SplitOnWord = 7, true }),
		"suppress_non_speech=1 suppress_nst=0": plain,
		"entropy_thold=0 logprob_thold=-2 no_speech_thold=0.5 word_thold=0.1": with(func(o *model.Options) {
			o.EntropyThreshold, o.LogProbThreshold, o.NoSpeechThreshold, o.WordThreshold = -1, -2, 0.5, 0.1
		}),
		"vad=false diarize=0 audio_ctx=0":              plain,
		"prompt=Hi carry_initial_prompt=yes":           with(func(o *model.Options) { o.Prompt, o.CarryPrompt = "Hi", true }),
		"tinydiarize=true suppress_regex=^.$":          with(func(o *model.Options) { o.SpeakerTurns, o.SuppressRegex = true, "^.$" }),
		"token_timestamps=true":                        with(func(o *model.Options) { o.TokenTimes = true }),
		"response_format=verbose_json":                 with(func(o *model.Options) { o.TokenTimes, o.MaxLen = true, 60 }),
		"response_format=verbose_json max_len=9":       with(func(o *model.Options) { o.TokenTimes, o.MaxLen = true, 9 }),
		"response_format=verbose_json no_timestamps=1": plain,
	} {
		f := &form{values: map[string][]string{}}
		for _, s := range strings.Fields(fields) {
			name, value, _ := strings.Cut(s, "=")
			f.values[name] = append(f.values[name], value)
		}
		j := job{Request: Request{Options: plain}}
		if err := j.understand(f); err != nil {
			t.Errorf("%s: %v", fields, err)
		}
		if diff := cmp.Diff(want, j.options()); diff != "" {
			t.Errorf("%s: %s", fields, diff)
		}
	}
}

// TestLanguageOfFlags: a language that only the command line names gives way to an English-only model.
func TestLanguageOfFlags(t *testing.T) {
	e := newEar(tinyEN, "x")
	r := newRoom(t, func(c *Config, _ *modelSet) { c.Defaults.Options.Language, c.Language = "de", true }, map[string]*ear{"main": e})
	if status, got := r.post(t, "/inference", "response_format=verbose_json"); status != http.StatusOK || !strings.Contains(got, `"language":"english"`) {
		t.Errorf("%d: %s", status, got)
	}
	if status, got := r.post(t, "/inference", "language=de"); status != http.StatusBadRequest || got != `{"error":"the model does not know the language de"}`+"\n" {
		t.Errorf("%d: %s", status, got)
	}
}

func TestEngineFails(t *testing.T) {
	for name, change := range map[string]func(*ear){
		"error": func(e *ear) { e.err = errors.New("the device burns") },
		"panic": func(e *ear) { e.fault = "index out of range" },
	} {
		t.Run(name, func(t *testing.T) {
			e := newEar(base, "x")
			change(e)
			r := one(t, e)
			if status, got := r.post(t, "/inference"); status != http.StatusInternalServerError || got != `{"error":"failed to process audio"}`+"\n" {
				t.Errorf("%d: %s", status, got)
			}
			want := `{"error":{"message":"failed to process audio","type":"server_error","param":null,"code":null}}` + "\n"
			if status, got := r.post(t, transcriptions); status != http.StatusInternalServerError || got != want {
				t.Errorf("%d: %s", status, got)
			}
		})
	}
}

func TestPrintRealtime(t *testing.T) {
	var lines []string
	r := newRoom(t, func(c *Config, _ *modelSet) { c.Print = func(s string) { lines = append(lines, s) } }, map[string]*ear{"main": newEar(base, "x", "y")})
	r.post(t, "/inference")
	if diff := cmp.Diff([]string{"[00:00:00.000 --> 00:00:01.000]   x", "[00:00:01.000 --> 00:00:02.000]   y"}, lines); diff != "" {
		t.Error(diff)
	}
}
