package bundle

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/whisperfile/whisperfile/cmd/internal/applet"
	whisper "github.com/whisperfile/whisperfile/cmd/internal/cli"
)

// elf returns the smallest executable that the readers take for one, of n bytes.
func elf(n int) []byte {
	b := make([]byte, n)
	copy(b, "\x7fELF\x02\x01\x01")
	le.PutUint64(b[32:], 64) // program headers
	le.PutUint16(b[54:], 56)
	le.PutUint16(b[56:], 1)
	le.PutUint64(b[64+32:], uint64(n)) // one segment, of all
	for i := 120; i < n; i++ {
		b[i] = byte(i*7 | 1)
	}
	return b
}

// here goes to a directory of its own with these files; an executable is called "x".
func here(t *testing.T, files map[string]string) {
	t.Helper()
	t.Chdir(t.TempDir())
	for name, text := range files {
		if err := errors.Join(os.MkdirAll(filepath.Dir(name), 0o777), os.WriteFile(name, []byte(text), 0o755)); err != nil {
			t.Fatal(err)
		}
	}
}

// zipalign runs the program and returns its exit code and what it says.
func zipalign(args ...string) (code whisper.Code, said string) {
	var out bytes.Buffer
	env := applet.Env{Program: "zipalign", Args: args, Stdout: &out, Stderr: &out, Getenv: os.Getenv}
	return whisper.Run(context.Background(), env, NewZipalign(env)), out.String()
}

// must runs zipalign, which must be content.
func must(t *testing.T, args ...string) string {
	t.Helper()
	code, said := zipalign(args...)
	if code != 0 {
		t.Fatalf("zipalign %q: exit %d: %s", args, code, said)
	}
	return said
}

func contents(t *testing.T, path string) map[string]string {
	t.Helper()
	z, err := zip.OpenReader(path)
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	got := make(map[string]string)
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(r)
		if err != nil {
			t.Fatalf("%s: %v", f.Name, err)
		}
		got[f.Name] = string(text)
	}
	return got
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// mode is what a file shows of permissions: all on Windows, which knows but whether it can be written.
func mode(perm os.FileMode) os.FileMode {
	if runtime.GOOS == "windows" {
		return 0o666
	}
	return perm
}

const weights = ggmlMagic + " weights, as it were"

func TestZipalign(t *testing.T) {
	long := strings.Repeat("Emma Woodhouse, handsome, clever, and rich. ", 500)
	here(t, map[string]string{"x": string(elf(5000)), "d/base.bin": weights, ".args": "-l\nen\n", "text": long, "e/base.bin": weights + "!", "random": string(elf(400)[120:])})
	must(t, "x", "text", "-j0", "d/base.bin", ".args")
	first := read(t, "x")
	if !bytes.HasPrefix(first, elf(5000)) {
		t.Fatal("the program was changed")
	}
	if diff := cmp.Diff(map[string]string{"text": long, "base.bin": weights, ".args": "-l\nen\n"}, contents(t, "x")); diff != "" {
		t.Error(diff)
	}
	if info, err := os.Stat("x"); err != nil || info.Mode() != mode(0o755) {
		t.Errorf("%v, %v: the permissions changed", info.Mode(), err)
	}
	must(t, "x", "d/base.bin")
	must(t, "-9", "-a", "16", "x", "e/base.bin", "random", "text")
	want := map[string]string{"text": long, "base.bin": weights, "d/base.bin": weights, "e/base.bin": weights + "!", ".args": "-l\nen\n", "random": string(elf(400)[120:])}
	if diff := cmp.Diff(want, contents(t, "x")); diff != "" {
		t.Error(diff)
	}
	said := must(t, "-jNv1", "x", "e/base.bin", "text")
	if !strings.Contains(said, "base.bin: stored, 25 bytes at ") || !strings.Contains(said, "text: deflated, ") {
		t.Errorf("-v says %q", said)
	}
	b, err := Open("x")
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	for name, want := range map[string]string{"": weights, "base.bin": weights + "!", "/zip/base.bin": weights + "!", "d/base.bin": weights, "/zip/d/base.bin": weights} {
		_, data, err := b.Weights(name)
		if string(data) != want || err != nil {
			t.Errorf("%q: %q, %v, want %q", name, data, err, want)
		}
	}
	if diff := cmp.Diff([]string{"-l", "en", "..."}, b.args); diff != "" {
		t.Error(diff)
	}
	if _, _, err := b.Weights("none.bin"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("none.bin: %v", err)
	}
	if _, _, err := b.Weights("text"); err == nil || errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a compressed file: %v", err)
	}
}

