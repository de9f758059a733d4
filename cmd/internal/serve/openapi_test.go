package serve

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"mime"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/whisperfile/whisperfile/cmd/internal/serve/page"
)

// api is the OpenAPI description, and what has been seen of it.
type api struct {
	doc      map[string]any
	compiler *jsonschema.Compiler
	schemas  map[string]*jsonschema.Schema // by their places in the description

	answers map[string]bool // of those that were checked: "POST /inference 200 text/vtt"
	keys    map[string]bool // of objects in them
}

const apiAddress = "openapi:description"

func newAPI(t *testing.T) *api {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(apiDescription))
	if err != nil {
		t.Fatal(err)
	}
	a := &api{
		doc: doc.(map[string]any), compiler: jsonschema.NewCompiler(), schemas: map[string]*jsonschema.Schema{},
		answers: map[string]bool{}, keys: map[string]bool{},
	}
	for name, s := range a.at("#/components/schemas").(map[string]any) {
		if name != "Form" {
			closeObjects(s)
		}
	}
	a.compiler.DefaultDraft(jsonschema.Draft2020)
	a.compiler.AssertFormat()
	if err := a.compiler.AddResource(apiAddress, doc); err != nil {
		t.Fatal(err)
	}
	return a
}

// closeObjects lets an object have no properties but those that are described, so that new ones are noticed.
func closeObjects(schema any) {
	switch s := schema.(type) {
	case map[string]any:
		if _, ok := s["properties"].(map[string]any); ok && s["type"] == "object" {
			s["additionalProperties"] = false
		}
		for _, v := range s {
			closeObjects(v)
		}
	case []any:
		for _, v := range s {
			closeObjects(v)
		}
	}
}

// pointer makes a place in the description of names.
func pointer(names ...string) string {
	escape := strings.NewReplacer("~", "~0", "/", "~1")
	p := "#"
	for _, n := range names {
		p += "/" + escape.Replace(n)
	}
	return p
}

// at returns what stands at a place, or nil.
func (a *api) at(place string) any {
	unescape := strings.NewReplacer("~1", "/", "~0", "~")
	var v any = a.doc
	for _, n := range strings.Split(place, "/")[1:] {
		m, _ := v.(map[string]any)
		v = m[unescape.Replace(n)]
	}
	return v
}

// follow returns what stands at a place, references followed, and where that is.
func (a *api) follow(place string) (map[string]any, string) {
	for {
		m, _ := a.at(place).(map[string]any)
		ref, ok := m["$ref"].(string)
		if !ok {
			return m, place
		}
		place = ref
	}
}

// valid holds a value against the schema at a place.
func (a *api) valid(t *testing.T, place string, v any) error {
	t.Helper()
	s, ok := a.schemas[place]
	if !ok {
		var err error
		if s, err = a.compiler.Compile(apiAddress + place); err != nil {
			t.Fatalf("%s: %v", place, err)
		}
		a.schemas[place] = s
	}
	return s.Validate(v)
}

// operations lists what is described: "POST /inference".
func (a *api) operations() []string {
	var list []string
	for path, item := range a.at("#/paths").(map[string]any) {
		for method := range item.(map[string]any) {
			list = append(list, strings.ToUpper(method)+" "+path)
		}
	}
	slices.Sort(list)
	return list
}

// check holds an answer against the description of an operation.
func (a *api) check(t *testing.T, operation string, resp *http.Response, body string) {
	t.Helper()
	method, path, _ := strings.Cut(operation, " ")
	place := pointer("paths", path, strings.ToLower(method), "responses", fmt.Sprint(resp.StatusCode))
	described, place := a.follow(place)
	if described == nil {
		t.Errorf("%s answers %d, which is not described: %s", operation, resp.StatusCode, body)
		return
	}
	headers, _ := described["headers"].(map[string]any)
	for name := range headers {
		h, at := a.follow(place + "/headers/" + name)
		switch v := resp.Header.Get(name); {
		case v == "" && h["required"] == true:
			t.Errorf("%s answers %d without %s", operation, resp.StatusCode, name)
		case v != "":
			if err := a.valid(t, at+"/schema", asJSON(v)); err != nil {
				t.Errorf("%s answers %d with %s: %s: %v", operation, resp.StatusCode, name, v, err)
			}
		}
	}
	for _, name := range []string{"Retry-After", "WWW-Authenticate", "Allow"} {
		described := slices.ContainsFunc(slices.Collect(maps.Keys(headers)), func(h string) bool { return strings.EqualFold(h, name) })
		if !described && resp.Header.Get(name) != "" {
			t.Errorf("%s answers %d with %s, which is not described", operation, resp.StatusCode, name)
		}
	}
	kind, _, err := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	if err != nil {
		t.Errorf("%s answers %d: %v", operation, resp.StatusCode, err)
		return
	}
	at := place + "/content/" + strings.ReplaceAll(kind, "/", "~1") + "/schema"
	if a.at(at) == nil {
		t.Errorf("%s answers %d in %s, which is not described", operation, resp.StatusCode, kind)
		return
	}
	a.answers[fmt.Sprintf("%s %d %s", operation, resp.StatusCode, kind)] = true
	for _, v := range values(t, kind, body) {
		a.see(v)
		if err := a.valid(t, at, v); err != nil {
			t.Errorf("%s answers %d: %v\n%s", operation, resp.StatusCode, err, body)
		}
	}
}

