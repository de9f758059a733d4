//go:build unix

package fat

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// cached returns the directories for builds that there are in dir.
func (p *place) cached(dir string) []string {
	p.Helper()
	all, err := filepath.Glob(dir + "/whisperfile-*")
	if err != nil {
		p.Fatal(err)
	}
	return all
}

// program is what is in the cache.
func (p *place) program() string {
	p.Helper()
	dirs := p.cached(p.cache)
	if len(dirs) != 1 {
		p.Fatalf("%d directories in %s, want one", len(dirs), p.cache)
	}
	return dirs[0] + "/whisperfile"
}

// start starts the file.
func (p *place) start(env ...string) {
	p.Helper()
	p.starts(env, p.file, []string{"a"}, "sh", "-c", `"$0" a`, p.file)
}

func (p *place) do(err error) {
	p.Helper()
	if err != nil {
		p.Fatal(err)
	}
}

func inode(t *testing.T, path string) uint64 {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return info.Sys().(*syscall.Stat_t).Ino
}

// A second start finds what the first has put, private, whole and alone.
func TestCache(t *testing.T) {
	p := newPlace(t, "x")
	p.start()
	program := p.program()
	first := inode(t, program)
	for _, path := range []string{program, filepath.Dir(program)} {
		info, err := os.Stat(path)
		p.do(err)
		if info.Mode().Perm() != 0o700 {
			t.Errorf("%s has mode %v", path, info.Mode())
		}
	}
	if list, err := os.ReadDir(filepath.Dir(program)); err != nil || len(list) != 1 {
		t.Errorf("%v %v beside the program", list, err)
	}
	p.do(os.Chmod(p.dir, 0o500)) // a directory that cannot be written to
	p.start()
	p.do(os.Chmod(p.dir, 0o700))
	if inode(t, program) != first {
		t.Error("a second start has made it anew")
	}
}

// What is in the cache is run only as the launcher has put it. Each case makes a mess of it, which the next start must not run.
func TestHostile(t *testing.T) {
	const bad = "#!/bin/sh\necho PWNED\n"
	nobody := func(p *place, path string) {
		if os.Geteuid() != 0 {
			p.Skip("needs root")
		}
		p.do(exec.Command("chown", "-R", "65534", path).Run())
	}
	for _, test := range []struct {
		name string
		mess func(p *place, program, dir string)
	}{
		{"shorter", func(p *place, program, _ string) { p.do(os.WriteFile(program, []byte(bad), 0o700)) }},
		{"empty", func(p *place, program, _ string) { p.do(os.Truncate(program, 0)) }},
		{"writable", func(p *place, program, _ string) {
			p.do(os.WriteFile(program, []byte(bad), 0o700))
			p.do(os.Chmod(program, 0o777))
		}},
		{"not executable", func(p *place, program, _ string) { p.do(os.Chmod(program, 0o600)) }},
		{"link", func(p *place, program, _ string) {
			p.do(os.WriteFile(p.dir+"/bad", []byte(bad), 0o700))
			p.do(os.Remove(program))
			p.do(os.Symlink(p.dir+"/bad", program))
		}},
		{"directory for program", func(p *place, program, _ string) {
			p.do(os.Remove(program))
			p.do(os.Mkdir(program, 0o700))
		}},
		{"file for directory", func(p *place, _, dir string) {
			p.do(os.RemoveAll(dir))
			p.do(os.WriteFile(dir, []byte(bad), 0o700))
		}},
		{"open directory", func(p *place, program, dir string) {
			swap(p, program, bad)
			p.do(os.Chmod(dir, 0o777))
		}},
		{"group's directory", func(p *place, program, dir string) {
			swap(p, program, bad)
			p.do(os.Chmod(dir, 0o770))
		}},
		{"link for directory", func(p *place, program, dir string) {
			swap(p, program, bad)
			p.do(os.Rename(dir, p.dir+"/elsewhere"))
			p.do(os.Symlink(p.dir+"/elsewhere", dir))
		}},
		{"open above", func(p *place, program, _ string) {
			swap(p, program, bad)
			p.do(os.Chmod(p.cache, 0o777))
		}},
		{"other's program", func(p *place, program, _ string) {
			swap(p, program, bad)
			nobody(p, program)
		}},
		{"other's directory", func(p *place, program, dir string) {
			swap(p, program, bad)
			nobody(p, dir)
			p.do(os.Chown(program, os.Geteuid(), -1))
		}},
		{"other's cache", func(p *place, program, _ string) {
			swap(p, program, bad)
			nobody(p, p.cache)
			p.do(exec.Command("chmod", "-R", "a+rwX", p.cache).Run())
		}},
		{"other's sticky cache", func(p *place, program, _ string) {
			swap(p, program, bad)
			nobody(p, p.cache)
			p.do(exec.Command("chown", "-R", "0", filepath.Dir(program)).Run())
			p.do(os.Chmod(p.cache, 0o777|os.ModeSticky))
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			p := newPlace(t, "x")
			p.do(os.Mkdir(p.dir+"/tmp", 0o700))
			p.start("TMPDIR=" + p.dir + "/tmp")
			program := p.program()
			test.mess(p, program, filepath.Dir(program))
			p.start("TMPDIR=" + p.dir + "/tmp")
			p.start("TMPDIR=" + p.dir + "/tmp")
		})
	}
}

