package page_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestMain(m *testing.M) {
	code := m.Run()
	if started.Load() {
		if b, err := browser(); err == nil {
			b.close()
		}
	}
	os.Exit(code)
}

const (
	isDone    = `document.body.dataset.state === "done"`
	isPlaying = `document.getElementById("play").classList.contains("playing")`
	stage     = `document.getElementById("stage").textContent`
	problem   = `document.getElementById("problem").innerText`
	count     = `document.querySelectorAll("#segments li").length`
)

// next returns what the page sent.
func (f *fake) next(t *testing.T) request {
	t.Helper()
	select {
	case q := <-f.asked:
		return q
	case <-t.Context().Done():
		t.Fatal("nothing was sent")
		return request{}
	}
}

func TestUpload(t *testing.T) {
	steps := make(chan struct{})
	f := pretend(t, func(w http.ResponseWriter, _ *http.Request) {
		send(w, progress(0, 12, 2))
		<-steps
		send(w, progress(0, 12, 0))
		send(w, events(heard[:3])...)
		<-steps
		send(w, events(heard[3:])...)
		send(w, done(heard))
	})
	p := open(t, f.address)
	p.shoot("idle")
	sound := speech(12)
	p.upload(clip(t, "Pride and Prejudice.wav", sound))
	q := f.next(t)
	want := map[string]string{"model": "base", "language": "auto", "response_format": "json", "stream": "true"}
	if diff := cmp.Diff(want, q.fields); diff != "" || q.name != "Pride and Prejudice.wav" || !bytes.Equal(q.sound, sound) || q.key != "" {
		t.Errorf("sent %s with %d bytes, key %q, fields %s", q.name, len(q.sound), q.key, diff)
	}
	p.wait(stage + ` === "Waiting: 2 recordings come first"`)
	steps <- struct{}{}
	p.wait(stage + ` === "Heard 0:08 of 0:12"`)
	if got := p.text(`document.getElementById("progress").getAttribute("aria-valuenow")`); got != "67" {
		t.Errorf("progress is %s", got)
	}
	p.wait(`new Set(document.getElementById("wave").getContext("2d").getImageData(0, 30, 600, 1).data).size > 5`)
	p.shoot("working")
	steps <- struct{}{}
	p.wait(isDone)
	if got := p.text(`document.getElementById("facts").textContent`); !strings.HasPrefix(got, "English · 0:12 · base · heard in ") {
		t.Errorf("facts: %s", got)
	}
	p.shoot("done")

	p.click("#segments li:nth-child(3) button")
	p.wait(isPlaying + ` && document.querySelector("#segments li:nth-child(3)[aria-current]")`)
	p.shoot("playing")
	p.click("#play")
	p.wait("!" + isPlaying)
	p.mouse("#position", 0.75, 0.5)
	p.wait(`Math.abs(document.getElementById("audio").currentTime - 9) < 0.1 && document.querySelector("#segments li:nth-child(4)[aria-current]")`)

	// A second file takes the place of the first.
	go func() { steps <- struct{}{}; steps <- struct{}{} }()
	p.upload(clip(t, "other.wav", sound))
	p.wait(isDone + ` && document.getElementById("name").textContent === "other.wav" && ` + count + ` === 5`)
}

func TestDrop(t *testing.T) {
	f := pretend(t, hears(heard))
	p := open(t, f.address)
	drag := object{"items": []any{}, "files": []string{clip(t, "dropped.wav", speech(3))}, "dragOperationsMask": 1}
	for _, kind := range []string{"dragEnter", "dragOver"} {
		p.do("Input.dispatchDragEvent", object{"type": kind, "x": 500, "y": 600, "data": drag})
	}
	p.wait(`document.body.classList.contains("dropping")`)
	p.shoot("dropping")
	p.do("Input.dispatchDragEvent", object{"type": "drop", "x": 500, "y": 600, "data": drag})
	p.wait(isDone)
	if q := f.next(t); q.name != "dropped.wav" || p.eval(`document.body.classList.contains("dropping")`) == true {
		t.Errorf("sent %s", q.name)
	}
}

