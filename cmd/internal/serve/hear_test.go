//go:build !noasm

package serve

import (
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/whisperfile/whisperfile/audio"
	"github.com/whisperfile/whisperfile/cmd/internal/applet"
	"github.com/whisperfile/whisperfile/ggml"
	"github.com/whisperfile/whisperfile/model"
	"github.com/whisperfile/whisperfile/model/tinyen"
)

// TestHears serves tiny.en: the text is what a session of its own hears, alone and in company, and words have real times.
func TestHears(t *testing.T) {
	if testing.Short() {
		t.Skip("it hears clips")
	}
	procs := runtime.GOMAXPROCS(0)
	c := newComputer(applet.Env{Stderr: io.Discard}, 0, ggml.CPUOptions{})
	if got := runtime.GOMAXPROCS(0); got != procs+spare {
		t.Errorf("GOMAXPROCS is %d", got)
	}
	if n := c.pool.Threads(); n > procs {
		t.Errorf("%d threads compute", n)
	}
	defer func() {
		c.Close()
		if got := runtime.GOMAXPROCS(0); got != procs {
			t.Errorf("GOMAXPROCS stays at %d", got)
		}
	}()
	set := &modelSet{open: c.open}
	defer set.Close()
	if err := set.add(ModelFile{Name: tinyen.Name, Data: tinyen.Data()}); err != nil {
		t.Fatal(err)
	}
	o := model.Options{Language: "en", BestOf: 2}
	clips := []string{"austen-0930.wav", "austen-0890.wav"}
	want, data := make(map[string]string), make(map[string][]byte)
	for _, name := range clips {
		path := filepath.Join("..", "..", "..", "testdata", name)
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		data[name] = b
		want[name] = alone(t, set.list[0].engine, path, o)
	}
	server, err := newServer(Config{InferencePath: "/inference", Parallel: 3, Queue: 9, Limits: DefaultLimits, Defaults: Request{Options: o}}, set)
	if err != nil {
		t.Fatal(err)
	}
	r := serveRoom(t, server)
	var all sync.WaitGroup
	for i := range 4 {
		all.Go(func() {
			name := clips[i%2]
			if status, got := r.postData(t, "/inference", data[name], "@file", "response_format=text"); status != 200 || got != want[name] {
				t.Errorf("%s: %d %q, want %q", name, status, got, want[name])
			}
		})
	}
	all.Wait()
	_, got := r.postData(t, transcriptions, data[clips[0]], "@file", "response_format=verbose_json", "timestamp_granularities[]=word")
	var verbose struct {
		Text  string
		Words []struct {
			Word       string
			Start, End float64
		}
	}
	if err := json.Unmarshal([]byte(got), &verbose); err != nil {
		t.Fatal(err)
	}
	var texts []string
	last := 0.0
	for _, w := range verbose.Words {
		texts = append(texts, w.Word)
		if w.Start < last || w.End < w.Start || w.End > 3.3 {
			t.Errorf("%+v behind %g", w, last)
		}
		last = w.End
	}
	if !slices.Equal(texts, strings.Fields(verbose.Text)) || len(texts) != 8 {
		t.Errorf("words %q of %q", texts, verbose.Text)
	}
}

// alone is what a session of its own hears.
func alone(t *testing.T, e engine, path string, o model.Options) string {
	t.Helper()
	s, err := e.NewSession()
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	f, err := audio.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var b strings.Builder
	if _, err := s.Transcribe(t.Context(), f, o, func(g model.Segment) error {
		b.WriteString(g.Text + "\n")
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return b.String()
}
