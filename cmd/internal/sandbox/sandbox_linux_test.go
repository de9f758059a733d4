//go:build amd64 || arm64

package sandbox

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/whisperfile/whisperfile/gpu"
)

// inside in the environment makes the test's own program one that restricts itself and tries what is forbidden.
const inside = "SANDBOX_TEST"

// trial is what such a program is told.
type trial struct {
	Policy  Policy
	ABI     int // of Landlock, no more than there is
	Seccomp bool
	Off     bool
	Dir     string // with the files in, secret, other, out/
	Addr    string // where somebody listens
}

// outcome is what it says.
type outcome struct {
	Restarted, Libraries bool
	Pids                 [2]int // its own in all starts
	Holds                string
	Errors               map[string]string
}

func TestMain(m *testing.M) {
	text, ok := os.LookupEnv(inside)
	if !ok {
		os.Exit(m.Run())
	}
	var t trial
	if err := json.Unmarshal([]byte(text), &t); err != nil {
		panic(err)
	}
	json.NewEncoder(os.Stdout).Encode(t.run())
}

// drivers keeps what opens libraries linked, as the programs have it.
var _ = gpu.Devices

func (t *trial) run() outcome {
	var s *Sandbox
	if !t.Off {
		s = &Sandbox{probe: func() kernel {
			k := probe()
			k.abi, k.seccomp = min(t.ABI, k.abi), k.seccomp && t.Seccomp
			return k
		}}
	}
	s.Begin(t.Policy)
	// A thread that is there before.
	run, done := make(chan func()), make(chan struct{})
	go func() {
		runtime.LockOSThread()
		for f := range run {
			f()
			done <- struct{}{}
		}
	}()
	run <- func() {}
	<-done
	o := outcome{Restarted: again().is, Libraries: probe().libraries, Errors: make(map[string]string)}
	s.Enter(t.Policy)
	o.Holds = s.String()
	o.Pids[0] = os.Getpid()
	for _, a := range attempts {
		for _, where := range []string{"", " on a thread from before"} {
			var err error
			f := func() { err = a.try(t) }
			if where == "" {
				f()
			} else {
				run <- f
				<-done
			}
			if err != nil {
				o.Errors[a.name+where] = err.Error()
			}
		}
	}
	return o
}

// attempt is something that may be forbidden.
type attempt struct {
	name string
	try  func(*trial) error

	landlock int               // ABI from which Landlock forbids it; 0 is never
	seccomp  bool              // seccomp forbids it
	open     func(Policy) bool // but not with such a policy
	allowed  func(Policy) bool // nothing forbids it with such a policy
}

// forbids reports whether a is forbidden by that.
func (a *attempt) forbids(p Policy, abi int, seccomp bool) bool {
	seccomp = seccomp && a.seccomp && (a.open == nil || !a.open(p))
	return (a.allowed == nil || !a.allowed(p)) && (seccomp || a.landlock > 0 && abi >= a.landlock)
}

func always(Policy) bool    { return true }
func starts(p Policy) bool  { return len(p.Programs) > 0 }
func writing(p Policy) bool { return len(p.Outputs) > 0 }