// swap puts other contents of the same length in the place of a program.
func swap(p *place, program, text string) {
	p.Helper()
	info, err := os.Stat(program)
	p.do(err)
	p.do(os.WriteFile(program, []byte(text), 0o700))
	p.do(os.Truncate(program, info.Size()))
}

// The next directory is taken where one does not serve.
func TestDirectories(t *testing.T) {
	p := newPlace(t, "x")
	p.do(os.MkdirAll(p.dir+"/home", 0o700))
	p.do(os.MkdirAll(p.dir+"/temp", 0o700))
	home, temp := "HOME="+p.dir+"/home", "TMPDIR="+p.dir+"/temp"
	for _, test := range []struct{ cache, home, temp, want string }{
		{p.cache, "HOME=", "TMPDIR=", p.cache},
		{p.dir + "/new", "HOME=", "TMPDIR=", p.dir + "/new"},
		{"relative", home, temp, p.dir + "/home/.cache"},
		{"", home, temp, p.dir + "/home/.cache"},
		{p.dir + "/no/where", "HOME=/no/where", temp, p.dir + "/temp"},
		{p.file, "HOME=home", temp, p.dir + "/temp"},
	} {
		p.do(os.RemoveAll(test.want + "/whisperfile-x"))
		for _, d := range p.cached(test.want) {
			p.do(os.RemoveAll(d))
		}
		p.start("XDG_CACHE_HOME="+test.cache, test.home, test.temp)
		if len(p.cached(test.want)) != 1 {
			t.Errorf("%+v: nothing there", test)
		}
	}
}

// tmpfs mounts a file system of its own.
func (p *place) tmpfs(options string) string {
	p.Helper()
	dir := p.dir + "/mount"
	p.do(os.MkdirAll(dir, 0o700))
	if out, err := exec.Command("mount", "-t", "tmpfs", "-o", options, "none", dir).CombinedOutput(); err != nil {
		p.Skipf("no file system of its own: %s", out)
	}
	p.Cleanup(func() { exec.Command("umount", "-l", dir).Run() })
	return dir
}

func TestFullDisk(t *testing.T) {
	p := newPlace(t, "x")
	full := p.tmpfs("size=2m,mode=700")
	p.start("XDG_CACHE_HOME="+full, "TMPDIR="+p.cache)
	if len(p.cached(full)) != 0 || len(p.cached(p.cache)) != 1 {
		t.Errorf("%v where it is full, %v where it is not", p.cached(full), p.cached(p.cache))
	}
	p.do(os.Rename(p.file, p.dir+"/y"))
}

func TestNoExec(t *testing.T) {
	for _, shell := range []string{"dash", "bash", "zsh", "busybox", "ksh"} {
		t.Run(shell, func(t *testing.T) {
			tool(t, shell)
			p := newPlace(t, "x")
			noexec := p.tmpfs("noexec,mode=700")
			command := []string{shell, p.file, "a"}
			if shell == "busybox" {
				command = []string{shell, "sh", p.file, "a"}
			}
			for range 2 {
				p.starts([]string{"XDG_CACHE_HOME=" + noexec, "TMPDIR=" + p.cache}, p.file, []string{"a"}, command...)
			}
			if len(p.cached(noexec)) != 0 || len(p.cached(p.cache)) != 1 {
				t.Errorf("%v where nothing runs, %v where it does", p.cached(noexec), p.cached(p.cache))
			}
		})
	}
}

