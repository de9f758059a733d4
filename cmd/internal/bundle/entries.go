package bundle

import (
	"errors"
	"io"
)

// Entry is a file inside an executable.
type Entry struct {
	Name   string
	Header int64 // offset of its local header in the executable
	Offset int64 // offset of its bytes
	Size   int64 // of its bytes, as they lie there
	CRC    uint32
	Stored bool // its bytes are those of the file: neither compressed nor encrypted
}

// Entries returns the files inside an executable of size bytes in the order of its zip directory; there are none where there is no zip.
// Each has its local header where the directory says, and no two share a name or bytes; checksums are not proved.
// Errors wrap ErrFormat or ErrCut, or come from r.
func Entries(r io.ReaderAt, size int64) ([]Entry, error) {
	d, err := readDirectory(r, size)
	switch {
	case errors.Is(err, errNoZip) && cut(r, size):
		return nil, ErrCut
	case errors.Is(err, errNoZip):
		return nil, nil
	case err != nil:
		return nil, err
	}
	if err := d.check(r); err != nil {
		return nil, err
	}
	all := make([]Entry, 0, len(d.entries))
	for i := range d.entries {
		e := &d.entries[i]
		at, err := d.data(r, e)
		if err != nil {
			return nil, err
		}
		all = append(all, Entry{e.name, e.header, at, e.packed, e.crc, e.method == stored && e.flags&flagEncrypted == 0})
	}
	return all, nil
}
