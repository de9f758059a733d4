package audio

import (
	"encoding/binary"
	"fmt"
	"io"
	"math"
)

// codec is how one number stands in a file: bytes wide, and decode turns len(dst) of them into numbers of full
// scale 1.
type codec struct {
	name   string
	bytes  int
	decode func(dst []float32, src []byte)
}

// order is binary.LittleEndian or binary.BigEndian; as a type parameter it leaves no call in the loops.
type order interface{ binary.ByteOrder }

func pcmU8() codec {
	return codec{"pcm_u8", 1, func(dst []float32, src []byte) {
		for i := range dst {
			dst[i] = float32(int(src[i])-128) / (1 << 7)
		}
	}}
}

func pcmS8() codec {
	return codec{"pcm_s8", 1, func(dst []float32, src []byte) {
		for i := range dst {
			dst[i] = float32(int8(src[i])) / (1 << 7)
		}
	}}
}

func pcm16[O order](o O) codec {
	return codec{"pcm_s16" + suffix(o), 2, func(dst []float32, src []byte) {
		for i := range dst {
			dst[i] = float32(int16(o.Uint16(src[2*i:]))) / (1 << 15)
		}
	}}
}

func pcm24[O order](o O) codec {
	hi, lo := 2, 0
	if o.String() == binary.BigEndian.String() {
		hi, lo = 0, 2
	}
	return codec{"pcm_s24" + suffix(o), 3, func(dst []float32, src []byte) {
		for i := range dst {
			s := src[3*i : 3*i+3]
			dst[i] = float32(int32(int8(s[hi]))<<16|int32(s[1])<<8|int32(s[lo])) / (1 << 23)
		}
	}}
}

func pcm32[O order](o O) codec {
	return codec{"pcm_s32" + suffix(o), 4, func(dst []float32, src []byte) {
		for i := range dst {
			dst[i] = float32(int32(o.Uint32(src[4*i:]))) / (1 << 31)
		}
	}}
}

func float32s[O order](o O) codec {
	return codec{"pcm_f32" + suffix(o), 4, func(dst []float32, src []byte) {
		for i := range dst {
			dst[i] = math.Float32frombits(o.Uint32(src[4*i:]))
		}
	}}
}

func float64s[O order](o O) codec {
	return codec{"pcm_f64" + suffix(o), 8, func(dst []float32, src []byte) {
		for i := range dst {
			dst[i] = float32(math.Float64frombits(o.Uint64(src[8*i:])))
		}
	}}
}

func suffix(o binary.ByteOrder) string {
	if o.String() == binary.BigEndian.String() {
		return "be"
	}
	return "le"
}

// pcmInt is the codec of integers that take a number of bytes. Fewer significant bits stand at the upper end of them.
func pcmInt[O order](o O, bytes int) (codec, error) {
	switch bytes {
	case 2:
		return pcm16(o), nil
	case 3:
		return pcm24(o), nil
	case 4:
		return pcm32(o), nil
	}
	return codec{}, fmt.Errorf("%w: integers of %d bytes", ErrUnsupported, bytes)
}

// companded is A-law or µ-law, from a table of the 256 values.
func companded(name string, expand func(byte) int16) codec {
	var table [256]float32
	for i := range table {
		table[i] = float32(expand(byte(i))) / (1 << 15)
	}
	return codec{name, 1, func(dst []float32, src []byte) {
		for i := range dst {
			dst[i] = table[src[i]]
		}
	}}
}

// expandALaw follows ITU-T G.711, table 1: sign, three bits of segment, four of step, even bits inverted.
func expandALaw(b byte) int16 {
	b ^= 0x55
	seg, v := b>>4&7, int16(b&15)<<4|8
	if seg > 0 {
		v = (v | 0x100) << (seg - 1)
	}
	if b&0x80 == 0 {
		return -v
	}
	return v
}

// expandMuLaw follows ITU-T G.711, table 2: all bits inverted, a bias of 33 (here 132, at 16 bits).
func expandMuLaw(b byte) int16 {
	b = ^b
	v := (int16(b&15)<<3|0x84)<<(b>>4&7) - 0x84
	if b&0x80 != 0 {
		return -v
	}
	return v
}

// pcmBlock is how many numbers a pcmDecoder reads at a time.
const pcmBlock = 8192

// pcmDecoder reads numbers of fixed width, interleaved.
type pcmDecoder struct {
	in       *input
	codec    codec
	channels int
	left     int64 // bytes of audio still to come, or -1: up to the end of the file
	promised bool  // the header's length is meant: ending before it is damage
	raw      []byte
	out      []float32
}

func newPCM(in *input, c codec, channels int, length int64, promised bool) *pcmDecoder {
	frames := max(pcmBlock/channels, 1)
	return &pcmDecoder{
		in: in, codec: c, channels: channels, left: length, promised: promised && length > 0,
		raw: make([]byte, frames*channels*c.bytes), out: make([]float32, frames*channels),
	}
}

func (d *pcmDecoder) next() ([]float32, error) {
	raw, ended := d.raw, false
	if d.left >= 0 && int64(len(raw)) > d.left {
		raw, ended = raw[:d.left], true
	}
	n, err := d.in.full(raw)
	if d.left >= 0 {
		d.left -= int64(n)
	}
	frame := d.channels * d.codec.bytes
	n -= n % frame
	if n > 0 {
		out := d.out[:n/d.codec.bytes]
		d.codec.decode(out, raw)
		return out, nil
	}
	if err != nil && d.promised && d.left >= int64(frame) {
		return nil, cut(d.left / int64(frame))
	}
	if err == nil && !ended {
		return nil, io.ErrNoProgress
	}
	return nil, io.EOF
}

// cut is the damage of a file that ends early.
type cut int64

func (c cut) Error() string {
	return fmt.Sprintf("the file is cut short: %d samples are missing", int64(c))
}
