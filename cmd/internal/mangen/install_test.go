//go:build unix

package mangen_test

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// place is where make install puts things in a test.
type place struct {
	t          *testing.T
	dist, root string
}

// newPlace makes a dist/ of stand-ins and a root, whose names have what names seldom have, with a file of somebody else.
func newPlace(t *testing.T) *place {
	t.Helper()
	p := &place{t, filepath.Join(t.TempDir(), "di st"), filepath.Join(t.TempDir(), "ro'ot $x")}
	for _, name := range []string{"whisper", "whisper-bench", "whisper-quantize", "whisper-server", "whisperfile"} {
		p.write(filepath.Join(p.dist, name), "#!/bin/sh\necho "+name+"\n")
	}
	for _, name := range []string{"whisper", "whisper-bench", "whisper-quantize", "whisper-server", "whisperfile", "zipalign", "assimilate"} {
		p.write(filepath.Join(p.dist, "man", name+".1"), "page of "+name)
		p.write(filepath.Join(p.dist, "completions/bash", name), "bash")
		p.write(filepath.Join(p.dist, "completions/zsh", "_"+name), "zsh")
		p.write(filepath.Join(p.dist, "completions/fish", name+".fish"), "fish")
	}
	p.write(filepath.Join(p.root, "usr/bin/other"), "of somebody else")
	return p
}

func (p *place) write(path, text string) {
	p.t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		p.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		p.t.Fatal(err)
	}
}

func (p *place) command(umask, verb string, env ...string) *exec.Cmd {
	cmd := exec.CommandContext(p.t.Context(), "sh", "-c", `umask "$0"; exec scripts/install.sh "$1"`, umask, verb)
	cmd.Dir = "../../.."
	cmd.Env = append(os.Environ(), "DIST="+p.dist, "DESTDIR="+p.root, "PREFIX=/usr", "BINDIR=", "DATADIR=", "MANDIR=", "FORCE=", "LINKS=zipalign assimilate")
	cmd.Env = append(cmd.Env, env...)
	return cmd
}

func (p *place) run(verb string, env ...string) (string, error) {
	out, err := p.command("022", verb, env...).CombinedOutput()
	return string(out), err
}

func (p *place) ok(verb string, env ...string) string {
	p.t.Helper()
	out, err := p.run(verb, env...)
	if err != nil {
		p.t.Fatalf("%s: %v: %s", verb, err, out)
	}
	return out
}

// tree returns what lies below root: modes and contents by path.
func (p *place) tree() map[string]string {
	p.t.Helper()
	all := make(map[string]string)
	err := filepath.WalkDir(p.root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		var data []byte
		switch {
		case d.Type() == fs.ModeSymlink:
			var s string
			s, err = os.Readlink(path)
			data = []byte(s)
		case !d.IsDir():
			data, err = os.ReadFile(path)
		}
		all[strings.TrimPrefix(path, p.root)] = info.Mode().String() + " " + string(data)
		return err
	})
	if err != nil {
		p.t.Fatal(err)
	}
	return all
}

