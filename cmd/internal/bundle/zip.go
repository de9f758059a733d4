package bundle

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
)

// Errors of files that hold, or should hold, a zip.
var (
	ErrFormat = errors.New("damaged zip")
	ErrCut    = errors.New("the file is cut short: its zip directory is missing")

	errNoZip = errors.New("no zip inside")
)

// Records of PKZIP's APPNOTE.TXT and their lengths without names, extra fields and comments.
const (
	sigLocal     = 0x04034b50
	sigEntry     = 0x02014b50
	sigEnd       = 0x06054b50
	sigEnd64     = 0x06064b50
	sigLocator64 = 0x07064b50

	lenLocal     = 30
	lenEntry     = 46
	lenEnd       = 22
	lenEnd64     = 56
	lenLocator64 = 20

	tag64 = 1 // the extra field of sizes and offsets that take 64 bits

	full16 = 0xffff // the value is in a ZIP64 record
	full32 = 0xffffffff

	stored, deflated = 0, 8

	flagEncrypted = 1 << 0
	flagLater     = 1 << 3 // checksum and sizes follow the data
	flagUTF8      = 1 << 11
)

// Limits of what a directory may hold.
const (
	maxDirectory = 64 << 20 // bytes
	maxEntries   = 1 << 18
	maxNameLen   = 4096
)

// entry is a file of the zip as the directory has it.
type entry struct {
	name   string
	method uint16
	flags  uint16
	crc    uint32
	packed int64  // bytes in the zip
	size   int64  // bytes of the file
	header int64  // where its local header is
	raw    []byte // its record in the directory
}

// directory is a zip's central directory, checked.
type directory struct {
	entries []entry
	start   int64 // offset of the directory in the file: all members end before it
	comment []byte
}

var le = binary.LittleEndian

func damaged(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrFormat, fmt.Sprintf(format, args...))
}

// readAt returns n bytes at an offset that was checked against the size of the file.
func readAt(r io.ReaderAt, at int64, n int) ([]byte, error) {
	b := make([]byte, n)
	if got, err := r.ReadAt(b, at); got < n {
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return nil, err
	}
	return b, nil
}

// readDirectory finds the directory at the end of a file of size bytes and checks all that can be told from the directory alone:
// that it ends where the end record begins, that every member lies before it, that no two share a name. The error is errNoZip where no
// end record ends the file, else it wraps ErrFormat or comes from r.
func readDirectory(r io.ReaderAt, size int64) (*directory, error) {
	at, end, err := findEnd(r, size)
	if err != nil {
		return nil, err
	}
	d := &directory{comment: end[lenEnd:]}
	disks := uint32(le.Uint16(end[4:])) | uint32(le.Uint16(end[6:]))
	here, all := uint64(le.Uint16(end[8:])), uint64(le.Uint16(end[10:]))
	length, start := uint64(le.Uint32(end[12:])), uint64(le.Uint32(end[16:]))
	stop := at
	if here == full16 || all == full16 || length == full32 || start == full32 {
		wide, from, err := readEnd64(r, at)
		if err != nil {
			return nil, err
		}
		if wide != nil {
			stop = from
			disks = le.Uint32(wide[16:]) | le.Uint32(wide[20:])
			here, all = le.Uint64(wide[24:]), le.Uint64(wide[32:])
			length, start = le.Uint64(wide[40:]), le.Uint64(wide[48:])
		} else if length == full32 || start == full32 {
			return nil, damaged("the ZIP64 end record is missing")
		}
	} else if _, from, err := readEnd64(r, at); err == nil && from > 0 {
		stop = from // written without need
	}
	switch {
	case disks != 0 || here != all:
		return nil, damaged("it is one disk of several")
	case length > maxDirectory || all > maxEntries:
		return nil, damaged("a directory of %d files in %d bytes is beyond the limit", all, length)
	case length > uint64(stop):
		return nil, damaged("a directory of %d bytes in a file of %d", length, size)
	case start != uint64(stop)-length:
		return nil, damaged("the directory should begin at %d and begins at %d", start, uint64(stop)-length)
	case all*lenEntry > length:
		return nil, damaged("%d files do not fit a directory of %d bytes", all, length)
	}
	d.start = int64(start)
	b, err := readAt(r, d.start, int(length))
	if err != nil {
		return nil, err
	}
	return d, d.parse(b, int(all))
}