func TestZipalignRepeats(t *testing.T) {
	here(t, map[string]string{"x": string(elf(5000)), "base.bin": weights, ".args": "-l\nen\n"})
	must(t, "x", "base.bin", ".args")
	once := read(t, "x")
	for range 3 {
		must(t, "x", "base.bin", ".args")
	}
	if !bytes.Equal(once, read(t, "x")) {
		t.Error("putting in the same files again changes the file")
	}
	z, err := zip.OpenReader("x")
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	for _, f := range z.File {
		at, err := f.DataOffset()
		if at%(1<<16) != 0 || err != nil || f.Method != zip.Store || f.ReaderVersion > 20 || len(f.Extra) > 0 {
			t.Errorf("%s: at %d, %v, method %d, version %d, extra %x", f.Name, at, err, f.Method, f.ReaderVersion, f.Extra)
		}
	}
	left, err := os.ReadDir(".")
	if err != nil || len(left) != 3 {
		t.Errorf("%v, %v: files were left behind", left, err)
	}
}

func TestZipalignRefuses(t *testing.T) {
	here(t, map[string]string{
		"x": string(elf(5000)), "base.bin": weights, "b/base.bin": weights, "text": "no program, and long enough not to be taken for one: sixty-four bytes", "empty": "",
		"foreign": "#!/bin/sh\nexit\n" + zipped(t, "a", "b"), "short": string(elf(5000)[:4999]), "full": string(elf(5000)),
	})
	must(t, "full", "base.bin")
	whole := read(t, "full")
	if err := os.WriteFile("cut", whole[:len(whole)-1], 0o755); err != nil {
		t.Fatal(err)
	}
	_, err := os.Open("none")
	missing := "none: " + whisper.Bare(err).Error()
	for _, test := range []struct {
		args string
		code whisper.Code
		said string
	}{
		{"x", whisper.Usage, "usage: zipalign"},
		{"x base.bin base.bin", whisper.Input, "two files would be called base.bin"},
		{"-j x base.bin b/base.bin", whisper.Input, "two files would be called base.bin"},
		{"x b", whisper.Input, "no regular file"},
		{"x none", whisper.Input, "zipalign: " + missing},
		{"x ../none", whisper.Input, "zipalign: ../" + missing},
		{"-a 3 x base.bin", whisper.Usage, "power of two"},
		{"none base.bin", whisper.Output, missing},
		{"b base.bin", whisper.Output, "no regular file"},
		{"text base.bin", whisper.Output, "neither a zip nor an executable"},
		{"foreign base.bin", whisper.Output, "damaged zip"},
		{"short base.bin", whisper.Output, "cut short"},
		{"cut base.bin", whisper.Output, "cut short"},
	} {
		target := strings.Fields(strings.TrimPrefix(strings.TrimPrefix(test.args, "-j "), "-a 3 "))[0]
		before, _ := os.ReadFile(target)
		code, said := zipalign(strings.Fields(test.args)...)
		after, _ := os.ReadFile(target)
		if code != test.code || !strings.Contains(said, test.said) || !bytes.Equal(before, after) {
			t.Errorf("%s: exit %d, want %d: %s", test.args, code, test.code, said)
		}
	}
	must(t, "empty", "base.bin")
	if diff := cmp.Diff(map[string]string{"base.bin": weights}, contents(t, "empty")); diff != "" {
		t.Error(diff)
	}
}

