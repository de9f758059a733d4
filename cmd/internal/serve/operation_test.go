package serve

import (
	"bytes"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	whisper "github.com/whisperfile/whisperfile/cmd/internal/cli"
	"github.com/whisperfile/whisperfile/cmd/internal/serve/page"
)

// write makes a file in a directory of the test's.
func write(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestOperationUsage(t *testing.T) {
	l := newLibrary(t, map[string]string{"ggml-a.bin": "a"})
	t.Chdir(l.dir)
	keys := write(t, "keys", "# none yet\n")
	_, missing := os.Open("none")
	absent := whisper.Bare(missing).Error()
	for args, says := range map[string]string{
		"--log-level loud":                          `--log-level takes one of debug, info, warn, error, off, not "loud"`,
		"--log-format xml":                          `--log-format takes text or json, not "xml"`,
		"--rate -1":                                 "--rate takes a number from 0 to 1000000",
		"--rate 1000001":                            "--rate takes a number from 0 to 1000000",
		"--cors-origin example.org":                 `--cors-origin: an origin is like https://example.org`,
		"--cors-origin https://a/b":                 `--cors-origin: an origin is like https://example.org`,
		"--cors-origin https://A":                   `--cors-origin: an origin is like https://example.org`,
		"--cors-origin * --cors-origin x:y":         `--cors-origin: an origin is like https://example.org`,
		"--api-key-file none":                       "--api-key-file: none: " + absent,
		"--api-key-file " + keys:                    "--api-key-file: " + keys + ": there is no key in it",
		"--tls-cert a.pem":                          "--tls-cert and --tls-key go together",
		"--tls-key a.pem":                           "--tls-cert and --tls-key go together",
		"--tls-cert a.pem --tls-key a.pem":          "--tls-cert and --tls-key: open a.pem: " + absent,
		"--tls-cert " + keys + " --tls-key " + keys: "--tls-cert and --tls-key: tls: failed to find any PEM data in certificate input",
	} {
		t.Run(args, func(t *testing.T) {
			var stdout, stderr bytes.Buffer
			code := run(t.Context(), l.open, &stdout, &stderr, append([]string{"-m", "ggml-a.bin"}, strings.Fields(args)...)...)
			if got := stderr.String(); code != whisper.Usage || !strings.HasPrefix(got, "whisper-server: "+says) || stdout.Len() > 0 {
				t.Errorf("exit %d: %s", code, got)
			}
		})
	}
}

func TestParseKeys(t *testing.T) {
	for text, want := range map[string]string{
		"":                                  "there is no key in it",
		"# a\n\n":                           "there is no key in it",
		"a b\n":                             "line 1: a key is made of ASCII without blanks",
		"good\n\nclé\n":                     "line 3: a key is made of ASCII without blanks",
		"x\x00":                             "line 1: a key is made of ASCII without blanks",
		"one\r\n two \n#x":                  "",
		strings.Repeat("k\n", maxKeyFile/2): "",
		strings.Repeat("k\n", maxKeyFile/2) + "k": "more than 1048576 bytes",
	} {
		keys, err := parseKeys(strings.NewReader(text))
		switch {
		case want == "" && err == nil:
		case want == "" || err == nil || err.Error() != want:
			t.Errorf("%.20q: %v, want %q", text, err, want)
		}
		if err == nil && len(keys) < 2 {
			t.Errorf("%.20q: %d keys", text, len(keys))
		}
	}
}

func FuzzKeys(f *testing.F) {
	f.Add("one\n# two\n three ", "one")
	f.Add("a\r\nb", "b")
	f.Fuzz(func(t *testing.T, text, key string) {
		keys, err := parseKeys(strings.NewReader(text))
		if err != nil {
			return
		}
		listed := false
		for line := range strings.SplitSeq(text, "\n") {
			line = strings.TrimSpace(line)
			listed = listed || line != "" && line[0] != '#' && line == strings.TrimSpace(key)
		}
		r := &http.Request{Header: http.Header{"Authorization": {"Bearer " + key}}}
		if _, ok := keys.knows(r); ok != listed {
			t.Errorf("%q in %q: %v", key, text, ok)
		}
	})
}

func TestRate(t *testing.T) {
	now := time.Unix(1e9, 0)
	l := newRate(3)
	for i, want := range []time.Duration{0, 0, 0, 20 * time.Second} {
		if got := l.take("a", now); got != want {
			t.Errorf("request %d waits %v, want %v", i, got, want)
		}
	}
	if got := l.take("b", now); got != 0 {
		t.Errorf("another client waits %v", got)
	}
	if got := l.take("a", now.Add(15*time.Second)); got != 5*time.Second {
		t.Errorf("%v, want 5s", got)
	}
	if got := l.take("a", now.Add(20*time.Second)); got != 0 {
		t.Errorf("after 20 s: %v", got)
	}
	if got := newRate(0).take("a", now); got != 0 {
		t.Errorf("without a limit: %v", got)
	}
}

// However many clients come, what is remembered of them is bounded, and forgotten when it does not matter any more.
func TestRateForgets(t *testing.T) {
	now := time.Unix(1e9, 0)
	l := newRate(1)
	for i := range maxClients {
		l.full[strconv.Itoa(i)] = now.Add(time.Minute)
	}
	if l.take("new", now) != 0 || l.take("newer", now) == 0 {
		t.Error("the clients beyond the bound do not share an allowance")
	}
	if len(l.full) > maxClients+1 {
		t.Errorf("%d clients", len(l.full))
	}
	if wait := l.take("newest", now.Add(2*time.Minute)); wait != 0 || len(l.full) != 1 {
		t.Errorf("%v, %d clients", wait, len(l.full))
	}
}

func TestAddressOfClient(t *testing.T) {
	for remote, want := range map[string]string{
		"192.0.2.1:5": "192.0.2.1", "[::ffff:192.0.2.1]:5": "192.0.2.1", "[2001:db8:1:2:3::4]:5": "2001:db8:1:2::/64",
		"[fe80::1%eth0]:5": "fe80::/64", "@": "@", "host:1": "host",
	} {
		if got := address(&http.Request{RemoteAddr: remote}); got != want {
			t.Errorf("%s is %s, want %s", remote, got, want)
		}
	}
}

// ask sends a request with headers "Name: value" and returns the answer with its body read.
func (r *room) ask(t *testing.T, method, path string, form []string, headers ...string) (*http.Response, string) {
	t.Helper()
	kind, b := "", &bytes.Buffer{}
	if form != nil {
		kind, b = body(wav(time.Second), form...)
	}
	req, err := http.NewRequestWithContext(t.Context(), method, r.http.URL+path, b)
	if err != nil {
		t.Fatal(err)
	}
	if kind != "" {
		req.Header.Set("Content-Type", kind)
	}
	for _, h := range headers {
		if name, value, ok := strings.Cut(h, ": "); ok {
			req.Header.Set(name, value)
		}
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	_, text := read(t, resp)
	return resp, text
}

// guarded is a room that has keys.
func guarded(t *testing.T, change func(*Config)) *room {
	t.Helper()
	path := write(t, "keys", "first\nsecond\n")
	keys, err := watch(slog.New(slog.DiscardHandler), func() (keySums, error) { return readKeys(path) }, path)
	if err != nil {
		t.Fatal(err)
	}
	return newRoom(t, func(c *Config, _ *modelSet) {
		c.Keys = keys
		if change != nil {
			change(c)
		}
	}, map[string]*ear{"main": newEar(base, "x")})
}

func TestKeys(t *testing.T) {
	r := guarded(t, nil)
	file := []string{"@file"}
	for _, test := range []struct {
		method, path string
		form         []string
		header       string
		status       int
	}{
		{"POST", "/inference", file, "Authorization: Bearer first", 200},
		{"POST", "/inference", file, "Authorization: bearer  second", 200},
		{"POST", transcriptions, file, "Authorization: Bearer second", 200},
		{"POST", "/inference", file, "", 401},
		{"POST", "/inference", file, "Authorization: Bearer third", 401},
		{"POST", "/inference", file, "Authorization: Bearer", 401},
		{"POST", "/inference", file, "Authorization: Bearer first second", 401},
		{"POST", "/inference", file, "Authorization: Basic first", 401},
		{"POST", "/inference", file, "Authorization: Bearer firs", 401},
		{"POST", transcriptions, file, "", 401},
		{"POST", "/load", []string{"model=main"}, "", 401},
		{"GET", "/v1/models", nil, "", 401},
		{"GET", "/v1/models", nil, "Authorization: Bearer first", 200},
		{"GET", "/v1/models/main", nil, "", 401},
		{"GET", "/metrics", nil, "", 401},
		{"GET", "/nothing", nil, "", 401},
		{"GET", "/nothing", nil, "Authorization: Bearer first", 404},
		{"GET", "/inference", nil, "", 401},
		{"GET", "/inference", nil, "Authorization: Bearer first", 405},
		{"OPTIONS", "/inference", nil, "", 200},
		{"GET", "/health", nil, "", 200},
		{"GET", "/ready", nil, "", 200},
		{"GET", "/", nil, "", 200},
		{"GET", "/app.js", nil, "", 200},
	} {
		resp, text := r.ask(t, test.method, test.path, test.form, test.header)
		if resp.StatusCode != test.status {
			t.Errorf("%s %s with %q: %d, want %d: %s", test.method, test.path, test.header, resp.StatusCode, test.status, text)
		}
		if test.status != http.StatusUnauthorized {
			continue
		}
		var e struct {
			Error struct{ Message, Type, Code string }
		}
		if err := json.Unmarshal([]byte(text), &e); err != nil || e.Error.Code != "invalid_api_key" || e.Error.Type != "invalid_request_error" || resp.Header.Get("WWW-Authenticate") != "Bearer" {
			t.Errorf("%s %s: %s, %v", test.method, test.path, text, resp.Header)
		}
	}
}

// Keys that change count from then on, and a file that has become no good changes nothing.
func TestKeysChange(t *testing.T) {
	path := write(t, "keys", "old\n")
	var log bytes.Buffer
	keys, err := watch(slog.New(slog.NewTextHandler(&log, nil)), func() (keySums, error) { return readKeys(path) }, path)
	if err != nil {
		t.Fatal(err)
	}
	knows := func(key string) bool {
		_, ok := keys.get().knows(&http.Request{Header: http.Header{"Authorization": {"Bearer " + key}}})
		return ok
	}
	for _, step := range []struct {
		text     string
		old, new bool
	}{{"old\nnew\n", true, true}, {"two words\n", true, true}, {"new\n", false, true}} {
		if err := os.WriteFile(path, []byte(step.text), 0o600); err != nil {
			t.Fatal(err)
		}
		keys.looked = time.Time{}
		if knows("old") != step.old || knows("new") != step.new {
			t.Errorf("%q: old %v, new %v", step.text, knows("old"), knows("new"))
		}
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	keys.reload()
	if !knows("new") {
		t.Error("a missing file took the keys away")
	}
	if n := strings.Count(log.String(), "kept what there was"); n != 2 {
		t.Errorf("said %d times: %s", n, log.String())
	}
}

func TestTooOften(t *testing.T) {
	file := []string{"@file"}
	r := guarded(t, func(c *Config) { c.Rate = 2 })
	for _, test := range []struct {
		path, key string
		status    int
	}{
		{"/inference", "first", 200}, {transcriptions, "first", 200}, {"/inference", "first", 429}, {transcriptions, "first", 429},
		{"/inference", "second", 200}, {"/inference", "wrong", 401}, {"/inference", "wrong", 401}, {"/inference", "wrong", 429},
		{"/inference", "second", 200},
	} {
		resp, text := r.ask(t, "POST", test.path, file, "Authorization: Bearer "+test.key)
		if resp.StatusCode != test.status {
			t.Errorf("%s with %s: %d, want %d: %s", test.path, test.key, resp.StatusCode, test.status, text)
		}
		if test.status == http.StatusTooManyRequests && (resp.Header.Get("Retry-After") != "30" || !strings.Contains(text, "more than 2 requests a minute")) {
			t.Errorf("%s, after %q", text, resp.Header.Get("Retry-After"))
		}
	}
	if resp, _ := r.ask(t, "GET", "/v1/models", nil, "Authorization: Bearer first"); resp.StatusCode != http.StatusOK {
		t.Errorf("questions count: %d", resp.StatusCode)
	}
}

func TestOrigins(t *testing.T) {
	const origin, preflight = "Origin: https://a.example", "Access-Control-Request-Method: POST"
	file := []string{"@file"}
	for _, test := range []struct {
		name    string
		origins []string
		method  string
		form    []string
		headers []string
		status  int
		allowed string
	}{
		{"nobody's page", nil, "POST", file, []string{origin}, 403, ""},
		{"a browser's word for it", nil, "POST", file, []string{"Sec-Fetch-Site: cross-site"}, 403, ""},
		{"our own page", nil, "POST", file, []string{"Origin: https://us.example", "Sec-Fetch-Site: same-origin"}, 200, ""},
		{"no page", nil, "POST", file, nil, 200, ""},
		{"preflight in vain", nil, "OPTIONS", nil, []string{origin, preflight}, 200, ""},
		{"listed", []string{"https://a.example"}, "POST", file, []string{origin, "Sec-Fetch-Site: cross-site"}, 200, "https://a.example"},
		{"not listed", []string{"https://b.example"}, "POST", file, []string{origin}, 403, ""},
		{"another port", []string{"https://a.example:444"}, "POST", file, []string{origin}, 403, ""},
		{"listed beside another", []string{"http://b.example", "https://a.example"}, "OPTIONS", nil, []string{origin, preflight}, 204, "https://a.example"},
		{"all", []string{"*"}, "POST", file, []string{origin}, 200, "*"},
		{"all, preflight", []string{"*"}, "OPTIONS", nil, []string{origin, preflight}, 204, "*"},
		{"all, of nobody", []string{"*"}, "POST", file, nil, 200, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := guarded(t, func(c *Config) { c.Origins = test.origins })
			headers := append(test.headers, "Access-Control-Request-Headers: authorization,x-stainless-os")
			if test.method == "POST" {
				headers = append(headers, "Authorization: Bearer first")
			}
			resp, text := r.ask(t, test.method, "/inference", test.form, headers...)
			h := resp.Header
			if resp.StatusCode != test.status || h.Get(allowOrigin) != test.allowed {
				t.Fatalf("%d, allowed %q: %s", resp.StatusCode, h.Get(allowOrigin), text)
			}
			if test.allowed != "" && !strings.Contains(h.Get(exposed), "Retry-After") {
				t.Errorf("a page does not see %q", h)
			}
			if test.status == http.StatusNoContent && (h.Get(allowMethods) != "OPTIONS, POST" || h.Get(allowHeaders) != "authorization,x-stainless-os" || h.Get(maxAge) == "") {
				t.Errorf("%v", h)
			}
			if shared := len(test.origins) > 0 && test.origins[0] != "*"; shared != strings.Contains(strings.Join(h.Values("Vary"), ","), "Origin") {
				t.Errorf("Vary: %q", h.Values("Vary"))
			}
		})
	}
	// A page may also see why it is refused.
	r := guarded(t, func(c *Config) { c.Origins = []string{"https://a.example"} })
	if resp, _ := r.ask(t, "POST", "/inference", file, origin); resp.StatusCode != http.StatusUnauthorized || resp.Header.Get(allowOrigin) != "https://a.example" {
		t.Errorf("%d %v", resp.StatusCode, resp.Header)
	}
}

func TestHeaders(t *testing.T) {
	r := one(t, newEar(base, "x"))
	for _, path := range []string{"/", "/app.js", "/health", "/nothing", "/v1/models"} {
		resp, _ := r.ask(t, "GET", path, nil, "X-Request-Id: my-own.1")
		h := resp.Header
		if h.Get("X-Content-Type-Options") != "nosniff" || h.Get("Referrer-Policy") != "no-referrer" || h.Get(requestID) != "my-own.1" || h.Get(allowOrigin) != "" {
			t.Errorf("%s: %v", path, h)
		}
		if policy := h.Get("Content-Security-Policy"); (path == "/" || path == "/app.js") && (policy != page.Policy || strings.Contains(policy, "unsafe")) {
			t.Errorf("%s: %q", path, policy)
		}
	}
	resp, _ := r.ask(t, "GET", "/health", nil, "X-Request-Id: a b")
	if id := resp.Header.Get(requestID); !regexp.MustCompile(`^[0-9a-f]{16}$`).MatchString(id) {
		t.Errorf("%q", id)
	}
}

// The answer to a request whose body nobody wants does not wait for the body.
func TestUnwantedBody(t *testing.T) {
	r := guarded(t, nil)
	var all sync.WaitGroup
	for _, test := range []struct{ request, want string }{
		{"POST /inference", "HTTP/1.1 401 "}, {"GET /inference", "HTTP/1.1 401 "}, {"GET /health", "HTTP/1.1 200 "}, {"OPTIONS /inference", "HTTP/1.1 200 "},
	} {
		all.Go(func() {
			c, err := net.Dial("tcp", r.http.Listener.Addr().String())
			if err != nil {
				t.Error(err)
				return
			}
			defer c.Close()
			start := time.Now()
			io.WriteString(c, test.request+" HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data; boundary=b\r\nContent-Length: 1000\r\n\r\n--b")
			c.SetReadDeadline(start.Add(20 * time.Second))
			got, err := io.ReadAll(c)
			if took := time.Since(start); !strings.HasPrefix(string(got), test.want) || took > 10*time.Second {
				t.Errorf("%s: %s, %v after %v", test.request, got, err, took)
			}
		})
	}
	all.Wait()
}

// TestLog: a line for each request, with numbers, and without anything that was said or sent.
func TestLog(t *testing.T) {
	secret := "Geheimnis"
	e := newEar(base, secret)
	r := newRoom(t, func(c *Config, _ *modelSet) { c.Limits.Parts = 10 }, map[string]*ear{"main": e})
	r.ask(t, "POST", "/inference", []string{"@file", "prompt=" + secret}, "X-Request-Id: one")
	r.ask(t, "POST", transcriptions, []string{"@file", "stream=true", "prompt=" + secret}, "X-Request-Id: two")
	r.ask(t, "POST", "/inference", []string{"@file", "temperature=" + secret}, "X-Request-Id: three")
	r.ask(t, "POST", "/inference", []string{"@file", "suppress_regex=(" + secret}, "X-Request-Id: four")
	r.ask(t, "GET", "/v1/models/"+secret, nil, "X-Request-Id: five")
	r.ask(t, "GET", "/"+secret, nil, "X-Request-Id: six")
	r.ask(t, "GET", "/health", nil, "X-Request-Id: seven")
	r.http.Close()
	log := r.log.String()
	if strings.Contains(log, secret) {
		t.Errorf("the log tells: %s", log)
	}
	lines := strings.Split(strings.TrimSpace(log), "\n")
	for i, want := range []string{
		`level=INFO msg=request id=one method=POST route=/inference status=200 received=\d+ sent=\d+ seconds=[\d.e-]+ model=main audio=1 queued=[\d.e-]+ computed=[\d.e-]+ rtf=[\d.e-]+$`,
		`level=INFO msg=request id=two method=POST route=/v1/audio/transcriptions status=200 .* audio=1 `,
		`level=INFO msg=request id=three method=POST route=/inference status=400 .* error=bad_request field=temperature$`,
		`id=four .* status=400 .* error=bad_request$`,
		`id=five method=GET route=/v1/models/{id} status=404 .* error=model_not_found field=model$`,
		`id=six method=GET route=none status=404 .* error=not_found$`,
	} {
		if i >= len(lines) || !regexp.MustCompile(want).MatchString(lines[i]) {
			t.Errorf("line %d is not %s in\n%s", i, want, log)
		}
	}
	if len(lines) != 6 {
		t.Errorf("probes are logged: %s", log)
	}
}
