//go:build unix

package fat

import (
	"archive/zip"
	"bufio"
	"bytes"
	"fmt"
	"hash/crc32"
	"io"
	"mime/multipart"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/whisperfile/whisperfile/cmd/internal/applet"
	"github.com/whisperfile/whisperfile/cmd/internal/bundle"
	whisper "github.com/whisperfile/whisperfile/cmd/internal/cli"
)

// A clip, and what is said there.
const clip, said = "../../../testdata/austen-0930.wav", "he might even have been made amiable himself"

// weightsFile is the model that goes into the program.
const weightsFile = "../../../model/tinyen/ggml-tiny.en-q5_1.bin"

// A directory that a program must not stumble over, and the program's name there.
const odd, program = "Grüße an 東京's files", "приложение 1.exe"

// A program with its model beside it.
const side, sideWeights = "großes Modell.exe", "großes Modell.bin"

// windowsFile makes a program without a model, with its sections where a fat file has them: as the first member of a zip.
func windowsFile(t *testing.T, path string) {
	t.Helper()
	header, sections, err := splitPE(buildWindows(t, "amd64"), testHeader, testSections)
	if err != nil {
		t.Fatal(err)
	}
	const name = "bin/windows-amd64.sections"
	start := testSections - 30 - len(name)
	b := bytes.NewBuffer(join(header, nil)[:start])
	z := zip.NewWriter(b)
	z.SetOffset(int64(start))
	w, err := z.CreateRaw(&zip.FileHeader{
		Name: name, CRC32: crc32.ChecksumIEEE(sections),
		CompressedSize64: uint64(len(sections)), UncompressedSize64: uint64(len(sections)),
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(sections); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, b.Bytes(), 0o755); err != nil {
		t.Fatal(err)
	}
}

// putModel puts the model into a program, as its user does.
func putModel(t *testing.T, path string) {
	t.Helper()
	var stderr bytes.Buffer
	env := applet.Env{
		Args:   []string{"-j0", path, weightsFile},
		Stdout: io.Discard, Stderr: &stderr, Getenv: func(string) string { return "" },
	}
	if code := whisper.Run(t.Context(), env, bundle.NewZipalign(env)); code != 0 {
		t.Fatalf("zipalign: %s", stderr.Bytes())
	}
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	startsOnWindows(t, f)
}

// spoken is text as the tests compare it.
func spoken(text string) string {
	return strings.Join(strings.FieldsFunc(strings.ToLower(text), func(r rune) bool { return r < 'a' || r > 'z' }), " ")
}

// log is a file that a program writes to.
type log struct{ *os.File }

func newLog(t *testing.T) log {
	t.Helper()
	f, err := os.CreateTemp(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return log{f}
}

func (l log) text(t *testing.T) string {
	t.Helper()
	b, err := os.ReadFile(l.Name())
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// copyOf copies a file and returns its contents.
func copyOf(t *testing.T, from, to string) []byte {
	t.Helper()
	b, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(to, b, 0o755); err != nil {
		t.Fatal(err)
	}
	return b
}

// TestWine starts the Windows program of a fat file.
func TestWine(t *testing.T) {
	w := withWine(t)
	dir := filepath.Join(t.TempDir(), odd)
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	windowsFile(t, filepath.Join(dir, side))
	sound := copyOf(t, clip, filepath.Join(dir, "ö x.wav"))
	copyOf(t, filepath.Join(dir, side), filepath.Join(dir, program))
	copyOf(t, weightsFile, filepath.Join(dir, sideWeights))
	putModel(t, filepath.Join(dir, program))
	start := func(t *testing.T, program string, args ...string) (stdout, stderr string) {
		t.Helper()
		c := w.start(t, dir, program, args...)
		out, errs := newLog(t), newLog(t)
		c.Stdout, c.Stderr = out.File, errs.File
		if err := c.Run(); err != nil {
			fmt.Fprintf(errs, "%v\n", err)
		}
		return out.text(t), errs.text(t)
	}
	run := func(t *testing.T, args ...string) (stdout, stderr string) {
		t.Helper()
		return start(t, program, args...)
	}

	t.Run("version", func(t *testing.T) {
		if out, errs := run(t, "--version"); !strings.Contains(out, "windows/amd64") {
			t.Errorf("%q, %q", out, errs)
		}
	})
	t.Run("transcription", func(t *testing.T) {
		if out, errs := run(t, "whisper", "-f", "ö x.wav", "-nt", "-np", "-otxt", "-of", "ausgabe ß"); spoken(out) != said {
			t.Errorf("%q, want %q; %s", out, said, errs)
		}
		if text, err := os.ReadFile(filepath.Join(dir, "ausgabe ß.txt")); spoken(string(text)) != said {
			t.Errorf("in the file: %q, %v", text, err)
		}
	})
	t.Run("beside", func(t *testing.T) {
		for _, name := range []string{side, strings.TrimSuffix(side, "exe") + "EXE"} {
			if out, errs := start(t, name, "-f", "ö x.wav", "-nt", "-np"); spoken(out) != said {
				t.Errorf("%s: %q, want %q; %s", name, out, said, errs)
			}
		}
		if err := os.Remove(filepath.Join(dir, sideWeights)); err != nil {
			t.Fatal(err)
		}
		if out, errs := start(t, side, "-f", "ö x.wav"); out != "" || !strings.Contains(errs, "model") {
			t.Errorf("without it: %q, %q", out, errs)
		}
	})
	t.Run("arguments", func(t *testing.T) {
		for _, arg := range []string{`a "b" c`, `"`, `\"`, `c:\x\`, `\\"ö東 '%PATH%' ^&|<>`, "*.wav"} {
			if _, errs := run(t, "whisper", "-m", "./"+arg, "ö x.wav"); !strings.Contains(errs, "not found: ./"+arg+"\n") && !strings.Contains(errs, "./"+arg+":") {
				t.Errorf("%q arrives as %q", arg, errs)
			}
		}
	})
	t.Run("server", func(t *testing.T) { wineServer(t, w.start(t, dir, program, "whisper-server", "--port", "0"), sound) })
}

// wineServer has a server hear a sound, looks where its weights are, and stops it as Ctrl-C does.
func wineServer(t *testing.T, c *exec.Cmd, sound []byte) {
	errs := newLog(t)
	c.Stderr = errs.File
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	address := ""
	for lines := bufio.NewScanner(out); address == "" && lines.Scan(); {
		address = regexp.MustCompile(`http://\S+`).FindString(lines.Text())
	}
	if address == "" {
		t.Fatalf("it says no address: %v: %s", c.Wait(), errs.text(t))
	}
	client := http.Client{Timeout: 2 * time.Minute}
	read := func(r *http.Response, err error) string {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		defer r.Body.Close()
		text, err := io.ReadAll(r.Body)
		if err != nil || r.StatusCode != http.StatusOK {
			t.Errorf("%s: %v", r.Status, err)
		}
		return string(text)
	}
	if page := read(client.Get(address + "/")); !strings.Contains(page, "<html") {
		t.Errorf("the page: %.100q", page)
	}
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	part, err := form.CreateFormFile("file", "x.wav")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := part.Write(sound); err != nil {
		t.Fatal(err)
	}
	if err := form.WriteField("response_format", "text"); err != nil {
		t.Fatal(err)
	}
	if err := form.Close(); err != nil {
		t.Fatal(err)
	}
	if text := read(client.Post(address+"/inference", form.FormDataContentType(), &body)); spoken(text) != said {
		t.Errorf("it hears %q", text)
	}
	if maps, err := os.ReadFile(fmt.Sprintf("/proc/%d/maps", c.Process.Pid)); err == nil && !mapped(string(maps), program) {
		t.Errorf("the program's weights are not mapped:\n%s", maps)
	}
	if err := c.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- c.Wait() }()
	select {
	case err := <-done:
		if said := errs.text(t); err != nil || !strings.Contains(said, "stopping") {
			t.Errorf("%v: %s", err, said)
		}
	case <-time.After(time.Minute):
		t.Error("it does not stop")
	}
}

// mapped tells whether a process has more than 30 MB of a file in one piece, from the file's start, as the system says it of its memory.
func mapped(maps, name string) bool {
	for line := range strings.Lines(maps) {
		var from, to, offset uint64
		var mode string
		if _, err := fmt.Sscanf(line, "%x-%x %s %x", &from, &to, &mode, &offset); err == nil &&
			strings.HasSuffix(strings.TrimSpace(line), name) && to-from > 30<<20 && offset == 0 {
			return true
		}
	}
	return false
}
