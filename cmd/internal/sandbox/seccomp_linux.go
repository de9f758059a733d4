//go:build amd64 || arm64

package sandbox

import (
	"os"
	"slices"
	"strings"

	seccomp "github.com/elastic/go-seccomp-bpf"
	"github.com/elastic/go-seccomp-bpf/arch"
	"golang.org/x/sys/unix"
)

// The calls of the system that are allowed; all others are answered with EPERM, so that what merely asks does not end.
// They are those of Go's runtime, its packages and glibc. Names that a processor does not have are passed over.
const (
	// Files: which ones, Landlock says. Nothing here changes owners, modes, times or attributes, which it does not know of.
	fileCalls = `access close close_range copy_file_range creat dup dup2 dup3 faccessat faccessat2 fadvise64 fallocate fcntl fdatasync
		flock fstat fstatfs fsync ftruncate getcwd getdents getdents64 lseek lstat mkdir mkdirat newfstatat open openat pread64 preadv
		preadv2 pwrite64 pwritev pwritev2 read readahead readlink readlinkat readv rename renameat renameat2 rmdir sendfile splice
		stat statfs statx sync_file_range tee truncate umask unlink unlinkat write writev`

	memoryCalls = `brk get_mempolicy madvise mincore mlock mlock2 mmap mprotect mremap msync munlock munmap`

	waitingCalls = `clock_getres clock_gettime clock_nanosleep epoll_create epoll_create1 epoll_ctl epoll_pwait epoll_pwait2 epoll_wait
		eventfd eventfd2 getitimer gettimeofday nanosleep pause pipe pipe2 poll ppoll pselect6 select setitimer time timer_create
		timer_delete timer_getoverrun timer_gettime timer_settime timerfd_create timerfd_gettime timerfd_settime`

	threadCalls = `arch_prctl clone exit exit_group futex futex_waitv get_robust_list get_thread_area getcpu kill membarrier prctl restart_syscall
		rseq rt_sigaction rt_sigpending rt_sigprocmask rt_sigreturn rt_sigsuspend rt_sigtimedwait sched_getaffinity
		sched_get_priority_max sched_get_priority_min sched_getparam sched_getscheduler sched_setaffinity sched_yield
		set_robust_list set_tid_address sigaltstack tgkill`

	askingCalls = `capget getegid geteuid getgid getgroups getpgid getpgrp getpid getppid getpriority getrandom getresgid getresuid getrlimit
		getrusage getsid gettid getuid ioctl sysinfo times uname`

	// Connections that come in. None can be made, and no socket.
	servingCalls = `accept accept4 getpeername getsockname getsockopt recvfrom recvmsg sendmsg sendto setsockopt shutdown`

	startingCalls = `execve fork pidfd_open pidfd_send_signal prlimit64 setpgid setpriority setrlimit setsid vfork wait4 waitid`
	libraryCalls  = `mbind memfd_create mlockall munlockall prlimit64 sched_setparam sched_setscheduler set_mempolicy`
)

// namespaces are the flags of clone that make new ones, in which a user would be root.
const namespaces = unix.CLONE_NEWNS | unix.CLONE_NEWCGROUP | unix.CLONE_NEWUTS | unix.CLONE_NEWIPC | unix.CLONE_NEWUSER | unix.CLONE_NEWPID | unix.CLONE_NEWNET

// errno answers a call with an error.
func errno(e unix.Errno) seccomp.Action { return seccomp.ActionErrno | seccomp.Action(e) }

// loadFilters restricts all threads to the calls that p needs. libraries are loaded.
func loadFilters(p Policy, libraries bool) error {
	filters, err := filters(p, libraries, os.Getpid())
	if err != nil {
		return err
	}
	return onThread(func() error {
		for _, f := range filters {
			if err := seccomp.LoadFilter(seccomp.Filter{NoNewPrivs: true, Flag: seccomp.FilterFlagTSync, Policy: f}); err != nil {
				return err
			}
		}
		return nil
	})
}

// filters makes the filters of p for the process pid, all of which a call has to pass. The library goes on comparing names with an
// argument where a condition did not hold: so a filter with conditions must have nothing to compare with but the same
// condition. The last one allows no more filters.
func filters(p Policy, libraries bool, pid int) ([]seccomp.Policy, error) {
	info, err := arch.GetInfo("")
	if err != nil {
		return nil, err
	}
	var all []seccomp.Policy
	deny := func(names string, argument uint32, o seccomp.Operation, values ...uint64) {
		g := seccomp.SyscallGroup{Action: errno(unix.EPERM)}
		for _, name := range strings.Fields(names) {
			for _, v := range values {
				g.NamesWithCondtions = append(g.NamesWithCondtions, seccomp.NameWithConditions{
					Name: name, Conditions: seccomp.ArgumentConditions{{Argument: argument, Operation: o, Value: v}},
				})
			}
		}
		all = append(all, seccomp.Policy{DefaultAction: seccomp.ActionAllow, Syscalls: []seccomp.SyscallGroup{g}})
	}
	lists := []string{fileCalls, memoryCalls, waitingCalls, threadCalls, askingCalls}
	deny("clone", 0, seccomp.BitsSet, namespaces)
	if len(p.Programs) > 0 {
		lists = append(lists, startingCalls)
	} else {
		deny("clone", 0, seccomp.BitsNotSet, unix.CLONE_THREAD)
		deny("kill tgkill", 0, seccomp.NotEqual, uint64(pid))
	}
	if p.Listen {
		lists = append(lists, servingCalls)
	}
	if libraries {
		lists = append(lists, libraryCalls)
	}
	if len(p.Programs) == 0 && !libraries {
		deny("mmap mprotect", 2, seccomp.BitsSet, unix.PROT_EXEC)
	}
	// What types into the terminal for the user. The kernel looks at the lower half of the number alone.
	deny("ioctl", 1, seccomp.Equal, unix.TIOCSTI, unix.TIOCLINUX)
	deny("ioctl", 1, seccomp.GreaterThan, 1<<32-1)
	names := strings.Fields(strings.Join(lists, " "))
	slices.Sort(names)
	names = slices.DeleteFunc(slices.Compact(names), func(name string) bool {
		_, ok := info.SyscallNames[name]
		return !ok
	})
	return append(all, seccomp.Policy{
		DefaultAction: seccomp.ActionErrno, // EPERM
		Syscalls: []seccomp.SyscallGroup{
			{Action: seccomp.ActionAllow, Names: names},
			// Its flags are out of reach of a filter; glibc takes clone instead.
			{Action: errno(unix.ENOSYS), Names: []string{"clone3"}},
		},
	}), nil
}
