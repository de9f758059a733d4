package bundle

import (
	"cmp"
	"compress/flate"
	"context"
	"errors"
	"fmt"
	"hash"
	"hash/crc32"
	"io"
	"os"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// item is a file to be put into a zip; an Align of 0 is that of the addition.
type item struct {
	Part
	time  time.Time
	level int // of deflate, 1 to 9; 0 stores
}

// Part is a file that Append stores in a zip.
type Part struct {
	Name       string
	Size       int64
	Executable bool
	Align      int64 // its bytes begin at a multiple of Align, a power of two
	Fill       bool  // what comes next begins at a multiple of Align; zeros are between
	Open       func() (io.ReadCloser, error)
}

// Place returns where the bytes of p begin in a zip whose last member ends at end, and where the next may begin.
func (p *Part) Place(end int64) (at, next int64) {
	at = roundUp(end+lenLocal+int64(len(p.Name)), p.Align)
	next = at + p.Size
	if p.Fill {
		next = roundUp(next, p.Align)
	}
	return at, next
}

// Append stores parts behind the first end bytes of f, where their Place is, and ends the file with a directory of them. All have the
// same time, so that the same parts give the same bytes.
func Append(ctx context.Context, f *os.File, end int64, parts []Part) error {
	var a addition
	for _, p := range parts {
		if p.Size >= full32 {
			return fmt.Errorf("%s has 4 GiB or more", p.Name)
		}
		a.items = append(a.items, item{Part: p, time: FixedTime})
	}
	return a.append(ctx, f, nil, nil, end)
}

// roundUp returns the first multiple of align, a power of two, from n on.
func roundUp(n, align int64) int64 { return (n + align - 1) &^ (align - 1) }

// addition is a change of a zip: what is put into it, and to which multiple its bytes go.
type addition struct {
	items []item
	align int64
	tell  func(name, how string, size, at int64) // of each item; nil for nobody
}

// plan returns the members of d that stay when items of these names come, and the offset up to which the file stays as it is. Members that
// go are cut off where nothing stands behind them; elsewhere their bytes are dead. program is where the executable's own bytes end:
// a member among them cannot go.
func (d *directory) plan(r io.ReaderAt, names map[string]bool, program int64) (keep []entry, end int64, err error) {
	for _, e := range d.entries {
		switch {
		case !names[e.name]:
			keep = append(keep, e)
		case e.header < program:
			return nil, 0, fmt.Errorf("%q is a part of the program and cannot be replaced", e.name)
		}
	}
	end = d.start
	order := slices.SortedFunc(slices.Values(d.entries), func(a, b entry) int { return cmp.Compare(b.header, a.header) })
	for i, e := range order {
		at, err := d.data(r, &e)
		if err != nil {
			return nil, 0, err
		}
		// Behind the last member may be more than members; checksums that follow others are known to be theirs.
		if !names[e.name] || i == 0 && at+e.packed < d.start || e.flags&flagLater != 0 {
			break
		}
		end = e.header
	}
	return keep, end, nil
}

// append writes the members of a behind the offset end of f, then the directory of keep and of them, which ends the file.
func (a *addition) append(ctx context.Context, f *os.File, keep []entry, comment []byte, end int64) error {
	var records []byte
	for _, e := range keep {
		records = append(records, e.raw...)
	}
	for i := range a.items {
		record, next, err := a.member(ctx, f, &a.items[i], end)
		if err != nil {
			return err
		}
		records, end = append(records, record...), next
	}
	if err := f.Truncate(end); err != nil {
		return err
	}
	tail := append(records, endRecords(len(keep)+len(a.items), int64(len(records)), end, comment)...)
	_, err := f.WriteAt(tail, end)
	return err
}

// member writes one member behind end, and returns its record and where it ends.
func (a *addition) member(ctx context.Context, f *os.File, it *item, end int64) (record []byte, next int64, err error) {
	m := member{name: it.Name, exec: it.Executable, time: it.time, size: it.Size, packed: it.Size}
	if it.level > 0 {
		m.method = deflated
	}
	// A length that is not known yet has room when it could take 64 bits.
	m.wide = it.Size >= full32-it.Size/1000-1<<16 && it.level > 0 || it.Size >= full32
	head := int64(len(m.local()))
	align := cmp.Or(it.Align, a.align)
	at := roundUp(end+head, align) - head
	m.header = at
	if err := f.Truncate(end); err != nil { // so that the gap reads as zeros
		return nil, 0, err
	}
	r, err := it.Open()
	if err != nil {
		return nil, 0, err
	}
	defer r.Close()
	if _, err := f.Seek(at+head, io.SeekStart); err != nil {
		return nil, 0, err
	}
	sum := crc32.NewIEEE()
	n, packed, err := pack(ctx, f, r, sum, it.level)
	if err != nil {
		return nil, 0, err
	}
	if n != it.Size {
		return nil, 0, fmt.Errorf("%s changed while it was read", it.Name)
	}
	if m.method == deflated && packed >= n { // deflate did not help
		plain := *it
		plain.level = 0
		return a.member(ctx, f, &plain, end)
	}
	m.crc, m.packed = sum.Sum32(), packed
	if _, err := f.WriteAt(m.local(), at); err != nil {
		return nil, 0, err
	}
	if a.tell != nil {
		how := "stored"
		if m.method == deflated {
			how = "deflated"
		}
		a.tell(it.Name, how, packed, at+head)
	}
	next = at + head + packed
	if it.Fill {
		next = roundUp(next, align)
	}
	return m.central(), next, nil
}

// pack copies r to w, deflated at levels above 0, and returns how much was read and written.
func pack(ctx context.Context, w io.Writer, r io.Reader, sum hash.Hash32, level int) (read, written int64, err error) {
	out := &counter{w: w}
	var to io.Writer = out
	closed := func() error { return nil }
	if level > 0 {
		z, err := flate.NewWriter(out, level)
		if err != nil {
			return 0, 0, err
		}
		to, closed = z, z.Close
	}
	b := make([]byte, 1<<20)
	for {
		if err := ctx.Err(); err != nil {
			return read, out.n, err
		}
		n, err := r.Read(b)
		read += int64(n)
		sum.Write(b[:n])
		if _, err := to.Write(b[:n]); err != nil {
			return read, out.n, err
		}
		if err != nil {
			if errors.Is(err, io.EOF) {
				err = closed()
			}
			return read, out.n, err
		}
	}
}

type counter struct {
	w io.Writer
	n int64
}

func (c *counter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.n += int64(n)
	return n, err
}

// member is what the records of a new member say.
type member struct {
	name         string
	exec         bool
	time         time.Time
	method       uint16
	crc          uint32
	packed, size int64
	header       int64
	wide         bool // the local header has room for sizes of 64 bits
}

const (
	version20, version45 = 20, 45 // of the format: deflate, ZIP64
	madeByUnix           = 3 << 8
)

func (m *member) version() uint16 {
	if m.wide || m.header >= full32 {
		return version45
	}
	return version20
}

func (m *member) utf8() uint16 {
	if strings.ContainsFunc(m.name, func(r rune) bool { return r >= utf8.RuneSelf }) && utf8.ValidString(m.name) {
		return flagUTF8
	}
	return 0
}

// moment is the time in the format's two halves, which begin in 1980 and count pairs of seconds.
func (m *member) moment() (clock, date uint16) {
	t := m.time
	if t.Year() < 1980 || t.Year() > 2107 {
		t = time.Date(1980, 1, 1, 0, 0, 0, 0, t.Location())
	}
	return uint16(t.Hour()<<11 | t.Minute()<<5 | t.Second()/2), uint16((t.Year()-1980)<<9 | int(t.Month())<<5 | t.Day())
}

// shared are the fields that both records have in the same order, from the version to the length of the name.
func (m *member) shared(packed, size uint32) []byte {
	clock, date := m.moment()
	b := le.AppendUint16(nil, m.version())
	for _, v := range []uint16{m.utf8(), m.method, clock, date} {
		b = le.AppendUint16(b, v)
	}
	for _, v := range []uint32{m.crc, packed, size} {
		b = le.AppendUint32(b, v)
	}
	return le.AppendUint16(b, uint16(len(m.name)))
}

func (m *member) local() []byte {
	packed, size := uint32(m.packed), uint32(m.size)
	var extra []byte
	if m.wide {
		packed, size = full32, full32
		extra = le.AppendUint32(extra, tag64|16<<16)
		extra = le.AppendUint64(extra, uint64(m.size))
		extra = le.AppendUint64(extra, uint64(m.packed))
	}
	b := append(le.AppendUint32(nil, sigLocal), m.shared(packed, size)...)
	b = le.AppendUint16(b, uint16(len(extra)))
	return append(append(b, m.name...), extra...)
}

// central is the record in the directory. Its ZIP64 field holds what needs it and no more.
func (m *member) central() []byte {
	var wide []byte
	narrow := func(v int64) uint32 {
		if v < full32 {
			return uint32(v)
		}
		wide = le.AppendUint64(wide, uint64(v))
		return full32
	}
	size := narrow(m.size)
	packed := narrow(m.packed)
	header := narrow(m.header)
	if len(wide) > 0 {
		wide = append(le.AppendUint32(nil, tag64|uint32(len(wide))<<16), wide...)
	}
	mode := uint32(0o100644)
	if m.exec {
		mode = 0o100755
	}
	b := le.AppendUint32(nil, sigEntry)
	b = le.AppendUint16(b, madeByUnix|version45)
	b = append(b, m.shared(packed, size)...)
	b = le.AppendUint16(b, uint16(len(wide)))
	b = append(b, make([]byte, 6)...) // comment, disk, internal attributes
	b = le.AppendUint32(b, mode<<16)
	b = le.AppendUint32(b, header)
	return append(append(b, m.name...), wide...)
}

// endRecords end a file whose directory of n members and length bytes begins at start.
func endRecords(n int, length, start int64, comment []byte) []byte {
	var b []byte
	if n >= full16 || length >= full32 || start >= full32 {
		b = le.AppendUint32(b, sigEnd64)
		b = le.AppendUint64(b, lenEnd64-12)
		b = le.AppendUint16(b, madeByUnix|version45)
		b = le.AppendUint16(b, version45)
		b = append(b, make([]byte, 8)...) // disks
		for _, v := range []uint64{uint64(n), uint64(n), uint64(length), uint64(start)} {
			b = le.AppendUint64(b, v)
		}
		b = le.AppendUint32(b, sigLocator64)
		b = le.AppendUint32(b, 0)
		b = le.AppendUint64(b, uint64(start+length))
		b = le.AppendUint32(b, 1)
	}
	b = le.AppendUint32(b, sigEnd)
	b = le.AppendUint32(b, 0)
	for range 2 {
		b = le.AppendUint16(b, uint16(min(n, full16)))
	}
	b = le.AppendUint32(b, uint32(min(length, full32)))
	b = le.AppendUint32(b, uint32(min(start, full32)))
	b = le.AppendUint16(b, uint16(len(comment)))
	return append(b, comment...)
}
