package serve

import (
	"errors"
	"io"
)

// blob is a file in memory, in pieces, so that it grows without being copied. What it may hold is taken from an account.
type blob struct {
	pieces  [][]byte
	size    int64
	taken   int64
	account *account
}

// pieceSize is that of all pieces but the first: most uploads are small.
const firstPiece, pieceSize = 64 << 10, 1 << 20

// errHeld means that uploads hold all the memory they may.
var errHeld = errors.New("uploads hold all the memory that they may")

// ReadFrom appends what r delivers.
func (b *blob) ReadFrom(r io.Reader) (n int64, err error) {
	for {
		last := len(b.pieces) - 1
		if last < 0 || len(b.pieces[last]) == cap(b.pieces[last]) {
			size := pieceSize
			if last < 0 {
				size = firstPiece
			}
			if !b.account.take(int64(size)) {
				return n, errHeld
			}
			b.taken += int64(size)
			b.pieces = append(b.pieces, make([]byte, 0, size))
			last++
		}
		p := b.pieces[last]
		k, err := r.Read(p[len(p):cap(p)])
		b.pieces[last] = p[:len(p)+k]
		b.size += int64(k)
		n += int64(k)
		if err == io.EOF {
			return n, nil
		}
		if err != nil {
			return n, err
		}
	}
}

// free lets go of the bytes.
func (b *blob) free() {
	b.account.give(b.taken)
	b.pieces, b.taken, b.size = nil, 0, 0
}

// reader reads the blob from its start.
func (b *blob) reader() io.ReadSeeker { return &blobReader{b: b} }

type blobReader struct {
	b   *blob
	off int64
}

func (r *blobReader) Read(p []byte) (int, error) {
	if r.off >= r.b.size {
		return 0, io.EOF
	}
	piece, at := 0, r.off
	if at >= firstPiece {
		piece, at = 1+int((at-firstPiece)/pieceSize), (at-firstPiece)%pieceSize
	}
	n := copy(p, r.b.pieces[piece][at:])
	r.off += int64(n)
	return n, nil
}

func (r *blobReader) Seek(offset int64, whence int) (int64, error) {
	switch whence {
	case io.SeekCurrent:
		offset += r.off
	case io.SeekEnd:
		offset += r.b.size
	}
	if offset < 0 {
		return 0, errors.New("seek before the start")
	}
	r.off = offset
	return offset, nil
}
