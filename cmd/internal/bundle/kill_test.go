package bundle

import (
	"archive/zip"
	"bytes"
	"fmt"
	"hash/crc32"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/whisperfile/whisperfile/cmd/internal/applet"
	whisper "github.com/whisperfile/whisperfile/cmd/internal/cli"
)

// asZipalign makes the test binary be zipalign, asProgram a program that says what is inside.
const asZipalign, asProgram = "BUNDLE_TEST_ZIPALIGN", "BUNDLE_TEST_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(asZipalign) != "" {
		code, said := zipalign(os.Args[1:]...)
		fmt.Fprint(os.Stderr, said)
		os.Exit(int(code))
	}
	if os.Getenv(asProgram) != "" {
		os.Exit(within(applet.System(), func(env applet.Env, b *Bundle) int {
			name, data, err := b.Weights("")
			fmt.Fprint(env.Stdout, name, " ", len(data), " ", err == nil, " ", env.Inside != nil, " ", b.args)
			return 0
		}))
	}
	os.Exit(m.Run())
}

// TestOwn has executables find what is inside themselves.
func TestOwn(t *testing.T) {
	exe := ""
	if runtime.GOOS == "windows" {
		exe = ".exe"
	}
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	full, link, cut := "it's x"+exe, "./link"+exe, "./cut"+exe
	here(t, map[string]string{full: string(read(t, program)), "base.bin": weights, ".args": "-nt"})
	must(t, full, "base.bin", ".args")
	links := canLink(t)
	if links {
		if err := os.Symlink(full, link); err != nil {
			t.Fatal(err)
		}
	}
	full, err = filepath.Abs(full)
	if err != nil {
		t.Fatal(err)
	}
	whole := read(t, full)
	if err := os.WriteFile(cut, whole[:len(whole)-1], 0o755); err != nil {
		t.Fatal(err)
	}
	const plain, inside = " 0 false false []", "base.bin 24 true true [-nt ...]"
	for _, test := range []struct {
		path, started string
		want          string
		code          whisper.Code
	}{
		{program, program, plain, 0},
		{full, full, inside, 0},
		{link, link, inside, 0},
		{full, "whisper", inside, 0},
		{full, program, inside, 0},
		{program, full, inside, 0}, // the program is a loader
		{program, "no such file", plain, 0},
		{cut, cut, "", whisper.Model},
		{program, cut, "", whisper.Model},
	} {
		if test.path == link && !links {
			continue
		}
		var stdout, stderr bytes.Buffer
		c := exec.CommandContext(t.Context(), test.path)
		c.Args, c.Stdout, c.Stderr, c.Env = []string{test.started}, &stdout, &stderr, append(os.Environ(), asProgram+"=1")
		c.Run()
		if code := c.ProcessState.ExitCode(); stdout.String() != test.want || code != int(test.code) || strings.Count(stderr.String(), "\n") != min(1, code) {
			t.Errorf("%s as %s: exit %d, %q, %q, want %q", test.path, test.started, code, stdout.String(), stderr.String(), test.want)
		}
	}
}

// TestKilled kills zipalign at random moments: the file is the one before or the one after.
func TestKilled(t *testing.T) {
	n := 200
	if testing.Short() {
		n = 20
	}
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	here(t, map[string]string{"x": string(elf(1 << 20)), "base.bin": ggmlMagic + strings.Repeat("w", 4<<20), ".args": "-l\nen\n"})
	must(t, "x", ".args")
	before := read(t, "x")
	start := func() *exec.Cmd {
		c := exec.CommandContext(t.Context(), program, "x", "base.bin")
		c.Env = append(os.Environ(), asZipalign+"=1")
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		return c
	}
	from := time.Now()
	if err := start().Wait(); err != nil {
		t.Fatal(err)
	}
	took := time.Since(from)
	after := read(t, "x")
	random := rand.New(rand.NewPCG(1, 2))
	changed := 0
	for range n {
		if err := os.WriteFile("x", before, 0o755); err != nil {
			t.Fatal(err)
		}
		c := start()
		time.Sleep(time.Duration(random.Float64() * 1.2 * float64(took)))
		c.Process.Kill()
		c.Wait()
		switch b := read(t, "x"); {
		case bytes.Equal(b, after):
			changed++
		case !bytes.Equal(b, before):
			t.Fatalf("%d bytes that are neither the file before nor the one after", len(b))
		}
	}
	t.Logf("%d of %d were done", changed, n)
	// Between getting a name and taking the place of the other it is there twice.
	left, err := filepath.Glob(".x.*.tmp")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range left {
		if runtime.GOOS == "linux" && !bytes.Equal(read(t, name), after) {
			t.Errorf("%s was left behind, half written", name)
		}
	}
}

