package audio

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"math"
	"os"
	"strings"
	"testing"
	"testing/iotest"
	"time"
)

// decode reads all of b and returns the samples, the Stream and the error of NewStream or Read.
func decode(b []byte) ([]float32, *Stream, error) {
	s, err := NewStream(bytes.NewReader(b))
	if err != nil {
		return nil, nil, err
	}
	var all []float32
	buf := make([]float32, 777)
	for {
		n, err := s.Read(buf)
		all = append(all, buf[:n]...)
		if err == io.EOF {
			return all, s, nil
		}
		if err != nil {
			return all, s, err
		}
	}
}

func equal(t *testing.T, got, want []float32) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%d samples %v, want %d %v", len(got), got[:min(len(got), 20)], len(want), want[:min(len(want), 20)])
	}
	for i := range want {
		if got[i] != want[i] {
			t.Fatalf("sample %d: %g, want %g", i, got[i], want[i])
		}
	}
}

// bs joins strings of bytes.
func bs(parts ...string) []byte { return []byte(strings.Join(parts, "")) }

func le16(v int) string    { return string(binary.LittleEndian.AppendUint16(nil, uint16(v))) }
func le32(v int) string    { return string(binary.LittleEndian.AppendUint32(nil, uint32(v))) }
func f32(v float64) string { return le32(int(int32(math.Float32bits(float32(v))))) }
func be16(v int) string    { return string(binary.BigEndian.AppendUint16(nil, uint16(v))) }
func be32(v int) string    { return string(binary.BigEndian.AppendUint32(nil, uint32(v))) }

// wavFmt is a fmt chunk at 16 kHz.
func wavFmt(tag, channels, align, bits int, more ...string) string {
	body := le16(tag) + le16(channels) + le32(16000) + le32(16000*align) + le16(align) + le16(bits) + strings.Join(more, "")
	return "fmt " + le32(len(body)) + body
}

// wavFile is a file of that fmt chunk and those samples.
func wavFile(format, data string) []byte {
	return bs("RIFF", le32(4+len(format)+8+len(data)), "WAVE", format, "data", le32(len(data)), data)
}

const guid = "\x00\x00\x00\x00\x10\x00\x80\x00\x00\xaa\x00\x38\x9b\x71"