// TestInstallPlaces installs where no directory above is there yet, and refuses to guess below which one a path is meant to be.
func TestInstallPlaces(t *testing.T) {
	p := newPlace(t)
	t.Chdir("../../..") // a DESTDIR may be relative, to the checkout
	root, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	stage, err := filepath.Rel(root, filepath.Join(p.root, "stage"))
	if err != nil {
		t.Fatal(err)
	}
	at := func(cmd *exec.Cmd) (string, error) {
		cmd.Dir = ""
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	if out, err := at(p.command("022", "install", "DESTDIR="+stage, "PREFIX=/new")); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if _, err := os.Stat(filepath.Join(p.root, "stage/new/bin/whisper")); err != nil {
		t.Error(err)
	}
	for _, variable := range []string{"PREFIX", "BINDIR", "DATADIR", "MANDIR"} {
		out, err := at(p.command("022", "install", variable+"=new"))
		if err == nil || !strings.HasPrefix(out, "install: PREFIX, BINDIR, DATADIR and MANDIR begin with /: new") {
			t.Errorf("%s: %v: %s", variable, err, out)
		}
	}
}

func TestInstall(t *testing.T) {
	p := newPlace(t)
	before := p.tree()
	if out := p.ok("uninstall"); !strings.HasPrefix(out, "nothing is installed below ") {
		t.Error(out)
	}
	p.ok("install")
	first := p.tree()
	for path, want := range map[string]string{
		"/usr/bin/whisper":                                  "-rwxr-xr-x #!/bin/sh\necho whisper\n",
		"/usr/bin/zipalign":                                 "Lrwxrwxrwx whisperfile",
		"/usr/share/man/man1/whisper-bench.1":               "-rw-r--r-- page of whisper-bench",
		"/usr/share/man/man1/zipalign.1":                    "-rw-r--r-- page of zipalign",
		"/usr/share/bash-completion/completions/whisper":    "-rw-r--r-- bash",
		"/usr/share/zsh/site-functions/_whisper":            "-rw-r--r-- zsh",
		"/usr/share/fish/vendor_completions.d/whisper.fish": "-rw-r--r-- fish",
		"/usr/share/doc/whisperfile":                        "drwxr-xr-x ",
		"/usr/bin/other":                                    before["/usr/bin/other"],
	} {
		if first[path] != want {
			t.Errorf("%s: %q, want %q", path, first[path], want)
		}
	}
	for _, path := range []string{"README.md", "LICENSE", "NOTICE", "docs/server.md"} {
		if first["/usr/share/doc/whisperfile/"+path] == "" {
			t.Errorf("no %s among the documents", path)
		}
	}
	p.ok("install")
	if diff := cmp.Diff(first, p.tree()); diff != "" {
		t.Errorf("a second time: %s", diff)
	}
	// A newer one without links takes them away.
	p.write(filepath.Join(p.dist, "whisper"), "newer")
	p.ok("install", "LINKS=")
	now := p.tree()
	if now["/usr/bin/whisper"] != "-rwxr-xr-x newer" || now["/usr/bin/zipalign"] != "" {
		t.Errorf("after a newer one: %q, %q", now["/usr/bin/whisper"], now["/usr/bin/zipalign"])
	}
	p.ok("uninstall")
	if diff := cmp.Diff(before, p.tree()); diff != "" {
		t.Errorf("uninstall: %s", diff)
	}
}

func TestInstallForeign(t *testing.T) {
	p := newPlace(t)
	p.write(filepath.Join(p.root, "usr/bin/whisper"), "of somebody else")
	before := p.tree()
	out, err := p.run("install")
	if err == nil || !strings.Contains(out, "FORCE=1 replaces them:\n  "+p.root+"/usr/bin/whisper\n") {
		t.Errorf("%v: %s", err, out)
	}
	if diff := cmp.Diff(before, p.tree()); diff != "" {
		t.Error(diff)
	}
	p.ok("install", "FORCE=1")
	p.write(filepath.Join(p.root, "usr/bin/whisper-server"), "of somebody else")
	p.write(filepath.Join(p.root, "usr/share/man/man1/more.1"), "of somebody else")
	out = p.ok("uninstall")
	if !strings.Contains(out, "left: "+p.root+"/usr/bin/whisper-server is not what was installed\n") {
		t.Error(out)
	}
	delete(before, "/usr/bin/whisper")
	now := p.tree()
	for _, path := range []string{"/usr/bin/whisper-server", "/usr/share/man/man1/more.1", "/usr/share/man/man1", "/usr/share/man", "/usr/share"} {
		if now[path] == "" {
			t.Errorf("%s is gone", path)
		}
		delete(now, path)
	}
	if diff := cmp.Diff(before, now); diff != "" {
		t.Error(diff)
	}
}

func TestInstallUmask(t *testing.T) {
	for umask, want := range map[string][3]string{
		"077": {"-rwx------", "-rw-------", "drwx------"},
		"027": {"-rwxr-x---", "-rw-r-----", "drwxr-x---"},
		"002": {"-rwxrwxr-x", "-rw-rw-r--", "drwxrwxr-x"},
	} {
		p := newPlace(t)
		if out, err := p.command(umask, "install").CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		got := p.tree()
		for i, path := range []string{"/usr/bin/whisperfile", "/usr/share/man/man1/whisper.1", "/usr/share/zsh/site-functions"} {
			if mode, _, _ := strings.Cut(got[path], " "); mode != want[i] {
				t.Errorf("umask %s: %s is %s, want %s", umask, path, mode, want[i])
			}
		}
	}
}

// TestInstallFails has an installation meet what it cannot go on from: all is as it was.
func TestInstallFails(t *testing.T) {
	for name, spoil := range map[string]func(p *place){
		"a page is missing":       func(p *place) { os.Remove(filepath.Join(p.dist, "man/assimilate.1")) },
		"a directory in the way":  func(p *place) { p.write(filepath.Join(p.root, "usr/bin/whisperfile/x"), "") },
		"a file for a directory":  func(p *place) { p.write(filepath.Join(p.root, "usr/share/fish"), "") },
		"a place for temporaries": func(p *place) { p.write(filepath.Join(p.root, "usr/share/man/man1/.whisper.1.new/x"), "") },
	} {
		t.Run(name, func(t *testing.T) {
			p := newPlace(t)
			spoil(p)
			before := p.tree()
			if out, err := p.run("install"); err == nil {
				t.Error(out)
			}
			if diff := cmp.Diff(before, p.tree()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestInstallStopped ends installations at many moments. After a signal to stop all is there or nothing is. After a kill the
// next installation goes on, and can be removed to the last file.
func TestInstallStopped(t *testing.T) {
	if testing.Short() {
		t.Skip("two dozen installations")
	}
	p := newPlace(t)
	before := p.tree()
	start := time.Now()
	p.ok("install")
	whole, took := p.tree(), time.Since(start)
	p.ok("uninstall")
	const moments = 3
	for i := range moments {
		for _, sig := range []syscall.Signal{syscall.SIGTERM, syscall.SIGKILL} {
			cmd := p.command("022", "install")
			cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			time.Sleep(took * time.Duration(i) / moments)
			syscall.Kill(-cmd.Process.Pid, sig) // it may be done
			err := cmd.Wait()
			if now := p.tree(); sig == syscall.SIGTERM {
				want := whole
				if err != nil {
					want = before
				}
				if diff := cmp.Diff(want, now); diff != "" {
					t.Errorf("stopped after %d/%d: %v: %s", i, moments, err, diff)
				}
			} else {
				p.ok("install")
				if diff := cmp.Diff(whole["/usr/bin/whisper"], p.tree()["/usr/bin/whisper"]); diff != "" {
					t.Error(diff)
				}
			}
			p.ok("uninstall")
			if sig == syscall.SIGKILL {
				now := p.tree()
				for path := range now {
					if before[path] == "" && now[path][0] == 'd' {
						delete(now, path) // of directories that the first one made nobody knows
					}
				}
				if diff := cmp.Diff(before, now); diff != "" {
					t.Errorf("killed after %d/%d: %s", i, moments, diff)
				}
				os.RemoveAll(filepath.Join(p.root, "usr/share"))
			}
		}
	}
}