// sparse makes x out of an executable and a model of size zeros behind its magic, which take no room on the disk, and .args behind
// it; the test is skipped where they would.
func sparse(t *testing.T, size int64, sum uint32) {
	t.Helper()
	here(t, map[string]string{"x": string(elf(5000))})
	f, err := os.OpenFile("x", os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	const data = 1 << 16
	big := member{name: "large.bin", time: FixedTime, size: size, packed: size, wide: size >= full32, crc: sum}
	big.header = data - int64(len(big.local()))
	args := member{name: argsName, time: FixedTime, size: 3, packed: 3, header: data + size, crc: crc32.ChecksumIEEE([]byte("-nt"))}
	end := args.header + int64(len(args.local())) + 3
	records := append(big.central(), args.central()...)
	for _, part := range []struct {
		at int64
		b  []byte
	}{
		{big.header, append(big.local(), ggmlMagic...)},
		{args.header, append(args.local(), "-nt"...)},
		{end, append(records, endRecords(2, int64(len(records)), end, nil)...)},
	} {
		if _, err := f.WriteAt(part.b, part.at); err != nil {
			t.Skip(err)
		}
	}
	if !isSparse(f) {
		t.Skip("this file system has no sparse files")
	}
}

// sumOf is the checksum of a model of size zeros behind its magic.
func sumOf(size int64) uint32 {
	sum := crc32.NewIEEE()
	io.WriteString(sum, ggmlMagic)
	zeros := make([]byte, 1<<20)
	for n := size - int64(len(ggmlMagic)); n > 0; {
		k, _ := sum.Write(zeros[:min(n, int64(len(zeros)))])
		n -= int64(k)
	}
	return sum.Sum32()
}

// TestLarge opens 3.1 GB of weights, and says how long that took.
func TestLarge(t *testing.T) {
	const size = 3_100_000_000
	sparse(t, size, 0)
	best := time.Hour
	for range 5 {
		from := time.Now()
		b, err := Open("x")
		if err != nil {
			t.Fatal(err)
		}
		name, data, err := b.Weights("")
		best = min(best, time.Since(from))
		if name != "large.bin" || len(data) != size || err != nil || len(b.args) != 2 {
			t.Fatalf("%q, %d bytes, %v, %q", name, len(data), err, b.args)
		}
		b.Close()
	}
	t.Logf("%v", best)
}

// TestZIP64 reads a model above 4 GiB, and what follows it, with all readers; with WHISPER_LONG set they read all of it, which takes
// minutes.
func TestZIP64(t *testing.T) {
	long := os.Getenv("WHISPER_LONG") != ""
	const size = 4<<30 + 12345
	sum := uint32(0)
	if long {
		sum = sumOf(size)
	}
	sparse(t, size, sum)
	b, err := Open("x")
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	if name, data, err := b.Weights(""); name != "large.bin" || len(data) != size || err != nil || len(b.args) != 2 {
		t.Fatalf("%q, %d bytes, %v, %q", name, len(data), err, b.args)
	}
	if err := b.dir.check(reader(b.mapped)); err != nil {
		t.Error(err)
	}
	for _, command := range [][]string{
		{"zipinfo", "x"},
		{"unzip", "-p", "x", argsName},
		{"bsdtar", "-xOf", "x", argsName},
		{"python3", "-c", "import zipfile; z = zipfile.ZipFile('x'); assert z.read('.args') == b'-nt' and z.getinfo('large.bin').file_size == 2**32 + 12345"},
	} {
		run(t, command...)
	}
	z, err := zip.OpenReader("x")
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	if at, err := z.File[0].DataOffset(); at != 1<<16 || z.File[0].UncompressedSize64 != size || err != nil {
		t.Errorf("Go finds %d bytes at %d, %v", z.File[0].UncompressedSize64, at, err)
	}
	if !long {
		return
	}
	for _, r := range readers {
		if r[1] != "-xOf" {
			run(t, r...)
		}
	}
	checkSums(t, "x")
}
