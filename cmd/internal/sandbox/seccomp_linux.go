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
// Names that a processor does not have are passed over.
const (
	// What Go's runtime and packages make. Which files are meant, Landlock says; no call here changes owners, modes, times
	// or attributes, of which it does not know.
	goCalls = `brk clock_gettime clock_nanosleep clone close copy_file_range dup dup3 epoll_create1 epoll_ctl epoll_pwait eventfd2 exit exit_group
		fadvise64 fallocate fcntl fdatasync flock fstat fstatfs fsync ftruncate futex getcwd getdents64 getegid geteuid getgid getpid getppid
		getrandom getrlimit getrusage gettid gettimeofday getuid ioctl kill lseek lstat madvise membarrier mincore mkdirat mmap mprotect mremap
		munlock munmap nanosleep newfstatat openat pipe2 poll ppoll prctl pread64 preadv pselect6 pwrite64 pwritev read readlinkat readv
		renameat renameat2 restart_syscall rseq rt_sigaction rt_sigpending rt_sigprocmask rt_sigreturn rt_sigtimedwait sched_getaffinity
		sched_yield sendfile set_robust_list setitimer sigaltstack splice stat statfs statx sysinfo tee tgkill time timer_create
		timer_delete timer_settime truncate umask uname unlinkat write writev`

	// What libraries and programs in C make besides.
	cCalls = `access arch_prctl capget clock_getres close_range creat dup2 epoll_create epoll_pwait2 epoll_wait eventfd faccessat faccessat2
		futex_waitv get_mempolicy get_robust_list getcpu getdents getgroups getitimer getpgid getpgrp getpriority getresgid getresuid getsid
		mbind mkdir mlock mlock2 mlockall msync munlockall open pause pipe preadv2 prlimit64 pwritev2 readahead readlink rename rmdir
		rt_sigsuspend sched_get_priority_max sched_get_priority_min sched_getparam sched_getscheduler sched_setaffinity sched_setparam
		sched_setscheduler select set_mempolicy set_tid_address setpriority setrlimit sync_file_range timer_getoverrun timer_gettime
		timerfd_create timerfd_gettime timerfd_settime times unlink`

	// Connections that come in. None can be made, and no socket.
	servingCalls = `accept accept4 getpeername getsockname getsockopt recvfrom recvmsg sendmsg sendto setsockopt shutdown`

	startingCalls = `execve fork pidfd_open pidfd_send_signal setpgid setsid vfork wait4 waitid`
	driverCalls   = `memfd_create`
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
// argument where a condition did not hold: so a filter with conditions must have nothing else to compare with but the same
// conditions. The last one allows no more filters.
func filters(p Policy, libraries bool, pid int) ([]seccomp.Policy, error) {
	info, err := arch.GetInfo("")
	if err != nil {
		return nil, err
	}
	var all []seccomp.Policy
	is := func(argument uint32, o seccomp.Operation, value uint64) seccomp.Condition {
		return seccomp.Condition{Argument: argument, Operation: o, Value: value}
	}
	deny := func(names string, either ...seccomp.Condition) {
		g := seccomp.SyscallGroup{Action: errno(unix.EPERM)}
		for _, name := range strings.Fields(names) {
			for _, c := range either {
				g.NamesWithCondtions = append(g.NamesWithCondtions, seccomp.NameWithConditions{Name: name, Conditions: seccomp.ArgumentConditions{c}})
			}
		}
		all = append(all, seccomp.Policy{DefaultAction: seccomp.ActionAllow, Syscalls: []seccomp.SyscallGroup{g}})
	}
	lists := []string{goCalls}
	if len(p.Programs) > 0 {
		lists = append(lists, cCalls, startingCalls)
		deny("clone", is(0, seccomp.BitsSet, namespaces))
	} else {
		deny("clone", is(0, seccomp.BitsSet, namespaces), is(0, seccomp.BitsNotSet, unix.CLONE_THREAD))
		deny("kill tgkill", is(0, seccomp.NotEqual, uint64(pid)))
	}
	if p.Listen {
		lists = append(lists, servingCalls)
	}
	if libraries {
		lists = append(lists, cCalls, driverCalls)
	} else if len(p.Programs) == 0 {
		deny("mmap mprotect", is(2, seccomp.BitsSet, unix.PROT_EXEC))
	}
	// What types into the terminal for the user. The kernel looks at the lower half of the number alone.
	deny("ioctl", is(1, seccomp.Equal, unix.TIOCSTI), is(1, seccomp.Equal, unix.TIOCLINUX), is(1, seccomp.GreaterThan, 1<<32-1))
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