// see notes which keys there are.
func (a *api) see(v any) {
	switch v := v.(type) {
	case map[string]any:
		for k, w := range v {
			a.keys[k] = true
			a.see(w)
		}
	case []any:
		for _, w := range v {
			a.see(w)
		}
	}
}

// values are what a body holds: an object, the objects of events, or a text.
func values(t *testing.T, kind, body string) []any {
	t.Helper()
	var texts []string
	switch kind {
	case "application/json":
		texts = []string{body}
	case "text/event-stream":
		for _, e := range strings.Split(strings.TrimSuffix(body, "\n\n"), "\n\n") {
			text, ok := strings.CutPrefix(e, "data: ")
			if !ok {
				t.Errorf("an event without data: %q", e)
			}
			texts = append(texts, text)
		}
	default:
		return []any{body}
	}
	var list []any
	for _, text := range texts {
		v, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
		if err != nil {
			t.Errorf("%v: %s", err, text)
		}
		list = append(list, v)
	}
	return list
}

// asJSON is a number where s looks like one, else a string.
func asJSON(s string) any {
	if v, err := jsonschema.UnmarshalJSON(strings.NewReader(s)); err == nil {
		if n, ok := v.(json.Number); ok {
			return n
		}
	}
	return s
}

// TestDescriptionRoutes: what is described is there, and what is there is described.
func TestDescriptionRoutes(t *testing.T) {
	a := newAPI(t)
	for _, test := range []struct{ request, inference string }{
		{"", "/inference"}, {"/speech", "/inference"}, {"", "/a/b"}, {"/speech", transcriptions},
	} {
		t.Run(test.request+test.inference, func(t *testing.T) {
			r := newRoom(t, func(c *Config, _ *modelSet) { c.RequestPath, c.InferencePath = test.request, test.inference }, map[string]*ear{"main": newEar(base)})
			have := []string{"GET /v1/models/{id}"}
			for path, route := range r.routes {
				path = strings.TrimPrefix(path, test.request)
				if f, err := page.Files.Open(strings.TrimPrefix(path, "/")); err == nil && path != "/" {
					f.Close()
					continue
				}
				if path == "" {
					continue // leads to the page
				}
				for method := range route.methods {
					have = append(have, method+" "+path)
				}
			}
			slices.Sort(have)
			resp, text := r.send(t, http.MethodGet, test.request+"/openapi.json", nil)
			a.check(t, "GET /openapi.json", resp, text)
			var served api
			if err := json.Unmarshal([]byte(text), &served.doc); err != nil {
				t.Fatal(err)
			}
			if described := served.operations(); !slices.Equal(described, have) {
				t.Errorf("described are\n%q, there are\n%q", described, have)
			}
			resp, text = r.send(t, http.MethodGet, test.request+"/v1/models/main", nil)
			a.check(t, "GET /v1/models/{id}", resp, text)
		})
	}
}

// TestDescriptionReferences: each reference leads somewhere, and each component is referred to.
func TestDescriptionReferences(t *testing.T) {
	a := newAPI(t)
	used := map[string]bool{}
	var walk func(v any)
	walk = func(v any) {
		switch v := v.(type) {
		case map[string]any:
			if ref, ok := v["$ref"].(string); ok {
				if used[ref] = true; a.at(ref) == nil {
					t.Errorf("%s leads nowhere", ref)
				}
			}
			for _, w := range v {
				walk(w)
			}
		case []any:
			for _, w := range v {
				walk(w)
			}
		}
	}
	walk(a.doc)
	for kind, list := range a.at("#/components").(map[string]any) {
		for name := range list.(map[string]any) {
			if kind != "securitySchemes" && !used[pointer("components", kind, name)] {
				t.Errorf("nothing refers to %s %s", kind, name)
			}
		}
	}
}

// TestDescriptionKeys: no key stands twice in an object, where readers would see one of them.
func TestDescriptionKeys(t *testing.T) {
	d := json.NewDecoder(bytes.NewReader(apiDescription))
	next := func() json.Token {
		token, err := d.Token()
		if err != nil {
			t.Fatal(err)
		}
		return token
	}
	var value func()
	value = func() {
		switch next() {
		case json.Delim('{'):
			for seen := map[json.Token]bool{}; d.More(); value() {
				key := next()
				if seen[key] {
					t.Errorf("%v stands twice, again at byte %d", key, d.InputOffset())
				}
				seen[key] = true
			}
			next()
		case json.Delim('['):
			for d.More() {
				value()
			}
			next()
		}
	}
	value()
}

// properties are the names that schemas describe.
func properties(v any, names map[string]bool) {
	switch v := v.(type) {
	case map[string]any:
		if p, ok := v["properties"].(map[string]any); ok {
			for name := range maps.Keys(p) {
				names[name] = true
			}
		}
		for _, w := range v {
			properties(w, names)
		}
	case []any:
		for _, w := range v {
			properties(w, names)
		}
	}
}

// send sends a request with names and values of headers, and returns the answer with its body.
func (r *room) send(t *testing.T, method, path string, body *bytes.Buffer, header ...string) (*http.Response, string) {
	t.Helper()
	if body == nil {
		body = &bytes.Buffer{}
	}
	q, err := http.NewRequestWithContext(t.Context(), method, r.http.URL+path, body)
	if err != nil {
		t.Fatal(err)
	}
	for h := range slices.Chunk(header, 2) {
		q.Header.Set(h[0], h[1])
	}
	resp, err := http.DefaultClient.Do(q)
	if err != nil {
		t.Fatal(err)
	}
	_, text := read(t, resp)
	return resp, text
}