func TestRecord(t *testing.T) {
	f := pretend(t, hears(heard[:1]))
	p := open(t, f.address)
	p.browser("Browser.grantPermissions", object{"permissions": []string{"audioCapture"}, "browserContextId": p.profile})
	p.click("#record")
	p.wait(`/^0:0[2-9]/.test(document.getElementById("recorded").textContent)`)
	p.shoot("recording")
	p.click("#pause")
	p.wait(`document.getElementById("recorded").textContent.endsWith(", paused")`)
	p.click("#pause")
	p.click("#finish")
	p.wait(isDone)
	q := f.next(t)
	if !strings.HasPrefix(q.name, "recording 20") || !strings.HasSuffix(q.name, ".wav") {
		t.Errorf("sent as %s", q.name)
	}
	seconds, level := listen(t, q.sound)
	if seconds < 1.5 || seconds > 30 || level < 300 {
		t.Errorf("%.2f s at a mean of %.0f were recorded", seconds, level)
	}
	p.shoot("recorded")

	p.click("#record")
	p.wait(`document.body.dataset.state === "recording"`)
	p.click("#discard")
	p.wait(isDone + ` && ` + count + ` === 1`)
}

// listen returns the length and the mean absolute value of what must be a wav file as Whisper wants it.
func listen(t *testing.T, sound []byte) (seconds, level float64) {
	t.Helper()
	if len(sound) < 44 || !bytes.Equal(sound[:44], riff(16000, make([]int16, (len(sound)-44)/2))[:44]) {
		t.Fatalf("not a mono wav of 16 bit and 16 kHz: % x", sound[:min(len(sound), 44)])
	}
	for i := 44; i+1 < len(sound); i += 2 {
		level += math.Abs(float64(int16(binary.LittleEndian.Uint16(sound[i:]))))
	}
	n := float64(len(sound)-44) / 2
	return n / 16000, level / n
}

// TestLongRecording makes parts of a second and joins them.
func TestLongRecording(t *testing.T) {
	f := pretend(t, nil)
	p := open(t, f.address)
	p.browser("Browser.grantPermissions", object{"permissions": []string{"audioCapture"}, "browserContextId": p.profile})
	got := p.eval(`(async () => {
		const { Recorder } = await import("./record.js");
		const r = new Recorder({ part: 1 });
		await r.start();
		await new Promise((go) => setTimeout(go, 3500));
		const told = r.seconds;
		const file = await r.finish();
		return [told, (file.size - 44) / 32000];
	})()`).([]any)
	if told, is := got[0].(float64), got[1].(float64); math.Abs(told-is) > 0.6 {
		t.Errorf("%.2f s of %.2f s were kept", is, told)
	}
}

// TestConvert has the browser make a wav of what the server does not read.
func TestConvert(t *testing.T) {
	f := pretend(t, nil)
	f.will(func(w http.ResponseWriter, r *http.Request) {
		f.will(hears(heard))
		refuse(w, http.StatusUnsupportedMediaType, "unknown format")
	})
	p := open(t, f.address, "415")
	stereo := make([]int16, 2*44100)
	for i := range stereo {
		stereo[i] = int16(9000 * math.Sin(float64(i/2)*0.05))
	}
	sound := riff(44100, stereo)
	sound[22], sound[32] = 2, 4
	p.upload(clip(t, "talk.m4a", sound))
	p.wait(isDone + ` && ` + count + ` === 5`)
	if q := f.next(t); q.name != "talk.m4a" {
		t.Errorf("sent as %s first", q.name)
	}
	q := f.next(t)
	if seconds, level := listen(t, q.sound); q.name != "talk.wav" || math.Abs(seconds-1) > 0.05 || level < 4000 {
		t.Errorf("sent as %s, %.2f s at %.0f", q.name, seconds, level)
	}
}

