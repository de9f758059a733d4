package cli

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"testing"
)

func TestWriteFile(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "out.txt")
	write := func(s string, err error) func(io.Writer) error {
		return func(w io.Writer) error {
			io.WriteString(w, s)
			return err
		}
	}
	names := func() (list []string) {
		entries, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			list = append(list, e.Name())
		}
		return list
	}
	broken := errors.New("broken")
	for _, step := range []struct {
		text string
		err  error
		want string // what the file holds then; "" for no file
	}{
		{"half", broken, ""},
		{"one", nil, "one"},
		{"half", broken, "one"},
		{"two", nil, "two"},
	} {
		if err := CanWrite(path); err != nil {
			t.Fatal(err)
		}
		if err := WriteFile(path, write(step.text, step.err)); !errors.Is(err, step.err) {
			t.Fatalf("%v: %v, want %v", step, err, step.err)
		}
		data, err := os.ReadFile(path)
		if string(data) != step.want || (step.want == "") != errors.Is(err, fs.ErrNotExist) {
			t.Fatalf("%v: the file holds %q, %v", step, data, err)
		}
		if list := names(); len(list) > 1 {
			t.Fatalf("%v: left behind: %q", step, list)
		}
	}
	for _, bad := range []string{dir, filepath.Join(dir, "no", "such"), filepath.Join(path, "below a file")} {
		if err := CanWrite(bad); err == nil {
			t.Errorf("%s can be written, says CanWrite", bad)
		}
		if err := WriteFile(bad, write("x", nil)); err == nil {
			t.Errorf("%s was written", bad)
		}
	}
}

func TestWriteFileKeepsLinks(t *testing.T) {
	dir := t.TempDir()
	target, link := filepath.Join(dir, "target"), filepath.Join(dir, "link")
	if err := os.WriteFile(target, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	err := os.Symlink(target, link)
	if _, missing := os.Lstat(link); runtime.GOOS == "windows" && (err != nil || missing != nil) {
		t.Skip("links need a privilege; wine 8.0 says that it has made one when it has not")
	}
	if err != nil {
		t.Fatal(err)
	}
	if err := WriteFile(link, func(w io.Writer) error { _, err := io.WriteString(w, "x"); return err }); err != nil {
		t.Fatal(err)
	}
	if data, _ := os.ReadFile(target); string(data) != "x" {
		t.Errorf("the target holds %q", data)
	}
}

func TestWriteFileToDevice(t *testing.T) {
	if err := WriteFile(os.DevNull, func(w io.Writer) error { _, err := io.WriteString(w, "x"); return err }); err != nil {
		t.Error(err)
	}
	if info, err := os.Stat(os.DevNull); err != nil || info.Mode().IsRegular() {
		t.Errorf("%s became %v, %v", os.DevNull, info, err)
	}
}
