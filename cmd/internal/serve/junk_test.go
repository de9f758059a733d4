package serve

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

// TestJunk sends what makes no sense, to each interface in turn, and then looks for what was left behind.
func TestJunk(t *testing.T) {
	r := one(t, newEar(tinyEN, "x"))
	second := wav(time.Second)
	before := opened(t)
	for _, test := range []struct {
		name   string
		data   []byte
		fields string // "@file" is the sound
		status int
		says   string
	}{
		{"random bytes", bytes.Repeat([]byte{0x5a, 0xc3, 7, 0x11}, 800), "@file", 415, "unknown audio format"},
		{"text", []byte("not a sound"), "@file", 415, "unknown audio format"},
		{"a program", []byte("\x7fELF\x02\x01\x01"), "@file", 415, "looks like a program"},
		{"an empty file", nil, "@file", 400, "no audio in it"},
		{"half a header", second[:20], "@file", 400, "cannot read the sound"},
		{"no file", nil, "language=en", 400, "there is no file in the form"},
		{"nothing", nil, "", 400, "there is no file in the form"},
		{"a file of another name", second, "@sound", 400, "there is no file in the form"},
		{"temperature that is none", second, "@file temperature=abc", 400, `temperature must be a number from 0 to 1, not \"abc\"`},
		{"temperature too high", second, "@file temperature=1.5", 400, "temperature must be"},
		{"temperature without end", second, "@file temperature=NaN", 400, "temperature must be"},
		{"temperature_inc too small", second, "@file temperature_inc=0.001", 400, "temperature step"},
		{"language", second, "@file language=zzz", 400, "language must be"},
		{"language of another model", second, "@file language=fr", 400, "the model does not know the language fr"},
		{"no language", second, "@file language=", 400, "language must be"},
		{"translation", second, "@file translate=true", 400, "the model cannot translate"},
		{"format", second, "@file response_format=nonsense", 400, "response_format must be one of json, text, srt, vtt, verbose_json"},
		{"beams", second, "@file beam_size=100", 400, "beam_size must be a whole number from -1 to 8"},
		{"half a beam", second, "@file beam_size=1.5", 400, "beam_size must be"},
		{"samples", second, "@file best_of=0", 400, "best_of must be"},
		{"a number with a tail", second, "@file offset_t=12abc", 400, "offset_t must be"},
		{"a number beyond all", second, "@file duration=99999999999999999999", 400, "duration must be"},
		{"a negative one", second, "@file max_len=-1", 400, "max_len must be"},
		{"neither true nor false", second, "@file stream=maybe", 400, "stream must be true or false"},
		{"what is not there", second, "@file diarize=true", 400, "diarize must be false, since"},
		{"nor this", second, "@file vad=1", 400, "vad must be false, since"},
		{"shorter windows", second, "@file audio_ctx=768", 400, "audio_ctx must be 0"},
		{"regular expression", second, "@file suppress_regex=(", 400, "suppress regex"},
		{"granularity", second, "@file timestamp_granularities[]=letter", 400, "must be word or segment"},
		{"not UTF-8", second, "@file prompt=\xff", 400, "prompt is not UTF-8"},
		{"a long field", second, "@file prompt=" + strings.Repeat("x", DefaultLimits.Field+1), 400, "prompt is longer than 65536 bytes"},
		{"many fields", second, strings.Repeat("a=b ", DefaultLimits.Parts+1), 400, "the form has more than 128 fields"},
		{"model", second, "@file model=none", 404, "there is no model"},
	} {
		for _, path := range []string{"/inference", transcriptions, translations} {
			t.Run(test.name+path, func(t *testing.T) {
				if path == translations && strings.HasPrefix(test.name, "language of") {
					t.Skip("it cannot translate at all")
				}
				status, got := r.postData(t, path, test.data, strings.Fields(test.fields)...)
				if path == translations && status == 400 && strings.Contains(got, "cannot translate") {
					return
				}
				if status != test.status || !strings.Contains(got, test.says) {
					t.Errorf("%d, want %d with %q: %s", status, test.status, test.says, got)
				}
				if openai := strings.HasPrefix(got, `{"error":{"message":`); openai != strings.HasPrefix(path, "/v1/") {
					t.Errorf("not in the way of %s: %s", path, got)
				}
			})
		}
	}
	http.DefaultClient.CloseIdleConnections()
	settle(t, "what was opened is closed", func() bool { return opened(t) <= before })
}

