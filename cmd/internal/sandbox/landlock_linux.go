//go:build amd64 || arm64

package sandbox

import (
	"os"
	"path/filepath"

	ll "github.com/landlock-lsm/go-landlock/landlock/syscall"
	"golang.org/x/sys/unix"
)

// Rights to files and to what is below directories.
const (
	reads    = ll.AccessFSReadFile | ll.AccessFSReadDir
	runs     = reads | ll.AccessFSExecute
	writes   = ll.AccessFSWriteFile | ll.AccessFSTruncate
	replaces = writes | ll.AccessFSMakeReg | ll.AccessFSRemoveFile
	drives   = ll.AccessFSReadFile | writes | ll.AccessFSIoctlDev

	// ofFiles are the rights that a rule about a file may give.
	ofFiles = ll.AccessFSReadFile | ll.AccessFSExecute | writes | ll.AccessFSIoctlDev
)

// rule gives a right to a file, or to all below a directory.
type rule struct {
	path   string
	access uint64
}

func rules(access uint64, paths ...string) []rule {
	var all []rule
	for _, path := range paths {
		all = append(all, rule{path, access})
	}
	return all
}

// rules are what p means for files. libraries are drivers of GPUs, their devices and what they keep.
func (p Policy) rules(libraries bool) []rule {
	all := rules(reads|writes, os.DevNull)
	all = append(all, rules(reads, "/dev/zero", "/dev/random", "/dev/urandom", "/etc/localtime")...)
	all = append(all, rules(reads, p.Read...)...)
	dirs, devices := outputs(p.Outputs)
	all = append(all, rules(replaces, dirs...)...)
	all = append(all, rules(writes, devices...)...)
	all = append(all, rules(replaces|reads, p.Scratch...)...)
	if len(p.Programs) > 0 {
		all = append(all, rules(runs, systemDirs...)...)
		for _, program := range p.Programs {
			all = append(all, rules(runs, around(program)...)...)
		}
	}
	if libraries {
		all = append(all, drivers()...)
	}
	return all
}

// drivers are what drivers of GPUs need.
func drivers() []rule {
	all := rules(reads, systemDirs...)
	all = append(all, rules(reads, "/sys", "/proc/self", "/proc/driver", "/proc/cpuinfo", "/proc/meminfo", "/proc/devices", "/proc/modules",
		"/proc/sys", "/proc/version", "/etc/OpenCL", "/run/opengl-driver")...)
	for _, pattern := range []string{"/dev/nvidia*", "/dev/dri", "/dev/kfd", "/dev/dxg"} {
		found, _ := filepath.Glob(pattern)
		all = append(all, rules(drives|ll.AccessFSReadDir, found...)...)
	}
	cache := os.Getenv("CUDA_CACHE_PATH")
	if home, err := os.UserHomeDir(); err == nil && cache == "" {
		cache = filepath.Join(home, ".nv", "ComputeCache")
	}
	return append(all, rules(replaces|reads|ll.AccessFSMakeDir|ll.AccessFSRemoveDir, cache)...)
}

// ruleset makes Landlock's rules of p's, and of more. The caller closes it.
func (k kernel) ruleset(p Policy, more ...rule) (fd int, err error) {
	handled := k.handled(p)
	if fd, err = ll.LandlockCreateRuleset(&handled, 0); err != nil {
		return -1, err
	}
	for _, r := range append(p.rules(k.libraries), more...) {
		if err := allow(fd, r, handled.HandledAccessFS); err != nil {
			unix.Close(fd)
			return -1, err
		}
	}
	if p.Listen && !k.together() && handled.HandledAccessNet != 0 {
		if err := ll.LandlockAddNetPortRule(fd, &ll.NetPortAttr{AllowedAccess: ll.AccessNetBindTCP, Port: uint64(p.Port)}, 0); err != nil {
			unix.Close(fd)
			return -1, err
		}
	}
	return fd, nil
}

// handled is all that is forbidden where no rule allows it, as far as the kernel knows of it.
func (k kernel) handled(p Policy) ll.RulesetAttr {
	h := ll.RulesetAttr{HandledAccessFS: ll.AccessFSRefer - 1}
	if k.abi >= 2 {
		h.HandledAccessFS |= ll.AccessFSRefer
	}
	if k.abi >= 3 {
		h.HandledAccessFS |= ll.AccessFSTruncate
	}
	if k.abi >= 4 {
		h.HandledAccessNet = ll.AccessNetBindTCP | ll.AccessNetConnectTCP
	}
	if k.abi >= 5 {
		h.HandledAccessFS |= ll.AccessFSIoctlDev
	}
	if k.abi >= 6 {
		if k.signals || !k.together() {
			h.Scoped |= ll.ScopeSignal
		}
		// A server that starts anew has yet to reach its manager, by a socket that may be abstract.
		if k.together() || !p.Listen {
			h.Scoped |= ll.ScopeAbstractUnixSocket
		}
	}
	return h
}

// allow adds a rule. What is not there, or lies in no file system, as a pipe does, needs none.
func allow(ruleset int, r rule, handled uint64) error {
	fd, err := unix.Open(r.path, unix.O_PATH|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil
	}
	defer unix.Close(fd)
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return nil
	}
	access := r.access & handled
	if st.Mode&unix.S_IFMT != unix.S_IFDIR {
		access &= ofFiles
	}
	if access == 0 {
		return nil
	}
	err = ll.LandlockAddPathBeneathRule(ruleset, &ll.PathBeneathAttr{AllowedAccess: access, ParentFd: fd}, 0)
	if err == unix.EBADFD {
		return nil
	}
	return err
}
