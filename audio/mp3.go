package audio

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	mp3 "github.com/hajimehoshi/go-mp3"
)

// mp3Delay is how many samples the filter banks of every layer III decoder hold back.
const mp3Delay = 529

// mp3MaxAlone is the bit rate up to which frames at 22.05 kHz can be made to stand by themselves; see mp3Feed.
const mp3MaxAlone = 128000

// errNoMP3: there is no sequence of MPEG audio frames.
var errNoMP3 = errors.New("no MPEG audio")

// mp3Decoder cuts the file into frames itself and hands them to the library one by one. That way no damage makes it look for a
// frame in the middle of another; tags, the Xing frame and what an encoder put in front and behind never reach it;
// and a frame that breaks it costs that frame.
type mp3Decoder struct {
	in     *input
	first  mp3Header
	tag    mp3Tag
	feed   mp3Feed
	dec    *mp3.Decoder
	raw    []byte
	skip   int       // samples still to be left out
	hold   int       // samples at the end that are left out if all frames are there
	out    []float32 // decoded; the first sent have been delivered
	sent   int
	stereo bool
	frames int64
	heard  bool // a frame was decoded
	damage int
	lost   bool // in a damaged part
	short  bool // the last frame is not whole
	ended  bool
}

// mp3Patience is how many frames may fail at the start before the file is given up.
const mp3Patience = 1000

// newMP3 looks for MPEG audio frames, of which some must follow each other.
func newMP3(in *input) (Format, decoder, error) {
	f := Format{Container: "mp3"}
	at, ok := findMP3(in.peek(inputBuffer))
	if !ok {
		return f, nil, errNoMP3
	}
	in.skip(int64(at))
	d, err := newMP3Data(in, &f)
	return f, d, err
}

// newMP3Data reads the frames that begin here or a little further on.
func newMP3Data(in *input, f *Format) (decoder, error) {
	h, ok := parseMP3Header(in.peek(4))
	if !ok {
		at, ok := findMP3(in.peek(inputBuffer))
		if !ok {
			return nil, fmt.Errorf("%w: no MPEG audio frame", ErrFormat)
		}
		in.skip(int64(at))
		h, _ = parseMP3Header(in.peek(4))
	}
	f.Codec, f.Rate, f.Channels = "mp3", h.rate, h.channels
	if h.layer != 3 || h.version == 25 || h.rate == 22050 && h.bitrate > mp3MaxAlone {
		kind := fmt.Sprintf("MPEG-%d layer %d (%d Hz, %d kbit/s)", h.version, h.layer, h.rate, h.bitrate/1000)
		if h.version == 25 {
			kind = fmt.Sprintf("MPEG-2.5 layer %d (%d Hz)", h.layer, h.rate)
		}
		return nil, &FormatError{Offset: in.off, Field: "mp3", Err: fmt.Errorf("%w: %s; %s", ErrUnsupported, kind, hintConvert)}
	}
	d := &mp3Decoder{in: in, first: h, stereo: h.channels == 2, raw: make([]byte, 4*h.samples)}
	d.tag.delay, d.tag.pad = -1, -1
	if t, ok := parseMP3Tag(in.peek(h.size), h); ok {
		d.tag = t
		in.skip(int64(h.size))
		if t.delay >= 0 {
			d.skip, d.hold = t.delay+mp3Delay, max(t.pad-mp3Delay, 0)
		}
	}
	f.Duration = mp3Duration(in, h, d.tag)
	return d, nil
}

// findMP3 returns where the first of three frames in a row begins in b; two do, or one at the start, where b ends.
func findMP3(b []byte) (int, bool) {
	for i := range b {
		first, ok := parseMP3Header(b[i:])
		if !ok {
			continue
		}
		n, at := 0, i
		for h := first; ok && first.like(h) && n < 3; h, ok = parseMP3Header(b[min(at, len(b)):]) {
			n++
			at += h.size
		}
		if ended := at+4 > len(b) && len(b) < inputBuffer; n == 3 || ended && (n == 2 || i == 0) {
			return i, true
		}
	}
	return 0, false
}

