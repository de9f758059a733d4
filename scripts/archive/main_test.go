package main

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var moment = time.Unix(1700000000, 0).UTC()

// tree makes a directory "d" with files whose modes and times are a builder's own.
func tree(t *testing.T, private os.FileMode, age time.Duration) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "d")
	if err := os.MkdirAll(filepath.Join(dir, "man"), 0o700); err != nil {
		t.Fatal(err)
	}
	for name, mode := range map[string]os.FileMode{"whisper": 0o755, "README.md": 0o644, "man/whisper.1": 0o644} {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, []byte(name), mode&^private); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(file, time.Now().Add(-age), time.Now().Add(-age)); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestSameBytes(t *testing.T) {
	for _, ending := range []string{".tar.gz", ".zip"} {
		var archives [2][]byte
		for i, dir := range []string{tree(t, 0, 0), tree(t, 0o077, time.Hour)} {
			out := filepath.Join(t.TempDir(), "a"+ending)
			if err := run([]string{out, dir}, moment); err != nil {
				t.Fatal(err)
			}
			b, err := os.ReadFile(out)
			if err != nil {
				t.Fatal(err)
			}
			archives[i] = b
		}
		if !bytes.Equal(archives[0], archives[1]) {
			t.Errorf("%s: modes or times of a builder matter", ending)
		}
	}
}

// kept is what an archive says of a file.
type kept struct {
	Name, Text string
	Exec       bool
	Time       int64
}

var want = []kept{
	{"d/README.md", "README.md", false, moment.Unix()},
	{"d/man/whisper.1", "man/whisper.1", false, moment.Unix()},
	{"d/whisper", "whisper", true, moment.Unix()},
}

func TestTarball(t *testing.T) {
	var b bytes.Buffer
	if err := tarball(&b, tree(t, 0, 0), moment); err != nil {
		t.Fatal(err)
	}
	z, err := gzip.NewReader(&b)
	if err != nil {
		t.Fatal(err)
	}
	var got []kept
	for r := tar.NewReader(z); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, kept{h.Name, string(text), h.Mode&0o111 != 0, h.ModTime.Unix()})
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestZip(t *testing.T) {
	var b bytes.Buffer
	if err := zipfile(&b, tree(t, 0, 0), moment); err != nil {
		t.Fatal(err)
	}
	r, err := zip.NewReader(bytes.NewReader(b.Bytes()), int64(b.Len()))
	if err != nil {
		t.Fatal(err)
	}
	var got []kept
	for _, f := range r.File {
		c, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(c)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, kept{f.Name, string(text), f.Mode()&0o111 != 0, f.Modified.Unix()})
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestRefuses(t *testing.T) {
	dir := tree(t, 0, 0)
	if err := os.Symlink("whisper", filepath.Join(dir, "link")); err != nil {
		t.Skip(err)
	}
	out := filepath.Join(t.TempDir(), "a.zip")
	for _, args := range [][]string{nil, {out}, {out, dir}, {out, filepath.Join(dir, "none")}} {
		if run(args, moment) == nil {
			t.Errorf("%q is packed", args)
		}
	}
}
