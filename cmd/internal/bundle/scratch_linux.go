package bundle

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// scratch makes a file in the directory of path that has no name, so that a process that is killed leaves nothing behind. Where the
// file system has none such it has the name returned.
func scratch(path string, mode os.FileMode) (f *os.File, name string, err error) {
	fd, err := unix.Open(filepath.Dir(path), unix.O_TMPFILE|unix.O_RDWR|unix.O_CLOEXEC, uint32(mode|0o600))
	if err == nil {
		if _, err := os.Stat(self(fd)); err == nil {
			return os.NewFile(uintptr(fd), path), "", nil
		}
		unix.Close(fd)
	}
	return create(path, mode)
}

// show gives a file of scratch a name beside path.
func show(f *os.File, path string) (name string, err error) {
	for {
		name = beside(path)
		err = unix.Linkat(unix.AT_FDCWD, self(int(f.Fd())), unix.AT_FDCWD, name, unix.AT_SYMLINK_FOLLOW)
		if !errors.Is(err, unix.EEXIST) {
			return name, err
		}
	}
}

// self is a name of an open file.
func self(fd int) string { return fmt.Sprintf("/proc/self/fd/%d", fd) }

// syncDir makes new names in a directory last.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	if err := d.Sync(); err != nil && !errors.Is(err, unix.EINVAL) {
		return err
	}
	return nil
}