func (d *mp3Decoder) next() ([]float32, error) {
	ch := 1
	if d.stereo {
		ch = 2
	}
	d.out = d.out[:copy(d.out, d.out[d.sent:])]
	d.sent = 0
	for {
		if n := min(d.skip*ch, len(d.out)); n > 0 {
			d.skip -= n / ch
			d.out = d.out[:copy(d.out, d.out[n:])]
		}
		if n := len(d.out) - d.hold*ch; n > 0 && d.heard {
			d.sent = n
			return d.out[:n], nil
		}
		if d.ended || !d.heard && d.frames >= mp3Patience {
			return nil, d.end()
		}
		if d.ended = !d.decode(); d.ended && d.frames != d.tag.frames {
			d.hold = 0
		}
	}
}

// end says how the file ended.
func (d *mp3Decoder) end() error {
	switch {
	case !d.heard:
		return errors.New("no frame can be decoded")
	case d.tag.frames > d.frames:
		return cut((d.tag.frames - d.frames) * int64(d.first.samples))
	case d.damage > 0:
		return damaged(d.damage)
	case d.short:
		return errors.New("the file is cut short in its last frame")
	}
	return io.EOF
}

// decode appends a frame to d.out: silence where it is damaged. It returns false at the end of the file.
func (d *mp3Decoder) decode() bool {
	h, ok := d.nextFrame()
	if !ok {
		return false
	}
	d.frames++
	sound := d.feed.fill(h)
	raw, err := d.library()
	if err != nil {
		d.feed.forget()
		raw = d.raw
		clear(raw)
	}
	good := sound && err == nil
	d.note(!good && (d.heard || err != nil))
	d.heard = d.heard || good
	for i := 0; i+4 <= len(raw); i += 4 {
		l := float32(int16(binary.LittleEndian.Uint16(raw[i:])))
		r := float32(int16(binary.LittleEndian.Uint16(raw[i+2:])))
		if d.stereo {
			d.out = append(d.out, l/(1<<15), r/(1<<15))
		} else {
			d.out = append(d.out, (l+r)/(1<<16))
		}
	}
	return true
}

// note counts the damaged parts.
func (d *mp3Decoder) note(lost bool) {
	if lost && !d.lost {
		d.damage++
	}
	d.lost = lost
}

// library decodes the frame in d.feed.
func (d *mp3Decoder) library() (raw []byte, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("the decoder stopped: %v", p)
		}
	}()
	if d.dec == nil {
		if d.dec, err = mp3.NewDecoder(&d.feed); err != nil {
			d.dec = nil
			return nil, err
		}
	}
	n, err := io.ReadFull(d.dec, d.raw)
	if n < len(d.raw) {
		return nil, io.ErrUnexpectedEOF
	}
	return d.raw, err
}

// nextFrame puts the next whole frame into d.feed, passing over tags and what is no frame.
func (d *mp3Decoder) nextFrame() (mp3Header, bool) {
	for {
		b := d.in.peek(inputBuffer)
		h, ok := parseMP3Header(b)
		ok = ok && h.like(d.first)
		switch {
		case len(b) < 4:
			return h, false
		case ok && h.size > len(b):
			d.short = true
			return h, false
		case ok:
			d.feed.frame = append(d.feed.frame[:0], b[:h.size]...)
			d.in.skip(int64(h.size))
			return h, true
		case string(b[:3]) == "TAG":
			d.in.skip(128)
			continue
		case len(b) >= 32 && string(b[:8]) == "APETAGEX":
			d.in.skip(32 + int64(binary.LittleEndian.Uint32(b[12:])))
			continue
		case string(b[:3]) == "ID3":
			before := d.in.off
			if d.in.skipID3(); d.in.off > before {
				continue
			}
		}
		i, found := d.search(b)
		d.in.skip(int64(i))
		if found && d.frames > 0 {
			d.note(true)
			d.feed.forget()
		}
	}
}

// search returns where behind the first byte of b another frame may begin: it is one only if a further one follows, or the
// end. Where there is none, it returns how much of b can be passed over.
func (d *mp3Decoder) search(b []byte) (int, bool) {
	last := len(b) < inputBuffer
	for i := 1; i+4 <= len(b); i++ {
		h, ok := parseMP3Header(b[i:])
		if !ok || !h.like(d.first) {
			continue
		}
		if end := i + h.size; end+4 > len(b) {
			if !last || end == len(b) {
				return i, true
			}
		} else if h, ok := parseMP3Header(b[end:]); ok && h.like(d.first) {
			return i, true
		}
	}
	if last {
		return len(b), false
	}
	return len(b) - 3, false
}