// findEnd returns the end record, with its comment, that ends the file, and where it is.
func findEnd(r io.ReaderAt, size int64) (at int64, record []byte, err error) {
	for _, reach := range []int64{lenEnd, lenEnd + full16} {
		n := min(size, reach)
		tail, err := readAt(r, size-n, int(n))
		if err != nil {
			return 0, nil, err
		}
		for i := len(tail) - lenEnd; i >= 0; i-- {
			if le.Uint32(tail[i:]) == sigEnd && int(le.Uint16(tail[i+20:])) == len(tail)-i-lenEnd {
				return size - n + int64(i), tail[i:], nil
			}
		}
	}
	return 0, nil, errNoZip
}

// readEnd64 returns the ZIP64 end record before the end record at offset end, and where it is; nil where there is none.
func readEnd64(r io.ReaderAt, end int64) (record []byte, at int64, err error) {
	if end < lenEnd64+lenLocator64 {
		return nil, 0, nil
	}
	l, err := readAt(r, end-lenLocator64, lenLocator64)
	if err != nil || le.Uint32(l) != sigLocator64 {
		return nil, 0, err
	}
	last := end - lenLocator64 - lenEnd64
	from := le.Uint64(l[8:])
	if from > uint64(last) {
		return nil, 0, damaged("the ZIP64 end record should be at %d of %d bytes", from, end)
	}
	at = int64(from)
	if record, err = readAt(r, at, lenEnd64); err != nil {
		return nil, 0, err
	}
	if le.Uint32(record) != sigEnd64 || le.Uint64(record[4:]) != uint64(end-lenLocator64-at-12) {
		return nil, 0, damaged("there is no ZIP64 end record at %d", at)
	}
	return record, at, nil
}

// parse reads n entries, which must fill b.
func (d *directory) parse(b []byte, n int) error {
	d.entries = make([]entry, 0, n)
	seen := make(map[string]bool, n)
	for range n {
		if len(b) < lenEntry || le.Uint32(b) != sigEntry {
			return damaged("file %d of the directory is none", len(d.entries)+1)
		}
		nameLen, extraLen, commentLen := int(le.Uint16(b[28:])), int(le.Uint16(b[30:])), int(le.Uint16(b[32:]))
		total := lenEntry + nameLen + extraLen + commentLen
		if total > len(b) || nameLen == 0 || nameLen > maxNameLen {
			return damaged("file %d of the directory has a name of %d bytes", len(d.entries)+1, nameLen)
		}
		e := entry{
			name:  string(b[lenEntry : lenEntry+nameLen]),
			flags: le.Uint16(b[8:]), method: le.Uint16(b[10:]), crc: le.Uint32(b[16:]),
			raw: b[:total:total],
		}
		packed, size, header := uint64(le.Uint32(b[20:])), uint64(le.Uint32(b[24:])), uint64(le.Uint32(b[42:]))
		if err := widen(b[lenEntry+nameLen:lenEntry+nameLen+extraLen], &size, &packed, &header); err != nil {
			return fmt.Errorf("%w of %q", err, e.name)
		}
		switch {
		case le.Uint16(b[34:]) != 0 && le.Uint16(b[34:]) != full16:
			return damaged("%q is on another disk", e.name)
		case header > uint64(d.start) || packed > uint64(d.start)-header || uint64(d.start)-header-packed < uint64(lenLocal+nameLen):
			return damaged("%q does not lie before the directory", e.name)
		case size > 1<<62:
			return damaged("%q has %d bytes", e.name, size)
		case e.method == stored && packed != size && e.flags&flagEncrypted == 0:
			return damaged("%q is stored and has two sizes", e.name)
		case seen[e.name]:
			return damaged("two files are called %q", e.name)
		}
		e.packed, e.size, e.header = int64(packed), int64(size), int64(header)
		seen[e.name] = true
		d.entries = append(d.entries, e)
		b = b[total:]
	}
	if len(b) > 0 {
		return damaged("%d bytes behind the last file of the directory", len(b))
	}
	return nil
}

