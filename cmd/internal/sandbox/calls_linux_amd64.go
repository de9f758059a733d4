package sandbox

import "golang.org/x/sys/unix"

// auditArch is what the kernel calls the processor. Calls for 32 bits go by another name; those of x32 have numbers that are in no list.
const auditArch = unix.AUDIT_ARCH_X86_64

// Calls that processors with a later start in life do without.
var (
	oldGoCalls = []uint32{unix.SYS_LSTAT, unix.SYS_POLL, unix.SYS_STAT, unix.SYS_TIME}
	oldCCalls  = []uint32{
		unix.SYS_ACCESS, unix.SYS_ARCH_PRCTL, unix.SYS_CREAT, unix.SYS_DUP2, unix.SYS_EPOLL_CREATE, unix.SYS_EPOLL_WAIT, unix.SYS_EVENTFD,
		unix.SYS_GETDENTS, unix.SYS_GETPGRP, unix.SYS_MKDIR, unix.SYS_OPEN, unix.SYS_PAUSE, unix.SYS_PIPE, unix.SYS_READLINK, unix.SYS_RENAME,
		unix.SYS_RMDIR, unix.SYS_SELECT, unix.SYS_UNLINK,
	}
	oldStartingCalls = []uint32{unix.SYS_FORK, unix.SYS_VFORK}
)
