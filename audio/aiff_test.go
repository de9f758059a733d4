package audio

import (
	"errors"
	"strings"
	"testing"
)

const (
	rate16k = "\x40\x0c\xfa\x00\x00\x00\x00\x00\x00\x00" // 16000 as an 80-bit float
	rate44k = "\x40\x0e\xac\x44\x00\x00\x00\x00\x00\x00"
)

// comm is a COMM chunk at 16 kHz; a codec makes it AIFC's.
func comm(channels, frames, bits int, codec string) string {
	body := be16(channels) + be32(frames) + be16(bits) + rate16k
	if codec != "" {
		body += codec + "\x00\x00"
	}
	return "COMM" + be32(len(body)) + body
}

func ssnd(data string) string { return "SSND" + be32(8+len(data)) + be32(0) + be32(0) + data }

func aiff(kind string, chunks ...string) []byte {
	body := kind + strings.Join(chunks, "")
	return bs("FORM", be32(len(body)), body)
}

func TestAIFFCodecs(t *testing.T) {
	for _, c := range []struct {
		name  string
		file  []byte
		codec string
		want  []float32
	}{
		{"whole file, byte by byte", bs(
			"FORM\x00\x00\x00\x32AIFF",
			"COMM\x00\x00\x00\x12",
			"\x00\x01\x00\x00\x00\x04\x00\x10", // one channel, 4 frames, 16 bits
			"\x40\x0c\xfa\x00\x00\x00\x00\x00\x00\x00",
			"SSND\x00\x00\x00\x10\x00\x00\x00\x00\x00\x00\x00\x00", // offset 0, block size 0
			"\x00\x00\x00\x01\x7f\xff\x80\x00",
		), "pcm_s16be", []float32{0, 1. / 32768, 32767. / 32768, -1}},
		{"s8", aiff("AIFF", comm(1, 4, 8, ""), ssnd("\x80\x00\x7f\x40")), "pcm_s8", []float32{-1, 0, 127. / 128, 0.5}},
		{"s24", aiff("AIFF", comm(1, 2, 24, ""), ssnd("\x80\x00\x00\x00\x00\x01")), "pcm_s24be", []float32{-1, 1. / 8388608}},
		{"s32", aiff("AIFF", comm(1, 2, 32, ""), ssnd("\x80\x00\x00\x00\x40\x00\x00\x00")), "pcm_s32be", []float32{-1, 0.5}},
		{"12 bits", aiff("AIFF", comm(1, 1, 12, ""), ssnd("\x40\x00")), "pcm_s16be", []float32{0.5}},
		{"stereo", aiff("AIFF", comm(2, 2, 16, ""), ssnd("\x40\x00\x20\x00\xc0\x00\x40\x00")), "pcm_s16be", []float32{0.375, 0}},
		{"NONE", aiff("AIFC", comm(1, 1, 16, "NONE"), ssnd("\x40\x00")), "pcm_s16be", []float32{0.5}},
		{"sowt", aiff("AIFC", comm(1, 1, 16, "sowt"), ssnd("\x00\x40")), "pcm_s16le", []float32{0.5}},
		{"raw", aiff("AIFC", comm(1, 2, 8, "raw "), ssnd("\x00\xc0")), "pcm_u8", []float32{-1, 0.5}},
		{"fl32", aiff("AIFC", comm(1, 1, 32, "fl32"), ssnd("\x3f\x00\x00\x00")), "pcm_f32be", []float32{0.5}},
		{"FL64", aiff("AIFC", comm(1, 1, 64, "FL64"), ssnd("\xbf\xe0\x00\x00\x00\x00\x00\x00")), "pcm_f64be", []float32{-0.5}},
		{"in24", aiff("AIFC", comm(1, 1, 24, "in24"), ssnd("\x40\x00\x00")), "pcm_s24be", []float32{0.5}},
		{"42ni", aiff("AIFC", comm(1, 1, 24, "42ni"), ssnd("\x00\x00\x40")), "pcm_s24le", []float32{0.5}},
		{"in32", aiff("AIFC", comm(1, 1, 32, "in32"), ssnd("\x40\x00\x00\x00")), "pcm_s32be", []float32{0.5}},
		{"23ni", aiff("AIFC", comm(1, 1, 32, "23ni"), ssnd("\x00\x00\x00\x40")), "pcm_s32le", []float32{0.5}},
		{"alaw", aiff("AIFC", comm(1, 2, 16, "alaw"), ssnd("\xd5\x2a")), "pcm_alaw", []float32{8. / 32768, -32256. / 32768}},
		{"ulaw", aiff("AIFC", comm(1, 2, 16, "ulaw"), ssnd("\x80\xff")), "pcm_mulaw", []float32{32124. / 32768, 0}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, s, err := decode(c.file)
			if err != nil {
				t.Fatal(err)
			}
			equal(t, got, c.want)
			if s.Format().Codec != c.codec || s.Warning() != "" {
				t.Errorf("codec %q, warning %q", s.Format().Codec, s.Warning())
			}
		})
	}
}