// zipped is a zip of Go's own, whose sizes stand behind the data; names and contents alternate.
func zipped(t testing.TB, files ...string) string {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for i := 0; i < len(files); i += 2 {
		f, err := w.CreateHeader(&zip.FileHeader{Name: files[i], Method: uint16(deflated * (i / 2 % 2))})
		if err != nil {
			t.Fatal(err)
		}
		io.WriteString(f, files[i+1])
	}
	w.SetComment("of another writer")
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestForeign(t *testing.T) {
	here(t, map[string]string{"x": zipped(t, "base.bin", weights, ".args", "-l\r\nen", "c", "d"), "base.bin": "new", "more": "more"})
	b, err := Open("x")
	if err != nil {
		t.Fatal(err)
	}
	name, data, err := b.Weights("")
	if name != "base.bin" || string(data) != weights || err != nil || len(b.args) != 3 {
		t.Errorf("%q, %q, %v, %q", name, data, err, b.args)
	}
	b.Close()
	must(t, "x", "base.bin", "more")
	if diff := cmp.Diff(map[string]string{"base.bin": "new", ".args": "-l\r\nen", "c": "d", "more": "more"}, contents(t, "x")); diff != "" {
		t.Error(diff)
	}
	z, err := zip.OpenReader("x")
	if err != nil || z.Comment != "of another writer" {
		t.Errorf("comment %q, %v", z.Comment, err)
	}
	z.Close()
}

// TestCut cuts a whisperfile, at every byte behind the weights and at many within and before.
func TestCut(t *testing.T) {
	here(t, map[string]string{"x": string(elf(5000)), "base.bin": weights, ".args": "-l\nen\n"})
	must(t, "x", "base.bin", ".args")
	whole := read(t, "x")
	b, err := Open("x")
	if err != nil {
		t.Fatal(err)
	}
	start := int(b.dir.start)
	b.Close()
	for n := len(whole) - 1; n > 200; n-- {
		if n < start-100 {
			n = max(n-997, 200)
		}
		if n == 5000 {
			continue // the program without anything
		}
		if err := os.Truncate("x", int64(n)); err != nil {
			t.Fatal(err)
		}
		if _, err := Open("x"); !errors.Is(err, ErrCut) && !errors.Is(err, ErrFormat) {
			t.Fatalf("cut to %d of %d bytes: %v", n, len(whole), err)
		}
	}
	for _, n := range []int{5000, 0} {
		if err := os.WriteFile("x", whole[:n], 0o755); err != nil {
			t.Fatal(err)
		}
		if b, err := Open("x"); err != nil || !b.empty() {
			t.Errorf("a plain program: %v", err)
		}
	}
}

// TestFlipped changes every byte of the directory: it is refused, or says the same of where the bytes are.
func TestFlipped(t *testing.T) {
	here(t, map[string]string{"x": string(elf(5000)), "base.bin": weights, ".args": "-l\nen\n"})
	must(t, "x", "base.bin", ".args")
	whole := read(t, "x")
	d, err := readDirectory(reader(whole), int64(len(whole)))
	if err != nil {
		t.Fatal(err)
	}
	for i := int(d.start); i < len(whole); i++ {
		for _, bit := range []byte{1, 0x80, 0xff} {
			b := bytes.Clone(whole)
			b[i] ^= bit
			try(b)
		}
	}
}

// try reads all that a file says is there; it must not panic, nor give what is outside.
func try(b []byte) {
	d, err := readDirectory(reader(b), int64(len(b)))
	if err != nil {
		cut(reader(b), int64(len(b)))
		return
	}
	x := &Bundle{dir: d, mapped: b}
	if x.readArgs(reader(b)) == nil {
		x.Weights("")
	}
	for _, e := range d.entries {
		if _, data, err := x.Weights(e.name); err == nil && int64(len(data)) != e.size {
			panic(fmt.Sprintf("%d bytes of %d", len(data), e.size))
		}
	}
	if d.check(reader(b)) == nil {
		d.plan(reader(b), map[string]bool{"base.bin": true}, 0)
	}
}

func FuzzDirectory(f *testing.F) {
	dir := f.TempDir()
	x, args := filepath.Join(dir, "x"), filepath.Join(dir, argsName)
	if err := errors.Join(os.WriteFile(x, elf(200), 0o755), os.WriteFile(args, []byte("-l\nen"), 0o644), os.WriteFile(filepath.Join(dir, "m"), []byte(weights), 0o644)); err != nil {
		f.Fatal(err)
	}
	if code, said := zipalign("-ja", "1", x, args); code == 0 {
		f.Fatal(said)
	}
	if code, said := zipalign("-j", "-a", "1", x, args, filepath.Join(dir, "m")); code != 0 {
		f.Fatal(said)
	}
	b, err := os.ReadFile(x)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Add(b[:len(b)-5])
	f.Add([]byte(zipped(f, "base.bin", weights, argsName, "...")))
	wide := member{name: "a", size: 5 << 32, packed: 5 << 32, header: 6 << 32, wide: true}
	f.Add(append(append(wide.local(), wide.central()...), endRecords(1, int64(len(wide.central())), 1<<33, nil)...))
	f.Fuzz(func(_ *testing.T, b []byte) { try(b) })
}

// TestReaders has other programs read what zipalign wrote, as far as they are installed.
func TestReaders(t *testing.T) {
	here(t, map[string]string{"x": string(elf(5000)), "base.bin": weights, ".args": "-l\nen\n", "märz": strings.Repeat("a", 999)})
	must(t, "x", "base.bin")
	must(t, "-9", "x", ".args", "märz")
	for _, reader := range readers {
		run(t, reader...)
	}
}

var readers = [][]string{
	{"unzip", "-tqq", "x"},
	{"zipinfo", "x"},
	{"bsdtar", "-tf", "x"},
	{"bsdtar", "-xOf", "x", "base.bin"},
	{"python3", "-c", "import zipfile; assert zipfile.ZipFile('x').testzip() is None"},
	{"7z", "t", "-tzip", "x"},
}

func run(t *testing.T, command ...string) {
	t.Helper()
	path, err := exec.LookPath(command[0])
	if err != nil {
		t.Logf("%s is not installed", command[0])
		return
	}
	out, err := exec.CommandContext(t.Context(), path, command[1:]...).CombinedOutput()
	if err != nil || bytes.Contains(bytes.ToLower(out), []byte("warning")) {
		t.Errorf("%q: %v: %s", command, err, out)
	}
}

// checkSums has Go's own reader read all members to the end, which proves their checksums.
func checkSums(t *testing.T, path string) {
	t.Helper()
	z, err := zip.OpenReader(path)
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		if n, err := io.Copy(io.Discard, r); n != int64(f.UncompressedSize64) || err != nil {
			t.Errorf("%s: %d bytes, %v", f.Name, n, err)
		}
	}
}

