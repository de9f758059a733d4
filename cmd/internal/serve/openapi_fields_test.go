package serve

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/whisperfile/whisperfile/audio"
	"github.com/whisperfile/whisperfile/cmd/internal/applet"
	"github.com/whisperfile/whisperfile/model"
)

// formPlace is where the fields are described.
const formPlace = "#/components/schemas/Form/properties"

// TestDescriptionFields: a field is described if and only if the form's reader knows it, and a value is valid if and only
// if it is accepted.
func TestDescriptionFields(t *testing.T) {
	a := newAPI(t)
	described := a.at(formPlace).(map[string]any)
	known := []string{soundField}
	for _, f := range fields {
		known = append(known, f.name)
	}
	slices.Sort(known)
	if names := slices.Sorted(maps.Keys(described)); !slices.Equal(names, known) {
		t.Fatalf("described are\n%q, known are\n%q", names, known)
	}
	r := one(t, newEar(base, "yes"))
	for _, name := range known {
		if name == soundField || name == "model" || name == "language" {
			continue // what they may be depends on the model
		}
		schema := described[name].(map[string]any)
		t.Run(name, func(t *testing.T) {
			for _, value := range probes(schema) {
				err := a.valid(t, formPlace+"/"+name, asField(schema, value))
				status, text := r.post(t, "/inference", name+"="+value)
				if status != http.StatusOK && status != http.StatusBadRequest {
					t.Errorf("%q: %d %s", value, status, text)
				}
				if valid := err == nil; valid != (status == http.StatusOK) {
					t.Errorf("%q is described as valid: %v; the answer is %d %s", value, valid, status, text)
				}
			}
		})
	}
}

// probes are values of all kinds, and those around the bounds of a schema.
func probes(schema map[string]any) []string {
	list := []string{"x", "-1", "0", "0.001", "0.5", "1", "1.5", "2", "true", "false", "maybe", "json", "verbose_json", "word", "segment", "(", "nan", "1e999"}
	if schema["type"] != "boolean" {
		list = append(list, "")
	}
	for bound, step := range map[string]float64{"minimum": -1, "maximum": 1} {
		n, ok := schema[bound].(json.Number)
		if !ok {
			continue
		}
		x, err := n.Float64()
		if err != nil {
			panic(err)
		}
		list = append(list, n.String(), fmt.Sprintf("%.0f", x+step), fmt.Sprintf("%.0f", x-step), fmt.Sprintf("%f", x+step/1000))
	}
	if n, ok := schema["maxLength"].(json.Number); ok {
		length, err := n.Int64()
		if err != nil {
			panic(err)
		}
		list = append(list, strings.Repeat("x", int(length)), strings.Repeat("x", int(length)+1))
	}
	return append(list, enumerated(schema)...)
}

func enumerated(schema map[string]any) (list []string) {
	if items, ok := schema["items"].(map[string]any); ok {
		schema = items
	}
	values, _ := schema["enum"].([]any)
	for _, v := range values {
		list = append(list, fmt.Sprint(v))
	}
	return list
}

// asField is the JSON that a value of a form stands for, by the type of its field.
func asField(schema map[string]any, value string) any {
	switch schema["type"] {
	case "string":
		return value
	case "array":
		return []any{value}
	case "boolean":
		switch value {
		case "true", "1":
			return true
		case "false", "0":
			return false
		}
		return value
	}
	return asJSON(value)
}

// TestDescriptionDefaults: to send a default is to send nothing, with the flags as they are.
func TestDescriptionDefaults(t *testing.T) {
	a := newAPI(t)
	for path, changed := range map[string]string{
		"/inference": "", transcriptions: pointer("paths", transcriptions), translations: pointer("paths", translations),
	} {
		described := maps.Clone(a.at(formPlace).(map[string]any))
		if changed != "" {
			place := changed + "/post/requestBody/content/multipart~1form-data/schema/properties"
			for name, schema := range a.at(place).(map[string]any) {
				described[name] = schema
			}
		}
		want := optionsOf(t, path)
		for name, schema := range described {
			value, ok := schema.(map[string]any)["default"]
			if !ok {
				continue
			}
			if list, ok := value.([]any); ok {
				value = list[0]
			}
			if got := optionsOf(t, path, fmt.Sprintf("%s=%v", name, value)); got != want {
				t.Errorf("%s with %s=%v:\n%+v, without:\n%+v", path, name, value, got, want)
			}
		}
		for _, name := range slices.Sorted(maps.Keys(described)) {
			if _, ok := described[name].(map[string]any)["default"]; !ok && name != soundField && name != "token_timestamps" {
				t.Errorf("%s has no default", name)
			}
		}
	}
}

// asked is what a request asked of the engine, and the answer.
type asked struct{ options, answer string }

// optionsOf sends a form to a server that was started without flags.
func optionsOf(t *testing.T, path string, fields ...string) (got asked) {
	t.Helper()
	var s settings
	env := applet.Env{Weights: func() (string, []byte) { return "main", []byte{0} }}
	program := &cli.App{Flags: flags(), Action: func(c *cli.Context) (err error) {
		s, err = understand(env, c)
		return err
	}}
	if err := program.RunContext(t.Context(), []string{"whisper-server"}); err != nil {
		t.Fatal(err)
	}
	s.Log = nil
	e := &listener{ear: newEar(base, "a b", "c")}
	set := &modelSet{open: func(string, []byte) (engine, error) { return e, nil }}
	if err := set.add(s.files[0]); err != nil {
		t.Fatal(err)
	}
	server, err := newServer(s.Config, set)
	if err != nil {
		t.Fatal(err)
	}
	kind, form := body(wav(time.Second), append([]string{"@file"}, fields...)...)
	q := httptest.NewRequestWithContext(t.Context(), http.MethodPost, path, form)
	q.Header.Set("Content-Type", kind)
	w := httptest.NewRecorder()
	server.Handler().ServeHTTP(w, q)
	if w.Code != http.StatusOK {
		t.Errorf("%s %q: %d %s", path, fields, w.Code, w.Body)
	}
	o := e.options
	o.Progress = nil
	if o.WordThreshold == 0 {
		o.WordThreshold = 0.01 // as model.Options has it
	}
	return asked{fmt.Sprintf("%+v", o), w.Body.String()}
}

// listener is an ear that remembers what it was asked.
type listener struct {
	*ear
	options model.Options
}

func (l *listener) NewSession() (session, error) {
	s, err := l.ear.NewSession()
	return &listening{s, l}, err
}

type listening struct {
	session
	l *listener
}

func (s *listening) Transcribe(ctx context.Context, src audio.Source, o model.Options, yield func(model.Segment) error) (model.Result, error) {
	s.l.options = o
	return s.session.Transcribe(ctx, src, o, yield)
}
