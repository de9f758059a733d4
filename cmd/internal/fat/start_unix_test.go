//go:build unix

package fat

import (
	"bytes"
	"context"
	"debug/elf"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/whisperfile/whisperfile/cmd/internal/bundle"
)

// TestMain is the program in the fat files of these tests: where a launcher started it, it prints the path it was given and its arguments.
func TestMain(m *testing.M) {
	if len(os.Args) == 2 && os.Args[1] == bundle.Probe {
		if os.Getenv("FAIL_PROBE") != "" {
			os.Exit(1)
		}
		os.Exit(0)
	}
	if pid, path, _ := strings.Cut(os.Getenv("WHISPERFILE"), ":"); pid == strconv.Itoa(os.Getpid()) {
		fmt.Printf("%q\n", append([]string{path}, os.Args[1:]...))
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// selfFat makes a fat file whose builds are all this program, and returns what it is.
var selfFat = sync.OnceValues(func() ([]byte, error) {
	dir, err := os.MkdirTemp("", "fat")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	self, err := os.ReadFile(os.Args[0])
	if err != nil {
		return nil, err
	}
	var builds []build
	for _, p := range platforms {
		b := build{platform: p, data: self}
		if p.gpu {
			b.data = append(bytes.Clone(self), "of GPUs"...)
			b.loader = "/bin/sh" // something that is there
		}
		builds = append(builds, b)
	}
	out := filepath.Join(dir, "fat")
	if err := write(context.Background(), out, smallPE(), builds, []bundle.File{{Name: "LICENSE", Data: []byte("free\n")}}); err != nil {
		return nil, err
	}
	data, err := os.ReadFile(out)
	return withoutTmp(data), err
})

// withoutTmp returns a fat file whose launcher does not know /tmp, where tests leave nothing.
func withoutTmp(data []byte) []byte {
	return bytes.Replace(data, []byte(`"${TMPDIR-}" /tmp;`), []byte(`"${TMPDIR-}"     ;`), 1)
}

// place is a directory with a fat file in it, and one for the cache.
type place struct {
	*testing.T
	dir, file, cache string
}

func newPlace(t *testing.T, name string) *place {
	t.Helper()
	if f, err := elf.Open(os.Args[0]); err != nil || dynamic(f) {
		t.Skip("this test is no static ELF program")
	}
	data, err := selfFat()
	if err != nil {
		t.Fatal(err)
	}
	p := &place{T: t, dir: t.TempDir()}
	p.file, p.cache = filepath.Join(p.dir, name), filepath.Join(p.dir, "cache")
	syscall.ForkLock.RLock() // a process that is started meanwhile would keep the file open, and it would be busy
	defer syscall.ForkLock.RUnlock()
	if err := errors.Join(os.MkdirAll(filepath.Dir(p.file), 0o777), os.WriteFile(p.file, data, 0o755), os.Mkdir(p.cache, 0o700)); err != nil {
		t.Fatal(err)
	}
	return p
}

func dynamic(f *elf.File) bool {
	for _, p := range f.Progs {
		if p.Type == elf.PT_INTERP {
			return true
		}
	}
	return false
}

// run runs a command in dir with the cache, and variables beside it; an empty one is unset.
func (p *place) run(env []string, command ...string) (said string, code int) {
	p.Helper()
	c := exec.CommandContext(p.Context(), command[0], command[1:]...)
	c.Dir = p.dir
	c.Env = append(os.Environ(), "XDG_CACHE_HOME="+p.cache, "HOME="+p.dir+"/none", "TMPDIR="+p.dir+"/none")
	c.Env = append(c.Env, env...)
	out, err := c.CombinedOutput()
	var failed *exec.ExitError
	if err != nil && !errors.As(err, &failed) {
		p.Fatal(err)
	}
	return string(out), c.ProcessState.ExitCode()
}

// starts wants the program to say what it was started as.
func (p *place) starts(env []string, path string, args []string, command ...string) {
	p.Helper()
	want := fmt.Sprintf("%q\n", append([]string{path}, args...))
	if said, code := p.run(env, command...); said != want || code != 0 {
		p.Errorf("%q with %q: exit %d, %s, want %s", command, env, code, said, want)
	}
}

// tool skips the test, or with CI fails it, where a program is not installed.
func tool(t *testing.T, name string) {
	t.Helper()
	if _, err := exec.LookPath(name); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
}

// shells start a file as a script. Those of fish do not read it.
var shells = []struct {
	name string
	run  []string
	own  bool // runs the file itself when it is told to run a program
}{
	{"dash", []string{"dash"}, true},
	{"bash", []string{"bash"}, true},
	{"bash-posix", []string{"bash", "--posix"}, true},
	{"zsh", []string{"zsh"}, true},
	{"busybox", []string{"busybox", "sh"}, true},
	{"yash", []string{"yash"}, true},
	{"ksh", []string{"ksh"}, true},
	{"mksh", []string{"mksh"}, false},
}

func TestShells(t *testing.T) {
	const name = "a b'c\"$x;é"
	args := []string{"-x", "", "a b", "$HOME", "*", "é\n", "'\""}
	for _, s := range shells {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			tool(t, s.run[0])
			p := newPlace(t, filepath.Join("d "+name, name))
			rel := "./d " + name + "/" + name
			call := func(command ...string) []string { return append(s.run[:len(s.run):len(s.run)], command...) }
			p.starts(nil, p.dir+"/"+rel, args, call(append([]string{rel}, args...)...)...)
			for _, options := range [][]string{{"-e"}, {"-u"}, {"-eu"}, {"-C"}, {"-f"}} {
				p.starts(nil, p.dir+"/"+rel, args[:1], call(append(options, rel, args[0])...)...)
			}
			if !s.own {
				return
			}
			start := func(script string, more ...string) []string { return call(append([]string{"-c", script}, more...)...) }
			p.starts(nil, p.file, args, start(`"$0" "$@"`, append([]string{p.file}, args...)...)...)
			p.starts(nil, p.dir+"/"+rel, nil, start(`"$0"`, rel)...)
			p.starts(nil, p.file, nil, start(`umask 777; IFS=/a1; CDPATH=/; export IFS CDPATH; "$0"`, p.file)...)
			p.starts(nil, p.file, nil, start(`umask 0; "$0"`, p.file)...)
			p.starts(nil, p.file, nil, start(`"$0" <&- 2>&-`, p.file)...)
			for _, closed := range []string{`>&-`, `<&- >&- 2>&-`} {
				if said, code := p.run(nil, start(`"$0" `+closed, p.file)...); said != "" || code != 0 {
					t.Errorf("%s: exit %d, %q", closed, code, said)
				}
			}
			p.starts(nil, p.file, nil, start(`POSIXLY_CORRECT=1 TIME_STYLE=long-iso "$0"`, p.file)...)
			for _, n := range []string{"-dash", "new\nline", "end\n", "~", "a\\b", "=x", "#"} {
				if err := os.Rename(p.file, filepath.Join(p.dir, n)); err != nil {
					t.Fatal(err)
				}
				p.file = filepath.Join(p.dir, n)
				p.starts(nil, p.dir+"/./"+n, nil, start(`"$0"`, "./"+n)...)
				p.starts(nil, p.file, nil, start(`"$0"`, p.file)...)
			}
		})
	}
}

