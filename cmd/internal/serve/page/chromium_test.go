package page_test

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// patience is how long a test waits for what the page should do at once; machines may be busy.
const patience = 30 * time.Second

// chromium is a browser that is driven through a pair of pipes, by messages of the DevTools protocol that end in a zero byte.
type chromium struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	dir string

	mu      sync.Mutex
	last    int
	waiting map[int]chan message
	tabs    map[string]*tab // by session
	err     error           // why nothing comes any more
}

type message struct {
	ID        int             `json:"id,omitempty"`
	SessionID string          `json:"sessionId,omitempty"`
	Method    string          `json:"method,omitempty"`
	Params    json.RawMessage `json:"params,omitempty"`
	Result    json.RawMessage `json:"result,omitempty"`
	Error     *struct {
		Message string `json:"message"`
	} `json:"error,omitempty"`
}

// object is a JSON object that is sent.
type object = map[string]any

var browser = sync.OnceValues(launch)

var started atomic.Bool // there may be a browser to close

var errNone = errors.New("there is no Chromium here")

func launch() (*chromium, error) {
	if runtime.GOOS == "windows" {
		return nil, errNone // os/exec hands no pipes over there
	}
	names := []string{os.Getenv("CHROMIUM"), "chromium", "chromium-browser", "google-chrome-stable", "google-chrome", "chrome"}
	i := slices.IndexFunc(names, func(name string) bool { _, err := exec.LookPath(name); return name != "" && err == nil })
	if i < 0 {
		return nil, errNone
	}
	dir, err := os.MkdirTemp("", "page-test")
	if err != nil {
		return nil, err
	}
	// What the microphone hears, again and again.
	voice := filepath.Join(dir, "voice.wav")
	if err := os.WriteFile(voice, speech(4), 0o600); err != nil {
		return nil, err
	}
	cmd := exec.Command(names[i], "--headless", "--remote-debugging-pipe", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
		"--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage", "--mute-audio",
		"--hide-scrollbars", "--force-color-profile=srgb", "--lang=en-US", "--use-fake-device-for-media-stream",
		"--use-file-for-fake-audio-capture="+voice, "--user-data-dir="+filepath.Join(dir, "user"))
	fromUs, toBrowser, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	fromBrowser, toUs, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	cmd.ExtraFiles = []*os.File{fromUs, toUs}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	fromUs.Close()
	toUs.Close()
	b := &chromium{cmd: cmd, in: toBrowser, dir: dir, waiting: map[int]chan message{}, tabs: map[string]*tab{}}
	go b.read(fromBrowser)
	return b, nil
}

func (b *chromium) close() {
	if _, err := b.call("", "Browser.close", nil); err != nil {
		b.cmd.Process.Kill()
	}
	b.cmd.Wait()
	os.RemoveAll(b.dir)
}

func (b *chromium) read(r io.Reader) {
	for br := bufio.NewReader(r); ; {
		line, err := br.ReadBytes(0)
		var m message
		if err == nil {
			err = json.Unmarshal(bytes.TrimSuffix(line, []byte{0}), &m)
		}
		b.mu.Lock()
		if err != nil {
			b.err = fmt.Errorf("the browser is gone: %w", err)
			for _, answer := range b.waiting {
				close(answer)
			}
			b.waiting = nil
			b.mu.Unlock()
			return
		}
		if answer, ok := b.waiting[m.ID]; ok && m.ID != 0 {
			delete(b.waiting, m.ID)
			answer <- m
		} else if t := b.tabs[m.SessionID]; t != nil {
			t.event(m)
		}
		b.mu.Unlock()
	}
}

// call sends a command to a session, "" for the browser itself, and returns its result.
func (b *chromium) call(session, method string, params any) (json.RawMessage, error) {
	raw, err := json.Marshal(params)
	if err != nil {
		return nil, err
	}
	if params == nil {
		raw = nil
	}
	answer := make(chan message, 1)
	b.mu.Lock()
	if b.err != nil {
		defer b.mu.Unlock()
		return nil, b.err
	}
	b.last++
	m := message{ID: b.last, SessionID: session, Method: method, Params: raw}
	b.waiting[m.ID] = answer
	line, err := json.Marshal(m)
	if err == nil {
		_, err = b.in.Write(append(line, 0))
	}
	b.mu.Unlock()
	if err != nil {
		return nil, err
	}
	select {
	case m, ok := <-answer:
		switch {
		case !ok:
			return nil, b.err
		case m.Error != nil:
			return nil, fmt.Errorf("%s: %s", method, m.Error.Message)
		}
		return m.Result, nil
	case <-time.After(patience):
		return nil, fmt.Errorf("%s: no answer", method)
	}
}

// tab is a page in a profile of its own. Its methods end the test when they fail.
type tab struct {
	*testing.T
	b         *chromium
	session   string
	profile   string
	downloads string

	// What the browser told of it, under b.mu.
	requests []string // addresses asked for
	problems []string // errors on the console, and exceptions
	chooser  int      // the file field whose dialog is open
}

