//go:build unix

package sandbox

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
)

// LookPath returns the absolute path of a program in the directories of $PATH. It passes over entries that are not absolute
// and programs that others could have put there: the file, the directories it is found in and lies in, and all those above
// must belong to root or to the user, and be closed to the world for writing; above, the sticky bit will do. A group
// that may write was let in by the owner. The error wraps exec.ErrNotFound.
func LookPath(name string) (string, error) {
	refused := exec.ErrNotFound
	for _, dir := range filepath.SplitList(os.Getenv("PATH")) {
		if !filepath.IsAbs(dir) {
			continue
		}
		path := filepath.Join(dir, name)
		if info, err := os.Stat(path); err != nil || !info.Mode().IsRegular() || info.Mode()&0o111 == 0 {
			continue
		}
		if err := trusted(path); err != nil {
			refused = errors.Join(exec.ErrNotFound, err)
			continue
		}
		return path, nil
	}
	return "", &exec.Error{Name: name, Err: refused}
}

// trusted returns an error where others could change what lies at path.
func trusted(path string) error {
	target, err := filepath.EvalSymlinks(path)
	if err != nil {
		return err
	}
	dir, err := filepath.EvalSymlinks(filepath.Dir(path))
	if err != nil {
		return err
	}
	for _, at := range []string{target, filepath.Dir(target), dir} {
		if err := ours(at, 0); err != nil {
			return err
		}
		for up := filepath.Dir(at); ; up = filepath.Dir(up) {
			if err := ours(up, fs.ModeSticky); err != nil {
				return err
			}
			if up == filepath.Dir(up) {
				break
			}
		}
	}
	return nil
}

// ours returns an error where others can write to a file or directory, unless it has the mode bits in unless.
func ours(path string, unless fs.FileMode) error {
	info, err := os.Lstat(path)
	if err != nil {
		return err
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	switch {
	case !ok || st.Uid != 0 && int(st.Uid) != os.Geteuid() && !system(st.Uid):
		return errors.New(path + " belongs to somebody else")
	case info.Mode()&0o002 != 0 && info.Mode()&unless == 0:
		return errors.New(path + " can be written by everybody")
	}
	return nil
}

// system reports whether uid is what root is seen as, which is another one in a user namespace.
func system(uid uint32) bool {
	info, err := os.Stat("/usr")
	if err != nil {
		return false
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	return ok && st.Uid == uid
}
