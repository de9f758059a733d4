package bundle

import (
	"bytes"
	"compress/flate"
	"context"
	"errors"
	"io"
	"os"
	"time"
)

// File is a file to be put into a zip.
type File struct {
	Name string
	Data []byte
}

// Put puts files, deflated, into the executable or zip at target, in place of those of the same names, as zipalign does: at one moment, or
// not at all. A target that holds them already, with that time, is left alone. Errors are for the user.
func Put(ctx context.Context, target string, files []File, t time.Time) error {
	a := &addition{align: 1}
	for _, f := range files {
		a.items = append(a.items, item{
			Part: Part{
				Name: f.Name, Size: int64(len(f.Data)),
				Open: func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(f.Data)), nil },
			},
			time: t, level: flate.BestCompression,
		})
	}
	if there, err := holds(target, files, t); there || err != nil {
		return err
	}
	return a.into(ctx, target)
}

// holds reports whether the zip of target has all these files.
func holds(target string, files []File, t time.Time) (bool, error) {
	r, err := os.Open(target)
	if err != nil {
		return false, err
	}
	defer r.Close()
	info, err := r.Stat()
	if err != nil {
		return false, err
	}
	d, err := readDirectory(r, info.Size())
	if errors.Is(err, errNoZip) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	clock, date := (&member{time: t}).moment()
	for _, f := range files {
		e := d.find(f.Name)
		if e == nil || le.Uint16(e.raw[12:]) != clock || le.Uint16(e.raw[14:]) != date {
			return false, nil
		}
		if data, err := d.read(r, e, int64(len(f.Data))); err != nil || !bytes.Equal(data, f.Data) {
			return false, nil //nolint:nilerror // a member that differs in whatever way is replaced
		}
	}
	return true, nil
}

// Models returns the names of the models inside that can be mapped, in the order of the directory.
func (b *Bundle) Models() []string {
	var names []string
	for i := range b.dir.entries {
		e := &b.dir.entries[i]
		if e.method != stored || e.size < int64(len(ggmlMagic)) {
			continue
		}
		if data, err := b.bytes(e); err == nil && string(data[:len(ggmlMagic)]) == ggmlMagic {
			names = append(names, e.name)
		}
	}
	return names
}
