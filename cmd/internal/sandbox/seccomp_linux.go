//go:build amd64 || arm64

package sandbox

import (
	"os"
	"reflect"
	"runtime"
	"slices"
	"syscall"

	"golang.org/x/sys/unix"
)

// namespaces are the flags of clone that make new ones, in which a user would be root.
const namespaces = unix.CLONE_NEWNS | unix.CLONE_NEWCGROUP | unix.CLONE_NEWUTS | unix.CLONE_NEWIPC | unix.CLONE_NEWUSER | unix.CLONE_NEWPID | unix.CLONE_NEWNET

// filtering reports whether the kernel filters calls for all threads at once.
func filtering() bool {
	_, _, err := syscall.RawSyscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_STRICT, 1, 0)
	return err == unix.EINVAL // and not ENOSYS
}

// loadFilter restricts all threads to the calls that p needs. libraries are loaded.
func loadFilter(p Policy, libraries bool) error {
	f := p.filter(libraries, os.Getpid())
	program := &unix.SockFprog{Len: uint16(len(f)), Filter: &f[0]}
	defer runtime.KeepAlive(program)
	return onThread(func() error {
		if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
			return err
		}
		// No code of strangers runs here. Kernels before 5.16 would slow the whole program down to guard against it, those before 4.17
		// know no such wish.
		for _, flags := range []uintptr{unix.SECCOMP_FILTER_FLAG_TSYNC | unix.SECCOMP_FILTER_FLAG_SPEC_ALLOW, unix.SECCOMP_FILTER_FLAG_TSYNC} {
			thread, _, err := syscall.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, flags, reflect.ValueOf(program).Pointer())
			switch {
			case err == unix.EINVAL:
			case err != 0:
				return err
			case thread != 0: // which has a filter of its own
				return unix.ESRCH
			default:
				return nil
			}
		}
		return unix.EINVAL
	})
}

// filter is a program for the kernel, in classic BPF, that says what becomes of a call (seccomp(2)).
type filter []unix.SockFilter

// Where struct seccomp_data has what a filter looks at.
const (
	number = 0
	arch   = 4
	args   = 16 // eight bytes each, the lower half first
)

const allowed = unix.SECCOMP_RET_ALLOW

// refuse answers a call with an error.
func refuse(e unix.Errno) uint32 { return unix.SECCOMP_RET_ERRNO | uint32(e) }

func (f *filter) load(offset uint32) {
	*f = append(*f, unix.SockFilter{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: offset})
}

// jump passes over so many of the next steps where what is loaded equals k, or has a bit of it, and where not.
func (f *filter) jump(test uint16, k uint32, is, not uint8) {
	*f = append(*f, unix.SockFilter{Code: unix.BPF_JMP | test | unix.BPF_K, Jt: is, Jf: not, K: k})
}

func (f *filter) answer(a uint32) {
	*f = append(*f, unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: a})
}

// condition looks at the lower half of an argument, which is all that the kernel looks at in those here.
type condition struct {
	argument uint32
	test     uint16 // BPF_JEQ or BPF_JSET
	k        uint32
	unless   bool // the test fails
}

// deny refuses the call nr where one of the conditions holds, and allows it otherwise.
func (f *filter) deny(nr uint32, where ...condition) {
	f.jump(unix.BPF_JEQ, nr, 0, uint8(3*len(where)+1))
	for _, c := range where {
		f.load(args + 8*c.argument)
		if c.unless {
			f.jump(c.test, c.k, 1, 0)
		} else {
			f.jump(c.test, c.k, 0, 1)
		}
		f.answer(refuse(unix.EPERM))
	}
	f.answer(allowed)
}

// filter makes the filter of p for the process pid. It allows no other after it.
func (p Policy) filter(libraries bool, pid int) (f filter) {
	f.load(arch)
	f.jump(unix.BPF_JEQ, auditArch, 1, 0)
	f.answer(refuse(unix.EPERM))
	f.load(number)
	calls := slices.Concat(goCalls, oldGoCalls)
	spaces := condition{0, unix.BPF_JSET, namespaces, false}
	if len(p.Programs) > 0 {
		calls = slices.Concat(calls, startingCalls, oldStartingCalls)
		f.deny(unix.SYS_CLONE, spaces)
	} else {
		f.deny(unix.SYS_CLONE, spaces, condition{0, unix.BPF_JSET, unix.CLONE_THREAD, true})
		f.deny(unix.SYS_KILL, condition{0, unix.BPF_JEQ, uint32(pid), true})
		f.deny(unix.SYS_TGKILL, condition{0, unix.BPF_JEQ, uint32(pid), true})
	}
	if p.Listen {
		calls = append(calls, servingCalls...)
	}
	if libraries {
		calls = append(calls, driverCalls...)
	} else if len(p.Programs) == 0 {
		f.deny(unix.SYS_MMAP, condition{2, unix.BPF_JSET, unix.PROT_EXEC, false})
		f.deny(unix.SYS_MPROTECT, condition{2, unix.BPF_JSET, unix.PROT_EXEC, false})
	}
	if libraries || len(p.Programs) > 0 {
		calls = slices.Concat(calls, cCalls, oldCCalls)
	}
	// What types into the terminal for the user.
	f.deny(unix.SYS_IOCTL, condition{1, unix.BPF_JEQ, unix.TIOCSTI, false}, condition{1, unix.BPF_JEQ, unix.TIOCLINUX, false})
	// Its flags are out of reach of a filter; glibc takes clone instead.
	f.jump(unix.BPF_JEQ, unix.SYS_CLONE3, 0, 1)
	f.answer(refuse(unix.ENOSYS))
	for i, nr := range calls {
		f.jump(unix.BPF_JEQ, nr, uint8(len(calls)-i), 0)
	}
	f.answer(refuse(unix.EPERM))
	f.answer(allowed)
	return f
}
