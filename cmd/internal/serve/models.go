package serve

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	whisper "github.com/whisperfile/whisperfile/cmd/internal/cli"
	"github.com/whisperfile/whisperfile/model"
)

// ModelFile is a model that may be asked for by its name.
type ModelFile struct {
	Name string
	Path string
	Data []byte // the model itself, where it is in memory already
}

// modelSet holds the models that there are and keeps in memory those that are in use.
type modelSet struct {
	open      opener
	dir       string        // where /load may take models from; "" is nowhere
	keepAlive time.Duration // for how long a model that nobody uses stays; 0 is for ever
	budget    int64         // bytes of model files in memory; 0 is no limit

	mu    sync.Mutex
	list  []*served // the default one first
	ready bool      // the default one could be opened when that was tried last
}

// served is a model of the set.
type served struct {
	ModelFile
	info    model.Info
	size    int64
	created time.Time

	engine  engine
	opening chan struct{} // closed when an attempt to open it is over; nil where there is none
	users   int
	used    time.Time // when the last one left
	idle    *time.Timer
	gone    bool // another one took its place
}

// add looks at a model and puts it behind the others; the first one stays in memory. Errors are for the user.
func (m *modelSet) add(f ModelFile) error {
	for _, s := range m.list {
		if s.Name == f.Name {
			return whisper.Fail(whisper.Usage, fmt.Errorf("two models are called %s", f.Name), "--model NAME=PATH names a model")
		}
	}
	s, err := m.look(f)
	if err != nil {
		return err
	}
	if m.budget > 0 && s.size > m.budget {
		s.engine.Close()
		return whisper.Failf(whisper.Usage, "--memory-budget is less than %s takes: %d bytes", f.Name, s.size)
	}
	if len(m.list) == 0 {
		m.ready = true
		m.rest(s)
	} else if err := s.close(); err != nil {
		return err
	}
	m.list = append(m.list, s)
	return nil
}

// look opens a model and says what it is.
func (m *modelSet) look(f ModelFile) (*served, error) {
	e, err := m.open(f.Path, f.Data)
	if err != nil {
		return nil, err
	}
	s := &served{ModelFile: f, info: e.Info(), engine: e, size: int64(len(f.Data)), created: time.Now()}
	if st, err := os.Stat(f.Path); err == nil && f.Data == nil {
		s.size, s.created = st.Size(), st.ModTime()
	}
	return s, nil
}

func (s *served) close() error {
	if s.engine == nil {
		return nil
	}
	err := s.engine.Close()
	s.engine = nil
	return err
}

// aliases are names of OpenAI's that stand for the default model, so that clients work unchanged.
var aliases = []string{"", "whisper-1", "gpt-4o-transcribe", "gpt-4o-mini-transcribe"}

// find returns the model of that name.
func (m *modelSet) find(name string) (*served, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, s := range m.list {
		if s.Name == name {
			return s, nil
		}
	}
	if slices.Contains(aliases, name) {
		return m.list[0], nil
	}
	return nil, &fault{
		status: http.StatusNotFound, param: "model", code: "model_not_found",
		message: fmt.Sprintf("there is no model %q; there is %s", oneLine(name), strings.Join(m.names(), ", ")),
	}
}

func (m *modelSet) names() []string {
	var names []string
	for _, s := range m.list {
		names = append(names, s.Name)
	}
	return names
}

// errNoRoom means that models in use fill the budget.
var errNoRoom = errors.New("the models in use fill the memory budget")

// acquire opens a model if need be; release must be called when it is not needed any more.
func (m *modelSet) acquire(s *served) (e engine, release func(), err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for s.opening != nil {
		wait := s.opening
		m.mu.Unlock()
		<-wait
		m.mu.Lock()
	}
	if s.engine == nil {
		if err := m.makeRoom(s); err != nil {
			return nil, nil, &fault{status: http.StatusServiceUnavailable, message: err.Error(), retry: 5 * time.Second}
		}
		done := make(chan struct{})
		s.opening = done
		m.mu.Unlock()
		e, err := m.open(s.Path, s.Data)
		m.mu.Lock()
		s.opening = nil
		close(done)
		if s == m.list[0] {
			m.ready = err == nil
		}
		if err != nil {
			return nil, nil, &fault{status: http.StatusServiceUnavailable, message: "the model " + s.Name + " cannot be opened", err: err}
		}
		s.engine = e
	}
	s.users++
	if s.idle != nil {
		s.idle.Stop()
	}
	return s.engine, sync.OnceFunc(func() { m.release(s) }), nil
}

// makeRoom closes models that nobody uses, the one used longest ago first, until s has room.
func (m *modelSet) makeRoom(s *served) error {
	if m.budget <= 0 {
		return nil
	}
	for {
		total := s.size
		var oldest *served
		for _, o := range m.list {
			if o == s || o.engine == nil && o.opening == nil {
				continue
			}
			total += o.size
			if o.engine != nil && o.users == 0 && (oldest == nil || o.used.Before(oldest.used)) {
				oldest = o
			}
		}
		switch {
		case total <= m.budget:
			return nil
		case oldest == nil:
			return errNoRoom
		}
		oldest.close() //nolint:errcheck // an unmapping that fails leaves nothing to do
	}
}