var attempts = []attempt{
	{name: "read an input", try: func(t *trial) error { return read(t.Dir + "/in") }, allowed: always},
	{name: "read the secret", try: func(t *trial) error { return read(t.Dir + "/secret") }, landlock: 1},
	{name: "list a directory", try: func(t *trial) error { _, err := os.ReadDir(t.Dir); return err }, landlock: 1},
	{name: "write an output", try: func(t *trial) error { return replace(t.Dir + "/out/text") }, landlock: 1, allowed: writing},
	{name: "write over another file", try: func(t *trial) error { return write(t.Dir+"/other", os.O_WRONLY) }, landlock: 1},
	{name: "cut another file", try: func(t *trial) error { return os.Truncate(t.Dir+"/other", 0) }, landlock: 3},
	{name: "make a file", try: func(t *trial) error { return write(t.Dir+"/new", os.O_WRONLY|os.O_CREATE) }, landlock: 1},
	{name: "remove a file", try: func(t *trial) error { return os.Remove(t.Dir + "/going") }, landlock: 1},
	{name: "make a directory", try: func(t *trial) error { return os.Mkdir(t.Dir+"/sub", 0o700) }, landlock: 1},
	{name: "make a link", try: func(t *trial) error { return os.Symlink("in", t.Dir+"/link") }, landlock: 1, seccomp: true},
	{name: "change a mode", try: func(t *trial) error { return os.Chmod(t.Dir+"/other", 0o777) }, seccomp: true},
	{name: "change times", try: func(t *trial) error { return os.Chtimes(t.Dir+"/other", time.Now(), time.Now()) }, seccomp: true},
	{name: "connect", try: func(t *trial) error { return dial("tcp", t.Addr) }, landlock: 4, seccomp: true},
	{name: "connect to a file", try: func(t *trial) error { return dial("unix", t.Dir+"/socket") }, seccomp: true},
	{name: "connect to an abstract socket", try: func(t *trial) error { return dial("unix", "@"+t.Dir) }, landlock: 6, seccomp: true},
	{name: "send", try: func(t *trial) error { return dial("udp", t.Addr) }, seccomp: true},
	{name: "listen", try: func(*trial) error {
		var c net.ListenConfig
		c.SetMultipathTCP(false) // which Landlock does not know
		l, err := c.Listen(context.Background(), "tcp", "127.0.0.1:0")
		if err == nil {
			l.Close()
		}
		return err
	}, landlock: 4, seccomp: true},
	{name: "start a program", try: func(*trial) error { return exec.Command("/bin/true").Run() }, landlock: 1, seccomp: true, allowed: starts},
	{name: "start what it wrote", try: func(t *trial) error { return exec.Command(t.Dir + "/out/program").Run() }, landlock: 1, seccomp: true},
	{name: "ptrace", try: func(*trial) error { return called(unix.SYS_PTRACE) }, seccomp: true},
	{name: "signal its parent", try: func(*trial) error { return unix.Kill(os.Getppid(), 0) }, landlock: 6, seccomp: true, open: starts},
	{name: "signal the first process", try: func(*trial) error { return unix.Kill(1, 0) }, landlock: 6, seccomp: true, open: starts},
	{name: "signal itself", try: func(*trial) error { return unix.Kill(os.Getpid(), 0) }, allowed: always},
	{name: "signal a thread", try: func(*trial) error { return unix.Tgkill(os.Getpid(), unix.Gettid(), 0) }, allowed: always},
	{name: "ask for limits", try: func(*trial) error { var u unix.Rusage; return unix.Getrusage(unix.RUSAGE_SELF, &u) }, allowed: always},
	{name: "make code", try: func(*trial) error {
		b, err := unix.Mmap(-1, 0, 4096, unix.PROT_READ|unix.PROT_WRITE|unix.PROT_EXEC, unix.MAP_ANON|unix.MAP_PRIVATE)
		if err == nil {
			unix.Munmap(b)
		}
		return err
	}, seccomp: true, open: func(p Policy) bool { return starts(p) || probe().libraries }},
	{name: "type for the user", try: func(*trial) error {
		// No terminal is here: allowed, it would not be one.
		if err := unix.IoctlSetInt(0, unix.TIOCSTI, 0); err != unix.ENOTTY {
			return err
		}
		return nil
	}, seccomp: true},
	{name: "type for the user, cunningly", try: func(*trial) error {
		if err := call(unix.SYS_IOCTL, 0, unix.TIOCSTI|1<<32, 0); err != unix.ENOTTY {
			return err
		}
		return nil
	}, seccomp: true},
	{name: "make a user namespace", try: func(*trial) error { return refusedOnly(unix.Unshare(1)) }, seccomp: true},
	{name: "mount", try: func(*trial) error { return called(unix.SYS_MOUNT) }, seccomp: true},
	{name: "bpf", try: func(*trial) error { return called(unix.SYS_BPF) }, seccomp: true},
	{name: "keyctl", try: func(*trial) error { return called(unix.SYS_KEYCTL) }, seccomp: true},
	{name: "userfaultfd", try: func(*trial) error { return called(unix.SYS_USERFAULTFD) }, seccomp: true},
	{name: "io_uring", try: func(*trial) error { return called(unix.SYS_IO_URING_SETUP) }, seccomp: true},
	{name: "perf_event_open", try: func(*trial) error { return called(unix.SYS_PERF_EVENT_OPEN) }, seccomp: true},
	{name: "process_vm_writev", try: func(*trial) error { return called(unix.SYS_PROCESS_VM_WRITEV) }, seccomp: true},
	{name: "pidfd_getfd", try: func(*trial) error { return called(unix.SYS_PIDFD_GETFD) }, seccomp: true},
	{name: "execveat", try: func(*trial) error { return called(unix.SYS_EXECVEAT) }, seccomp: true},
	{name: "personality", try: func(*trial) error { return called(unix.SYS_PERSONALITY) }, seccomp: true}, // what needs no capability to begin with
	{name: "socketpair", try: func(*trial) error { return called(unix.SYS_SOCKETPAIR) }, seccomp: true},
}

func read(path string) error {
	_, err := os.ReadFile(path)
	return err
}

func write(path string, how int) error {
	f, err := os.OpenFile(path, how, 0o600)
	if err != nil {
		return err
	}
	return f.Close()
}

