//go:build amd64 || arm64

package sandbox

import (
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"

	"golang.org/x/sys/unix"
)

// variable tells a second start what it is: the process that it is meant for, a colon, and the descriptor of the file handed
// over, if there is one.
const variable = "WHISPERFILE_SANDBOX"

// second is what a second start knows.
type second struct {
	is     bool
	handed *os.File
}

// again reads the variable and takes it away, so that no child mistakes itself.
var again = sync.OnceValue(func() (s second) {
	value, ok := os.LookupEnv(variable)
	if !ok {
		return s
	}
	os.Unsetenv(variable) //nolint:errcheck // the name is good
	pid, fd, _ := strings.Cut(value, ":")
	restricted, err := unix.PrctlRetInt(unix.PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0)
	if pid != strconv.Itoa(os.Getpid()) || err != nil || restricted != 1 {
		return s
	}
	s.is = true
	if n, err := strconv.Atoi(fd); err == nil && n > 2 {
		unix.CloseOnExec(n)
		s.handed = os.NewFile(uintptr(n), "handed over")
	}
	return s
})

// handed returns what the first start handed over, nil for nothing.
func handed() *os.File { return again().handed }

// restart restricts one thread and starts the program anew in it. It returns where that cannot be done.
func (s *Sandbox) restart(p Policy) {
	self, ok := executable()
	if !ok {
		return
	}
	repeat, ok := repeatable(append(responses(os.Args), p.Repeat...))
	if !ok {
		return
	}
	more := rules(runs, self, loader())
	more = append(more, rules(reads, "/etc/hosts", "/etc/resolv.conf", "/etc/nsswitch.conf", "/etc/gai.conf")...)
	more = append(more, rules(reads, repeat...)...)
	if s.launcher.path != "" {
		more = append(more, rules(reads, s.launcher.path)...)
	}
	fd, err := s.probe().ruleset(p, more...)
	if err != nil {
		return
	}
	defer unix.Close(fd)
	mark := variable + "=" + strconv.Itoa(os.Getpid()) + ":"
	if s.hand != nil {
		n, err := unix.FcntlInt(s.hand.Fd(), unix.F_DUPFD, 3)
		if err != nil {
			return
		}
		defer unix.Close(n)
		mark += strconv.Itoa(n)
	}
	env := append(os.Environ(), mark)
	if s.launcher.entry != "" {
		env = append(env, s.launcher.entry)
	}
	onThread(func() error { //nolint:errcheck // the first start goes on without
		if err := restrictThread(fd, 0); err != nil {
			return err
		}
		return unix.Exec(self, os.Args, env)
	})
}

// onThread calls f on a thread that ends with it.
func onThread(f func() error) error {
	done := make(chan error)
	go func() {
		runtime.LockOSThread()
		done <- f()
	}()
	return <-done
}

// executable returns the path of the program that runs.
func executable() (path string, ok bool) {
	const link = "/proc/self/exe"
	running, err := os.Stat(link)
	if err != nil {
		return "", false
	}
	if path, err = os.Executable(); err == nil {
		if named, err := os.Stat(path); err == nil && os.SameFile(running, named) {
			return path, true
		}
	}
	return link, true
}

// loader is what the system starts programs with that load libraries.
func loader() string {
	if runtime.GOARCH == "arm64" {
		return "/lib/ld-linux-aarch64.so.1"
	}
	return "/lib64/ld-linux-x86-64.so.2"
}

// responses are the files that arguments were read from.
func responses(args []string) []string {
	if n := len(args); n > 1 && n <= 3 && strings.HasPrefix(args[n-1], "@") {
		return []string{args[n-1][1:]}
	}
	return nil
}

// repeatable returns files that can be read twice, which no pipe can.
func repeatable(files []string) (again []string, ok bool) {
	for _, file := range files {
		info, err := os.Stat(file)
		if err == nil && !info.Mode().IsRegular() {
			return nil, false
		}
		if file, err = filepath.Abs(file); err == nil {
			again = append(again, file)
		}
	}
	return again, true
}