// In ima4 a packet's predictor has nine bits: 0x0080 stands for −128 … 255 next to where the packet before ended.
func TestAIFFIMA(t *testing.T) {
	packet := func(head string, nibbles string) string {
		return head + nibbles + strings.Repeat("\x00", 32-len(nibbles))
	}
	got, s, err := decode(aiff("AIFC", comm(1, 2, 16, "ima4"), ssnd(packet("\x00\x80", "\x94\x07")+packet("\x10\x02", ""))))
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != 2*imaPacket || s.Format().Codec != "adpcm_ima_qt" {
		t.Fatalf("%d samples of %s", len(got), s.Format().Codec)
	}
	// The first samples by hand: 128 + 7, −3, +15, +2, +2, +1 …; then 4096 + 9/8.
	equal(t, got[:6], []float32{135. / 32768, 132. / 32768, 147. / 32768, 149. / 32768, 151. / 32768, 152. / 32768})
	equal(t, got[64:66], []float32{4097. / 32768, 4098. / 32768})
}

func TestAIFFChunks(t *testing.T) {
	const data = "\x40\x00\xc0\x00\x20\x00"
	want := []float32{0.5, -0.5, 0.25}
	for _, c := range []struct {
		name    string
		file    []byte
		want    []float32
		warning string
	}{
		{"chunks around", aiff("AIFF", "NAME"+be32(3)+"abc\x00", comm(1, 3, 16, ""), "ANNO"+be32(2)+"hi", ssnd(data), "APPL"+be32(2)+"ab"), want, ""},
		{"offset", aiff("AIFF", comm(1, 3, 16, ""), "SSND"+be32(8+4+6)+be32(4)+be32(0)+"junk"+data), want, ""},
		{"more in SSND than frames", aiff("AIFF", comm(1, 2, 16, ""), ssnd(data)), want[:2], ""},
		{"written to a pipe", aiff("AIFF", comm(1, 0, 16, ""), "SSND"+be32(0)+be32(0)+be32(0)+data), want, ""},
		{"cut short", aiff("AIFF", comm(1, 8, 16, ""), "SSND"+be32(24)+be32(0)+be32(0)+data), want, "the file is cut short: 5 samples are missing"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, s, err := decode(c.file)
			if err != nil {
				t.Fatal(err)
			}
			equal(t, got, c.want)
			if s.Warning() != c.warning {
				t.Errorf("warning %q, want %q", s.Warning(), c.warning)
			}
		})
	}
}

func TestAIFFErrors(t *testing.T) {
	for _, c := range []struct {
		name string
		file []byte
		want error
		text string
	}{
		{"no SSND", aiff("AIFF", comm(1, 3, 16, "")), ErrFormat, "no SSND chunk"},
		{"no COMM", aiff("AIFF", ssnd("abcd")), ErrFormat, "no COMM chunk before it"},
		{"short COMM", aiff("AIFF", "COMM"+be32(4)+"abcd", ssnd("abcd")), ErrFormat, "it has 4 bytes"},
		{"no samples", aiff("AIFF", comm(1, 0, 16, ""), ssnd("")), ErrEmpty, "no audio"},
		{"codec", aiff("AIFC", comm(1, 3, 16, "QDM2"), ssnd("abcd")), ErrUnsupported, `codec "QDM2"; --convert`},
		{"rate", bs(strings.Replace(string(aiff("AIFF", comm(1, 3, 16, ""), ssnd("abcd"))), rate16k, "\x7f"+rate16k[1:], 1)), ErrUnsupported, "rate of 0 Hz"},
		{"channels", aiff("AIFF", comm(1000, 3, 16, ""), ssnd("abcd")), ErrUnsupported, "1000 channels"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, _, err := decode(c.file)
			if !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.text) {
				t.Fatalf("error %v, want %v with %q", err, c.want, c.text)
			}
		})
	}
}

func TestExtended(t *testing.T) {
	for b, want := range map[string]int{
		rate16k: 16000, rate44k: 44100, strings.Repeat("\x00", 10): 0, "\xc0" + rate16k[1:]: 0, strings.Repeat("\xff", 10): 0,
		"\x40\x0c\xac\x44\x00\x00\x00\x00\x00\x00": 11025, "\x40\x0b\xad\x9c\x80\x00\x00\x00\x00\x00": 5556,
	} {
		if got := extended([]byte(b)); got != want {
			t.Errorf("%x: %d, want %d", b, got, want)
		}
	}
}
