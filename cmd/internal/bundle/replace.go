package bundle

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
)

// Rewrite makes the file at to at one moment, which may be the file at from: change gets a copy of the first keep bytes of from, and what it
// has made of them, on the disk, takes the name and the permissions of from. Until then, and after whatever error or death of the process,
// what is at to is as it was. A file system that can shares the bytes of the copy with those of the file.
func Rewrite(ctx context.Context, from, to string, keep int64, change func(*os.File) error) (err error) {
	if target, err := filepath.EvalSymlinks(to); err == nil {
		to = target
	}
	if info, err := os.Stat(to); err == nil && !info.Mode().IsRegular() {
		return fmt.Errorf("%s is no regular file", to)
	}
	old, err := os.Open(from)
	if err != nil {
		return err
	}
	defer old.Close()
	before, err := old.Stat()
	if err != nil {
		return err
	}
	f, name, err := scratch(to, before.Mode().Perm())
	if err != nil {
		return err
	}
	defer func() {
		f.Close()
		if err != nil && name != "" {
			os.Remove(name)
		}
	}()
	if err := copyHead(ctx, f, old, keep); err != nil {
		return err
	}
	if err := errors.Join(change(f), f.Chmod(before.Mode().Perm())); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	now, err := os.Stat(from)
	if err != nil {
		return err
	}
	if !os.SameFile(before, now) || now.Size() != before.Size() || !now.ModTime().Equal(before.ModTime()) {
		return fmt.Errorf("%s was changed by another program in the meantime", from)
	}
	if name == "" {
		if name, err = show(f, to); err != nil {
			return err
		}
	}
	old.Close() // no file that is open is replaced on Windows
	f.Close()
	if err := os.Rename(name, to); err != nil {
		return err
	}
	return syncDir(filepath.Dir(to))
}

// copyHead copies the first n bytes. The system does it, without a detour through this process, where it can.
func copyHead(ctx context.Context, to, from *os.File, n int64) error {
	const piece = 64 << 20
	for n > 0 {
		if err := ctx.Err(); err != nil {
			return err
		}
		done, err := io.CopyN(to, from, min(n, piece))
		if err != nil {
			return err
		}
		n -= done
	}
	return nil
}

// beside returns a name for a file that is to take the place of path.
func beside(path string) string {
	dir, base := filepath.Split(path)
	return filepath.Join(dir, fmt.Sprintf(".%.40s.%08x.tmp", strings.ToValidUTF8(base, "_"), rand.Uint32()))
}

// create makes a new file beside path.
func create(path string, mode os.FileMode) (f *os.File, name string, err error) {
	for {
		name = beside(path)
		f, err = os.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_EXCL, mode|0o600)
		if !errors.Is(err, os.ErrExist) {
			return f, name, err
		}
	}
}
