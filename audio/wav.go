package audio

import (
	"encoding/binary"
	"fmt"
)

// The wave format tags that are decoded, and the names of some that are not.
const (
	waveInt        = 0x0001
	waveFloat      = 0x0003
	waveALaw       = 0x0006
	waveMuLaw      = 0x0007
	waveIMA        = 0x0011
	waveMP3        = 0x0055
	waveExtensible = 0xfffe
)

var waveNames = map[uint16]string{
	0x0002: "Microsoft ADPCM", 0x0031: "GSM 06.10", 0x0040: "G.721", 0x0045: "G.726", 0x0050: "MPEG layer I or II",
	0x0061: "DK4 ADPCM", 0x0064: "G.726", 0x00ff: "AAC", 0x0160: "WMA", 0x0161: "WMA", 0x0162: "WMA Pro", 0x0163: "WMA lossless",
	0x2000: "AC-3", 0x2001: "DTS", 0x674f: "Vorbis", 0x704f: "Opus", 0xf1ac: "FLAC",
}

// waveFmt is the fmt chunk.
type waveFmt struct {
	tag           uint16
	channels      int
	rate          int64
	align         int // bytes a block
	bits          int
	samplesABlock int // ADPCM
}

// Data sizes that writers put when they do not know the size, because they write to a pipe or have not finished.
const (
	waveUnknown   = 0xffffffff
	waveUnknownLo = 0x7fff0000 // from here up to 2 GiB: sox and others
	waveUnknownHi = 0x80000000
)

// newWAV reads a RIFF, RIFX (big-endian), RF64 or BW64 file up to its samples. A fmt chunk must come before them. Other
// chunks are skipped.
func newWAV(in *input) (Format, decoder, error) {
	var h [12]byte
	in.full(h[:])
	f := Format{Container: "wav"}
	var o binary.ByteOrder = binary.LittleEndian
	switch string(h[:4]) {
	case "RIFX":
		o = binary.BigEndian
	case "RF64", "BW64":
		f.Container = "rf64"
	}
	var (
		fmtc  *waveFmt
		size  = int64(-1) // of the data, from a ds64 chunk
		facts = int64(-1) // samples, from a fact chunk
	)
	for {
		at := in.off
		fail := func(field string, err error) (Format, decoder, error) {
			return f, nil, &FormatError{Offset: at, Field: field, Err: err}
		}
		var c [8]byte
		if n, _ := in.full(c[:]); n < len(c) {
			return fail("wav", fmt.Errorf("%w: no data chunk", ErrFormat))
		}
		length := int64(o.Uint32(c[4:]))
		switch id := string(c[:4]); id {
		case "data":
			if fmtc == nil {
				return fail("data chunk", fmt.Errorf("%w: no fmt chunk before it", ErrFormat))
			}
			f.Rate, f.Channels = int(fmtc.rate), fmtc.channels
			if err := f.check(); err != nil {
				return fail("fmt chunk", err)
			}
			length, promised := waveLength(in, length, size)
			d, err := fmtc.decoder(in, o, &f, length, promised, facts)
			if err != nil {
				return fail("fmt chunk", err)
			}
			return f, d, nil
		case "fmt ", "ds64", "fact":
			var b [40]byte
			n, _ := in.full(b[:min(length, int64(len(b)))])
			switch {
			case id == "ds64" && n >= 16:
				size = int64(binary.LittleEndian.Uint64(b[8:]))
			case id == "fact" && n >= 4:
				facts = int64(o.Uint32(b[:]))
			case id == "fmt ":
				var err error
				if fmtc, err = parseWaveFmt(b[:n], o); err != nil {
					return fail("fmt chunk", err)
				}
			}
			in.skip(length - int64(n))
		default:
			in.skip(length)
		}
		if length&1 != 0 {
			in.skipPadding()
		}
	}
}

// skipPadding skips the byte that makes a chunk's length even, which some writers leave out.
func (in *input) skipPadding() {
	p := in.peek(5)
	if len(p) == 5 && p[0] != 0 && isChunkID(p[:4]) && !isChunkID(p[1:]) {
		return
	}
	in.skip(1)
}

func isChunkID(p []byte) bool {
	for _, c := range p {
		if c < ' ' || c > '~' {
			return false
		}
	}
	return true
}

