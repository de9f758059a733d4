//go:build amd64 || arm64

package sandbox

import (
	"fmt"
	"slices"
	"syscall"

	ll "github.com/landlock-lsm/go-landlock/landlock/syscall"
	"golang.org/x/sys/unix"
)

// kernel is what the system offers.
type kernel struct {
	abi       int  // of Landlock; 0 where there is none
	signals   bool // Landlock can keep signals within the process without stopping those between its threads
	seccomp   bool
	libraries bool // the program can load some, drivers of GPUs among them, and the runtime does not know of all threads
}

// scopedSignals is the erratum of Landlock after whose correction threads that were restricted one by one may send each
// other signals, which Go's scheduler does.
const scopedSignals = 1 << 1

// tsync is the ABI from which on Landlock restricts all threads by itself.
const tsync = 8

func probe() kernel {
	var k kernel
	if abi, err := ll.LandlockGetABIVersion(); err == nil {
		k.abi = abi
		if errata, err := ll.LandlockGetErrata(); err == nil {
			k.signals = errata&scopedSignals != 0
		}
	}
	k.seccomp = filtering()
	k.libraries = loaded()
	return k
}

// loaded reports whether a loader has started the program, which can then load more.
func loaded() bool {
	const base = 7 // AT_BASE, where the loader lies
	aux, err := unix.Auxv()
	if err != nil {
		return false
	}
	return slices.ContainsFunc(aux, func(a [2]uintptr) bool { return a[0] == base && a[1] != 0 })
}

// together reports whether Landlock can restrict all threads at once.
func (k kernel) together() bool { return k.abi >= tsync || !k.libraries }

func (k kernel) String() string {
	landlock := ""
	if k.abi > 0 {
		landlock = fmt.Sprintf("Landlock ABI %d", k.abi)
		if !k.together() {
			landlock += " by a second start"
		}
	}
	switch {
	case k.abi > 0 && k.seccomp:
		return landlock + ", seccomp"
	case k.seccomp:
		return "seccomp"
	}
	return landlock
}

// begin restricts files where that takes a second start.
func (s *Sandbox) begin(p Policy) {
	if k := s.probe(); k.abi > 0 && !k.together() && !again().is {
		s.restart(p)
	}
}

func (s *Sandbox) enter(p Policy) {
	k := s.probe()
	switch {
	case k.abi == 0:
	case !k.together():
		if again().is {
			s.holds = append(s.holds, fmt.Sprintf("Landlock ABI %d", k.abi))
		}
	default:
		switch k.restrictAll(p) {
		case nil:
			s.holds = append(s.holds, fmt.Sprintf("Landlock ABI %d", k.abi))
		case syscall.ENOTSUP: // the loader was started by its name
			k.libraries = true
		}
	}
	if k.seccomp && loadFilter(p, k.libraries) == nil {
		s.holds = append(s.holds, "seccomp")
	}
}

// restrictAll restricts files on all threads.
func (k kernel) restrictAll(p Policy) error {
	fd, err := k.ruleset(p)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	if k.abi >= tsync {
		return onThread(func() error { return restrictThread(fd, ll.FlagRestrictSelfTSync) })
	}
	if _, _, err := syscall.AllThreadsSyscall6(unix.SYS_PRCTL, unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0, 0); err != 0 {
		return err
	}
	if _, _, err := syscall.AllThreadsSyscall(unix.SYS_LANDLOCK_RESTRICT_SELF, uintptr(fd), 0, 0); err != 0 {
		return err
	}
	return nil
}

// restrictThread restricts the calling thread and those that it starts.
func restrictThread(fd int, flags uint32) error {
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return err
	}
	return ll.LandlockRestrictSelf(fd, flags)
}
