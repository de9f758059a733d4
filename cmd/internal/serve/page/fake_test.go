package page_test

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"

	"github.com/whisperfile/whisperfile/cmd/internal/serve/page"
)

// fake is a server that answers as the test says. The page lies below a path, as --request-path may put it.
type fake struct {
	*httptest.Server
	address string
	asked   chan request
	answer  atomic.Pointer[func(w http.ResponseWriter, r *http.Request)]
	key     atomic.Pointer[string] // that requests need
}

// will changes how inference is answered.
func (f *fake) will(answer func(http.ResponseWriter, *http.Request)) { f.answer.Store(&answer) }

// request is what the page sent to inference.
type request struct {
	fields map[string]string
	name   string
	sound  []byte
	key    string
}

// models is the answer of v1/models.
const models = `{"object": "list", "data": [
	{"id": "base", "languages": ["en", "zh", "de", "fr", "tl", "haw", "jw"], "translate": true, "default": true, "loaded": true},
	{"id": "tiny.en", "languages": ["en"], "translate": false, "default": false, "loaded": false}]}`

func pretend(t *testing.T, answer func(http.ResponseWriter, *http.Request)) *fake {
	t.Helper()
	f := &fake{asked: make(chan request, 10)}
	f.will(answer)
	mux := http.NewServeMux()
	files := http.FileServerFS(page.Files)
	mux.HandleFunc("GET /{file...}", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Security-Policy", page.Policy)
		files.ServeHTTP(w, r)
	})
	locked := func(w http.ResponseWriter, r *http.Request) bool {
		if key := f.key.Load(); key == nil || r.Header.Get("Authorization") == "Bearer "+*key {
			return false
		}
		refuse(w, http.StatusUnauthorized, "no such key")
		return true
	}
	mux.HandleFunc("GET /v1/models", func(w http.ResponseWriter, r *http.Request) {
		if locked(w, r) {
			return
		}
		w.Header().Set("Content-Type", "application/json")
		io.WriteString(w, models)
	})
	mux.HandleFunc("POST /inference", func(w http.ResponseWriter, r *http.Request) {
		q := request{fields: map[string]string{}, key: r.Header.Get("Authorization")}
		form, err := r.MultipartReader()
		if err != nil {
			refuse(w, http.StatusBadRequest, err.Error())
			return
		}
		for {
			part, err := form.NextPart()
			if err != nil {
				break
			}
			b, err := io.ReadAll(part)
			if err != nil {
				return // The client left.
			}
			if part.FormName() == "file" {
				q.name, q.sound = part.FileName(), b
			} else {
				q.fields[part.FormName()] = string(b)
			}
		}
		if locked(w, r) {
			return
		}
		f.asked <- q
		(*f.answer.Load())(w, r)
	})
	f.Server = httptest.NewServer(http.StripPrefix("/speech", mux))
	f.address = f.URL + "/speech/"
	t.Cleanup(f.Close)
	return f
}

func refuse(w http.ResponseWriter, status int, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(map[string]string{"error": message})
}

// send writes events and has them leave at once.
func send(w http.ResponseWriter, events ...object) {
	w.Header().Set("Content-Type", "text/event-stream")
	for _, e := range events {
		b, err := json.Marshal(e)
		if err != nil {
			panic(err)
		}
		w.Write(append(append([]byte("data: "), b...), "\n\n"...))
	}
	w.(http.Flusher).Flush()
}

func progress(done, total float64, queue int) object {
	return object{"type": "transcript.progress", "done": done, "total": total, "queue": queue}
}

type segment struct {
	start, end float64
	text       string
}

// heard is what is spoken in the clip of most tests.
var heard = []segment{
	{0, 2.96, " It is a truth universally acknowledged, that a single man in possession of a good fortune must be in want of a wife."},
	{2.96, 5.5, " However little known the feelings or views of such a man may be on his first entering a neighbourhood,"},
	{5.5, 8.04, " this truth is so well fixed in the minds of the surrounding families"},
	{8.04, 10.009, " that he is considered the rightful property of some one or other of their daughters."},
	{10.009, 12, " “My dear Mr. Bennet,” said his lady to him one day."},
}

func events(segments []segment) []object {
	var all []object
	for i, s := range segments {
		all = append(all,
			object{"type": "transcript.text.segment", "id": i, "start": s.start, "end": s.end, "text": s.text},
			object{"type": "transcript.text.delta", "delta": s.text},
			progress(s.end, 12, 0))
	}
	return all
}

func done(segments []segment) object {
	text := ""
	for _, s := range segments {
		text += s.text
	}
	return object{"type": "transcript.text.done", "text": text, "language": "english", "duration": 12}
}

// hears answers with segments, all at once.
func hears(segments []segment) func(http.ResponseWriter, *http.Request) {
	return func(w http.ResponseWriter, _ *http.Request) {
		send(w, events(segments)...)
		send(w, done(segments))
	}
}

// speech is a wav file of 16 kHz with something that looks like speech: bursts of a buzz, about four a second, and pauses.
func speech(seconds int) []byte {
	const rate = 16000
	samples := make([]int16, seconds*rate)
	for i := range samples {
		t := float64(i) / rate
		syllable := math.Pow(math.Abs(math.Sin(2*math.Pi*2*t)), 1.5) * (0.55 + 0.45*math.Sin(2*math.Pi*0.37*t+1))
		if math.Mod(t, 2.7) > 2.3 {
			syllable *= 0.03
		}
		buzz := math.Sin(2*math.Pi*140*t) + 0.5*math.Sin(2*math.Pi*420*t) + 0.3*math.Sin(2*math.Pi*1300*t)
		samples[i] = int16(14000 * syllable * buzz)
	}
	return riff(rate, samples)
}

func riff(rate int, samples any) []byte {
	var b bytes.Buffer
	size, bits := binary.Size(samples), 16
	if _, ok := samples.([]uint8); ok {
		bits = 8
	}
	b.WriteString("RIFF")
	binary.Write(&b, binary.LittleEndian, uint32(36+size))
	b.WriteString("WAVEfmt ")
	binary.Write(&b, binary.LittleEndian, []uint32{16, 1 | 1<<16, uint32(rate), uint32(rate * bits / 8), uint32(bits/8 | bits<<16)})
	b.WriteString("data")
	binary.Write(&b, binary.LittleEndian, uint32(size))
	binary.Write(&b, binary.LittleEndian, samples)
	return b.Bytes()
}

// clip saves a sound and returns its path.
func clip(t *testing.T, name string, sound []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, sound, 0o666); err != nil {
		t.Fatal(err)
	}
	return path
}
