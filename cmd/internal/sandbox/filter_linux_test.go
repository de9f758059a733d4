//go:build amd64 || arm64

package sandbox

import (
	"testing"

	"golang.org/x/sys/unix"
)

// TestFilter runs filters as the kernel does.
func TestFilter(t *testing.T) {
	const (
		pid     = 7
		unknown = 1 << 30 // the numbers of x32 begin here
		eperm   = unix.SECCOMP_RET_ERRNO | uint32(unix.EPERM)
		enosys  = unix.SECCOMP_RET_ERRNO | uint32(unix.ENOSYS)
	)
	hears, serves, converts := Policy{}, Policy{Listen: true}, Policy{Programs: []string{"ffmpeg"}}
	all := Policy{Listen: true, Programs: []string{"ffmpeg"}}
	for _, test := range []struct {
		name      string
		policy    Policy
		libraries bool
		call      []uint64 // number, arguments
		want      uint32
	}{
		{"write", hears, false, []uint64{unix.SYS_WRITE}, allowed},
		{"first of the list", hears, false, []uint64{uint64(goCalls[0])}, allowed},
		{"first of the longest list", all, true, []uint64{uint64(goCalls[0])}, allowed},
		{"last of the longest list", all, true, []uint64{unix.SYS_TIMES}, allowed},
		{"socket", all, true, []uint64{unix.SYS_SOCKET}, eperm},
		{"x32", all, true, []uint64{unknown | unix.SYS_WRITE}, eperm},
		{"accept", hears, false, []uint64{unix.SYS_ACCEPT4}, eperm},
		{"accept", serves, false, []uint64{unix.SYS_ACCEPT4}, allowed},
		{"start", serves, false, []uint64{unix.SYS_EXECVE}, eperm},
		{"start", converts, false, []uint64{unix.SYS_EXECVE}, allowed},
		{"thread", hears, false, []uint64{unix.SYS_CLONE, unix.CLONE_THREAD | unix.CLONE_VM}, allowed},
		{"process", hears, false, []uint64{unix.SYS_CLONE, unix.CLONE_VM}, eperm},
		{"process", converts, false, []uint64{unix.SYS_CLONE, unix.CLONE_VM}, allowed},
		{"namespace", converts, false, []uint64{unix.SYS_CLONE, unix.CLONE_NEWUSER | unix.CLONE_THREAD}, eperm},
		{"clone3", all, true, []uint64{unix.SYS_CLONE3}, enosys},
		{"signal itself", hears, false, []uint64{unix.SYS_TGKILL, pid, 8, 23}, allowed},
		{"signal another", hears, false, []uint64{unix.SYS_KILL, 1, 0}, eperm},
		{"signal a group", hears, false, []uint64{unix.SYS_KILL, 1<<64 - pid, 0}, eperm},
		{"signal another", converts, false, []uint64{unix.SYS_KILL, 1, 0}, allowed},
		{"memory", hears, false, []uint64{unix.SYS_MMAP, 0, 4096, unix.PROT_READ}, allowed},
		{"code", hears, false, []uint64{unix.SYS_MPROTECT, 0, 4096, unix.PROT_READ | unix.PROT_EXEC}, eperm},
		{"code", hears, true, []uint64{unix.SYS_MMAP, 0, 4096, unix.PROT_EXEC}, allowed},
		{"size of the terminal", all, true, []uint64{unix.SYS_IOCTL, 1, unix.TIOCGWINSZ}, allowed},
		{"type", all, true, []uint64{unix.SYS_IOCTL, 0, unix.TIOCSTI}, eperm},
		{"paste", hears, false, []uint64{unix.SYS_IOCTL, 0, unix.TIOCLINUX}, eperm},
		{"type, cunningly", hears, false, []uint64{unix.SYS_IOCTL, 0, 1<<32 | unix.TIOCSTI}, eperm},
	} {
		f := test.policy.filter(test.libraries, pid)
		if got := f.run(auditArch, test.call); got != test.want {
			t.Errorf("%s of %+v, libraries %t: %#x, want %#x", test.name, test.policy, test.libraries, got, test.want)
		}
		if got := f.run(unix.AUDIT_ARCH_I386, test.call); got != eperm {
			t.Errorf("%s of %+v, libraries %t, for 32 bits: %#x", test.name, test.policy, test.libraries, got)
		}
	}
}

// run returns the answer to a call.
func (f filter) run(processor uint32, call []uint64) uint32 {
	var data [16 + 6*8]uint32 // by offset
	data[number], data[arch] = uint32(call[0]), processor
	for i, a := range call[1:] {
		data[args+8*i], data[args+8*i+4] = uint32(a), uint32(a>>32)
	}
	var loaded uint32
	for i := 0; ; i++ {
		is := false
		switch s := f[i]; s.Code {
		case unix.BPF_LD | unix.BPF_W | unix.BPF_ABS:
			loaded = data[s.K]
			continue
		case unix.BPF_RET | unix.BPF_K:
			return s.K
		case unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K:
			is = loaded == s.K
		case unix.BPF_JMP | unix.BPF_JSET | unix.BPF_K:
			is = loaded&s.K != 0
		}
		if is {
			i += int(f[i].Jt)
		} else {
			i += int(f[i].Jf)
		}
	}
}
