// Package bundle is about executables that carry a model and arguments: they end in a zip, whose weights are mapped from where they
// lie and whose file .args says how the program is to be started. It reads its own executable, chooses the program of a
// start, and is the programs that make such files.
package bundle

import (
	"compress/flate"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"strings"

	"github.com/whisperfile/whisperfile/ggml"
)

// argsName is the file that holds arguments, and maxArgs how long it may be.
const (
	argsName = ".args"
	maxArgs  = 1 << 20
)

// prefix may stand before the name of a file inside, as where an executable of Cosmopolitan's sees it.
const prefix = "/zip/"

// Bundle is an executable and what is inside.
type Bundle struct {
	dir  *directory
	path string
	args []string // of .args; nil where there is none

	mapped []byte // the whole executable
	unmap  func() error
}

// Open reads the directory at the end of the executable at path and maps the file, which reads no weights. An executable that has no
// zip is a Bundle without files. Errors are those of package os, or wrap ErrFormat or ErrCut.
func Open(path string) (*Bundle, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	b := &Bundle{path: path, dir: &directory{}}
	d, err := readDirectory(f, info.Size())
	switch {
	case errors.Is(err, errNoZip) && cut(f, info.Size()):
		return nil, fmt.Errorf("%s: %w", path, ErrCut)
	case errors.Is(err, errNoZip):
		return b, nil
	case err != nil:
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	b.dir = d
	if err := b.readArgs(f); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if b.mapped, b.unmap, err = ggml.Map(path); err != nil {
		return nil, err
	}
	if int64(len(b.mapped)) < info.Size() {
		return nil, errors.Join(fmt.Errorf("%s: %w", path, ErrCut), b.Close())
	}
	return b, nil
}

// Close unmaps the executable. What Weights returned must not be used any more.
func (b *Bundle) Close() error {
	if b.unmap == nil {
		return nil
	}
	return b.unmap()
}

// empty reports whether there is no file inside.
func (b *Bundle) empty() bool { return len(b.dir.entries) == 0 }

func (b *Bundle) readArgs(r io.ReaderAt) error {
	e := b.dir.find(argsName)
	if e == nil {
		return nil
	}
	text, err := b.dir.read(r, e, maxArgs)
	if err != nil {
		return err
	}
	b.args, err = parseArgs(string(text))
	return err
}

// read returns the contents of a small member and proves its checksum.
func (d *directory) read(r io.ReaderAt, e *entry, limit int64) ([]byte, error) {
	if e.size > limit {
		return nil, damaged("%q has more than %d bytes", e.name, limit)
	}
	at, err := d.data(r, e)
	if err != nil {
		return nil, err
	}
	var packed io.Reader = io.NewSectionReader(r, at, e.packed)
	switch {
	case e.flags&flagEncrypted != 0:
		return nil, damaged("%q is encrypted", e.name)
	case e.method == deflated:
		packed = flate.NewReader(packed)
	case e.method != stored:
		return nil, damaged("%q is compressed by method %d", e.name, e.method)
	}
	b, err := io.ReadAll(io.LimitReader(packed, e.size+1))
	if err != nil || int64(len(b)) != e.size || crc32.ChecksumIEEE(b) != e.crc {
		return nil, damaged("%q does not match its checksum", e.name)
	}
	return b, nil
}

// ggmlMagic begins a model file.
const ggmlMagic = "lmgg"

// Weights returns the model inside that name stands for, which may begin with /zip/: what it is called, and its bytes, which stay until
// Close and must not be written to. "" is the first model of the directory. The error wraps fs.ErrNotExist where there
// is none, and says what is wrong with one that cannot be mapped. Their checksum is not proved: that would read them.
func (b *Bundle) Weights(name string) (string, []byte, error) {
	if name != "" {
		name = strings.TrimPrefix(name, prefix)
		e := b.dir.find(name)
		if e == nil {
			return "", nil, fmt.Errorf("no %q in %s: %w", name, b.path, fs.ErrNotExist)
		}
		data, err := b.bytes(e)
		return name, data, err
	}
	var packed *entry
	for i := range b.dir.entries {
		e := &b.dir.entries[i]
		if e.method != stored {
			if packed == nil && strings.HasSuffix(e.name, ".bin") {
				packed = e
			}
			continue
		}
		if e.size < int64(len(ggmlMagic)) {
			continue
		}
		data, err := b.bytes(e)
		if err != nil {
			return "", nil, err
		}
		if string(data[:len(ggmlMagic)]) == ggmlMagic {
			return e.name, data, nil
		}
	}
	if packed != nil {
		data, err := b.bytes(packed)
		return packed.name, data, err
	}
	return "", nil, fmt.Errorf("no model in %s: %w", b.path, fs.ErrNotExist)
}

// bytes returns where a stored member is mapped.
func (b *Bundle) bytes(e *entry) ([]byte, error) {
	if e.method != stored || e.flags&flagEncrypted != 0 {
		return nil, fmt.Errorf("%s: %q is compressed and cannot be mapped; zipalign -0 stores it", b.path, e.name)
	}
	at, err := b.dir.data(reader(b.mapped), e)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", b.path, err)
	}
	return b.mapped[at : at+e.size : at+e.size], nil
}

// reader is bytes in memory as a file.
type reader []byte

func (r reader) ReadAt(p []byte, at int64) (int, error) {
	if at < 0 || at > int64(len(r)) {
		return 0, io.ErrUnexpectedEOF
	}
	n := copy(p, r[at:])
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

// Own opens the executable that runs: the file that the system names, or, where that has nothing inside because a loader runs the
// program, the one it was started as.
func Own(started string) (*Bundle, error) {
	path, err := os.Executable()
	if err == nil {
		b, err := Open(path)
		if err != nil || !b.empty() {
			return b, err
		}
	}
	other, lookErr := exec.LookPath(started)
	if lookErr != nil || same(path, other) {
		return &Bundle{path: path, dir: &directory{}}, nil
	}
	b, err := Open(other)
	if err != nil && !errors.Is(err, ErrCut) && !errors.Is(err, ErrFormat) {
		return &Bundle{path: path, dir: &directory{}}, nil
	}
	return b, err
}

func same(a, b string) bool {
	x, errA := os.Stat(a)
	y, errB := os.Stat(b)
	return errA == nil && errB == nil && os.SameFile(x, y)
}
