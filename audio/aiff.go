package audio

import (
	"encoding/binary"
	"fmt"
	"math"
)

// newAIFF reads an AIFF or AIFC file up to its samples. The COMM chunk must come before them. Other chunks are skipped.
func newAIFF(in *input) (Format, decoder, error) {
	var h [12]byte
	in.full(h[:])
	f := Format{Container: "aiff"}
	if string(h[8:]) == "AIFC" {
		f.Container = "aifc"
	}
	var comm *aiffComm
	for {
		at := in.off
		fail := func(field string, err error) (Format, decoder, error) {
			return f, nil, &FormatError{Offset: at, Field: field, Err: err}
		}
		var c [8]byte
		if n, _ := in.full(c[:]); n < len(c) {
			return fail(f.Container, fmt.Errorf("%w: no SSND chunk", ErrFormat))
		}
		length := int64(binary.BigEndian.Uint32(c[4:]))
		switch string(c[:4]) {
		case "COMM":
			var b [22]byte
			n, _ := in.full(b[:min(length, int64(len(b)))])
			var err error
			if comm, err = parseComm(b[:n], f.Container == "aifc"); err != nil {
				return fail("COMM chunk", err)
			}
			in.skip(length - int64(n))
		case "SSND":
			var b [8]byte
			if n, _ := in.full(b[:]); comm == nil || n < len(b) {
				return fail("SSND chunk", fmt.Errorf("%w: no COMM chunk before it", ErrFormat))
			}
			in.skip(int64(binary.BigEndian.Uint32(b[:])))
			f.Rate, f.Channels = comm.rate, comm.channels
			if err := f.check(); err != nil {
				return fail("COMM chunk", err)
			}
			d, err := comm.decoder(in, &f, length-8-int64(binary.BigEndian.Uint32(b[:])))
			if err != nil {
				return fail("COMM chunk", err)
			}
			return f, d, nil
		default:
			in.skip(length)
		}
		if length&1 != 0 {
			in.skipPadding()
		}
	}
}

// aiffComm is the COMM chunk.
type aiffComm struct {
	channels, bits, rate int
	frames               int64
	codec                string // AIFC's compression type; NONE in AIFF
}

func parseComm(b []byte, aifc bool) (*aiffComm, error) {
	need := 18
	if aifc {
		need = 22
	}
	if len(b) < need {
		return nil, fmt.Errorf("%w: it has %d bytes", ErrFormat, len(b))
	}
	c := &aiffComm{
		channels: int(binary.BigEndian.Uint16(b)), frames: int64(binary.BigEndian.Uint32(b[2:])),
		bits: int(binary.BigEndian.Uint16(b[6:])), rate: extended(b[8:]), codec: "NONE",
	}
	if aifc {
		c.codec = string(b[18:22])
	}
	return c, nil
}

// extended rounds an 80-bit floating point number to an integer; 0 if it is not between 0 and 2³¹.
func extended(b []byte) int {
	exp, mant := int(binary.BigEndian.Uint16(b)), binary.BigEndian.Uint64(b[2:])
	if x := math.Ldexp(float64(mant), exp-16383-63); exp < 0x8000 && x < 1<<31-1 {
		return int(math.Round(x))
	}
	return 0
}

// decoder builds what reads the SSND chunk's samples, length bytes of them by its own account.
func (a *aiffComm) decoder(in *input, f *Format, length int64) (decoder, error) {
	bytes := (a.bits + 7) / 8
	var c codec
	var err error
	switch a.codec {
	case "NONE", "twos":
		if c = pcmS8(); bytes != 1 {
			c, err = pcmInt(binary.BigEndian, bytes)
		}
	case "sowt":
		if c = pcmS8(); bytes != 1 {
			c, err = pcmInt(binary.LittleEndian, bytes)
		}
	case "raw ":
		if c = pcmU8(); bytes != 1 {
			err = fmt.Errorf("%w: unsigned integers of %d bytes", ErrUnsupported, bytes)
		}
	case "in24":
		c = pcm24(binary.BigEndian)
	case "in32":
		c = pcm32(binary.BigEndian)
	case "42ni":
		c = pcm24(binary.LittleEndian)
	case "23ni":
		c = pcm32(binary.LittleEndian)
	case "fl32", "FL32":
		c = float32s(binary.BigEndian)
	case "fl64", "FL64":
		c = float64s(binary.BigEndian)
	case "alaw", "ALAW":
		c = companded("pcm_alaw", expandALaw)
	case "ulaw", "ULAW":
		c = companded("pcm_mulaw", expandMuLaw)
	case "ima4":
	default:
		err = fmt.Errorf("%w: codec %q; %s", ErrUnsupported, a.codec, hintConvert)
	}
	if err != nil {
		return nil, err
	}
	if length <= 0 {
		length = -1 // written to a pipe
	}
	if a.codec == "ima4" {
		return newIMA4(in, f, length), nil
	}
	if want := a.frames * int64(c.bytes*f.Channels); want > 0 && (length < 0 || want < length) {
		length = want
	}
	f.Codec = c.name
	f.Duration = f.duration(known(in, length) / int64(c.bytes*f.Channels))
	return newPCM(in, c, f.Channels, length, true), nil
}
