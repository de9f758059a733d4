//go:build unix

package serve

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/whisperfile/whisperfile/audio"
	"github.com/whisperfile/whisperfile/cmd/internal/applet"
	whisper "github.com/whisperfile/whisperfile/cmd/internal/cli"
	"github.com/whisperfile/whisperfile/model"
)

// asServer in the environment makes the test's own program a whisper-server with those arguments, a line each.
const asServer = "WHISPER_SERVER_TEST_ARGS"

func TestMain(m *testing.M) {
	if args, ok := os.LookupEnv(asServer); ok {
		env := applet.System()
		env.Args = strings.Split(args, "\n")
		var open opener // the model's
		if underRace {
			open = func(string, []byte) (engine, error) { return patient{newEar(tinyEN, "x")}, nil }
		}
		os.Exit(whisper.Main(env, func(env applet.Env) *cli.App { return newApp(env, open) }))
	}
	os.Exit(m.Run())
}

// patient is an ear that takes its time.
type patient struct{ *ear }

func (p patient) NewSession() (session, error) {
	s, err := p.ear.NewSession()
	return patientSession{s}, err
}

type patientSession struct{ session }

func (s patientSession) Transcribe(ctx context.Context, src audio.Source, o model.Options, yield func(model.Segment) error) (model.Result, error) {
	select {
	case <-time.After(200 * ms):
	case <-ctx.Done():
		return model.Result{}, ctx.Err()
	}
	return s.session.Transcribe(ctx, src, o, yield)
}

// process is a whisper-server of its own.
type process struct {
	*room
	t    *testing.T
	cmd  *exec.Cmd
	temp string // where its temporary files go
	log  bytes.Buffer
	read chan struct{} // closed when its output has ended
}

// start starts a server with a small model; temp "" is a directory of the test's.
func start(t *testing.T, temp string, args ...string) *process {
	t.Helper()
	if temp == "" {
		temp = t.TempDir()
	}
	p := &process{t: t, temp: temp, read: make(chan struct{})}
	var file string
	if underRace {
		file = write(t, "ggml-small.bin", "a model that nobody opens")
	} else {
		file = smallModel(t)
	}
	args = append([]string{"-m", file, "--port", "0", "-t", "2", "--log-format", "json"}, args...)
	p.cmd = exec.Command(os.Args[0])
	p.cmd.Env = append(os.Environ(), asServer+"="+strings.Join(args, "\n"), "TMPDIR="+temp)
	p.cmd.Stderr = &p.log
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if p.cmd.ProcessState == nil {
			p.cmd.Process.Kill()
			p.end()
		}
	})
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if url, ok := strings.CutPrefix(lines.Text(), "whisper server listening at "); ok {
			p.room = at(url)
			go func() {
				defer close(p.read)
				io.Copy(io.Discard, out)
			}()
			return p
		}
	}
	close(p.read)
	t.Fatalf("it does not start: %v\n%s", p.end(), p.log.String())
	return nil
}

// end waits for the process and returns its exit code.
func (p *process) end() int {
	<-p.read
	p.cmd.Wait()
	return p.cmd.ProcessState.ExitCode()
}

// metric is a value of /metrics, −1 where there is none.
func (p *process) metric(name string) float64 {
	p.t.Helper()
	status, text := p.get(p.t, "/metrics")
	if status != http.StatusOK {
		p.t.Fatalf("%d %s", status, text)
	}
	for line := range strings.Lines(text) {
		if v, ok := strings.CutPrefix(line, name+" "); ok {
			x, err := strconv.ParseFloat(strings.TrimSpace(v), 64)
			if err != nil {
				p.t.Fatal(err)
			}
			return x
		}
	}
	return -1
}

// files is how many files, sockets among them, the process has open; −1 where that cannot be told.
func (p *process) files() int {
	d, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", p.cmd.Process.Pid))
	if err != nil {
		return -1
	}
	return len(d)
}