func TestWAVCodecs(t *testing.T) {
	for _, c := range []struct {
		name  string
		file  []byte
		codec string
		want  []float32
	}{
		{"whole file, byte by byte", bs(
			"RIFF\x2c\x00\x00\x00WAVE", // size of what follows
			"fmt \x10\x00\x00\x00",     // 16 bytes
			"\x01\x00\x01\x00",         // integers, one channel
			"\x80\x3e\x00\x00",         // 16000 Hz
			"\x00\x7d\x00\x00",         // 32000 bytes a second
			"\x02\x00\x10\x00",         // 2 bytes a frame, 16 bits
			"data\x08\x00\x00\x00",     // 8 bytes
			"\x00\x00\x01\x00\xff\x7f\x00\x80",
		), "pcm_s16le", []float32{0, 1. / 32768, 32767. / 32768, -1}},
		{"u8", wavFile(wavFmt(1, 1, 1, 8), "\x00\x80\xff\x40"), "pcm_u8", []float32{-1, 0, 127. / 128, -0.5}},
		{"s24", wavFile(wavFmt(1, 1, 3, 24), "\x00\x00\x80\xff\xff\x7f\x01\x00\x00\xff\xff\xff"), "pcm_s24le",
			[]float32{-1, 8388607. / 8388608, 1. / 8388608, -1. / 8388608}},
		{"s32", wavFile(wavFmt(1, 1, 4, 32), "\x00\x00\x00\x80\x00\x00\x00\x40"), "pcm_s32le", []float32{-1, 0.5}},
		{"12 bits in 2 bytes", wavFile(wavFmt(1, 1, 2, 12), "\x00\x40\x10\x00"), "pcm_s16le", []float32{0.5, 1. / 2048}},
		{"24 bits in 4 bytes", wavFile(wavFmt(1, 1, 4, 24), "\x00\x00\x00\xc0"), "pcm_s32le", []float32{-0.5}},
		{"f32, NaN and infinity are silence", wavFile(wavFmt(3, 1, 4, 32), f32(0.5)+f32(math.NaN())+f32(math.Inf(-1))+f32(-3)),
			"pcm_f32le", []float32{0.5, 0, 0, -3}},
		{"f64", wavFile(wavFmt(3, 1, 8, 64), "\x00\x00\x00\x00\x00\x00\xe0\xbf"), "pcm_f64le", []float32{-0.5}},
		{"A-law", wavFile(wavFmt(6, 1, 1, 8), "\xd5\x55\xaa\x2a\x95"), "pcm_alaw",
			[]float32{8. / 32768, -8. / 32768, 32256. / 32768, -32256. / 32768, 2112. / 32768}},
		{"µ-law", wavFile(wavFmt(7, 1, 1, 8), "\xff\x7f\x80\x00\xef"), "pcm_mulaw",
			[]float32{0, 0, 32124. / 32768, -32124. / 32768, 132. / 32768}},
		// 100, index 0; then the steps 7, 9, 8, 7, …: 4 → +7, 9 → −(9/8+9/4), 7 → +8+4+2+1, 0 → +16/8, …
		{"IMA ADPCM", wavFile(wavFmt(17, 1, 8, 4, "\x02\x00\x09\x00"), "\x64\x00\x00\x00\x94\x07\x00\x00"), "adpcm_ima_wav",
			[]float32{100. / 32768, 107. / 32768, 104. / 32768, 119. / 32768, 121. / 32768, 123. / 32768, 124. / 32768, 125. / 32768, 126. / 32768}},
		{"IMA ADPCM, stereo, fact", bs("RIFF\x00\x00\x00\x00WAVE", wavFmt(17, 2, 16, 4, "\x02\x00\x09\x00"), "fact", le32(4), le32(3), "data", le32(16),
			"\x64\x00\x00\x00\x9c\xff\x00\x00", "\x94\x07\x00\x00", "\x94\x07\x00\x00"), "adpcm_ima_wav",
			[]float32{0, 7. / 32768, 4. / 32768}},
		{"stereo", wavFile(wavFmt(1, 2, 4, 16), "\x00\x40\x00\x20\x00\xc0\x00\x40"), "pcm_s16le", []float32{0.375, 0}},
		{"six channels", wavFile(wavFmt(1, 6, 12, 16), "\x00\x60\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"), "pcm_s16le", []float32{0.125}},
		{"extensible", wavFile(wavFmt(0xfffe, 1, 2, 16, "\x16\x00\x10\x00\x04\x00\x00\x00", "\x01\x00", guid), "\x00\x40"), "pcm_s16le", []float32{0.5}},
		{"extensible, float", wavFile(wavFmt(0xfffe, 1, 4, 32, "\x16\x00\x20\x00\x04\x00\x00\x00", "\x03\x00", guid), f32(0.5)), "pcm_f32le",
			[]float32{0.5}},
		{"RIFX", bs("RIFX\x00\x00\x00\x00WAVE", "fmt \x00\x00\x00\x10", "\x00\x01\x00\x01", "\x00\x00\x3e\x80", "\x00\x00\x7d\x00", "\x00\x02\x00\x10",
			"data\x00\x00\x00\x04", "\x40\x00\x80\x00"), "pcm_s16be", []float32{0.5, -1}},
		{"RF64", bs("RF64\xff\xff\xff\xffWAVE", "ds64\x1c\x00\x00\x00", "\x50\x00\x00\x00\x00\x00\x00\x00", "\x04\x00\x00\x00\x00\x00\x00\x00",
			"\x02\x00\x00\x00\x00\x00\x00\x00", "\x00\x00\x00\x00", wavFmt(1, 1, 2, 16), "data\xff\xff\xff\xff", "\x00\x40\x00\x80", "LIST\x04\x00\x00\x00abcd"),
			"pcm_s16le", []float32{0.5, -1}},
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

func TestWAVChunks(t *testing.T) {
	const data = "\x00\x40\x00\xc0\x00\x20"
	f := wavFmt(1, 1, 2, 16)
	want := []float32{0.5, -0.5, 0.25}
	for _, c := range []struct {
		name    string
		file    []byte
		want    []float32
		warning string
	}{
		{"size 0", bs("RIFF\x00\x00\x00\x00WAVE", f, "data\x00\x00\x00\x00", data), want, ""},
		{"size 4 GiB", bs("RIFF\xff\xff\xff\xffWAVE", f, "data\xff\xff\xff\xff", data), want, ""},
		{"size 2 GiB, as sox writes", bs("RIFF\xff\xff\xff\x7fWAVE", f, "data\x00\xf0\xff\x7f", data), want, ""},
		{"cut short", bs("RIFF\xff\x00\x00\x00WAVE", f, "data", le32(20), data), want, "the file is cut short: 7 samples are missing"},
		{"cut in a sample", bs("RIFF\xff\x00\x00\x00WAVE", f, "data", le32(6), data[:5]), want[:2], ""},
		{"chunk behind", bs("RIFF\xff\x00\x00\x00WAVE", f, "data", le32(6), data, "LIST", le32(4), "abcd"), want, ""},
		{"chunks before", bs("RIFF\xff\x00\x00\x00WAVE", "JUNK", le32(4), "abcd", f, "LIST", le32(6), "abcdef", "data", le32(6), data), want, ""},
		{"odd chunk", bs("RIFF\xff\x00\x00\x00WAVE", "LIST", le32(3), "abc\x00", f, "data", le32(6), data), want, ""},
		{"odd chunk, padding not zero", bs("RIFF\xff\x00\x00\x00WAVE", "LIST", le32(3), "abcd", f, "data", le32(6), data), want, ""},
		{"odd chunk without padding", bs("RIFF\xff\x00\x00\x00WAVE", "LIST", le32(3), "abc", f, "data", le32(6), data), want, ""},
		{"fmt with more in it", bs("RIFF\xff\x00\x00\x00WAVE", wavFmt(1, 1, 2, 16, strings.Repeat("\x00", 60)), "data", le32(6), data), want, ""},
		{"ID3 in front", bs("ID3\x03\x00\x00\x00\x00\x01\x02", strings.Repeat("x", 130), string(wavFile(f, data))), want, ""},
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

func TestWAVErrors(t *testing.T) {
	f := wavFmt(1, 1, 2, 16)
	rate := func(hz int) string { return strings.Replace(f, le32(16000), le32(hz), 1) }
	for _, c := range []struct {
		name string
		file []byte
		want error
		text string
	}{
		{"no samples", wavFile(f, ""), ErrEmpty, "no audio in it"},
		{"no samples, a chunk behind", bs(string(wavFile(f, "")), "LIST\x04\x00\x00\x00abcd"), ErrEmpty, "no audio"},
		{"half a sample", wavFile(f, "\x01"), ErrEmpty, "no audio in it"},
		{"no data chunk", bs("RIFF\x00\x00\x00\x00WAVE", f), ErrFormat, "no data chunk"},
		{"a chunk longer than the file", bs("RIFF\x00\x00\x00\x00WAVE", f, "LIST\xff\xff\xff\xff"), ErrFormat, "no data chunk"},
		{"data before fmt", bs("RIFF\x00\x00\x00\x00WAVE", "data\x04\x00\x00\x00abcd", f), ErrFormat, "data chunk at byte 12: damaged audio file: no fmt chunk"},
		{"short fmt", bs("RIFF\x00\x00\x00\x00WAVE", "fmt \x04\x00\x00\x00\x01\x00\x01\x00", "data\x00\x00\x00\x00"), ErrFormat, "it has 4 bytes"},
		{"no channels", wavFile(wavFmt(1, 0, 2, 16), "abcd"), ErrUnsupported, "0 channels"},
		{"65 channels", wavFile(wavFmt(1, 65, 130, 16), "abcd"), ErrUnsupported, "65 channels"},
		{"999 Hz", wavFile(rate(999), "abcd"), ErrUnsupported, "999 Hz"},
		{"4 GHz", wavFile(rate(-1), "abcd"), ErrUnsupported, "rate"},
		{"48 bits", wavFile(wavFmt(1, 1, 6, 48), "abcdef"), ErrUnsupported, "6 bytes"},
		{"float of 16 bits", wavFile(wavFmt(3, 1, 2, 16), "abcd"), ErrUnsupported, "16 bits"},
		{"MS ADPCM", wavFile(wavFmt(2, 1, 256, 4), "abcd"), ErrUnsupported, "Microsoft ADPCM in wav; --convert"},
		{"unknown codec", wavFile(wavFmt(0x1234, 1, 2, 16), "abcd"), ErrUnsupported, "codec 0x1234"},
		{"IMA blocks too small", wavFile(wavFmt(17, 2, 7, 4), "abcdefgh"), ErrFormat, "blocks of 7 bytes"},
		{"strange subformat", wavFile(wavFmt(0xfffe, 1, 2, 16, "\x16\x00\x10\x00\x04\x00\x00\x00", "\x01\x00", strings.Repeat("x", 14)), "ab"), ErrUnsupported, "subformat"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, _, err := decode(c.file)
			if !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.text) {
				t.Fatalf("%d samples, error %v, want %v with %q", len(got), err, c.want, c.text)
			}
			var e *FormatError
			if !errors.As(err, &e) {
				t.Errorf("%T is not a FormatError", err)
			}
		})
	}
}

func TestWAVRates(t *testing.T) {
	x := sine(44100, 44100, 440)
	var data strings.Builder
	for _, v := range x {
		data.WriteString(f32(float64(v)))
	}
	b := wavFile(strings.Replace(wavFmt(3, 1, 4, 32), le32(16000), le32(44100), 1), data.String())
	got, s, err := decode(b)
	if err != nil {
		t.Fatal(err)
	}
	if f := (Format{"wav", "pcm_f32le", 44100, 1, time.Second}); s.Format() != f || len(got) != 16000 {
		t.Errorf("%+v and %d samples, want %+v", s.Format(), len(got), f)
	}
	if gain, rest := level(got, 440); math.Abs(gain) > 0.1 || rest > -90 {
		t.Errorf("level %g dB, rest %g dB", gain, rest)
	}
	// The same through a pipe that hands out single bytes: no Seek, no length.
	p, err := NewStream(iotest.OneByteReader(bytes.NewReader(b)))
	if err != nil {
		t.Fatal(err)
	}
	equal(t, readAll(t, p), got)
}

func TestOpen(t *testing.T) {
	s, err := Open("testdata/austen-0880.wav")
	if err != nil {
		t.Fatal(err)
	}
	if f := (Format{"wav", "pcm_s16le", 16000, 1, 2990 * time.Millisecond}); s.Format() != f {
		t.Errorf("%+v, want %+v", s.Format(), f)
	}
	raw, err := os.ReadFile("testdata/austen-0880.wav")
	if err != nil {
		t.Fatal(err)
	}
	raw = raw[44:]
	want := make([]float32, len(raw)/2)
	for i := range want {
		want[i] = float32(int16(binary.LittleEndian.Uint16(raw[2*i:]))) / 32768
	}
	equal(t, readAll(t, s), want)
	if n, err := s.Read(make([]float32, 1)); n != 0 || err != io.EOF {
		t.Errorf("behind the end: %d, %v", n, err)
	}
	if err := errors.Join(s.Close(), s.Close()); err != nil {
		t.Error(err)
	}
	s, _ = Open("testdata/austen-0880.wav")
	s.Close()
	if _, err := s.Read(make([]float32, 1)); err != os.ErrClosed {
		t.Errorf("closed: %v", err)
	}
	for path, text := range map[string]string{"testdata": "is a directory", "testdata/none": "no such file", "wav_test.go": "wav_test.go: unknown audio format"} {
		if _, err := Open(path); err == nil || !strings.Contains(err.Error(), text) {
			if path != "testdata/none" || !errors.Is(err, os.ErrNotExist) {
				t.Errorf("%s: %v, want %q", path, err, text)
			}
		}
	}
}

// An error of the reader is not the end of the audio.
func TestReadError(t *testing.T) {
	broken := errors.New("cable pulled")
	b := wavFile(wavFmt(1, 1, 2, 16), strings.Repeat("\x00\x40", 100000))
	for _, n := range []int{0, 3, 30, 60, 100000} {
		s, err := NewStream(io.MultiReader(bytes.NewReader(b[:n]), iotest.ErrReader(broken)))
		k := 0
		for buf := make([]float32, 100); err == nil; {
			var m int
			m, err = s.Read(buf)
			k += m
		}
		if err != broken || k != max(0, n-44)/2 {
			t.Errorf("broken at byte %d: %d samples, %v", n, k, err)
		}
	}
}