func (m *modelSet) release(s *served) {
	m.mu.Lock()
	defer m.mu.Unlock()
	s.users--
	if s.users > 0 {
		return
	}
	s.used = time.Now()
	if s.gone {
		s.close() //nolint:errcheck // as above
		return
	}
	m.rest(s)
}

// rest starts the time after which a model that nobody uses is closed.
func (m *modelSet) rest(s *served) {
	if m.keepAlive <= 0 {
		return
	}
	if s.idle != nil {
		s.idle.Reset(m.keepAlive)
		return
	}
	s.idle = time.AfterFunc(m.keepAlive, func() {
		m.mu.Lock()
		defer m.mu.Unlock()
		if s.users == 0 {
			s.close() //nolint:errcheck // as above
		}
	})
}

// swap opens a model and lets it take the place of the default one, which serves those who use it to the end. If it cannot be
// opened all stays as it is.
func (m *modelSet) swap(name string) error {
	f, err := m.resolve(name)
	if err != nil {
		return err
	}
	s, err := m.look(f)
	if err != nil {
		return &fault{status: http.StatusBadRequest, param: "model", message: "the model cannot be used: " + oneLine(err.Error())}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.makeRoom(s); err != nil {
		s.close() //nolint:errcheck // as above
		return &fault{status: http.StatusServiceUnavailable, message: err.Error(), retry: 5 * time.Second}
	}
	list := []*served{s}
	for i, o := range m.list {
		if i > 0 && o.Name != s.Name {
			list = append(list, o)
			continue
		}
		o.gone = true
		if o.idle != nil {
			o.idle.Stop()
		}
		if o.users == 0 && o.opening == nil {
			o.close() //nolint:errcheck // as above
		}
	}
	m.list, m.ready = list, true
	m.rest(s)
	return nil
}

// maxPath bounds what /load takes for a name.
const maxPath = 4096

// resolve finds the model that /load is asked for: one of the set by its name, or a file in the directory by its path there,
// its whole path or its name.
func (m *modelSet) resolve(name string) (ModelFile, error) {
	wrong := func(format string, args ...any) (ModelFile, error) { return ModelFile{}, bad("model", format, args...) }
	if name == "" || len(name) > maxPath || strings.ContainsRune(name, 0) {
		return wrong("model must be the name of a model, or the path of one")
	}
	m.mu.Lock()
	for _, s := range m.list {
		if s.Name == name {
			defer m.mu.Unlock()
			return s.ModelFile, nil
		}
	}
	m.mu.Unlock()
	if m.dir == "" {
		return wrong("there is no directory to load models from; --model-dir names one")
	}
	dir, err := filepath.EvalSymlinks(m.dir)
	if err == nil {
		dir, err = filepath.Abs(dir)
	}
	if err != nil {
		return wrong("the directory of models cannot be read")
	}
	for _, try := range []string{name, "ggml-" + name + ".bin", name + ".bin"} {
		var candidates []string
		if filepath.IsAbs(try) {
			candidates = []string{try}
		} else {
			candidates = []string{filepath.Join(dir, try), try}
		}
		for _, path := range candidates {
			if path, ok := below(dir, path); ok {
				return ModelFile{Name: modelName(path), Path: path}, nil
			}
		}
	}
	return wrong("there is no such model in the directory of models: %q", oneLine(name))
}

// below returns the real path of a file if it lies in dir, whatever links lead to it.
func below(dir, path string) (string, bool) {
	found, err := filepath.EvalSymlinks(path)
	if err == nil {
		found, err = filepath.Abs(found)
	}
	if err != nil {
		return "", false
	}
	rel, err := filepath.Rel(dir, found)
	if err != nil || !filepath.IsLocal(rel) {
		return "", false
	}
	st, err := os.Stat(found)
	return found, err == nil && st.Mode().IsRegular()
}

// modelName is what the model of a file is called unless it has a name: ggml-base.bin is base.
func modelName(path string) string {
	return strings.TrimSuffix(strings.TrimPrefix(filepath.Base(path), "ggml-"), ".bin")
}

// described is a model as clients see it.
type described struct {
	name      string
	info      model.Info
	created   time.Time
	byDefault bool
	loaded    bool
}

func (m *modelSet) describe() []described {
	m.mu.Lock()
	defer m.mu.Unlock()
	var all []described
	for i, s := range m.list {
		all = append(all, described{s.Name, s.info, s.created, i == 0, s.engine != nil})
	}
	return all
}

// isReady says whether the default model serves, or would if it were asked for.
func (m *modelSet) isReady() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.ready
}

// Close closes all models but those that are in use, whose weights must not vanish under a session that does not end.
func (m *modelSet) Close() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	var errs []error
	for _, s := range m.list {
		if s.idle != nil {
			s.idle.Stop()
		}
		if s.users > 0 {
			continue
		}
		errs = append(errs, s.close())
	}
	return errors.Join(errs...)
}