// mp3Feed is the io.Reader under the library: one frame at a time, prepared so that the library's faults do not show.
//
// A frame's main data may begin in the frames before it (the bit reservoir). Where those are lost, the side information
// is emptied: silence. The library takes some padded frames of MPEG-2 (at 22.05 kHz) for a byte shorter than they are.
// Such a frame, and those that need its data, are made to stand by themselves: with a bit rate that has room for all of the
// main data, and none taken from before.
type mp3Feed struct {
	frame []byte // as it is in the file
	out   []byte // as the library gets it
	left  []byte // of out, not yet read

	reservoir []byte // main data of the frames before; kept for MPEG-2 only
	reach     int    // how much of that the library has
}

// mp3Reservoir is how many bytes before its frame main data may begin.
const mp3Reservoir = 511

func (f *mp3Feed) Read(p []byte) (int, error) {
	if len(f.left) == 0 {
		return 0, io.EOF
	}
	n := copy(p, f.left)
	f.left = f.left[n:]
	return n, nil
}

// forget drops the reservoir and what the library left of the frame.
func (f *mp3Feed) forget() { f.reservoir, f.reach, f.left = f.reservoir[:0], 0, nil }

// fill prepares f.frame. It returns false if the frame will be silent because its main data is not there.
func (f *mp3Feed) fill(h mp3Header) (sound bool) {
	at, n := h.side()
	f.out = append(f.out[:0], f.frame...)
	if len(f.frame) < at+n {
		f.left = f.out
		return false
	}
	side, main := f.out[at:at+n], f.frame[at+n:]
	begin := int(side[0])
	if h.version == 1 {
		begin = begin<<1 | int(side[1])>>7
	}
	switch {
	case begin <= f.reach && h.size == mp3LibrarySize(h, f.frame):
		sound, f.reach = true, begin+len(main)
	case h.version == 1:
		begin = f.reach
		clear(side)
		side[0], side[1] = byte(begin>>1), byte(begin<<7)
		f.reach = begin + len(main)
	default:
		sound, f.reach = f.alone(h, at+n, begin, main), 0
		if !sound {
			clear(f.out[at:])
			f.out = f.out[:f.setRate(h, at+n)]
		}
	}
	f.left = f.out
	if h.version != 1 {
		f.reservoir = append(f.reservoir, main...)
		f.reservoir = f.reservoir[:copy(f.reservoir, f.reservoir[max(0, len(f.reservoir)-mp3Reservoir):])]
	}
	return sound
}

// mp3LibrarySize is how long the library takes a frame to be.
func mp3LibrarySize(h mp3Header, frame []byte) int {
	n := 144*h.bitrate/h.rate + int(frame[2]>>1&1)
	if h.version != 1 {
		n >>= 1
	}
	return n
}

// alone makes an MPEG-2 frame, whose side information ends at head, independent of the frames before. It reports whether
// their data is there and the frame can hold it.
func (f *mp3Feed) alone(h mp3Header, head, begin int, main []byte) bool {
	data := f.reservoir
	if begin > len(data) {
		return false
	}
	bits := 0
	at, _ := h.side()
	for c := range h.channels {
		bits += part23(f.out[at:], 8+h.channels+63*c)
	}
	data = append(data[len(data)-begin:], main...)
	data = data[:min(len(data), (bits+7)/8)]
	size := f.setRate(h, head+len(data))
	if size == 0 {
		return false
	}
	f.out = append(f.out[:head], data...)
	f.out = append(f.out, make([]byte, size-len(f.out))...)
	f.out[at] = 0 // main_data_begin
	return true
}

// part23 reads part2_3_length, the number of bits of a channel's main data, at a bit of the side information.
func part23(side []byte, bit int) int {
	v := 0
	for i := bit; i < bit+12; i++ {
		v = v<<1 | int(side[i/8]>>(7-i%8)&1)
	}
	return v
}

// setRate gives the MPEG-2 frame f.out the smallest bit rate at which it holds size bytes and no padding, and returns how many
// bytes it then has; 0 if there is none.
func (f *mp3Feed) setRate(h mp3Header, size int) int {
	for i, kbit := range mp3Bitrates[4] {
		if n := 72000 * kbit / h.rate; i > 0 && n >= size {
			f.out[2] = f.out[2]&0x0d | byte(i)<<4
			return n
		}
	}
	return 0
}