// need returns the browser. Where there is none the test is skipped, but not where everything has to be tested.
func need(t *testing.T) *chromium {
	t.Helper()
	if testing.Short() {
		t.Skip("browsers take their time")
	}
	started.Store(true)
	b, err := browser()
	if errors.Is(err, errNone) && os.Getenv("CI") != "true" {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// open shows address in a new tab, and makes sure at the end that it asked for nothing elsewhere and that the console stayed
// silent, but for answers of the server that are errors where the test provokes them.
func open(t *testing.T, address string, provokes ...string) *tab {
	t.Helper()
	b := need(t)
	tb := &tab{T: t, b: b, downloads: t.TempDir()}
	tb.profile = decode[struct{ BrowserContextID string }](tb, "", "Target.createBrowserContext", object{"disposeOnDetach": true}).BrowserContextID
	target := decode[struct{ TargetID string }](tb, "", "Target.createTarget", object{"url": "about:blank", "browserContextId": tb.profile}).TargetID
	tb.session = decode[struct{ SessionID string }](tb, "", "Target.attachToTarget", object{"targetId": target, "flatten": true}).SessionID
	b.mu.Lock()
	b.tabs[tb.session] = tb
	b.mu.Unlock()
	t.Cleanup(func() {
		tb.browser("Target.disposeBrowserContext", object{"browserContextId": tb.profile})
		b.mu.Lock()
		defer b.mu.Unlock()
		delete(b.tabs, tb.session)
		for _, r := range tb.requests {
			if !strings.HasPrefix(r, address) && !strings.HasPrefix(r, "blob:"+address[:strings.Index(address, "/speech")]) {
				t.Errorf("the page asked for %s", r)
			}
		}
		for _, p := range tb.problems {
			if !slices.ContainsFunc(provokes, func(s string) bool { return strings.Contains(p, s) }) {
				t.Errorf("on the console: %s", p)
			}
		}
	})
	tb.browser("Browser.setDownloadBehavior", object{"behavior": "allow", "browserContextId": tb.profile, "downloadPath": tb.downloads})
	for _, domain := range []string{"Page", "Runtime", "Network", "Log", "DOM"} {
		tb.do(domain+".enable", nil)
	}
	tb.size(1100, 800)
	tb.do("Emulation.setEmulatedMedia", object{"features": []object{{"name": "prefers-reduced-motion", "value": "reduce"}}})
	tb.load(address)
	return tb
}

// event is called with b.mu held.
func (t *tab) event(m message) {
	var p struct {
		Request          struct{ URL string }
		Type             string
		Args             []struct{ Value, Description any }
		ExceptionDetails json.RawMessage
		Entry            struct{ Level, Text, URL string }
		BackendNodeID    int
	}
	if json.Unmarshal(m.Params, &p) != nil {
		return
	}
	switch m.Method {
	case "Network.requestWillBeSent":
		t.requests = append(t.requests, p.Request.URL)
	case "Runtime.consoleAPICalled":
		if p.Type == "error" || p.Type == "warning" || p.Type == "assert" {
			t.problems = append(t.problems, fmt.Sprint(p.Args))
		}
	case "Runtime.exceptionThrown":
		t.problems = append(t.problems, string(p.ExceptionDetails))
	case "Log.entryAdded":
		if p.Entry.Level == "error" || p.Entry.Level == "warning" {
			t.problems = append(t.problems, p.Entry.Text+" "+p.Entry.URL)
		}
	case "Page.fileChooserOpened":
		t.chooser = p.BackendNodeID
	}
}

// decode calls a command and returns its result.
func decode[T any](t *tab, session, method string, params any) (v T) {
	t.Helper()
	raw, err := t.b.call(session, method, params)
	if err == nil {
		err = json.Unmarshal(raw, &v)
	}
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func (t *tab) browser(method string, params any) { t.Helper(); decode[any](t, "", method, params) }
func (t *tab) do(method string, params any)      { t.Helper(); decode[any](t, t.session, method, params) }

func (t *tab) load(address string) {
	t.Helper()
	t.do("Page.navigate", object{"url": address})
	t.wait(`document.readyState === "complete" && location.href.startsWith("http") && (document.getElementById("model").options.length > 0 || !document.getElementById("notice").hidden)`)
}

// size makes the window so large in pixels, and a phone's where it is narrow.
func (t *tab) size(width, height int) {
	t.Helper()
	t.do("Emulation.setDeviceMetricsOverride", object{"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500})
	t.do("Emulation.setTouchEmulationEnabled", object{"enabled": width < 500})
}

func (t *tab) dark() {
	t.Helper()
	t.do("Emulation.setEmulatedMedia", object{"features": []object{
		{"name": "prefers-color-scheme", "value": "dark"}, {"name": "prefers-reduced-motion", "value": "reduce"},
	}})
}

// eval returns the value of an expression, promises waited for.
func (t *tab) eval(expression string) any {
	t.Helper()
	r := decode[struct {
		Result           struct{ Value any }
		ExceptionDetails *struct {
			Exception struct{ Description string }
			Text      string
		}
	}](t, t.session, "Runtime.evaluate", object{"expression": expression, "awaitPromise": true, "returnByValue": true, "userGesture": true})
	if e := r.ExceptionDetails; e != nil {
		t.Fatalf("%s: %s", expression, cmp.Or(e.Exception.Description, e.Text))
	}
	return r.Result.Value
}

// text is eval for strings.
func (t *tab) text(expression string) string { t.Helper(); return fmt.Sprint(t.eval(expression)) }

// wait waits until an expression is true.
func (t *tab) wait(expression string) {
	t.Helper()
	ctx, stop := context.WithTimeout(t.Context(), patience)
	defer stop()
	for t.eval("!!("+expression+")") != true {
		select {
		case <-ctx.Done():
			t.shoot("stuck " + t.Name())
			t.Fatalf("never true: %s\nstate %s, stage %q, problem %q", expression, t.text("document.body.dataset.state"),
				t.text("document.getElementById('stage').textContent"), t.text("document.getElementById('problem').innerText"))
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// mouse presses and releases the button at a place of an element, in parts of its width and height.
func (t *tab) mouse(selector string, x, y float64) {
	t.Helper()
	place, ok := t.eval(fmt.Sprintf(`(() => {
		const e = document.querySelector(%q);
		if (e.disabled || !e.checkVisibility()) return null;
		e.scrollIntoView({block: "center", behavior: "instant"});
		const r = e.getBoundingClientRect();
		return [r.left + %g * r.width, r.top + %g * r.height];
	})()`, selector, x, y)).([]any)
	if !ok {
		t.Fatalf("%s cannot be clicked", selector)
	}
	for _, kind := range []string{"mouseMoved", "mousePressed", "mouseReleased"} {
		t.do("Input.dispatchMouseEvent", object{"type": kind, "x": place[0], "y": place[1], "button": "left", "clickCount": 1})
	}
}

func (t *tab) click(selector string) { t.Helper(); t.mouse(selector, 0.5, 0.5) }

// Modifiers of press.
const (
	alt   = 1
	ctrl  = 2
	shift = 8
)

// press presses a key by the name that the browser has for it.
func (t *tab) press(key string, modifiers int) {
	t.Helper()
	codes := map[string]int{
		"Tab": 9, "Enter": 13, "Escape": 27, " ": 32, "PageDown": 34, "End": 35, "Home": 36, "ArrowLeft": 37, "ArrowUp": 38, "ArrowRight": 39, "ArrowDown": 40,
	}
	event := object{"key": key, "code": key, "windowsVirtualKeyCode": codes[key], "modifiers": modifiers}
	if text := map[string]string{"Enter": "\r", " ": " "}[key]; text != "" && modifiers&(alt|ctrl) == 0 {
		event["text"] = text
	}
	event["type"] = "keyDown"
	t.do("Input.dispatchKeyEvent", event)
	event["type"] = "keyUp"
	delete(event, "text")
	t.do("Input.dispatchKeyEvent", event)
}

// write types text where the focus is.
func (t *tab) write(text string) { t.Helper(); t.do("Input.insertText", object{"text": text}) }

// upload puts a file into the field, as if it had been chosen.
func (t *tab) upload(path string) {
	t.Helper()
	field := decode[struct{ Result struct{ ObjectID string } }](t, t.session, "Runtime.evaluate", object{"expression": `document.getElementById("file")`})
	t.do("DOM.setFileInputFiles", object{"files": []string{path}, "objectId": field.Result.ObjectID})
}

// download clicks on a button and returns the file that is saved.
func (t *tab) download(selector, name string) string {
	t.Helper()
	t.click(selector)
	return t.downloaded(name)
}

func (t *tab) downloaded(name string) string {
	t.Helper()
	path := filepath.Join(t.downloads, name)
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if b, err := os.ReadFile(path); err == nil && len(b) > 0 {
			os.Remove(path)
			return string(b)
		}
	}
	files, _ := filepath.Glob(filepath.Join(t.downloads, "*"))
	t.Fatalf("%s was not saved; there are %q; the page says %q", name, files, t.text(`document.getElementById("status").textContent`))
	return ""
}

// shoot keeps a picture of the whole page in the directory $ARTIFACTS, if there is one.
func (t *tab) shoot(name string) {
	t.Helper()
	dir := os.Getenv("ARTIFACTS")
	if dir == "" {
		dir = t.TempDir()
	}
	shot := decode[struct{ Data string }](t, t.session, "Page.captureScreenshot", object{"captureBeyondViewport": true})
	png, err := base64.StdEncoding.DecodeString(shot.Data)
	if err == nil {
		err = os.MkdirAll(dir, 0o777)
	}
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, "page-"+strings.NewReplacer("/", "-", " ", "-").Replace(name)+".png"), png, 0o666)
	}
	if err != nil {
		t.Fatal(err)
	}
}