// What starts programs without being a shell, and names that are found.
func TestCallers(t *testing.T) {
	p := newPlace(t, "whisper file")
	link := p.dir + "/links/whisper"
	if err := errors.Join(os.Mkdir(p.dir+"/links", 0o777), os.Symlink(p.file, p.dir+"/one"), os.Symlink("../one", link)); err != nil {
		t.Fatal(err)
	}
	path := "PATH=" + p.dir + "/links:" + os.Getenv("PATH")
	for _, test := range []struct {
		tool, path string
		command    []string
	}{
		{"env", link, []string{"env", link, "a"}},
		{"env", link, []string{"env", "whisper", "a"}},
		{"env", p.file, []string{"env", "-i", "XDG_CACHE_HOME=" + p.cache, p.file, "a"}},
		{"xargs", link, []string{"sh", "-c", `echo a | xargs whisper`}},
		{"find", link, []string{"find", ".", "-maxdepth", "0", "-exec", "whisper", "a", ";"}},
		{"nice", link, []string{"nice", "whisper", "a"}},
		{"nohup", link, []string{"nohup", "whisper", "a"}},
		{"timeout", link, []string{"timeout", "60", "whisper", "a"}},
		{"setsid", link, []string{"setsid", "-w", "whisper", "a"}},
		{"make", link, []string{"sh", "-c", "printf 'x:\n\t@whisper a\n' >m; make -s -f m"}},
		{"awk", link, []string{"awk", `BEGIN { system("whisper a") }`}},
		{"perl", link, []string{"perl", "-e", `system "whisper", "a"`}},
		{"python3", link, []string{"python3", "-c", `import subprocess; subprocess.run("whisper a", shell=True)`}},
		{"sh", link, []string{"sh", "-c", `whisper a`}},
		{"sh", p.dir + "/one", []string{"sh", "one", "a"}},
		{"sh", p.dir + "/one", []string{"env", "-i", "PATH=/usr/bin:/bin", "HOME=" + p.dir, "SHELL=/bin/sh", "/bin/sh", "-c", p.dir + "/one a"}}, // as cron does
		{"fish", link, []string{"fish", "--no-config", "-c", `whisper a`}},
		{"mksh", link, []string{"mksh", "links/whisper", "a"}},
	} {
		t.Run(strings.Join(test.command, " "), func(t *testing.T) {
			tool(t, test.tool)
			q := *p
			q.T = t
			want := test.path
			if test.command[0] == "mksh" {
				want = p.dir + "/links/whisper"
			}
			q.starts([]string{path}, want, []string{"a"}, test.command...)
		})
	}
}

// No start may trust a name that it did not give.
func TestUnreadable(t *testing.T) {
	p := newPlace(t, "x")
	for _, command := range [][]string{{"sh", "-c", "sh <x"}} {
		if said, code := p.run(nil, command...); code == 0 || !bytes.Contains([]byte(said), []byte("cannot read myself")) {
			t.Errorf("%q: exit %d, %s", command, code, said)
		}
	}
}