// widen replaces those values that are full by their 64 bits in the extra fields; they stand there in the order given.
func widen(extra []byte, values ...*uint64) error {
	var wide []byte
	for len(extra) >= 4 {
		tag, n := le.Uint16(extra), int(le.Uint16(extra[2:]))
		if n > len(extra)-4 {
			break // some writers pad with less than a field
		}
		if tag == tag64 {
			wide = extra[4 : 4+n]
			break
		}
		extra = extra[4+n:]
	}
	for _, v := range values {
		if *v != full32 {
			continue
		}
		if len(wide) < 8 {
			return damaged("the ZIP64 field is missing")
		}
		*v, wide = le.Uint64(wide), wide[8:]
	}
	return nil
}

// data checks the local header of e against the directory and returns where its bytes begin. They end before the directory.
func (d *directory) data(r io.ReaderAt, e *entry) (int64, error) {
	h, err := readAt(r, e.header, lenLocal)
	if err != nil {
		return 0, err
	}
	nameLen, extraLen := int(le.Uint16(h[26:])), int(le.Uint16(h[28:]))
	at := e.header + lenLocal + int64(nameLen) + int64(extraLen)
	if le.Uint32(h) != sigLocal || nameLen != len(e.name) || at > d.start || e.packed > d.start-at {
		return 0, damaged("%q is not where the directory says", e.name)
	}
	rest, err := readAt(r, e.header+lenLocal, nameLen+extraLen)
	if err != nil {
		return 0, err
	}
	flags, crc := le.Uint16(h[6:]), le.Uint32(h[14:])
	packed, size := uint64(le.Uint32(h[18:])), uint64(le.Uint32(h[22:]))
	if err := widen(rest[nameLen:], &size, &packed); err != nil {
		return 0, fmt.Errorf("%w of %q", err, e.name)
	}
	same := string(rest[:nameLen]) == e.name && le.Uint16(h[8:]) == e.method && (flags^e.flags)&(flagEncrypted|flagLater) == 0
	if flags&flagLater == 0 {
		same = same && crc == e.crc && packed == uint64(e.packed) && size == uint64(e.size)
	}
	if !same {
		return 0, damaged("%q is not what the directory says", e.name)
	}
	return at, nil
}

// check checks the local headers of all members, and that no two share bytes.
func (d *directory) check(r io.ReaderAt) error {
	type span struct {
		from, to int64
		name     string
	}
	var spans []span
	for i := range d.entries {
		e := &d.entries[i]
		at, err := d.data(r, e)
		if err != nil {
			return err
		}
		spans = append(spans, span{e.header, at + e.packed, e.name})
	}
	slices.SortFunc(spans, func(a, b span) int { return cmp.Compare(a.from, b.from) })
	for i := 1; i < len(spans); i++ {
		if spans[i].from < spans[i-1].to {
			return damaged("%q and %q share bytes", spans[i-1].name, spans[i].name)
		}
	}
	return nil
}

// find returns the member of that name, or nil.
func (d *directory) find(name string) *entry {
	for i := range d.entries {
		if d.entries[i].name == name {
			return &d.entries[i]
		}
	}
	return nil
}

// isRecord reports whether b begins like a record of a zip.
func isRecord(b []byte) bool {
	if len(b) < 4 {
		return bytes.HasPrefix([]byte("PK"), b[:min(len(b), 2)])
	}
	switch le.Uint32(b) {
	case sigLocal, sigEntry, sigEnd, sigEnd64:
		return true
	}
	return false
}