// rested waits until nothing is left of requests.
func (p *process) rested(files int) {
	p.t.Helper()
	http.DefaultClient.CloseIdleConnections()
	const spare = 4 // those of the question itself
	for _, want := range []struct {
		name string
		ok   func() bool
	}{
		{"an idle queue", func() bool { return p.metric("whisper_sessions_running")+p.metric("whisper_queue_length") == 0 }},
		{"freed uploads", func() bool { return p.metric("whisper_upload_bytes") == 0 }},
		{"few goroutines", func() bool { return p.metric("go_goroutines") < 25 }},
		{"few open files", func() bool { return p.files() <= files+spare }},
		{"an empty directory for temporary files", func() bool { d, err := os.ReadDir(p.temp); return err != nil || len(d) == 0 }},
	} {
		settle(p.t, want.name, want.ok)
	}
}

// raw sends bytes on a connection of its own and returns what comes back.
func (p *process) raw(text string) net.Conn {
	p.t.Helper()
	c, err := net.Dial("tcp", strings.TrimPrefix(p.url, "http://"))
	if err != nil {
		p.t.Fatal(err)
	}
	io.WriteString(c, text)
	return c
}

// TestWhole does to a real server with a real model all that clients do to servers, and looks for what is left.
func TestWhole(t *testing.T) {
	p := start(t, "", "--parallel", "2", "--queue", "2", "--stall-timeout", "1s", "--max-body", "3M", "--max-duration", "1m")
	first, answer := p.post(t, "/inference", "response_format=text")
	if first != http.StatusOK || strings.TrimSpace(answer) == "" {
		t.Fatalf("%d %q", first, answer)
	}
	files := p.files()
	kind, form := body(wav(time.Second), "@file", "response_format=text")
	header := "POST /inference HTTP/1.1\r\nHost: x\r\nContent-Type: " + kind + "\r\nContent-Length: " + strconv.Itoa(form.Len()) + "\r\n\r\n"
	for _, test := range []struct {
		name string
		do   func(t *testing.T)
	}{
		{"junk", func(t *testing.T) {
			for range 20 {
				if status, got := p.postData(t, "/inference", bytes.Repeat([]byte("junk"), 1000), "@file"); status != http.StatusUnsupportedMediaType {
					t.Errorf("%d %s", status, got)
				}
			}
		}},
		{"wrong and huge fields", func(t *testing.T) {
			for _, field := range []string{"temperature=abc", "beam_size=100", "language=zzz", "prompt=" + strings.Repeat("x", 1<<20)} {
				for _, path := range []string{"/inference", transcriptions} {
					if status, got := p.post(t, path, field); status != http.StatusBadRequest {
						t.Errorf("%.20s: %d %s", field, status, got)
					}
				}
			}
		}},
		{"huge bodies and sounds", func(t *testing.T) {
			for _, d := range []time.Duration{70 * time.Second, 5 * time.Minute} {
				kind, b := body(wav(d), "@file")
				resp, err := http.Post(p.url+"/inference", kind, b)
				if err != nil {
					continue // the server may hang up on what it does not want to read
				}
				if status, got := read(t, resp); status != http.StatusRequestEntityTooLarge {
					t.Errorf("%v: %d %s", d, status, got)
				}
			}
		}},
		{"half uploads", func(t *testing.T) {
			for i := range 20 {
				c := p.raw(header + string(form.Bytes()[:form.Len()*i/20]))
				c.Close()
			}
		}},
		{"slow uploads", func(t *testing.T) {
			var all sync.WaitGroup
			for range 10 {
				all.Go(func() {
					c := p.raw(header + string(form.Bytes()[:1000]))
					defer c.Close()
					c.SetReadDeadline(time.Now().Add(20 * time.Second))
					if got, err := io.ReadAll(c); err != nil || !strings.HasPrefix(string(got), "HTTP/1.1 408 ") || !strings.Contains(string(got), `{"error":"`) {
						t.Errorf("%s %v", got, err)
					}
				})
			}
			all.Wait()
		}},
		{"1,000 idle connections", func(t *testing.T) {
			var idle []net.Conn
			for i := range 1000 {
				c, err := net.Dial("tcp", strings.TrimPrefix(p.url, "http://"))
				if err != nil {
					t.Logf("this system has no more than %d connections: %v", i, err)
					break
				}
				idle = append(idle, c)
			}
			start := time.Now()
			if status, got := p.get(t, "/health"); status != http.StatusOK || time.Since(start) > 5*time.Second {
				t.Errorf("%d %s after %v", status, got, time.Since(start))
			}
			if status, got := p.post(t, "/inference", "response_format=text"); status != http.StatusOK || got != answer {
				t.Errorf("%d %q, want %q", status, got, answer)
			}
			for _, c := range idle {
				c.Close()
			}
		}},
		{"clients that leave", func(t *testing.T) {
			var all sync.WaitGroup
			for i := range 6 {
				all.Go(func() {
					ctx, cancel := context.WithTimeout(t.Context(), time.Duration(10+40*i)*ms)
					defer cancel()
					kind, b := body(wav(30*time.Second), "@file", "stream=true")
					req, err := http.NewRequestWithContext(ctx, http.MethodPost, p.url+"/inference", b)
					if err != nil {
						t.Error(err)
						return
					}
					req.Header.Set("Content-Type", kind)
					if resp, err := http.DefaultClient.Do(req); err == nil {
						io.Copy(io.Discard, resp.Body)
						resp.Body.Close()
					}
				})
			}
			all.Wait()
		}},
		{"more than there is room for", func(t *testing.T) {
			var all sync.WaitGroup
			var mu sync.Mutex
			seen := map[int]int{}
			for range 12 {
				all.Go(func() {
					status, got := p.post(t, "/inference", "response_format=text")
					if status == http.StatusOK && got != answer || status != http.StatusOK && status != http.StatusTooManyRequests {
						t.Errorf("%d %q, want %q", status, got, answer)
					}
					mu.Lock()
					defer mu.Unlock()
					seen[status]++
				})
			}
			all.Wait()
			if seen[http.StatusOK] < 4 {
				t.Errorf("%v", seen)
			}
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			test.do(t)
			p.t = t
			p.rested(files)
		})
	}
	p.t = t
	if n := p.metric("whisper_step_rows_count"); n < 10 && !underRace {
		t.Errorf("%v steps", n)
	}
	p.cmd.Process.Signal(syscall.SIGTERM)
	if code := p.end(); code != 0 {
		t.Errorf("exit %d: %s", code, p.log.String())
	}
	if log := p.log.String(); strings.Contains(log, `"level":"ERROR"`) || strings.Contains(log, "DATA RACE") {
		t.Error(log)
	}
}

