package page_test

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"mime/multipart"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/whisperfile/whisperfile/cmd/internal/applet"
	whisper "github.com/whisperfile/whisperfile/cmd/internal/cli"
	"github.com/whisperfile/whisperfile/cmd/internal/serve"
	"github.com/whisperfile/whisperfile/model/tinyen"
)

// TestServer tries the page on whisper-server itself, with tiny.en: what it saves is what the server answers to others,
// wherever it was told to listen for sound.
func TestServer(t *testing.T) {
	need(t)
	ctx, stop := context.WithCancel(t.Context())
	stdout, out := io.Pipe()
	env := applet.Env{
		Args:    []string{"--port", "0", "--request-path", "/speech", "--inference-path", "/hear", "--log-level", "off"},
		Stdout:  out,
		Stderr:  io.Discard,
		Getenv:  func(string) string { return "" },
		Weights: func() (string, []byte) { return tinyen.Name, tinyen.Data() },
	}
	ended := make(chan whisper.Code, 1)
	go func() {
		ended <- whisper.Run(ctx, env, serve.New(env))
		out.Close()
	}()
	var address string
	for lines := bufio.NewScanner(stdout); lines.Scan() && address == ""; {
		if _, after, ok := strings.Cut(lines.Text(), "listening at "); ok {
			address = after + "/speech/"
		}
	}
	if address == "" {
		t.Fatalf("does not listen: exit code %d", <-ended)
	}
	go io.Copy(io.Discard, stdout)
	t.Cleanup(func() {
		stop()
		if code := <-ended; code != whisper.OK {
			t.Errorf("exit code %d", code)
		}
	})

	path, err := filepath.Abs(filepath.Join("..", "..", "..", "..", "testdata", "austen-0870.wav"))
	if err != nil {
		t.Fatal(err)
	}
	p := open(t, address, "404", "415")
	p.upload(path)
	p.wait(isDone)
	p.shoot("server")
	if got := p.text(`document.getElementById("facts").textContent`); !strings.HasPrefix(got, "English · 0:07 · tiny.en-q5_1 · heard in ") {
		t.Errorf("facts: %s", got)
	}
	for _, ext := range []string{"srt", "vtt"} {
		want := ask(t, address+"hear", path, ext)
		if diff := cmp.Diff(want, p.download("[data-format="+ext+"]", "austen-0870."+ext)); diff != "" {
			t.Errorf("%s: %s", ext, diff)
		}
		if !strings.Contains(want, "Dashwood") {
			t.Errorf("heard %q", want)
		}
	}

	p.upload(clip(t, "junk.wav", []byte("no sound")))
	p.wait(problem + `.startsWith("The server cannot read this file as sound.")`)
}

// ask has the server hear a file, as programs do.
func ask(t *testing.T, address, path, format string) string {
	t.Helper()
	sound, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	form.WriteField("response_format", format)
	file, err := form.CreateFormFile("file", filepath.Base(path))
	if err != nil {
		t.Fatal(err)
	}
	file.Write(sound)
	form.Close()
	resp, err := http.Post(address, form.FormDataContentType(), &body)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatal(resp.Status, err)
	}
	return string(answer)
}
