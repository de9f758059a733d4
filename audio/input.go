package audio

import (
	"bufio"
	"io"
)

// input is the byte stream under a decoder. It knows how far it has been read, how long it is where that can be
// known, and whether the bytes ended because the file does or because reading failed.
type input struct {
	r    *bufio.Reader
	off  int64
	size int64 // of the whole file, or -1
	err  error // the first read error that is not io.EOF
}

// inputBuffer also bounds how far a format may be searched for.
const inputBuffer = 1 << 16

func newInput(r io.Reader) *input {
	in := &input{size: -1}
	if s, ok := r.(io.Seeker); ok {
		in.size = remaining(s)
	}
	in.r = bufio.NewReaderSize(&watched{r, &in.err}, inputBuffer)
	return in
}

// remaining is how many bytes lie ahead in s, or -1 where s cannot seek after all (a pipe)
// or does not tell (a device).
func remaining(s io.Seeker) int64 {
	here, err := s.Seek(0, io.SeekCurrent)
	if err != nil {
		return -1
	}
	end, err := s.Seek(0, io.SeekEnd)
	if err != nil {
		return -1
	}
	if _, err := s.Seek(here, io.SeekStart); err != nil || end <= here {
		return -1
	}
	return end - here
}

// watched notes why reading ended.
type watched struct {
	r   io.Reader
	err *error
}

func (w *watched) Read(p []byte) (int, error) {
	n, err := w.r.Read(p)
	if err != nil && err != io.EOF && *w.err == nil {
		*w.err = err
	}
	return n, err
}

func (in *input) Read(p []byte) (int, error) {
	n, err := in.r.Read(p)
	in.off += int64(n)
	return n, err
}

// ReadByte keeps decoders that read bit by bit from asking for one byte in a slice.
func (in *input) ReadByte() (byte, error) {
	b, err := in.r.ReadByte()
	if err == nil {
		in.off++
	}
	return b, err
}

// full reads len(p) bytes; the error is io.EOF where there is none, io.ErrUnexpectedEOF where there are too few.
func (in *input) full(p []byte) (int, error) { return io.ReadFull(in, p) }

// peek returns up to n bytes that come next, n being at most inputBuffer.
func (in *input) peek(n int) []byte {
	p, _ := in.r.Peek(n)
	return p
}

// skip discards n bytes, or what there is, and returns how many.
func (in *input) skip(n int64) int64 {
	k, _ := io.CopyN(io.Discard, in, n)
	return k
}

// left is how many bytes lie ahead, or -1.
func (in *input) left() int64 {
	if in.size < 0 {
		return -1
	}
	return max(in.size-in.off, 0)
}

// skipID3 discards the ID3v2 tags that come next; they may hold pictures of any size. Tags sometimes stand in front of wav
// and flac as well.
func (in *input) skipID3() {
	for {
		h := in.peek(10)
		if len(h) < 10 || string(h[:3]) != "ID3" || h[3] == 0xff || (h[6]|h[7]|h[8]|h[9])&0x80 != 0 {
			return
		}
		n := int64(h[6])<<21 | int64(h[7])<<14 | int64(h[8])<<7 | int64(h[9])
		if h[5]&0x10 != 0 {
			n += 10 // footer
		}
		in.skip(10 + n)
	}
}