// replace writes as cli.WriteFile does.
func replace(path string) error {
	if err := write(path+".tmp", os.O_WRONLY|os.O_CREATE|os.O_EXCL); err != nil {
		return err
	}
	if err := os.Rename(path+".tmp", path); err != nil {
		return err
	}
	return os.Remove(path)
}

func dial(network, addr string) error {
	c, err := net.Dial(network, addr)
	if err == nil {
		c.Close()
	}
	return err
}

func call(nr uintptr, args ...uintptr) error {
	var a [3]uintptr
	copy(a[:], args)
	if _, _, err := syscall.Syscall(nr, a[0], a[1], a[2]); err != 0 {
		return err
	}
	return nil
}

// called makes a call that cannot do anything, with arguments that are all wrong, and returns nil where it was only those that it failed of.
func called(nr uintptr) error {
	wrong := ^uintptr(0)
	return refusedOnly(call(nr, wrong, wrong, wrong))
}

func refusedOnly(err error) error {
	if errors.Is(err, unix.EPERM) {
		return err
	}
	return nil
}

func TestTrials(t *testing.T) {
	k := probe()
	if k.abi == 0 || !k.seccomp {
		if os.Getenv("CI") == "true" {
			t.Fatal("this kernel restricts nothing")
		}
		t.Skip("this kernel restricts nothing")
	}
	abis := []int{0, 1, 2, 3, 4, 5, 6, 7}
	abis = slices.DeleteFunc(abis, func(n int) bool { return n > k.abi })
	for _, test := range []struct {
		name    string
		policy  func(dir string) Policy
		abis    []int
		seccomp bool
		off     bool
	}{
		{"hears", func(dir string) Policy { return Policy{Read: []string{dir + "/in"}} }, abis, true, false},
		{"hears without seccomp", func(dir string) Policy { return Policy{Read: []string{dir + "/in"}} }, abis, false, false},
		{"writes", func(dir string) Policy {
			return Policy{Read: []string{dir + "/in"}, Outputs: []string{dir + "/out/text", "/dev/null"}}
		}, []int{1, 2, k.abi}, true, false},
		{"serves", func(dir string) Policy { return Policy{Read: []string{dir + "/in"}, Listen: true} }, []int{k.abi}, true, false},
		{"converts", func(dir string) Policy {
			return Policy{Read: []string{dir + "/in"}, Programs: []string{"/bin/true"}}
		}, []int{1, k.abi}, true, false},
		{"unsecure", func(string) Policy { return Policy{} }, []int{k.abi}, true, true},
	} {
		for _, abi := range test.abis {
			t.Run(fmt.Sprintf("%s/abi=%d", test.name, abi), func(t *testing.T) {
				t.Parallel()
				tr := room(t)
				tr.Policy, tr.ABI, tr.Seccomp, tr.Off = test.policy(tr.Dir), abi, test.seccomp, test.off
				o, pid := start(t, tr)
				if want := !test.off && abi > 0 && o.Libraries; o.Restarted != want {
					t.Errorf("restarted: %t, want %t", o.Restarted, want)
				}
				if o.Pids[0] != pid {
					t.Errorf("the process is %d, but %d was started", o.Pids[0], pid)
				}
				t.Log(o.Holds)
				for _, a := range attempts {
					forbidden := !test.off && a.forbids(tr.Policy, abi, test.seccomp)
					for _, where := range []string{"", " on a thread from before"} {
						got := o.Errors[a.name+where]
						denied := strings.Contains(got, "permission denied") || strings.Contains(got, "operation not permitted")
						switch {
						case forbidden && !denied:
							t.Errorf("%s%s: %q, want it forbidden", a.name, where, got)
						case !forbidden && denied:
							t.Errorf("%s%s: %s", a.name, where, got)
						}
					}
				}
			})
		}
	}
}

// room makes what is tried on.
func room(t *testing.T) *trial {
	t.Helper()
	dir := t.TempDir()
	for _, name := range []string{"in", "secret", "other", "going"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(dir+"/out", 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(dir+"/out/program", []byte("#!/bin/sh\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	tr := &trial{Dir: dir}
	for _, at := range [][2]string{{"tcp", "127.0.0.1:0"}, {"unix", dir + "/socket"}, {"unix", "@" + dir}} {
		l, err := net.Listen(at[0], at[1])
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { l.Close() })
		if at[0] == "tcp" {
			tr.Addr = l.Addr().String()
		}
	}
	return tr
}

// start lets a program of its own try.
func start(t *testing.T, tr *trial) (o outcome, pid int) {
	t.Helper()
	text, err := json.Marshal(tr)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), inside+"="+string(text))
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if err := json.Unmarshal(out, &o); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return o, cmd.Process.Pid
}
