package bundle

import (
	"bytes"
	"errors"
	"hash/crc32"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestEntries(t *testing.T) {
	here(t, map[string]string{"x": string(elf(5000)), "base.bin": weights, "text": "so it goes, so it goes, so it goes"})
	must(t, "-9", "x", "base.bin", "text")
	b := read(t, "x")
	got, err := Entries(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	for i := range got {
		m := &got[i]
		if m.Header >= m.Offset || m.Stored && crc32.ChecksumIEEE(b[m.Offset:m.Offset+m.Size]) != m.CRC {
			t.Errorf("%+v", *m)
		}
		m.Header, m.CRC = 0, 0
	}
	want := []Entry{
		{Name: "base.bin", Offset: 1 << 16, Size: int64(len(weights)), Stored: true},
		{Name: "text", Offset: 2 << 16, Size: got[1].Size},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if _, err := Entries(bytes.NewReader(b), int64(len(b))-1); !errors.Is(err, ErrCut) {
		t.Errorf("cut: %v", err)
	}
	if got, err := Entries(bytes.NewReader(elf(5000)), 5000); got != nil || err != nil {
		t.Errorf("no zip: %v, %v", got, err)
	}
	copy(b[1<<16-20:], "damage")
	if _, err := Entries(bytes.NewReader(b), int64(len(b))); !errors.Is(err, ErrFormat) {
		t.Errorf("damaged: %v", err)
	}
}

// canLink tells whether symbolic links can be made. On Windows they want a privilege, and wine 8.0 says that it has made one when it has not.
func canLink(t *testing.T) bool {
	t.Helper()
	if runtime.GOOS != "windows" {
		return true
	}
	link := filepath.Join(t.TempDir(), "link")
	if os.Symlink("target", link) != nil {
		return false
	}
	_, err := os.Lstat(link)
	return err == nil
}

func TestRewrite(t *testing.T) {
	here(t, map[string]string{"a": "the first", "b": "another", "c": "a third"})
	if err := os.Chmod("a", 0o700); err != nil {
		t.Fatal(err)
	}
	links := canLink(t)
	if links {
		if err := os.Symlink("b", "link"); err != nil {
			t.Fatal(err)
		}
	}
	change := func(f *os.File) error {
		_, err := f.WriteAt([]byte("THE"), 0)
		return err
	}
	files := []string{"a", "b", "c", "new"}
	if links {
		files = append(files, "link")
	}
	for _, test := range []struct{ from, to, at, want string }{
		{"a", "new", "new", "THE f"},
		{"a", "link", "b", "THE f"},
		{"a", "a", "a", "THE f"},
		{"link", "link", "b", "THE f"},
	} {
		if (test.from == "link" || test.to == "link") && !links {
			continue
		}
		if err := Rewrite(t.Context(), test.from, test.to, 5, change); err != nil {
			t.Fatal(err)
		}
		if got := string(read(t, test.at)); got != test.want {
			t.Errorf("%s to %s: %q", test.from, test.to, got)
		}
		if info, err := os.Lstat(test.at); err != nil || info.Mode() != mode(0o700) {
			t.Errorf("%s: %v, %v", test.at, info.Mode(), err)
		}
	}
	broken := errors.New("broken")
	fail := func(f *os.File) error { return errors.Join(change(f), broken) }
	for _, to := range []string{"c", "none"} {
		if err := Rewrite(t.Context(), "c", to, 7, fail); !errors.Is(err, broken) {
			t.Errorf("%s: %v", to, err)
		}
	}
	if got := string(read(t, "c")); got != "a third" {
		t.Errorf("after a failure: %q", got)
	}
	if err := Rewrite(t.Context(), "c", ".", 7, change); err == nil {
		t.Error("a directory was taken for a file")
	}
	entries, err := os.ReadDir(".")
	if err != nil || len(entries) != len(files) {
		t.Errorf("%v, %v", entries, err)
	}
}