// waveLength is how many bytes of data to read, or -1 for all there are, from the data chunk's and the ds64 chunk's
// size. promised says that the number is meant.
func waveLength(in *input, length, size int64) (n int64, promised bool) {
	switch {
	case length == waveUnknown && size > 0:
		return size, true
	case length == waveUnknown:
		return -1, false
	case length == 0:
		switch string(in.peek(4)) {
		case "LIST", "fact", "id3 ", "ID3 ", "bext", "cue ", "JUNK", "smpl":
			return 0, true // empty indeed
		}
		return -1, false
	case length >= waveUnknownLo && length <= waveUnknownHi:
		return length, false
	}
	return length, true
}

func parseWaveFmt(b []byte, o binary.ByteOrder) (*waveFmt, error) {
	if len(b) < 14 {
		return nil, fmt.Errorf("%w: it has %d bytes", ErrFormat, len(b))
	}
	w := &waveFmt{
		tag: o.Uint16(b), channels: int(o.Uint16(b[2:])), rate: int64(o.Uint32(b[4:])), align: int(o.Uint16(b[12:])),
	}
	if len(b) >= 16 {
		w.bits = int(o.Uint16(b[14:]))
	}
	if w.tag == waveExtensible {
		// The subformat is a GUID whose first two bytes are a tag.
		const rest = "\x00\x00\x00\x00\x10\x00\x80\x00\x00\xaa\x00\x38\x9b\x71"
		if len(b) < 40 {
			return nil, fmt.Errorf("%w: it has %d bytes, an extensible one has 40", ErrFormat, len(b))
		}
		if string(b[26:40]) != rest || o == binary.BigEndian {
			return nil, fmt.Errorf("%w: subformat %x; %s", ErrUnsupported, b[24:40], hintConvert)
		}
		w.tag = o.Uint16(b[24:])
	}
	if w.tag == waveIMA && len(b) >= 20 {
		w.samplesABlock = int(o.Uint16(b[18:]))
	}
	return w, nil
}

// decoder builds what reads the data chunk and completes f. length is in bytes, facts in samples; −1: not known.
func (w *waveFmt) decoder(in *input, o binary.ByteOrder, f *Format, length int64, promised bool, facts int64) (decoder, error) {
	bytes := (w.bits + 7) / 8
	if w.tag == waveInt && w.align%w.channels == 0 && w.align/w.channels > bytes && w.align/w.channels <= 4 {
		bytes = w.align / w.channels // such as 20 or 24 bits in 4 bytes
	}
	var c codec
	var err error
	switch {
	case w.tag == waveMP3:
		return newMP3Data(in, f)
	case w.tag == waveIMA:
		return newIMA(in, o, w, f, length, promised, facts)
	case w.tag == waveALaw:
		c = companded("pcm_alaw", expandALaw)
	case w.tag == waveMuLaw:
		c = companded("pcm_mulaw", expandMuLaw)
	case w.tag == waveInt && bytes == 1:
		c = pcmU8()
	case w.tag == waveInt && o == binary.LittleEndian:
		c, err = pcmInt(binary.LittleEndian, bytes)
	case w.tag == waveInt:
		c, err = pcmInt(binary.BigEndian, bytes)
	case w.tag == waveFloat && bytes == 4 && o == binary.LittleEndian:
		c = float32s(binary.LittleEndian)
	case w.tag == waveFloat && bytes == 4:
		c = float32s(binary.BigEndian)
	case w.tag == waveFloat && bytes == 8 && o == binary.LittleEndian:
		c = float64s(binary.LittleEndian)
	case w.tag == waveFloat && bytes == 8:
		c = float64s(binary.BigEndian)
	case w.tag == waveFloat:
		err = fmt.Errorf("%w: floating point of %d bits", ErrUnsupported, w.bits)
	case waveNames[w.tag] != "":
		err = fmt.Errorf("%w: %s in wav; %s", ErrUnsupported, waveNames[w.tag], hintConvert)
	default:
		err = fmt.Errorf("%w: codec %#04x; %s", ErrUnsupported, w.tag, hintConvert)
	}
	if err != nil {
		return nil, err
	}
	f.Codec = c.name
	f.Duration = f.duration(known(in, length) / int64(c.bytes*f.Channels))
	return newPCM(in, c, f.Channels, length, promised), nil
}

// known is how many of length bytes (−1: all) there are, or 0 where that cannot be told.
func known(in *input, length int64) int64 {
	left := in.left()
	switch {
	case left < 0:
		return max(length, 0)
	case length < 0:
		return left
	}
	return min(left, length)
}