// TestTerminated: at SIGTERM what runs and what waits is finished, and what comes then is refused.
func TestTerminated(t *testing.T) {
	p := start(t, "", "--parallel", "1", "--queue", "5")
	const n = 4
	results := make(chan string, n)
	for range n {
		go func() {
			kind, b := body(wav(30*time.Second), "@file", "response_format=text")
			resp, err := http.Post(p.url+"/inference", kind, b)
			if err != nil {
				results <- err.Error()
				return
			}
			_, text := read(t, resp)
			results <- fmt.Sprint(resp.StatusCode, " ", strings.TrimSpace(text) != "")
		}()
	}
	settle(t, "one runs and the rest waits", func() bool { return p.metric("whisper_queue_length") == n-1 })
	p.cmd.Process.Signal(syscall.SIGTERM)
	settle(t, "it is not ready", func() bool {
		resp, err := http.Get(p.url + "/ready")
		if err != nil {
			return true
		}
		status, _ := read(t, resp)
		return status == http.StatusServiceUnavailable
	})
	kind, b := body(wav(time.Second), "@file")
	if resp, err := http.Post(p.url+"/inference", kind, b); err == nil {
		if status, text := read(t, resp); status != http.StatusServiceUnavailable || resp.Header.Get("Retry-After") == "" || !strings.Contains(text, "the server stops") {
			t.Errorf("%d %s", status, text)
		}
	}
	for range n {
		if got := <-results; got != "200 true" {
			t.Error(got)
		}
	}
	if code := p.end(); code != 0 {
		t.Errorf("exit %d: %s", code, p.log.String())
	}
}