func TestErrors(t *testing.T) {
	junk := clip(t, "notes.pdf", []byte("%PDF-1.7 and no sound at all"))
	talk := clip(t, "talk.wav", speech(2))
	drop := func(w http.ResponseWriter) {
		time.Sleep(200 * time.Millisecond) // A browser forgets what it had not read yet.
		conn, _, err := w.(http.Hijacker).Hijack()
		if err == nil {
			conn.Close()
		}
	}
	for _, tt := range []struct {
		name   string
		file   string
		answer func(w http.ResponseWriter, r *http.Request)
		want   []string
		left   int // segments that stay
	}{
		{"400", talk, func(w http.ResponseWriter, _ *http.Request) {
			refuse(w, http.StatusBadRequest, "language: there is no xx")
		},
			[]string{"The server refused the request.", "The server says: language: there is no xx"}, 0},
		{"413", talk, func(w http.ResponseWriter, _ *http.Request) {
			refuse(w, http.StatusRequestEntityTooLarge, "the body is larger than 1 MiB")
		},
			[]string{"too large for the server (64 kB)", "mp3 or flac"}, 0},
		{"415", junk, func(w http.ResponseWriter, _ *http.Request) {
			refuse(w, http.StatusUnsupportedMediaType, "unknown format")
		},
			[]string{"cannot read this file as sound", "wav, flac or mp3", "The server says: unknown format"}, 0},
		{"503", talk, func(w http.ResponseWriter, _ *http.Request) {
			refuse(w, http.StatusServiceUnavailable, "shutting down")
		}, []string{"not ready", "Try again"}, 0},
		{"500", talk, func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "<html>", http.StatusInternalServerError) }, []string{"an error (500)"}, 0},
		{"unreachable", talk, func(w http.ResponseWriter, _ *http.Request) { drop(w) }, []string{"cannot be reached", "still running?"}, 0},
		{"broken", talk, func(w http.ResponseWriter, _ *http.Request) { send(w, events(heard[:2])...); drop(w) },
			[]string{"connection broke off", "is kept"}, 2},
		{"ended", talk, func(w http.ResponseWriter, _ *http.Request) { send(w, events(heard[:1])...) }, []string{"connection broke off"}, 1},
		{"failed", talk, func(w http.ResponseWriter, _ *http.Request) {
			send(w, events(heard[:3])...)
			send(w, object{"type": "error", "error": object{"message": "out of time"}})
		}, []string{"stopped before the end", "The server says: out of time"}, 3},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := pretend(t, tt.answer)
			p := open(t, f.address, "Failed to load resource")
			p.upload(tt.file)
			p.wait(isDone + ` && document.getElementById("problem").checkVisibility()`)
			for _, want := range tt.want {
				if got := p.text(problem); !strings.Contains(got, want) {
					t.Errorf("%q is not in %q", want, got)
				}
			}
			if got := p.eval(count); got != float64(tt.left) {
				t.Errorf("%v segments", got)
			}
			p.shoot("error " + tt.name)
			f.will(hears(heard))
			p.click("#retry")
			p.wait(count + ` === 5 && ` + isDone)
			if p.eval(`document.getElementById("notice").hidden && document.activeElement.id === "name"`) != true {
				t.Error("the problem still stands there, or the focus is lost")
			}
		})
	}
}

// TestGone takes the file away between two requests.
func TestGone(t *testing.T) {
	f := pretend(t, hears(heard))
	p := open(t, f.address, "Failed to load resource")
	path := clip(t, "talk.wav", speech(2))
	p.upload(path)
	p.wait(isDone)
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	p.click("#again")
	p.wait(problem + `.startsWith("The file cannot be read.")`)
}

