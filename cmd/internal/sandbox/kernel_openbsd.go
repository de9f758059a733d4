package sandbox

import (
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// kernel is what the system offers.
type kernel struct{}

func probe() kernel { return kernel{} }

func (kernel) String() string { return "pledge, unveil" }

// begin has nothing to do: a system that restricts the process restricts all its threads.
func (*Sandbox) begin(Policy) {}

func handed() *os.File { return nil }

func (s *Sandbox) enter(p Policy) {
	if unveil(p.veils()) == nil {
		s.holds = append(s.holds, "unveil")
	}
	if unix.PledgePromises(p.promises()) == nil {
		s.holds = append(s.holds, "pledge")
	}
}

// unveil hides all paths but some.
func unveil(veils []veil) error {
	for _, v := range veils {
		if err := unix.Unveil(v.path, v.flags); err != nil && err != unix.ENOENT {
			return err
		}
	}
	return unix.UnveilBlock()
}

// veil is a path that stays to be seen, and for what.
type veil struct{ path, flags string }

// veils are what p means for files.
func (p Policy) veils() []veil {
	all := []veil{{os.DevNull, "rw"}, {"/dev/urandom", "r"}, {"/etc/localtime", "r"}, {"/usr/share/zoneinfo", "r"}}
	add := func(flags string, paths ...string) {
		for _, path := range paths {
			all = append(all, veil{path, flags})
		}
	}
	add("r", p.Read...)
	dirs, devices := outputs(p.Outputs)
	add("rwc", append(dirs, p.Scratch...)...)
	add("w", devices...)
	if len(p.Programs) > 0 {
		add("rx", "/usr", "/bin", "/sbin")
		for _, program := range p.Programs {
			add("rx", around(program)...)
		}
	}
	return all
}

// promises are what p means for calls of the system.
func (p Policy) promises() string {
	promises := []string{"stdio", "rpath", "tty"}
	if len(p.Outputs)+len(p.Scratch) > 0 {
		promises = append(promises, "wpath", "cpath")
	}
	if len(p.Programs) > 0 {
		promises = append(promises, "proc", "exec")
	}
	if p.Listen {
		promises = append(promises, "inet")
	}
	return strings.Join(promises, " ")
}
