package serve

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// holding is a room whose engine hears nothing before hold is closed.
func holding(t *testing.T, change func(*Config)) (*room, *ear) {
	e := newEar(base, "first", "last")
	e.hold = make(chan struct{})
	return newRoom(t, func(c *Config, _ *modelSet) {
		c.Parallel, c.Queue = 1, 2
		if change != nil {
			change(c)
		}
	}, map[string]*ear{"main": e}), e
}

func TestQueueFull(t *testing.T) {
	r, e := holding(t, nil)
	var all sync.WaitGroup
	for i := range 3 {
		all.Go(func() {
			if status, got := r.post(t, "/inference"); status != 200 {
				t.Errorf("%d %s", status, got)
			}
		})
		settle(t, "it works or waits", func() bool { w, q, _ := r.queue.state(); return w+q == i+1 })
	}
	<-e.began
	kind, b := body(wav(time.Second), "@file")
	resp, err := http.Post(r.http.URL+transcriptions, kind, b)
	if err != nil {
		t.Fatal(err)
	}
	status, got := read(t, resp)
	if status != 429 || resp.Header.Get("Retry-After") != "1" || !strings.Contains(got, `"type":"rate_limit_error"`) {
		t.Errorf("%d, again in %s: %s", status, resp.Header.Get("Retry-After"), got)
	}
	if status, _ := r.get(t, "/health"); status != 200 {
		t.Errorf("health: %d", status)
	}
	// What makes no sense is told so whether there is room or not.
	if status, _ := r.post(t, "/inference", "temperature=x"); status != 400 {
		t.Errorf("%d", status)
	}
	close(e.hold)
	all.Wait()
}

// stream reads the events of a request.
func (r *room) stream(t *testing.T, path string, fields ...string) <-chan string {
	t.Helper()
	kind, b := body(wav(2*time.Second), append([]string{"@file", "stream=true"}, fields...)...)
	resp, err := http.Post(r.http.URL+path, kind, b)
	if err != nil {
		t.Fatal(err)
	}
	if got := resp.Header.Get("Content-Type"); resp.StatusCode != http.StatusOK || got != "text/event-stream" {
		t.Errorf("%d, %s", resp.StatusCode, got)
	}
	events := make(chan string, 100)
	go func() {
		defer close(events)
		defer resp.Body.Close()
		for s := bufio.NewScanner(resp.Body); s.Scan(); {
			if line := s.Text(); line != "" {
				events <- line
			}
		}
	}()
	return events
}

func TestStream(t *testing.T) {
	const (
		progress = `data: {"type":"transcript.progress","done":%s,"total":2.0,"queue":%d}`
		first    = `data: {"type":"transcript.text.segment","id":0,"start":0.0,"end":1.0,"text":" first"}`
		delta1   = `data: {"type":"transcript.text.delta","delta":" first"}`
		last     = `data: {"type":"transcript.text.segment","id":1,"start":1.0,"end":2.0,"text":" last"}`
		delta2   = `data: {"type":"transcript.text.delta","delta":" last"}`
		done     = `data: {"type":"transcript.text.done","text":"first last","usage":{"type":"duration","seconds":2}`
	)
	r, e := holding(t, nil)
	one := r.stream(t, "/inference")
	<-e.began
	// The first segment is there before the last one is heard.
	var got []string
	for range 4 {
		got = append(got, <-one)
	}
	two := r.stream(t, "/inference") // waits
	got2 := []string{<-two}
	close(e.hold)
	for s := range one {
		got = append(got, s)
	}
	for s := range two {
		got2 = append(got2, s)
	}
	want := []string{fmt.Sprintf(progress, "0.0", 0), first, delta1, fmt.Sprintf(progress, "1.0", 0), last, delta2, done + `,"language":"en","duration":2.0}`}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(append([]string{fmt.Sprintf(progress, "0.0", 1)}, want...), got2); diff != "" {
		t.Error(diff)
	}
	got = nil
	for s := range r.stream(t, transcriptions) {
		got = append(got, s)
	}
	if diff := cmp.Diff([]string{delta1, delta2, done + "}"}, got); diff != "" {
		t.Error(diff)
	}
}

// TestStreamFails: what goes wrong after the first event is an event, before it an ordinary answer.
func TestStreamFails(t *testing.T) {
	e := newEar(base, "first")
	e.err = errors.New("the device burns")
	r := one(t, e)
	for path, want := range map[string]string{"/inference": "transcript.progress", transcriptions: "transcript.text.delta"} {
		var got []string
		for s := range r.stream(t, path) {
			got = append(got, s)
		}
		const failed = `data: {"type":"error","error":{"message":"failed to process audio","type":"server_error","param":null,"code":null}}`
		if len(got) < 2 || !strings.Contains(got[0], want) || got[len(got)-1] != failed {
			t.Errorf("%s: %q", path, got)
		}
	}
	e.lines = nil
	if status, got := r.post(t, transcriptions, "stream=true"); status != 500 || !strings.Contains(got, "failed to process audio") {
		t.Errorf("%d %s", status, got)
	}
	if !strings.Contains(r.log.String(), "the device burns") {
		t.Errorf("the log does not say why: %s", r.log)
	}
}

