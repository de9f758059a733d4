package audio

import (
	"encoding/binary"
	"fmt"
	"io"
)

// imaSteps and imaIndex are the tables of IMA ADPCM (IMA Digital Audio Focus and Technical Working Group, 1992).
var imaSteps = [89]int32{
	7, 8, 9, 10, 11, 12, 13, 14, 16, 17, 19, 21, 23, 25, 28, 31, 34, 37, 41, 45, 50, 55, 60, 66, 73, 80, 88, 97, 107, 118,
	130, 143, 157, 173, 190, 209, 230, 253, 279, 307, 337, 371, 408, 449, 494, 544, 598, 658, 724, 796, 876, 963, 1060, 1166,
	1282, 1411, 1552, 1707, 1878, 2066, 2272, 2499, 2749, 3024, 3327, 3660, 4026, 4428, 4871, 5358, 5894, 6484, 7132, 7845,
	8630, 9493, 10442, 11487, 12635, 13899, 15289, 16818, 18500, 20350, 22385, 24623, 27086, 29794, 32767,
}

var imaIndex = [8]int32{-1, -1, -1, -1, 2, 4, 6, 8}

// imaState is one channel's predictor.
type imaState struct{ value, index int32 }

// expand takes in four bits and returns the next sample.
func (s *imaState) expand(nibble byte) float32 {
	step := imaSteps[s.index]
	diff := step >> 3
	if nibble&4 != 0 {
		diff += step
	}
	if nibble&2 != 0 {
		diff += step >> 1
	}
	if nibble&1 != 0 {
		diff += step >> 2
	}
	if nibble&8 != 0 {
		diff = -diff
	}
	s.value = min(max(s.value+diff, -1<<15), 1<<15-1)
	s.index = min(max(s.index+imaIndex[nibble&7], 0), int32(len(imaSteps)-1))
	return float32(s.value) / (1 << 15)
}

// imaDecoder reads IMA ADPCM in blocks: those of wav, or the packets of aifc, in which channels do not mix.
type imaDecoder struct {
	in       *input
	channels int
	samples  int   // a block and channel, at most
	left     int64 // bytes, or -1
	frames   int64 // still to be delivered, or -1: all
	promised bool
	block    []byte
	state    []imaState
	out      []float32
	unpack   func(d *imaDecoder, block []byte) int // fills out, returns frames
}

// newIMA reads wav's: a block begins with each channel's first sample and index (4 bytes), then channels take turns with 4
// bytes of 8 samples, low nibble first.
func newIMA(in *input, o binary.ByteOrder, w *waveFmt, f *Format, length int64, promised bool, facts int64) (decoder, error) {
	head := 4 * w.channels
	if w.align < head || o != binary.LittleEndian {
		return nil, fmt.Errorf("%w: IMA ADPCM in blocks of %d bytes for %d channels", ErrFormat, w.align, w.channels)
	}
	if w.bits != 4 && w.bits != 0 {
		return nil, fmt.Errorf("%w: IMA ADPCM of %d bits", ErrUnsupported, w.bits)
	}
	f.Codec = "adpcm_ima_wav"
	samples := 1 + (w.align-head)/head*8
	if w.samplesABlock > 0 {
		samples = min(samples, w.samplesABlock)
	}
	frames := facts
	if frames <= 0 {
		frames = -1
	}
	blocks := known(in, length) / int64(w.align)
	f.Duration = f.duration(blocks * int64(samples))
	if blocks > 0 && frames > 0 {
		f.Duration = min(f.Duration, f.duration(frames))
	}
	return &imaDecoder{
		in: in, channels: w.channels, samples: samples, left: length, frames: frames, promised: promised && length > 0,
		block: make([]byte, w.align), state: make([]imaState, w.channels), out: make([]float32, samples*w.channels),
		unpack: (*imaDecoder).unpackWAV,
	}, nil
}

func (d *imaDecoder) unpackWAV(b []byte) int {
	if len(b) < 4*d.channels {
		return 0
	}
	for c := range d.state {
		s := &d.state[c]
		s.value = int32(int16(binary.LittleEndian.Uint16(b[4*c:])))
		s.index = min(int32(b[4*c+2]), int32(len(imaSteps)-1))
		d.out[c] = float32(s.value) / (1 << 15)
	}
	n := 1
	for b = b[4*d.channels:]; len(b) >= 4*d.channels && n < d.samples; b = b[4*d.channels:] {
		for c := range d.state {
			for i, v := range b[4*c : 4*c+4] {
				for j := range 2 {
					v, at := d.state[c].expand(v>>(4*j)&15), n+2*i+j
					if at < d.samples {
						d.out[at*d.channels+c] = v
					}
				}
			}
		}
		n = min(n+8, d.samples)
	}
	return n
}

// imaPacket is how many samples an aifc packet of 2 + 32 bytes holds.
const imaPacket = 64

// newIMA4 reads aifc's: packets of one channel each, in turns.
func newIMA4(in *input, f *Format, length int64) decoder {
	f.Codec = "adpcm_ima_qt"
	packets := known(in, length) / int64(34*f.Channels)
	f.Duration = f.duration(packets * imaPacket)
	return &imaDecoder{
		in: in, channels: f.Channels, samples: imaPacket, left: length, frames: -1, promised: length > 0,
		block: make([]byte, 34*f.Channels), state: make([]imaState, f.Channels), out: make([]float32, imaPacket*f.Channels),
		unpack: (*imaDecoder).unpackAIFC,
	}
}

// unpackAIFC: a packet begins with the upper nine bits of the predictor and seven of the index. Where they agree with
// what the packet before ended with, its full precision goes on.
func (d *imaDecoder) unpackAIFC(b []byte) int {
	if len(b) < len(d.block) {
		return 0
	}
	for c := range d.state {
		s, p := &d.state[c], b[34*c:34*c+34]
		h := binary.BigEndian.Uint16(p)
		value, index := int32(int16(h&0xff80)), min(int32(h&0x7f), int32(len(imaSteps)-1))
		if index != s.index || value-s.value > 0x7f || s.value-value > 0x7f {
			s.value, s.index = value, index
		}
		for i, v := range p[2:] {
			d.out[2*i*d.channels+c] = s.expand(v & 15)
			d.out[(2*i+1)*d.channels+c] = s.expand(v >> 4)
		}
	}
	return imaPacket
}

func (d *imaDecoder) next() ([]float32, error) {
	if d.frames == 0 {
		return nil, io.EOF
	}
	b := d.block
	if d.left >= 0 {
		b = b[:min(int64(len(b)), d.left)]
	}
	k, _ := d.in.full(b)
	if d.left >= 0 {
		d.left -= int64(k)
	}
	n := d.unpack(d, b[:k])
	if n == 0 {
		if d.promised && d.left >= int64(len(d.block)) {
			return nil, cut(d.left / int64(len(d.block)) * int64(d.samples))
		}
		return nil, io.EOF
	}
	if d.frames > 0 {
		n = int(min(int64(n), d.frames))
		d.frames -= int64(n)
	}
	return d.out[:n*d.channels], nil
}