func TestConcurrentFirstStarts(t *testing.T) {
	for range 5 {
		p := newPlace(t, "x")
		var all sync.WaitGroup
		for range 20 {
			all.Go(p.startQuietly)
		}
		all.Wait()
		if list, err := os.ReadDir(filepath.Dir(p.program())); err != nil || len(list) != 1 {
			t.Errorf("%v %v are left", list, err)
		}
	}
}

func (p *place) startQuietly() {
	c := exec.Command("sh", "-c", `"$0" a`, p.file)
	c.Env = append(os.Environ(), "XDG_CACHE_HOME="+p.cache, "HOME=", "TMPDIR=")
	if out, err := c.CombinedOutput(); err != nil || string(out) != fmt.Sprintf("%q\n", []string{p.file, "a"}) {
		p.Errorf("%v: %s", err, out)
	}
}

// A launcher that is killed leaves nothing that a later one would run, and the first that gets through cleans up.
func TestKilledLauncher(t *testing.T) {
	p := newPlace(t, "x")
	for range 15 {
		c := exec.Command("sh", p.file, "a")
		c.Env = append(os.Environ(), "XDG_CACHE_HOME="+p.cache, "HOME=", "TMPDIR="+p.cache)
		c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
		p.do(c.Start())
		time.Sleep(time.Duration(rand.IntN(25)) * time.Millisecond)
		syscall.Kill(-c.Process.Pid, syscall.SIGKILL)
		c.Wait()
		for _, d := range p.cached(p.cache) {
			if info, err := os.Stat(d + "/whisperfile"); err == nil && info.Size() < 1<<20 {
				t.Fatalf("%d bytes have the program's name", info.Size())
			}
		}
	}
	p.do(os.RemoveAll(p.program()))
	p.start()
	if list, err := os.ReadDir(filepath.Dir(p.program())); err != nil || len(list) != 1 {
		t.Errorf("%v %v are left", list, err)
	}
}

// Files that are cut or were changed say so, and do not run.
func TestDamaged(t *testing.T) {
	whole := newPlace(t, "x")
	data, err := os.ReadFile(whole.file)
	whole.do(err)
	for name, change := range map[string]func([]byte) []byte{
		"cut":     func(b []byte) []byte { return b[:firstAt*3] },
		"changed": func(b []byte) []byte { b[firstAt*2+len(b)/40]++; return b },
		"moved":   func(b []byte) []byte { return append(b[:firstAt:firstAt], b[firstAt+512:]...) },
	} {
		t.Run(name, func(t *testing.T) {
			p := newPlace(t, "x")
			p.do(os.WriteFile(p.file, change(append([]byte(nil), data...)), 0o755))
			said, code := p.run(nil, "sh", p.file)
			if code != 126 || !strings.Contains(said, "damaged, or was repacked") || strings.Count(said, "\n") != 1 {
				t.Errorf("exit %d, %s", code, said)
			}
			if len(p.cached(p.cache)) != 0 {
				t.Error("something is left")
			}
		})
	}
}

// Other systems' tables are walked with a uname that lies.
func TestSystems(t *testing.T) {
	for _, uname := range []string{"Linux aarch64", "Darwin arm64", "Darwin x86_64", "FreeBSD arm64", "OpenBSD amd64", "Plan9 vax"} {
		t.Run(uname, func(t *testing.T) {
			p := newPlace(t, "x")
			p.do(os.Mkdir(p.dir+"/bin", 0o777))
			p.do(os.WriteFile(p.dir+"/bin/uname", []byte("#!/bin/sh\necho '"+uname+"'\n"), 0o755))
			path := "PATH=" + p.dir + "/bin:" + os.Getenv("PATH")
			if uname == "Plan9 vax" {
				if said, code := p.run([]string{path}, "sh", p.file); code != 126 || said != "whisperfile: there is no program for Plan9 vax inside\n" {
					t.Errorf("exit %d, %s", code, said)
				}
				return
			}
			p.start(path)
			self, err := os.Stat(os.Args[0])
			p.do(err)
			info, err := os.Stat(p.program())
			p.do(err)
			if exact := info.Size() == self.Size(); exact != strings.HasPrefix(uname, "Darwin") && self.Size()%align != 0 {
				t.Errorf("%d bytes of a program of %d", info.Size(), self.Size())
			}
		})
	}
}