// TestClientLeaves: nobody works for a client that is gone, whether it was heard or waited.
func TestClientLeaves(t *testing.T) {
	for _, fields := range [][]string{{"@file"}, {"@file", "stream=true"}} {
		r, e := holding(t, nil)
		ctx, cancel := context.WithCancel(context.Background())
		var all sync.WaitGroup
		for i := range 3 {
			all.Go(func() {
				kind, b := body(wav(time.Second), fields...)
				req, err := http.NewRequestWithContext(ctx, http.MethodPost, r.http.URL+"/inference", b)
				if err != nil {
					t.Error(err)
					return
				}
				req.Header.Set("Content-Type", kind)
				if resp, err := http.DefaultClient.Do(req); err == nil {
					bufio.NewReader(resp.Body).ReadString(0)
					resp.Body.Close()
				}
			})
			settle(t, "it works or waits", func() bool { w, q, _ := r.queue.state(); return w+q == i+1 })
		}
		<-e.began
		cancel()
		all.Wait()
		settle(t, "the queue is empty", func() bool { w, q, _ := r.queue.state(); return w+q == 0 })
		settle(t, "no session is open", func() bool { return e.sessions.Load() == 0 })
	}
}

func TestTimeLimit(t *testing.T) {
	r, _ := holding(t, func(c *Config) { c.Limits.Request = 50 * ms })
	if status, got := r.post(t, "/inference"); status != 504 || !strings.Contains(got, "time limit") {
		t.Errorf("%d %s", status, got)
	}
	var last string
	for s := range r.stream(t, "/inference") {
		last = s
	}
	if !strings.Contains(last, `{"type":"error","error":{"message":"the request took longer than the time limit"`) {
		t.Error(last)
	}
}

// serving starts Serve and returns how it ended.
func (r *room) serving(t *testing.T, grace time.Duration) (url string, stop func(), ended <-chan error) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(cancel)
	c := make(chan error, 1)
	go func() { c <- r.Serve(ctx, l, grace) }()
	return "http://" + l.Addr().String(), cancel, c
}

// TestStop: what is under way when the server is told to stop is finished, and nothing else is begun.
func TestStop(t *testing.T) {
	r, e := holding(t, nil)
	url, stop, ended := r.serving(t, time.Minute)
	answers := make(chan string, 2)
	for range 2 {
		go func() {
			kind, b := body(wav(time.Second), "@file", "response_format=text")
			resp, err := http.Post(url+"/inference", kind, b)
			if err != nil {
				answers <- err.Error()
				return
			}
			_, text := read(t, resp)
			answers <- text
		}()
	}
	<-e.began
	settle(t, "one works and one waits", func() bool { w, q, _ := r.queue.state(); return w+q == 2 })
	stop()
	settle(t, "nothing new is begun", func() bool {
		kind, b := body(wav(time.Second), "@file")
		resp, err := http.Post(url+"/inference", kind, b)
		if err != nil {
			t.Fatal(err)
		}
		status, _ := read(t, resp)
		return status == http.StatusServiceUnavailable
	})
	close(e.hold)
	for range 2 {
		if got := <-answers; got != " first\n last\n" {
			t.Error(got)
		}
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// TestStopWithoutPatience: what is not finished in the time of grace is told so.
func TestStopWithoutPatience(t *testing.T) {
	r, e := holding(t, nil)
	url, stop, ended := r.serving(t, 50*ms)
	status := make(chan int, 1)
	go func() {
		kind, b := body(wav(time.Second), "@file")
		resp, err := http.Post(url+"/inference", kind, b)
		if err != nil {
			status <- 0
			return
		}
		code, _ := read(t, resp)
		status <- code
	}()
	<-e.began
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if got := <-status; got != 503 {
		t.Errorf("%d", got)
	}
}

// TestIdleConnections: those that say nothing are in nobody's way.
func TestIdleConnections(t *testing.T) {
	r := one(t, newEar(base, "x"))
	const n = 1000
	for i := range n {
		c, err := net.Dial("tcp", r.http.Listener.Addr().String())
		if err != nil {
			t.Skipf("this system has no more than %d connections: %v", i, err)
		}
		t.Cleanup(func() { c.Close() })
		if i%2 == 0 {
			fmt.Fprint(c, "POST /inference HTTP/1.1\r\nHost: x\r\n")
		}
	}
	if status, got := r.post(t, "/inference"); status != 200 {
		t.Errorf("%d %s", status, got)
	}
}

// TestMany lets 100 clients in at once.
func TestMany(t *testing.T) {
	r := newRoom(t, func(c *Config, _ *modelSet) { c.Queue = 100 }, map[string]*ear{"main": newEar(base, "Hello.")})
	var all sync.WaitGroup
	for i := range 100 {
		all.Go(func() {
			path := []string{"/inference", transcriptions}[i%2]
			if status, got := r.post(t, path, "response_format=text"); status != 200 || strings.TrimSpace(got) != "Hello." {
				t.Errorf("%d %s", status, got)
			}
		})
	}
	all.Wait()
}
