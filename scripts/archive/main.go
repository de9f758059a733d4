// Command archive packs a directory into a .tar.gz or a .zip whose bytes depend on nothing but the names and contents of its files and on
// the time it is given: not on users, clocks, umasks or which tar is installed. go run ./scripts/archive -time SECONDS OUT DIRECTORY
package main

import (
	"archive/tar"
	"archive/zip"
	"compress/flate"
	"compress/gzip"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

func main() {
	seconds := flag.Int64("time", 0, "the time of all files, in `SECONDS` since 1970")
	flag.Parse()
	if err := run(flag.Args(), time.Unix(*seconds, 0).UTC()); err != nil {
		fmt.Fprintln(os.Stderr, "archive:", err)
		os.Exit(1)
	}
}

func run(args []string, t time.Time) error {
	if len(args) != 2 {
		return errors.New("usage: archive -time SECONDS OUT DIRECTORY")
	}
	out, dir := args[0], args[1]
	pack := tarball
	if strings.HasSuffix(out, ".zip") {
		pack = zipfile
	}
	f, err := os.Create(out)
	if err != nil {
		return err
	}
	return errors.Join(pack(f, dir, t), f.Close())
}

// add puts a file of some size into an archive and returns where its contents go.
type add func(name string, mode fs.FileMode, size int64) (io.Writer, error)

// walk adds the files below dir in the order of their names, under dir's own name. Nobody's umask counts: who may execute a file is all of
// its mode that is kept.
func walk(dir string, add add) error {
	return filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		if !info.Mode().IsRegular() {
			return fmt.Errorf("%s is no regular file", path)
		}
		name, err := filepath.Rel(filepath.Dir(dir), path)
		if err != nil {
			return err
		}
		mode := fs.FileMode(0o644)
		if info.Mode()&0o100 != 0 {
			mode = 0o755
		}
		w, err := add(filepath.ToSlash(name), mode, info.Size())
		if err != nil {
			return err
		}
		f, err := os.Open(path)
		if err != nil {
			return err
		}
		defer f.Close()
		_, err = io.Copy(w, f)
		return err
	})
}

func tarball(w io.Writer, dir string, t time.Time) error {
	z, err := gzip.NewWriterLevel(w, gzip.BestCompression)
	if err != nil {
		return err
	}
	a := tar.NewWriter(z)
	err = walk(dir, func(name string, mode fs.FileMode, size int64) (io.Writer, error) {
		return a, a.WriteHeader(&tar.Header{Name: name, Mode: int64(mode), Size: size, ModTime: t, Format: tar.FormatUSTAR})
	})
	return errors.Join(err, a.Close(), z.Close())
}

func zipfile(w io.Writer, dir string, t time.Time) error {
	a := zip.NewWriter(w)
	a.RegisterCompressor(zip.Deflate, func(w io.Writer) (io.WriteCloser, error) { return flate.NewWriter(w, flate.BestCompression) })
	err := walk(dir, func(name string, mode fs.FileMode, _ int64) (io.Writer, error) {
		h := &zip.FileHeader{Name: name, Method: zip.Deflate, Modified: t}
		h.SetMode(mode)
		return a.CreateHeader(h)
	})
	return errors.Join(err, a.Close())
}
