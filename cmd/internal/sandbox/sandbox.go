// Package sandbox lets a program give up what it does not need once its files are open, so that a file from a stranger
// that got the better of a decoder could reach neither the network nor other files.
//
// Linux does it with Landlock (files, from 5.13 on; TCP from 6.7, signals and abstract sockets from 6.12) and seccomp (calls of the
// system, from 3.17 on), OpenBSD with pledge and unveil; other systems have nothing of the kind that a program can ask
// for. What a system lacks is left out and never an error: String tells what holds.
package sandbox

import (
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/urfave/cli/v2"
)

// Policy is what a process goes on needing. The zero value computes, reads and writes what is open, and ends.
type Policy struct {
	Read     []string // files, and directories with all that is below; what is not there is passed over
	Outputs  []string // files that are written by way of a new one beside them: their directories, and all below, can be written
	Scratch  []string // directories for files that are made, read and removed again
	Programs []string // paths of programs that are started; they get the same restrictions
	Listen   bool     // answers connections
	Port     int      // where they come in, while it is not open yet; 0 is any
	Repeat   []string // files that were read before Begin, which a second start reads again
}

// Sandbox restricts the process, once. The nil Sandbox restricts nothing.
type Sandbox struct {
	probe func() kernel
	hand  *os.File
	holds []string

	launcher struct{ path, entry string }
}

// System returns the process's own.
func System() *Sandbox { return &Sandbox{probe: sync.OnceValue(probe)} }

// Status says in a line what the programs restrict themselves with on this system, for --version --verbose.
func Status() string {
	what := probe().String()
	if what == "" {
		return "none on this system"
	}
	return what + "; --unsecure turns it off"
}

// Flag is --unsecure.
func Flag() cli.Flag {
	return &cli.BoolFlag{Name: "unsecure", Usage: "do not give up the rights to the network, files and programs that are not needed"}
}

// Of returns s, or nil where c says --unsecure.
func (s *Sandbox) Of(c *cli.Context) *Sandbox {
	if c.Bool("unsecure") {
		return nil
	}
	return s
}

// Launched tells of the file that the process was started from, and of the entry in its environment, since taken away, that said so: a second
// start reads the one and is told the other.
func (s *Sandbox) Launched(path, entry string) {
	if s != nil {
		s.launcher.path, s.launcher.entry = path, entry
	}
}

// Begin is called before the program has printed or consumed anything. Where the rights to files cannot be taken from all
// threads at once it takes them from one, and starts the program anew in that; the second start passes through.
// Otherwise it does nothing.
func (s *Sandbox) Begin(p Policy) {
	if s != nil {
		s.begin(p)
	}
}

// Enter is called when all is open. From then on p holds for all threads.
func (s *Sandbox) Enter(p Policy) {
	if s != nil {
		s.enter(p)
	}
}

// String says what holds since Enter, "none" for nothing.
func (s *Sandbox) String() string {
	if s == nil || len(s.holds) == 0 {
		return "none"
	}
	return strings.Join(s.holds, ", ")
}

// Replaceable returns what to read for files that others put new ones in the place of: the directories that they and what
// they are links to lie in. Of files that lie in the user's home itself or in the root it is the files, so that a
// key there does not open all of it.
func Replaceable(files ...string) []string {
	home, _ := os.UserHomeDir()
	var all []string
	add := func(file string) {
		file, err := filepath.Abs(file)
		if err != nil {
			return
		}
		if dir := filepath.Dir(file); dir != filepath.Clean(home) && dir != filepath.Dir(dir) {
			file = dir
		}
		all = append(all, file)
	}
	for _, file := range files {
		add(file)
		if target, err := filepath.EvalSymlinks(file); err == nil {
			add(target)
		}
	}
	return all
}

// outputs returns the directories that cli.WriteFile makes new files in for those paths, and what it opens as it is because it
// is no regular file.
func outputs(paths []string) (dirs, devices []string) {
	for _, path := range paths {
		if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
			devices = append(devices, path)
			continue
		}
		if target, err := filepath.EvalSymlinks(path); err == nil {
			path = target
		}
		dirs = append(dirs, filepath.Dir(path))
	}
	return dirs, devices
}

// systemDirs is where programs and libraries lie, with what they come with.
var systemDirs = []string{
	"/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/opt", "/nix/store", "/gnu/store", "/snap",
	"/etc/ld.so.cache", "/etc/ld.so.preload", "/etc/localtime",
}

// around returns the directories of a program outside of the system's and those beside them that hold its libraries.
func around(program string) []string {
	dirs := []string{filepath.Dir(program)}
	if target, err := filepath.EvalSymlinks(program); err == nil {
		dirs = append(dirs, filepath.Dir(target))
	}
	for _, dir := range dirs {
		if filepath.Base(dir) == "bin" {
			for _, beside := range []string{"lib", "lib64", "opt", "Cellar"} { // the last two are Homebrew's
				dirs = append(dirs, filepath.Join(filepath.Dir(dir), beside))
			}
		}
	}
	return dirs
}