func TestBusy(t *testing.T) {
	f := pretend(t, nil)
	f.will(func(w http.ResponseWriter, r *http.Request) {
		f.will(hears(heard))
		w.Header().Set("Retry-After", "3")
		refuse(w, http.StatusTooManyRequests, "256 requests are waiting")
	})
	p := open(t, f.address, "429")
	p.upload(clip(t, "talk.wav", speech(2)))
	p.wait(stage + `.startsWith("Asking again in ")`)
	if got := p.text(problem); !strings.Contains(got, "The server is busy.\n\nIt is asked again in 3 s.\n\nThe server says: 256") {
		t.Errorf("says %q", got)
	}
	p.shoot("error 429")
	p.wait(isDone + ` && ` + count + ` === 5`)

	f.will(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Retry-After", "500")
		refuse(w, http.StatusTooManyRequests, "256 requests are waiting")
	})
	p.click("#again")
	p.wait(stage + ` === "Asking again in 500 s"`)
	p.click("#cancel")
	p.wait(isDone)
}

func TestKey(t *testing.T) {
	f := pretend(t, hears(heard))
	key, another := "secret", "another"
	f.key.Store(&key)
	p := open(t, f.address, "401")
	enter := func(key string) {
		t.Helper()
		p.wait(`document.activeElement.id === "secret" && document.activeElement.checkVisibility()`)
		p.write(key)
		p.press("Enter", 0)
	}
	enter("wrong")
	enter("secret")
	p.wait(`document.getElementById("model").value === "base" && document.getElementById("notice").hidden`)
	p.upload(clip(t, "talk.wav", speech(2)))
	p.wait(isDone + ` && ` + count + ` === 5`)

	// The key changes while the page is open.
	f.key.Store(&another)
	p.click("#again")
	p.wait(problem + `.startsWith("This server wants a key.")`)
	p.shoot("error 401")
	enter("another")
	p.wait(isDone + ` && ` + count + ` === 5`)
}

func TestMicrophone(t *testing.T) {
	f := pretend(t, nil)
	p := open(t, f.address)
	p.browser("Browser.setPermission", object{"permission": object{"name": "microphone"}, "setting": "denied", "browserContextId": p.profile})
	p.click("#record")
	p.wait(problem + `.includes("may not use the microphone")`)
	p.shoot("error microphone")
	p.click("#dismiss")
	p.wait(`document.getElementById("notice").hidden && document.activeElement.id === "choose"`)
	for name, want := range map[string]string{"NotFoundError": "no microphone", "NotReadableError": "in use", "AbortError": "does not work"} {
		p.eval(fmt.Sprintf(`navigator.mediaDevices.getUserMedia = async () => { throw new DOMException("no", %q); }`, name))
		p.click("#record")
		p.wait(problem + fmt.Sprintf(`.includes(%q)`, want))
	}
}

func TestCancel(t *testing.T) {
	left := make(chan struct{})
	f := pretend(t, func(w http.ResponseWriter, r *http.Request) {
		send(w, events(heard[:2])...)
		<-r.Context().Done()
		close(left)
	})
	p := open(t, f.address)
	p.upload(clip(t, "talk.wav", speech(12)))
	p.wait(count + ` === 2`)
	p.click("#cancel")
	p.wait(isDone + ` && ` + count + ` === 2 && document.getElementById("notice").hidden`)
	<-left
	p.wait(`document.activeElement.id === "again"`)
	p.shoot("cancelled")
}

func TestLongFile(t *testing.T) {
	f := pretend(t, hears(heard))
	p := open(t, f.address)
	p.upload(clip(t, "meeting.wav", riff(8000, bytes.Repeat([]byte{128}, 31*60*8000))))
	p.wait(isDone + ` && document.getElementById("remark").textContent.startsWith("Longer than 30 minutes")`)
	p.shoot("long")
	if got := p.text(`document.getElementById("clock").textContent`); got != "0:00 / 31:00" {
		t.Errorf("clock: %s", got)
	}
}