// TestTerminatedTwice: a second signal does not wait for anybody, and the exit code says so.
func TestTerminatedTwice(t *testing.T) {
	p := start(t, "", "--stall-timeout", "1m")
	c := p.raw("POST /inference HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data; boundary=b\r\nContent-Length: 1000\r\n\r\n" +
		"--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.wav\"\r\n\r\nRIFF")
	defer c.Close()
	settle(t, "the upload is under way", func() bool { return p.metric("whisper_upload_bytes") > 0 })
	p.cmd.Process.Signal(syscall.SIGTERM)
	time.Sleep(twice + 300*ms)
	p.cmd.Process.Signal(syscall.SIGTERM)
	if code := p.end(); code != int(whisper.Partial) || !strings.Contains(p.log.String(), "stopped before all requests were finished") {
		t.Errorf("exit %d: %s", code, p.log.String())
	}
}

// TestDiskFull: where ffmpeg's input finds no room the client is told, and nothing stays behind.
func TestDiskFull(t *testing.T) {
	if _, err := exec.LookPath("ffmpeg"); err != nil {
		t.Skip("there is no ffmpeg")
	}
	mp4 := append([]byte("\x00\x00\x00\x18ftypisom\x00\x00\x02\x00isomiso2"), make([]byte, 1<<20)...)
	t.Run("gone", func(t *testing.T) {
		dir := filepath.Join(t.TempDir(), "temp")
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		p := start(t, dir, "--convert")
		if err := os.Remove(dir); err != nil {
			t.Fatal(err)
		}
		p.full(mp4)
	})
	t.Run("full", func(t *testing.T) {
		if runtime.GOOS != "linux" {
			t.Skip("small file systems are Linux's")
		}
		dir := t.TempDir()
		if out, err := exec.Command("mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", dir).CombinedOutput(); err != nil {
			t.Skipf("no file system can be mounted: %s", out)
		}
		t.Cleanup(func() { exec.Command("umount", "-l", dir).Run() })
		start(t, dir, "--convert").full(mp4)
	})
}

func (p *process) full(mp4 []byte) {
	p.t.Helper()
	files := p.files()
	for _, path := range []string{"/inference", transcriptions} {
		if status, got := p.postData(p.t, path, mp4, "@file"); status != http.StatusInsufficientStorage || !strings.Contains(got, "there is no room for the sound") {
			p.t.Errorf("%s: %d %s", path, status, got)
		}
	}
	p.rested(files)
	if status, got := p.post(p.t, "/inference"); status != http.StatusOK {
		p.t.Errorf("%d %s", status, got)
	}
}

// TestTell: whoever started the server hears when it listens and when it stops.
func TestTell(t *testing.T) {
	path := filepath.Join(t.TempDir(), "notify")
	c, err := net.ListenPacket("unixgram", path)
	if err != nil {
		t.Skip(err)
	}
	defer c.Close()
	r := newRoom(t, func(c *Config, _ *modelSet) { c.Tell = manager(path) }, map[string]*ear{"main": newEar(base)})
	_, stop, ended := r.serving(t, time.Second)
	heard := func() string {
		b := make([]byte, 100)
		c.SetReadDeadline(time.Now().Add(10 * time.Second))
		n, _, err := c.ReadFrom(b)
		if err != nil {
			t.Fatal(err)
		}
		return string(b[:n])
	}
	if got := heard(); got != "READY=1" {
		t.Error(got)
	}
	stop()
	if got := heard(); got != "STOPPING=1" {
		t.Error(got)
	}
	if err := <-ended; err != nil && !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	for _, nobody := range []string{"", path + ".none"} {
		if manager(nobody) != nil {
			t.Errorf("%q is nobody's socket", nobody)
		}
	}
}
