package serve

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// parse reads a body with the boundary "b".
func parse(data io.Reader, l Limits, a *account) (*form, error) {
	r := httptest.NewRequest(http.MethodPost, "/", data)
	r.Header.Set("Content-Type", "multipart/form-data; boundary=b")
	return readForm(httptest.NewRecorder(), r, l, a)
}

func TestForm(t *testing.T) {
	a := &account{limit: 1 << 30}
	const part = "--b\r\nContent-Disposition: form-data; name="
	text := part + "prompt\r\n\r\nBefore\r\n" +
		part + "\"file\"; filename=\"ü.wav\"\r\nContent-Type: audio/wav\r\n\r\nRIFF\r\n\r\n" +
		part + "file\r\n\r\nanother\r\n" +
		part + "unknown\r\n\r\n\xff\r\n" +
		part + "prompt\r\n\r\nagain\r\n" +
		part + "\"timestamp_granularities[]\"\r\n\r\nword\r\n" +
		part + "language\r\n\r\nde\r\n--b--\r\nbehind the end"
	for name, r := range map[string]io.Reader{"whole": strings.NewReader(text), "by bytes": iotest.OneByteReader(strings.NewReader(text))} {
		f, err := parse(r, DefaultLimits, a)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		want := map[string][]string{"prompt": {"Before", "again"}, "timestamp_granularities[]": {"word"}, "language": {"de"}}
		if diff := cmp.Diff(want, f.values); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
		sound, err := io.ReadAll(f.sound.reader())
		if err != nil || string(sound) != "RIFF\r\n" || f.name != "ü.wav" {
			t.Errorf("%s: %q of %q, %v", name, sound, f.name, err)
		}
		f.free()
		if n := a.held.Load(); n != 0 {
			t.Errorf("%s: %d bytes are held", name, n)
		}
	}
}

// TestBlob holds a file in memory against bytes.Reader.
func TestBlob(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for _, n := range []int{0, 1, firstPiece - 1, firstPiece, firstPiece + 1, firstPiece + pieceSize, firstPiece + 2*pieceSize + 5} {
		data := make([]byte, n)
		for i := range data {
			data[i] = byte(rng.Uint32())
		}
		b := &blob{account: &account{limit: 1 << 30}}
		if k, err := b.ReadFrom(iotest.HalfReader(bytes.NewReader(data))); err != nil || k != int64(n) || b.size != int64(n) {
			t.Fatalf("%d: %d, %v", n, k, err)
		}
		if err := iotest.TestReader(b.reader(), data); err != nil && n < 1<<17 {
			t.Errorf("%d: %v", n, err)
		}
		r, want := b.reader(), bytes.NewReader(data)
		for range 100 {
			at, whence := int64(rng.IntN(n+10)), io.SeekStart
			i, err1 := r.Seek(at, whence)
			j, err2 := want.Seek(at, whence)
			p, q := make([]byte, 1000), make([]byte, 1000)
			k, _ := io.ReadFull(r, p)
			m, _ := io.ReadFull(want, q)
			if i != j || err1 != nil || err2 != nil || k != m || !bytes.Equal(p, q) {
				t.Fatalf("%d: at %d: %d of %d bytes", n, at, k, m)
			}
		}
		b.free()
	}
	b := &blob{account: &account{limit: firstPiece + pieceSize}}
	if _, err := b.ReadFrom(bytes.NewReader(make([]byte, 3*pieceSize))); !errors.Is(err, errHeld) {
		t.Errorf("%v", err)
	}
	if b.free(); b.account.held.Load() != 0 {
		t.Errorf("%d bytes are held", b.account.held.Load())
	}
}

// FuzzForm reads any body as a form, and what it says as a request.
func FuzzForm(f *testing.F) {
	const part = "--b\r\nContent-Disposition: form-data; name="
	f.Add([]byte(part + "file; filename=a.wav\r\n\r\nRIFF\r\n" + part + "temperature\r\n\r\n0.4\r\n--b--\r\n"))
	f.Add([]byte(part + "language\r\n\r\nauto\r\n" + part + "\"timestamp_granularities[]\"\r\n\r\nword\r\n--b--"))
	f.Add([]byte(part + "file\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n=41=\r\n--b--\r\n"))
	f.Add(append(append([]byte(part+"file\r\n\r\n"), wav(10*time.Millisecond)...), "\r\n--b--\r\n"...))
	limits := Limits{Body: 1 << 16, Held: 1 << 20, Field: 64, Parts: 8, Stall: time.Second, Sound: time.Hour}
	f.Fuzz(func(t *testing.T, data []byte) {
		a := &account{limit: limits.Held}
		form, err := parse(bytes.NewReader(data), limits, a)
		if err != nil {
			var told *fault
			if !errors.As(err, &told) || told.status < 400 || told.status >= 500 {
				t.Fatalf("%v", err)
			}
			if n := a.held.Load(); n != 0 {
				t.Fatalf("%d bytes are held", n)
			}
			return
		}
		n := 0
		for name, values := range form.values {
			n += len(values)
			for _, v := range values {
				if len(v) > limits.Field || !isField(name) {
					t.Fatalf("%q: %q", name, v)
				}
			}
		}
		if n > limits.Parts {
			t.Fatalf("%d fields", n)
		}
		var r Request
		if r.understand(form) == nil {
			if err := r.Options.Validate(); err != nil {
				t.Fatal(err)
			}
		}
		if form.sound != nil {
			if _, err := newSound(form.sound, false, limits.Sound, "", ""); err != nil && asFault(err).status >= 500 {
				t.Fatal(err)
			}
		}
		if form.free(); a.held.Load() != 0 {
			t.Fatalf("%d bytes are held", a.held.Load())
		}
	})
}