// TestEverywhere64 reads and extends a file with ZIP64 fields where none are needed, as Mozilla's zipalign writes them.
func TestEverywhere64(t *testing.T) {
	here(t, map[string]string{".args": "-nt"})
	m := member{name: "base.bin", size: int64(len(weights)), packed: int64(len(weights)), crc: crc32.ChecksumIEEE([]byte(weights)), wide: true}
	m.header = 5000
	b := append(append(elf(5000), m.local()...), weights...)
	start := int64(len(b))
	record := m.central()
	for _, at := range []int{20, 24, 42} {
		le.PutUint32(record[at:], full32)
	}
	le.PutUint16(record[30:], 28)
	record = le.AppendUint32(record, tag64|24<<16)
	for _, v := range []int64{m.size, m.packed, m.header} {
		record = le.AppendUint64(record, uint64(v))
	}
	end := endRecords(full16, int64(len(record)), start, nil)
	for _, at := range []int{24, 32} {
		le.PutUint64(end[at:], 1)
	}
	le.PutUint32(end[lenEnd64+lenLocator64+16:], full32)
	if err := os.WriteFile("x", append(append(b, record...), end...), 0o755); err != nil {
		t.Fatal(err)
	}
	must(t, "x", ".args")
	x, err := Open("x")
	if err != nil {
		t.Fatal(err)
	}
	defer x.Close()
	if name, data, err := x.Weights(""); name != "base.bin" || string(data) != weights || err != nil || len(x.args) != 2 {
		t.Errorf("%q, %q, %v, %q", name, data, err, x.args)
	}
	if diff := cmp.Diff(map[string]string{"base.bin": weights, ".args": "-nt"}, contents(t, "x")); diff != "" {
		t.Error(diff)
	}
}