// opened counts goroutines and, on Linux, files. (Under wine /proc is there too, and shows what wine has open.)
func opened(t *testing.T) int {
	t.Helper()
	n := runtime.NumGoroutine()
	if runtime.GOOS == "linux" {
		files, err := os.ReadDir("/proc/self/fd")
		if err != nil {
			t.Fatal(err)
		}
		n += len(files)
	}
	return n
}

// TestBrokenBodies sends bodies that are no forms.
func TestBrokenBodies(t *testing.T) {
	r := one(t, newEar(base, "x"))
	const form = "multipart/form-data; boundary=b"
	for _, test := range []struct {
		kind, body string
		says       string
	}{
		{"", "", "the body must be multipart/form-data"},
		{"application/json", "{}", "the body must be multipart/form-data"},
		{"application/x-www-form-urlencoded", "a=b", "the body must be multipart/form-data"},
		{"multipart/form-data", "", "the body must be multipart/form-data"},
		{"multipart/mixed; boundary=b", "--b--", "the body must be multipart/form-data"},
		{"multipart/form-data; boundary=" + strings.Repeat("b", 500), "", "there is no file in the form"},
		{form, "", "there is no file in the form"},
		{form, "junk", "there is no file in the form"},
		{form, "--b\r\n", "there is no file in the form"},
		{form, "--b\r\nContent-Disposition: form-data; name=\"file\"\r\n\r\nRIFF", "the form is broken"},
		{form, "--b\r\nno header\r\n\r\nx\r\n--b--\r\n", "the form is broken"},
		{form, "--b\r\nContent-Disposition: form-data\r\n\r\nx\r\n--b--\r\n", "there is no file in the form"},
	} {
		resp, err := http.Post(r.http.URL+"/inference", test.kind, strings.NewReader(test.body))
		if err != nil {
			t.Fatal(err)
		}
		if status, got := read(t, resp); status != 400 || !strings.Contains(got, test.says) {
			t.Errorf("%s %q: %d %s", test.kind, test.body, status, got)
		}
	}
}

