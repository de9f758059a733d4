//go:build amd64 || arm64

package sandbox

import "golang.org/x/sys/unix"

// The calls of the system that are allowed; all others are answered with EPERM, so that what merely asks does not end.
var (
	// What Go's runtime and packages make. Which files are meant, Landlock says; no call here changes owners, modes, times
	// or attributes, of which it does not know.
	goCalls = []uint32{
		unix.SYS_BRK, unix.SYS_CLOCK_GETTIME, unix.SYS_CLOCK_NANOSLEEP, unix.SYS_CLONE, unix.SYS_CLOSE, unix.SYS_COPY_FILE_RANGE, unix.SYS_DUP,
		unix.SYS_DUP3, unix.SYS_EPOLL_CREATE1, unix.SYS_EPOLL_CTL, unix.SYS_EPOLL_PWAIT, unix.SYS_EVENTFD2, unix.SYS_EXIT, unix.SYS_EXIT_GROUP,
		unix.SYS_FADVISE64, unix.SYS_FALLOCATE, unix.SYS_FCNTL, unix.SYS_FDATASYNC, unix.SYS_FLOCK, unix.SYS_FSTAT, unix.SYS_FSTATFS,
		unix.SYS_FSYNC, unix.SYS_FTRUNCATE, unix.SYS_FUTEX, unix.SYS_GETCWD, unix.SYS_GETDENTS64, unix.SYS_GETEGID, unix.SYS_GETEUID,
		unix.SYS_GETGID, unix.SYS_GETPID, unix.SYS_GETPPID, unix.SYS_GETRANDOM, unix.SYS_GETRLIMIT, unix.SYS_GETRUSAGE, unix.SYS_GETTID,
		unix.SYS_GETTIMEOFDAY, unix.SYS_GETUID, unix.SYS_IOCTL, unix.SYS_KILL, unix.SYS_LSEEK, unix.SYS_MADVISE, unix.SYS_MEMBARRIER,
		unix.SYS_MINCORE, unix.SYS_MKDIRAT, unix.SYS_MMAP, unix.SYS_MPROTECT, unix.SYS_MREMAP, unix.SYS_MUNLOCK, unix.SYS_MUNMAP,
		unix.SYS_NANOSLEEP, unix.SYS_NEWFSTATAT, unix.SYS_OPENAT, unix.SYS_PIPE2, unix.SYS_PPOLL, unix.SYS_PRCTL, unix.SYS_PREAD64, unix.SYS_PREADV,
		unix.SYS_PSELECT6, unix.SYS_PWRITE64, unix.SYS_PWRITEV, unix.SYS_READ, unix.SYS_READLINKAT, unix.SYS_READV, unix.SYS_RENAMEAT,
		unix.SYS_RENAMEAT2, unix.SYS_RESTART_SYSCALL, unix.SYS_RSEQ, unix.SYS_RT_SIGACTION, unix.SYS_RT_SIGPENDING, unix.SYS_RT_SIGPROCMASK,
		unix.SYS_RT_SIGRETURN, unix.SYS_RT_SIGTIMEDWAIT, unix.SYS_SCHED_GETAFFINITY, unix.SYS_SCHED_YIELD, unix.SYS_SENDFILE,
		unix.SYS_SET_ROBUST_LIST, unix.SYS_SETITIMER, unix.SYS_SIGALTSTACK, unix.SYS_SPLICE, unix.SYS_STATFS, unix.SYS_STATX, unix.SYS_SYSINFO,
		unix.SYS_TEE, unix.SYS_TGKILL, unix.SYS_TIMER_CREATE, unix.SYS_TIMER_DELETE, unix.SYS_TIMER_SETTIME, unix.SYS_TRUNCATE, unix.SYS_UMASK,
		unix.SYS_UNAME, unix.SYS_UNLINKAT, unix.SYS_WRITE, unix.SYS_WRITEV,
	}

	// What libraries and programs in C make besides.
	cCalls = []uint32{
		unix.SYS_CAPGET, unix.SYS_CLOCK_GETRES, unix.SYS_CLOSE_RANGE, unix.SYS_EPOLL_PWAIT2, unix.SYS_FACCESSAT, unix.SYS_FACCESSAT2,
		unix.SYS_FUTEX_WAITV, unix.SYS_GET_MEMPOLICY, unix.SYS_GET_ROBUST_LIST, unix.SYS_GETCPU, unix.SYS_GETGROUPS, unix.SYS_GETITIMER,
		unix.SYS_GETPGID, unix.SYS_GETPRIORITY, unix.SYS_GETRESGID, unix.SYS_GETRESUID, unix.SYS_GETSID, unix.SYS_MBIND, unix.SYS_MLOCK,
		unix.SYS_MLOCK2, unix.SYS_MLOCKALL, unix.SYS_MSYNC, unix.SYS_MUNLOCKALL, unix.SYS_PREADV2, unix.SYS_PRLIMIT64, unix.SYS_PWRITEV2,
		unix.SYS_READAHEAD, unix.SYS_RT_SIGSUSPEND, unix.SYS_SCHED_GET_PRIORITY_MAX, unix.SYS_SCHED_GET_PRIORITY_MIN, unix.SYS_SCHED_GETPARAM,
		unix.SYS_SCHED_GETSCHEDULER, unix.SYS_SCHED_SETAFFINITY, unix.SYS_SCHED_SETPARAM, unix.SYS_SCHED_SETSCHEDULER, unix.SYS_SET_MEMPOLICY,
		unix.SYS_SET_TID_ADDRESS, unix.SYS_SETPRIORITY, unix.SYS_SETRLIMIT, unix.SYS_SYNC_FILE_RANGE, unix.SYS_TIMER_GETOVERRUN,
		unix.SYS_TIMER_GETTIME, unix.SYS_TIMERFD_CREATE, unix.SYS_TIMERFD_GETTIME, unix.SYS_TIMERFD_SETTIME, unix.SYS_TIMES,
	}

	// Connections that come in. None can be made, and no socket.
	servingCalls = []uint32{
		unix.SYS_ACCEPT, unix.SYS_ACCEPT4, unix.SYS_GETPEERNAME, unix.SYS_GETSOCKNAME, unix.SYS_GETSOCKOPT, unix.SYS_RECVFROM, unix.SYS_RECVMSG,
		unix.SYS_SENDMSG, unix.SYS_SENDTO, unix.SYS_SETSOCKOPT, unix.SYS_SHUTDOWN,
	}

	startingCalls = []uint32{
		unix.SYS_EXECVE, unix.SYS_PIDFD_OPEN, unix.SYS_PIDFD_SEND_SIGNAL, unix.SYS_SETPGID, unix.SYS_SETSID, unix.SYS_WAIT4, unix.SYS_WAITID,
	}
	driverCalls = []uint32{unix.SYS_MEMFD_CREATE}
)
