package serve

import (
	"log/slog"
	"os"
	"sync"
	"time"
)

// watched is something that is made of files, and made anew when they change.
type watched[T any] struct {
	files []string
	load  func() (T, error)
	log   *slog.Logger

	mu     sync.Mutex
	value  T
	looked time.Time
	stamps []stamp
}

// stamp tells one state of a file from another.
type stamp struct {
	size     int64
	modified time.Time
}

// lookAgain is for how long files are taken to be what they were.
const lookAgain = time.Second

// watch makes the first value.
func watch[T any](log *slog.Logger, load func() (T, error), files ...string) (*watched[T], error) {
	w := &watched[T]{files: files, load: load, log: log, looked: time.Now()}
	w.stamps = w.stat()
	var err error
	w.value, err = load()
	return w, err
}

func (w *watched[T]) stat() []stamp {
	stamps := make([]stamp, len(w.files))
	for i, f := range w.files {
		if st, err := os.Stat(f); err == nil {
			stamps[i] = stamp{st.Size(), st.ModTime()}
		}
	}
	return stamps
}

// get returns what the files make. Files that are no good leave what there was.
func (w *watched[T]) get() T {
	w.mu.Lock()
	defer w.mu.Unlock()
	if now := time.Now(); now.Sub(w.looked) >= lookAgain {
		w.looked = now
		now := w.stat()
		for i := range now {
			if now[i] != w.stamps[i] {
				w.stamps = now
				w.read()
				break
			}
		}
	}
	return w.value
}

// reload reads the files whether they seem to have changed or not.
func (w *watched[T]) reload() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.stamps = w.stat()
	w.read()
}

func (w *watched[T]) read() {
	v, err := w.load()
	if err != nil {
		w.log.Error("kept what there was", "files", w.files, "cause", err)
		return
	}
	w.value = v
	w.log.Info("read again", "files", w.files)
}
