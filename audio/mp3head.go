package audio

import (
	"encoding/binary"
	"time"
)

// mp3Header is what the four bytes in front of an MPEG audio frame say.
type mp3Header struct {
	version  int // 1, 2, or 25 for 2.5
	layer    int
	rate     int
	channels int
	bitrate  int // bits a second
	size     int // bytes, this header included
	samples  int // a channel
	crc      bool
}

var mp3Bitrates = [5][15]int{ // kbit/s
	{0, 32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448}, // MPEG-1 layer I
	{0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384},    // II
	{0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320},     // III
	{0, 32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256},    // MPEG-2 layer I
	{0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160},         // II, III
}

// parseMP3Header follows ISO 11172-3, 2.4.1.3, and ISO 13818-3. Free-format frames, whose size it does not tell, are not
// taken.
func parseMP3Header(b []byte) (h mp3Header, ok bool) {
	if len(b) < 4 || b[0] != 0xff || b[1]&0xe0 != 0xe0 {
		return h, false
	}
	version, layer, rate, bitrate := b[1]>>3&3, int(4-b[1]>>1&3), b[2]>>2&3, b[2]>>4
	if version == 1 || layer == 4 || rate == 3 || bitrate == 0 || bitrate == 15 || b[3]&3 == 2 {
		return h, false
	}
	h = mp3Header{version: 1, layer: layer, rate: [3]int{44100, 48000, 32000}[rate], channels: 2, crc: b[1]&1 == 0}
	row := layer - 1
	if version != 3 {
		h.version, h.rate, row = 2, h.rate/2, 3+min(layer-1, 1)
	}
	if version == 0 {
		h.version, h.rate = 25, h.rate/2
	}
	if b[3]>>6 == 3 {
		h.channels = 1
	}
	h.bitrate = mp3Bitrates[row][bitrate] * 1000
	pad := int(b[2] >> 1 & 1)
	switch {
	case layer == 1:
		h.samples = 384
		h.size = (12*h.bitrate/h.rate + pad) * 4
	case layer == 3 && h.version != 1:
		h.samples = 576
		h.size = 72*h.bitrate/h.rate + pad
	default:
		h.samples = 1152
		h.size = 144*h.bitrate/h.rate + pad
	}
	return h, true
}

// like reports whether a frame with header o may follow one with h.
func (h mp3Header) like(o mp3Header) bool {
	return h.version == o.version && h.layer == o.layer && h.rate == o.rate
}

// side returns where the side information of a layer III frame begins and how long it is.
func (h mp3Header) side() (at, n int) {
	at = 4
	if h.crc {
		at = 6
	}
	switch {
	case h.version == 1 && h.channels == 2:
		return at, 32
	case h.version == 1 || h.channels == 2:
		return at, 17
	}
	return at, 9
}

// mp3Tag is what a Xing, Info or VBRI frame, which holds no sound, says about the file.
type mp3Tag struct {
	frames     int64 // 0: not known; without the tag's own
	delay, pad int   // samples the encoder put in front and behind; -1: not known
}

// parseMP3Tag looks for a tag in a whole frame.
func parseMP3Tag(frame []byte, h mp3Header) (t mp3Tag, ok bool) {
	t.delay, t.pad = -1, -1
	if len(frame) >= 36+18 && string(frame[36:40]) == "VBRI" {
		t.frames = int64(binary.BigEndian.Uint32(frame[36+14:]))
		return t, true
	}
	at, n := h.side()
	b := frame[min(at+n, len(frame)):]
	if len(b) < 8 || string(b[:4]) != "Xing" && string(b[:4]) != "Info" {
		return t, false
	}
	flags := binary.BigEndian.Uint32(b[4:])
	b = b[8:]
	for bit, size := range [4]int{4, 4, 100, 4} { // frames, bytes, table of contents, quality
		if flags>>bit&1 == 0 {
			continue
		}
		if len(b) < size {
			return t, true
		}
		if bit == 0 {
			t.frames = int64(binary.BigEndian.Uint32(b))
		}
		b = b[size:]
	}
	// LAME's extension; others write it too, each with its own name.
	if len(b) >= 24 && (string(b[:3]) == "LAM" || string(b[:3]) == "Lav" || string(b[:3]) == "L3.") {
		t.delay, t.pad = int(b[21])<<4|int(b[22])>>4, int(b[22]&15)<<8|int(b[23])
	}
	return t, true
}

// mp3Duration is how long the sound lasts by the tag, or, for a constant bit rate, by the size of the file.
func mp3Duration(in *input, h mp3Header, t mp3Tag) time.Duration {
	f := Format{Rate: h.rate}
	if t.frames > 0 {
		return f.duration(t.frames*int64(h.samples) - int64(max(t.delay, 0)+max(t.pad, 0)))
	}
	return f.duration(max(in.left(), 0) * 8 * int64(h.rate) / int64(h.bitrate))
}
