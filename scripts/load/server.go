package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// greedy are the flags of decoding, the same for the server and the command line.
var greedy = []string{"-l", "en", "-bs", "1", "-bo", "1"}

// server is a whisper-server that runs.
type server struct {
	cmd    *exec.Cmd
	url    string
	client *http.Client
	log    bytes.Buffer
}

// start starts a server with a model.
func (l *load) start(model string) (*server, error) {
	s := &server{client: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: l.clients}}}
	args := append([]string{"-m", model, "--port", "0", "--log-level", "warn"}, greedy...)
	s.cmd = exec.Command(filepath.Join(l.bin, "whisper-server"), args...)
	s.cmd.Stderr = &s.log
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := s.cmd.Start(); err != nil {
		return nil, err
	}
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if url, ok := strings.CutPrefix(lines.Text(), "whisper server listening at "); ok {
			s.url = url
			go io.Copy(io.Discard, out) //nolint:errcheck // the server says no more
			return s, nil
		}
	}
	return nil, errors.Join(errors.New("the server does not start"), s.stop())
}

// stop ends the server, which has to like it.
func (s *server) stop() error {
	s.client.CloseIdleConnections()
	if err := s.cmd.Process.Signal(os.Interrupt); err != nil {
		return errors.Join(err, s.cmd.Process.Kill())
	}
	if err := s.cmd.Wait(); err != nil {
		return fmt.Errorf("the server: %w\n%s", err, s.log.Bytes())
	}
	return nil
}

// ask has the server hear a clip and returns its text.
func (s *server) ask(ctx context.Context, c clip) (string, error) {
	var b bytes.Buffer
	form := multipart.NewWriter(&b)
	part, err := form.CreateFormFile("file", filepath.Base(c.path))
	if err != nil {
		return "", err
	}
	part.Write(c.data)                         //nolint:errcheck // memory takes everything
	form.WriteField("response_format", "text") //nolint:errcheck // as above
	form.Close()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url+"/inference", &b)
	if err != nil {
		return "", err
	}
	r.Header.Set("Content-Type", form.FormDataContentType())
	return s.body(r)
}

// get asks a question about the server.
func (s *server) get(ctx context.Context, path string) (string, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url+path, nil)
	if err != nil {
		return "", err
	}
	return s.body(r)
}

func (s *server) body(r *http.Request) (string, error) {
	resp, err := s.client.Do(r)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", resp.Status, b)
	}
	return plain(string(b)), err
}

// metric is a number of /metrics; 0 where there is none of that name.
func (s *server) metric(ctx context.Context, name string) float64 {
	resp, err := s.get(ctx, "/metrics")
	if err != nil {
		return 0
	}
	words := strings.Fields(resp)
	// Those of a name's help and type follow it as well, and are no numbers.
	for i, w := range words[:max(len(words)-1, 0)] {
		if w == name {
			if x, err := strconv.ParseFloat(words[i+1], 64); err == nil {
				return x
			}
		}
	}
	return 0
}

// memory is what the server takes, in MB: all of it, what is not mapped from files, and the most it ever took. It is 0 where
// the system has no /proc.
func (s *server) memory() (all, own, most float64) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.cmd.Process.Pid))
	if err != nil {
		return 0, 0, 0
	}
	number := func(name string) float64 {
		_, rest, _ := strings.Cut(string(status), name+":")
		kb, _, _ := strings.Cut(strings.TrimSpace(rest), " ")
		x, err := strconv.ParseFloat(kb, 64)
		if err != nil {
			return 0
		}
		return x / 1024
	}
	return number("VmRSS"), number("RssAnon"), number("VmHWM")
}

// program has the command line hear a clip and returns its text.
func (l *load) program(model string, c clip) (string, error) {
	args := append([]string{"-m", model, "-nt", "-np", "-f", c.path}, greedy...)
	out, err := exec.Command(filepath.Join(l.bin, "whisper"), args...).Output()
	var failed *exec.ExitError
	if errors.As(err, &failed) {
		err = fmt.Errorf("%w: %s", err, failed.Stderr)
	}
	return plain(string(out)), err
}

// plain is a text in one line.
func plain(s string) string { return strings.Join(strings.Fields(s), " ") }

// machine says what runs here, and how busy it was for a second.
func machine() string {
	load, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return "how busy this machine is cannot be told"
	}
	idle1, all1 := ticks()
	time.Sleep(time.Second)
	idle2, all2 := ticks()
	busy := 0.0
	if all2 > all1 {
		busy = 100 * (1 - (idle2-idle1)/(all2-all1))
	}
	note := ""
	if busy > 5 {
		note = ": FIGURES DO NOT COUNT, others are at work"
	}
	return fmt.Sprintf("before: the processors are %.0f %% busy, load average %s%s", busy, strings.Join(strings.Fields(string(load))[:3], " "), note)
}

// ticks are the time that all processors together had nothing to do, and all there was.
func ticks() (idle, all float64) {
	stat, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0, 0
	}
	line, _, _ := strings.Cut(string(stat), "\n")
	for i, f := range strings.Fields(line)[1:] {
		x, err := strconv.ParseFloat(f, 64)
		if err != nil || i > 7 {
			break // guests are counted as users already
		}
		if all += x; i == 3 || i == 4 {
			idle += x
		}
	}
	return idle, all
}

// quantile is the value below which a part of the list lies.
func quantile[T int | float64 | time.Duration](list []T, part float64) T {
	s := slices.Sorted(slices.Values(list))
	return s[min(int(part*float64(len(s))), len(s)-1)]
}
