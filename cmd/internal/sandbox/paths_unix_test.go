//go:build unix

package sandbox

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
)

// program puts a program into a directory with that mode and returns the directory.
func program(t *testing.T, dir string, dirMode, mode os.FileMode) string {
	t.Helper()
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "ffmpeg")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for path, m := range map[string]os.FileMode{file: mode, dir: dirMode} {
		if err := os.Chmod(path, m); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestLookPath(t *testing.T) {
	root := t.TempDir()
	good := program(t, root+"/good", 0o755, 0o755)
	group := program(t, root+"/group", 0o775, 0o775)
	world := program(t, root+"/world", 0o777, 0o755)
	sticky := program(t, root+"/sticky", 0o777|os.ModeSticky, 0o755)
	file := program(t, root+"/file", 0o755, 0o757)
	plain := program(t, root+"/plain", 0o755, 0o644)
	above := program(t, root+"/above/bin", 0o755, 0o755)
	if err := os.Chmod(root+"/above", 0o777); err != nil {
		t.Fatal(err)
	}
	links := root + "/links"
	if err := os.Mkdir(links, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(world+"/ffmpeg", links+"/ffmpeg"); err != nil {
		t.Fatal(err)
	}
	t.Chdir(good)
	for _, test := range []struct {
		name, path, want string
		refused          bool // it is there, but others could have put it there
	}{
		{name: "own directory", path: good, want: good},
		{name: "a group may write", path: group, want: group},
		{name: "all may write the directory", path: world, refused: true},
		{name: "sticky is not enough where it lies", path: sticky, refused: true},
		{name: "all may write the file", path: file, refused: true},
		{name: "all may write above", path: above, refused: true},
		{name: "a link to where all may write", path: links, refused: true},
		{name: "the next one is taken", path: world + ":" + plain + ":" + good, want: good},
		{name: "no program", path: plain},
		{name: "here", path: "."},
		{name: "empty", path: ":"},
		{name: "relative", path: "../good"},
		{name: "nothing", path: root},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Setenv("PATH", test.path)
			got, err := LookPath("ffmpeg")
			if test.want != "" {
				if err != nil || got != test.want+"/ffmpeg" {
					t.Fatalf("%q, %v", got, err)
				}
				return
			}
			if !errors.Is(err, exec.ErrNotFound) {
				t.Fatalf("%q, %v", got, err)
			}
			var failed *exec.Error
			if errors.As(err, &failed); (failed.Err != exec.ErrNotFound) != test.refused {
				t.Errorf("%v", err)
			}
		})
	}
}

func TestReplaceable(t *testing.T) {
	root := t.TempDir()
	home := root + "/home"
	for _, dir := range []string{home + "/keys", root + "/live", root + "/archive"} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	for _, file := range []string{home + "/key", home + "/keys/key", root + "/archive/cert1.pem"} {
		if err := os.WriteFile(file, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink("../archive/cert1.pem", root+"/live/cert.pem"); err != nil {
		t.Fatal(err)
	}
	t.Setenv("HOME", home)
	for _, test := range []struct {
		file string
		want []string
	}{
		{home + "/key", []string{home + "/key"}},
		{home + "/keys/key", []string{home + "/keys"}},
		{root + "/live/cert.pem", []string{root + "/live", root + "/archive"}},
		{"/key", []string{"/key"}},
	} {
		got := Replaceable(test.file)
		if got = slices.Compact(got); !slices.Equal(got, test.want) {
			t.Errorf("%s: %q, want %q", test.file, got, test.want)
		}
	}
}

func TestOutputs(t *testing.T) {
	root := t.TempDir()
	for _, dir := range []string{"a", "b"} {
		if err := os.Mkdir(filepath.Join(root, dir), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(root+"/b/there", nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("../b/there", root+"/a/link"); err != nil {
		t.Fatal(err)
	}
	dirs, devices := outputs([]string{root + "/a/new", root + "/a/link", "text", os.DevNull})
	if want := []string{root + "/a", root + "/b", "."}; !slices.Equal(dirs, want) {
		t.Errorf("directories: %q, want %q", dirs, want)
	}
	if !slices.Equal(devices, []string{os.DevNull}) {
		t.Errorf("devices: %q", devices)
	}
}

// TestNil: the nil Sandbox is one that does nothing.
func TestNil(t *testing.T) {
	var s *Sandbox
	s.Begin(Policy{})
	s.Enter(Policy{})
	if got := s.String(); got != "none" {
		t.Error(got)
	}
	f, err := s.Hand(func() (*os.File, error) { return os.Open(os.DevNull) })
	if err != nil {
		t.Fatal(err)
	}
	f.Close()
}
