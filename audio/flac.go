package audio

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/mewkiz/flac/frame"
)

const (
	flacHeader = 16      // bytes of a frame's header, at most
	flacGap    = 600     // seconds of lost sound that silence stands for
	flacBlock  = 1 << 16 // samples of it at a time
)

// flacDecoder reads the frames behind the metadata. A frame that is damaged is left out; silence keeps the time.
type flacDecoder struct {
	in       *input
	channels int
	rate     int
	bits     uint8
	block    uint16 // samples a frame where all have as many, else 0
	total    int64  // 0: not known
	done     int64  // samples delivered
	silence  int64  // still to be delivered
	held     *frame.Frame
	out      []float32
	damage   int
}

func newFLAC(in *input) (Format, decoder, error) {
	f := Format{Container: "flac", Codec: "flac"}
	d := &flacDecoder{in: in}
	in.skip(4)
	for last := false; !last; {
		at := in.off
		var h [4]byte
		if n, _ := in.full(h[:]); n < len(h) {
			return f, nil, &FormatError{Offset: at, Field: "metadata", Err: fmt.Errorf("%w: cut short", ErrFormat)}
		}
		last = h[0]&0x80 != 0
		length := int64(h[1])<<16 | int64(h[2])<<8 | int64(h[3])
		if kind := h[0] & 0x7f; kind == 0 || f.Rate == 0 {
			var b [18]byte
			if n, _ := in.full(b[:]); kind != 0 || n < len(b) || length < 34 {
				return f, nil, &FormatError{Offset: at, Field: "stream info", Err: fmt.Errorf("%w: missing or too short", ErrFormat)}
			}
			length -= int64(len(b))
			if low, high := binary.BigEndian.Uint16(b[:]), binary.BigEndian.Uint16(b[2:]); low == high {
				d.block = low
			}
			x := binary.BigEndian.Uint64(b[10:]) // rate 20, channels−1 3, bits−1 5, samples 36
			f.Rate, f.Channels = int(x>>44), int(x>>41&7)+1
			d.rate, d.channels, d.bits, d.total = f.Rate, f.Channels, uint8(x>>36&31)+1, int64(x&(1<<36-1))
			f.Duration = f.duration(d.total)
			if err := f.check(); err != nil {
				return f, nil, &FormatError{Offset: at, Field: "stream info", Err: err}
			}
		}
		in.skip(length)
	}
	return f, d, nil
}

func (d *flacDecoder) next() ([]float32, error) {
	for {
		if d.silence > 0 {
			n := min(d.silence, flacBlock)
			d.silence -= n
			d.done += n
			d.out = d.out[:0]
			return append(d.out, make([]float32, int(n)*d.channels)...), nil
		}
		f := d.held
		if d.held = nil; f == nil {
			var err error
			if f, err = d.parse(); err != nil {
				if d.resync(err) {
					continue
				}
				return nil, d.end()
			}
			if gap := d.position(f) - d.done; d.damage > 0 && gap > 0 && gap <= flacGap*int64(d.rate) {
				d.silence, d.held = gap, f
				continue
			}
		}
		return d.convert(f), nil
	}
}

// parse reads a frame and checks that it belongs here.
func (d *flacDecoder) parse() (f *frame.Frame, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("the decoder stopped: %v", p)
		}
	}()
	if len(d.in.peek(1)) == 0 {
		return nil, io.EOF
	}
	if f, err = frame.New(d.in); err != nil {
		return nil, err
	}
	if f.BitsPerSample == 0 {
		f.BitsPerSample = d.bits
	}
	if f.Channels.Count() != d.channels {
		return nil, errors.New("the number of channels changes")
	}
	if err := f.Parse(); err != nil {
		return nil, err
	}
	for _, s := range f.Subframes {
		if len(s.Samples) != int(f.BlockSize) {
			return nil, errors.New("a frame is too short")
		}
	}
	return f, nil
}

// resync looks for the next frame header behind damage.
func (d *flacDecoder) resync(err error) bool {
	if err == io.EOF {
		return false
	}
	for {
		b := d.in.peek(inputBuffer)
		i := 0
		for i+1 < len(b) && (b[i] != 0xff || b[i+1]&0xfe != 0xf8) {
			i++
		}
		d.in.skip(int64(i))
		if i+1 >= len(b) {
			if len(b) < inputBuffer {
				return false
			}
			continue
		}
		if _, err := frame.New(bytes.NewReader(d.in.peek(flacHeader))); err == nil {
			d.damage++
			return true
		}
		d.in.skip(1)
	}
}

// position is the first sample's number, by the frame's header.
func (d *flacDecoder) position(f *frame.Frame) int64 {
	n := f.Num
	if f.HasFixedBlockSize {
		if d.block == 0 || n > 1<<36 {
			return d.done
		}
		n *= uint64(d.block)
	}
	if n > 1<<40 || d.total > 0 && int64(n) >= d.total {
		return d.done
	}
	return int64(n)
}

func (d *flacDecoder) convert(f *frame.Frame) []float32 {
	n := int(f.BlockSize)
	d.out = append(d.out[:0], make([]float32, n*d.channels)...)
	scale := 1 / float32(uint64(1)<<(f.BitsPerSample-1))
	for c, s := range f.Subframes {
		for i, v := range s.Samples {
			d.out[i*d.channels+c] = float32(v) * scale
		}
	}
	d.done += int64(n)
	return d.out
}

// end says how the file ended.
func (d *flacDecoder) end() error {
	switch {
	case d.done > 0 && d.total > d.done:
		return cut(d.total - d.done)
	case d.damage > 0:
		return damaged(d.damage)
	case d.done == 0 && d.total > 0:
		return errors.New("no frame can be decoded")
	}
	return io.EOF
}

// damaged is the damage of a file of which parts are left out.
type damaged int

func (n damaged) Error() string {
	if n == 1 {
		return "the file is damaged in 1 place"
	}
	return fmt.Sprintf("the file is damaged in %d places", int(n))
}
