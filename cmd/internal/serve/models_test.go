package serve

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// library is a directory of models that a fake opener opens: of each file the text is what its engine hears, "junk" is none.
type library struct {
	dir    string
	opened map[string]int
	ears   []*ear
}

func newLibrary(t *testing.T, files map[string]string) *library {
	t.Helper()
	l := &library{dir: t.TempDir(), opened: make(map[string]int)}
	for name, text := range files {
		path := filepath.Join(l.dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	return l
}

func (l *library) open(path string, _ []byte) (engine, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	if string(text) == "junk" {
		return nil, errors.New("not a whisper ggml model")
	}
	l.opened[modelName(path)]++
	e := newEar(base, string(text))
	l.ears = append(l.ears, e)
	return e, nil
}

// set makes a set of some files of the directory.
func (l *library) set(t *testing.T, m *modelSet, files ...string) *modelSet {
	t.Helper()
	m.open = l.open
	for _, f := range files {
		if err := m.add(ModelFile{Name: modelName(f), Path: filepath.Join(l.dir, f)}); err != nil {
			t.Fatal(err)
		}
	}
	return m
}

func (m *modelSet) use(t *testing.T, name string) (release func()) {
	t.Helper()
	s, err := m.find(name)
	if err != nil {
		t.Fatal(err)
	}
	_, release, err = m.acquire(s)
	if err != nil {
		t.Fatal(err)
	}
	return release
}

// loaded are the names of the models in memory.
func (m *modelSet) loaded() string {
	var names []string
	for _, d := range m.describe() {
		if d.loaded {
			names = append(names, d.name)
		}
	}
	return strings.Join(names, " ")
}

func TestKeepAlive(t *testing.T) {
	l := newLibrary(t, map[string]string{"ggml-a.bin": "a", "ggml-b.bin": "b"})
	m := l.set(t, &modelSet{keepAlive: 30 * time.Millisecond}, "ggml-a.bin", "ggml-b.bin")
	if got := m.loaded(); got != "a" {
		t.Errorf("at first %q", got)
	}
	release := m.use(t, "b")
	settle(t, "a is closed", func() bool { return m.loaded() == "b" })
	time.Sleep(60 * time.Millisecond)
	if m.loaded() != "b" {
		t.Error("b was closed while it was in use")
	}
	release()
	release()
	settle(t, "b is closed", func() bool { return m.loaded() == "" })
	if !m.isReady() {
		t.Error("an idle server is not ready")
	}
	m.use(t, "a")()
	if l.opened["a"] != 2 || l.opened["b"] != 2 {
		t.Errorf("opened %v", l.opened)
	}
	if err := m.Close(); err != nil {
		t.Error(err)
	}
	for i, e := range l.ears {
		if n := e.closed.Load(); n != 1 {
			t.Errorf("engine %d was closed %d times", i, n)
		}
	}
}

func TestMemoryBudget(t *testing.T) {
	l := newLibrary(t, map[string]string{"a.bin": "aaaa", "b.bin": "bbbb", "c.bin": "cccc", "large.bin": "llllllllll"})
	m := l.set(t, &modelSet{budget: 8}, "a.bin", "b.bin", "c.bin")
	m.use(t, "b")()
	time.Sleep(time.Millisecond)
	inUse := m.use(t, "a")
	if got := m.loaded(); got != "a b" {
		t.Errorf("loaded %q", got)
	}
	m.use(t, "c")() // in place of b, which nobody uses
	if got := m.loaded(); got != "a c" {
		t.Errorf("loaded %q", got)
	}
	busy := m.use(t, "c")
	s, err := m.find("b")
	if err != nil {
		t.Fatal(err)
	}
	var f *fault
	if _, _, err := m.acquire(s); !errors.As(err, &f) || f.status != 503 || f.retry == 0 {
		t.Errorf("%v", err)
	}
	busy()
	inUse()
	if err := m.add(ModelFile{Name: "large", Path: filepath.Join(l.dir, "large.bin")}); err == nil {
		t.Error("a model larger than the budget was taken")
	}
	if err := m.add(ModelFile{Name: "a", Path: filepath.Join(l.dir, "a.bin")}); err == nil {
		t.Error("two models of one name were taken")
	}
	m.Close()
}

func TestLoad(t *testing.T) {
	outside := newLibrary(t, map[string]string{"secret.bin": "secret"})
	l := newLibrary(t, map[string]string{"ggml-a.bin": "a", "ggml-b.bin": "b", "junk.bin": "junk", "sub/c.bin": "c", "named.bin": "named"})
	secret := filepath.Join(outside.dir, "secret.bin")
	linked := os.Symlink(secret, filepath.Join(l.dir, "link.bin")) == nil
	set := l.set(t, &modelSet{dir: l.dir}, "ggml-a.bin", "named.bin")
	c := Config{InferencePath: "/inference", Parallel: 2, Queue: 2, Limits: DefaultLimits}
	server, err := newServer(c, set)
	if err != nil {
		t.Fatal(err)
	}
	r := serveRoom(t, server)
	says := func(want string) {
		t.Helper()
		if status, got := r.post(t, "/inference", "response_format=text", "language=en"); status != 200 || got != " "+want+"\n" {
			t.Errorf("%d %q, want %q", status, got, want)
		}
	}
	refused := []string{
		"", "none", "junk.bin", filepath.Join(l.dir, "junk.bin"), secret, "../" + filepath.Base(outside.dir) + "/secret.bin", "sub", ".", "..", "/",
		"a\x00b", strings.Repeat("x", 5000),
	}
	if linked {
		refused = append(refused, "link.bin", "link")
	}
	for _, name := range refused {
		if status, got := r.postData(t, "/load", nil, "model="+name); status != 400 {
			t.Errorf("%q: %d %s", name, status, got)
		}
		says("a")
	}
	if status, got := r.postData(t, "/load", []byte{0x5a, 0, 0xff}, "@model"); status != 400 {
		t.Errorf("%d %s", status, got)
	}
	if status, got := r.postData(t, "/load", nil, "x=1"); status != 400 || got != `{"error":"there is no model in the form"}`+"\n" {
		t.Errorf("%d %s", status, got)
	}
	for _, test := range []struct{ name, says string }{
		{"ggml-b.bin", "b"},
		{"a", "a"},
		{filepath.Join(l.dir, "sub", "c.bin"), "c"},
		{"named", "named"},
		{"sub/c.bin", "c"},
	} {
		if status, got := r.postData(t, "/load", nil, "model="+test.name); status != 200 || got != "Load was successful!" {
			t.Errorf("%s: %d %s", test.name, status, got)
		}
		says(test.says)
	}
	if err := os.Remove(filepath.Join(l.dir, "junk.bin")); err != nil {
		t.Fatal(err)
	}
	if status, got := r.get(t, "/ready"); status != 200 {
		t.Errorf("%d %s", status, got)
	}
	set.Close()
	for i, e := range l.ears {
		if n := e.closed.Load(); n != 1 {
			t.Errorf("engine %d was closed %d times", i, n)
		}
	}
}

// TestSwapInUse: who uses a model when another takes its place uses it to the end.
func TestSwapInUse(t *testing.T) {
	l := newLibrary(t, map[string]string{"a.bin": "a", "b.bin": "b"})
	m := l.set(t, &modelSet{dir: l.dir}, "a.bin")
	release := m.use(t, "a")
	if err := m.swap("b.bin"); err != nil {
		t.Fatal(err)
	}
	a := l.ears[0]
	if a.closed.Load() != 0 {
		t.Error("a was closed while it was in use")
	}
	if got := m.loaded(); got != "b" {
		t.Errorf("loaded %q", got)
	}
	release()
	if a.closed.Load() != 1 {
		t.Error("a was not closed")
	}
	m.Close()
}

// TestModelVanishes: a model whose file is gone when it is needed again is told of, and the server is not ready.
func TestModelVanishes(t *testing.T) {
	l := newLibrary(t, map[string]string{"a.bin": "a"})
	m := l.set(t, &modelSet{keepAlive: time.Millisecond}, "a.bin")
	settle(t, "a is closed", func() bool { return m.loaded() == "" })
	if err := os.Remove(filepath.Join(l.dir, "a.bin")); err != nil {
		t.Fatal(err)
	}
	s, err := m.find("")
	if err != nil {
		t.Fatal(err)
	}
	var f *fault
	if _, _, err := m.acquire(s); !errors.As(err, &f) || f.status != 503 || m.isReady() {
		t.Errorf("%v", err)
	}
}