func TestRoutes(t *testing.T) {
	r := newRoom(t, func(c *Config, _ *modelSet) { c.RequestPath = "/a" }, map[string]*ear{"main": newEar(base, "x")})
	for _, test := range []struct {
		method, path string
		status       int
		allow        string
	}{
		{"GET", "/a/health", 200, ""},
		{"HEAD", "/a/health", 200, ""},
		{"GET", "/a/ready", 200, ""},
		{"GET", "/health", 404, ""},
		{"GET", "/a/", 200, ""},
		{"GET", "/a", 200, ""}, // after a redirect
		{"GET", "/", 404, ""},
		{"GET", "/a/inference", 405, "OPTIONS, POST"},
		{"PUT", "/a/v1/audio/transcriptions", 405, "OPTIONS, POST"},
		{"DELETE", "/a/v1/models", 405, "GET, HEAD, OPTIONS"},
		{"POST", "/a/v1/models/main", 405, "GET, HEAD, OPTIONS"},
		{"OPTIONS", "/a/inference", 200, "OPTIONS, POST"},
		{"OPTIONS", "/a/none", 404, ""},
		{"GET", "/a/v1/none", 404, ""},
		{"GET", "/a/../etc/passwd", 404, ""},
		{"POST", "/a/", 405, "GET, HEAD, OPTIONS"},
	} {
		req, err := http.NewRequest(test.method, r.http.URL+test.path, nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		if status, _ := read(t, &http.Response{StatusCode: 0, Body: resp.Body}); resp.StatusCode != test.status || resp.Header.Get("Allow") != test.allow || status != 0 {
			t.Errorf("%s %s: %d, allow %q", test.method, test.path, resp.StatusCode, resp.Header.Get("Allow"))
		}
		if resp.StatusCode >= 400 && resp.Header.Get("Content-Type") != "application/json" {
			t.Errorf("%s %s: an error of type %s", test.method, test.path, resp.Header.Get("Content-Type"))
		}
	}
}

// TestInferencePathOfOpenAI: whisper.cpp's interface may be put at OpenAI's address.
func TestInferencePathOfOpenAI(t *testing.T) {
	r := newRoom(t, func(c *Config, _ *modelSet) { c.InferencePath = transcriptions }, map[string]*ear{"main": newEar(base, "x")})
	if status, got := r.post(t, transcriptions); status != 200 || got != `{"text":" x\n"}` {
		t.Errorf("%d %s", status, got)
	}
	c := r.Config
	c.InferencePath = "/health"
	if _, err := newServer(c, r.models); err == nil {
		t.Error("two things at /health")
	}
}

func TestPublic(t *testing.T) {
	dir := t.TempDir()
	for name, data := range map[string]string{"public/a.js": "a", "public/sub/index.html": "<p>", "public/empty/x.txt": "x", "secret": "s"} {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(data), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	linked := os.Symlink(filepath.Join(dir, "secret"), filepath.Join(dir, "public", "link")) == nil
	root, err := os.OpenRoot(filepath.Join(dir, "public"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { root.Close() })
	r := newRoom(t, func(c *Config, _ *modelSet) { c.Public = root.FS() }, map[string]*ear{"main": newEar(base, "x")})
	want := map[string]string{
		"/a.js": "200 a", "/sub/": "200 <p>", "/sub": "200 <p>", "/sub/index.html": "200 <p>", "/empty/": "404", "/empty": "404", "/../secret": "404",
		"/empty/x.txt": "200 x",
	}
	if linked {
		want["/link"] = "404"
	}
	for path, want := range want {
		status, got := r.get(t, path)
		if !strings.HasPrefix(fmt.Sprintf("%d %s", status, got), want) {
			t.Errorf("%s: %d %s, want %s", path, status, got, want)
		}
	}
	if status, got := r.get(t, "/"); status != 200 || !strings.Contains(got, "<html") {
		t.Errorf("the page: %d %s", status, got)
	}
}

// TestUploads sends too much, too slowly, and half.
func TestUploads(t *testing.T) {
	r := newRoom(t, func(c *Config, _ *modelSet) {
		c.Limits.Body, c.Limits.Held, c.Limits.Stall, c.Limits.Sound = 4<<20, 2200<<10, 200*ms, 30*time.Second
	}, map[string]*ear{"main": newEar(base, "x")})
	for d, want := range map[time.Duration]string{
		20 * time.Second: `200 {"text":" x\n"}`, 40 * time.Second: `413 {"error":"the sound is longer than 30s"}`,
		80 * time.Second: `503 {"error":"too many uploads at once"}`,
	} {
		if status, got := r.postData(t, "/inference", wav(d), "@file"); strings.TrimSpace(fmt.Sprintf("%d %s", status, got)) != want {
			t.Errorf("%v: %d %s, want %s", d, status, got, want)
		}
	}
	small := newRoom(t, func(c *Config, _ *modelSet) { c.Limits.Body = 100 << 10 }, map[string]*ear{"main": newEar(base, "x")})
	if status, got := small.postData(t, "/inference", wav(5*time.Second), "@file"); status != 413 || !strings.Contains(got, "larger than 102400 bytes") {
		t.Errorf("%d %s", status, got)
	}
	kind, b := body(wav(time.Second), "@file")
	for name, test := range map[string]struct {
		length int // promised
		sent   []byte
		hangUp bool
		want   string
	}{
		"slow":           {b.Len(), b.Bytes()[:1000], false, "HTTP/1.1 408 "},
		"half":           {b.Len(), b.Bytes()[:1000], true, ""},
		"half a form":    {1000, b.Bytes()[:1000], false, "HTTP/1.1 400 "},
		"nothing at all": {b.Len(), nil, false, "HTTP/1.1 408 "},
	} {
		t.Run(name, func(t *testing.T) {
			c, err := net.Dial("tcp", r.http.Listener.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			fmt.Fprintf(c, "POST /inference HTTP/1.1\r\nHost: x\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n", kind, test.length)
			c.Write(test.sent)
			if test.hangUp {
				c.(*net.TCPConn).CloseWrite()
			}
			c.SetReadDeadline(time.Now().Add(10 * time.Second))
			got, err := io.ReadAll(c)
			if test.hangUp {
				return
			}
			if !strings.HasPrefix(string(got), test.want) {
				t.Errorf("%s, %v", got, err)
			}
		})
	}
}

// TestSlowButSteady: an upload may take longer than the time in which something has to come.
func TestSlowButSteady(t *testing.T) {
	r := newRoom(t, func(c *Config, _ *modelSet) { c.Limits.Stall = 300 * ms }, map[string]*ear{"main": newEar(base, "x")})
	kind, b := body(wav(100*ms), "@file", "temperature=0.2")
	pr, pw := io.Pipe()
	go func() {
		for data := b.Bytes(); len(data) > 0; {
			n := min(len(data), b.Cap()/10)
			pw.Write(data[:n])
			data = data[n:]
			time.Sleep(50 * ms)
		}
		pw.Close()
	}()
	resp, err := http.Post(r.http.URL+"/inference", kind, pr)
	if err != nil {
		t.Fatal(err)
	}
	if status, got := read(t, resp); status != 200 {
		t.Errorf("%d %s", status, got)
	}
}
