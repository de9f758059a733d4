//go:build unix

package fat

import (
	"archive/zip"
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// Whatever reads zips reads a fat file, without a word. The program for Windows is as long as it takes for 7-Zip to look for no zip behind it.
func TestZipReaders(t *testing.T) {
	p := newPlace(t, "x")
	self, err := os.ReadFile(os.Args[0])
	p.do(err)
	p.do(write(t.Context(), p.file, largePE(9<<20), []build{{platform: platforms[0], data: self}, {platform: platforms[2], data: self}}, nil))
	for _, command := range []string{
		"unzip -tqq FILE", "zipinfo FILE", "python3 -m zipfile -t FILE", "bsdtar -tf FILE", "7z t FILE", "busybox unzip -l FILE",
	} {
		args := strings.Fields(strings.Replace(command, "FILE", p.file, 1))
		t.Run(args[0], func(t *testing.T) {
			tool(t, args[0])
			out, err := exec.Command(args[0], args[1:]...).CombinedOutput()
			if err != nil || bytes.Contains(bytes.ToLower(out), []byte("warning")) {
				t.Errorf("%v: %s", err, out)
			}
		})
	}
}

// Builds are stored as they are, on 64 KiB, with nothing but zeros up to the next 64 KiB, so that what is added behind moves no checksum.
func TestLayout(t *testing.T) {
	p := newPlace(t, "x")
	self, err := os.ReadFile(os.Args[0])
	p.do(err)
	z, err := zip.OpenReader(p.file)
	p.do(err)
	defer z.Close()
	whole, err := os.ReadFile(p.file)
	p.do(err)
	if string(whole[:len(magic)]) != magic || whole[dosHeader] != headerAt || whole[dosHeader-1] != '#' || bytes.IndexByte(whole, 0) < dosHeader {
		t.Errorf("it begins with %q", whole[:lenDOS])
	}
	if z.File[0].Name != sections || len(z.File) != len(platforms)+2 {
		t.Errorf("%d members, the first is %s", len(z.File), z.File[0].Name)
	}
	for i, f := range z.File {
		at, err := f.DataOffset()
		p.do(err)
		if i == 0 && at != firstAt {
			t.Errorf("the first member is at %#x", at)
		}
		r, err := f.Open()
		p.do(err)
		data, err := io.ReadAll(r)
		p.do(err)
		if !strings.HasPrefix(f.Name, prefix) {
			continue
		}
		if i > 0 && !bytes.Equal(bytes.TrimSuffix(data, []byte("of GPUs")), self) || at%align != 0 || f.Method != zip.Store {
			t.Errorf("%s at %#x is not what went in", f.Name, at)
		}
		end := at + int64(len(data))
		if gap := whole[end:roundUp(end, align)]; len(bytes.Trim(gap, "\x00")) > 0 {
			t.Errorf("%s has more than zeros behind it", f.Name)
		}
	}
}

func TestCksum(t *testing.T) {
	tool(t, "cksum")
	for _, text := range []string{"", "a", "123456789", strings.Repeat("x\x00", 70000)} {
		c := exec.Command("cksum")
		c.Stdin = strings.NewReader(text)
		out, err := c.Output()
		if err != nil {
			t.Fatal(err)
		}
		b := build{data: []byte(text), platform: platform{exact: true}}
		if row := b.row(); !strings.HasSuffix(row+"\n", " "+string(out)) {
			t.Errorf("%q, want %q", row, out)
		}
	}
}

// The build that can reach a GPU is for machines with one, and with its loader.
func TestGPU(t *testing.T) {
	p := newPlace(t, "x")
	data, err := os.ReadFile(p.file)
	p.do(err)
	// starts returns the program of a start of the file with these changes of the launcher, old and new in turn.
	starts := func(change ...string) string {
		p.Helper()
		text := bytes.Clone(data)
		for i := 0; i < len(change); i += 2 {
			if !bytes.Contains(text, []byte(change[i])) {
				t.Fatalf("no %q in the launcher", change[i])
			}
			text = bytes.Replace(text, []byte(change[i]), fmt.Appendf(nil, "%-*s", len(change[i]), change[i+1]), 1)
		}
		p.do(os.RemoveAll(p.cache))
		p.do(os.Mkdir(p.cache, 0o700))
		p.do(os.WriteFile(p.file, text, 0o755))
		p.start()
		p.start()
		return p.program()
	}
	plain := starts()
	if runtime.GOOS != "linux" {
		return
	}
	if _, err := os.Stat("/dev/nvidiactl"); err == nil {
		t.Skip("this machine has a GPU")
	}
	const node = "/dev/nvidiactl"
	if starts(node, "/dev/zero") == plain {
		t.Error("a GPU is not noticed")
	}
	if starts(node, "/dev/zero", "'/bin/sh'", "'/no/sh'") != plain {
		t.Error("a loader that is missing is not noticed")
	}
}

// A build for GPUs that does not start is tried once.
func TestGPURefused(t *testing.T) {
	p := newPlace(t, "x")
	self, err := os.ReadFile(os.Args[0])
	p.do(err)
	builds := []build{
		{platform: platforms[0], data: self}, {platform: platforms[1], data: []byte("#!/no/loader\n"), loader: "/bin/sh"},
		{platform: platforms[2], data: self}, {platform: platforms[3], data: []byte("#!/no/loader\n"), loader: "/bin/sh"},
	}
	p.do(write(t.Context(), p.file, smallPE(), builds, nil))
	data, err := os.ReadFile(p.file)
	p.do(err)
	p.do(os.WriteFile(p.file, bytes.Replace(withoutTmp(data), []byte("/dev/nvidiactl"), []byte("/dev/zero     "), 1), 0o755))
	for range 2 {
		p.start()
		refused, err := filepath.Glob(p.cache + "/*/refused")
		if err != nil || len(refused) != 1 || len(p.cached(p.cache)) != 2 {
			t.Errorf("%q %v in %q", refused, err, p.cached(p.cache))
		}
	}
}
