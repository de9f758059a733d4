package audio

import (
	"bytes"
	"errors"
	"io"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/iotest"
)

func TestUnknownFormat(t *testing.T) {
	junk := make([]byte, 5000)
	for i, r := 0, rand.New(rand.NewPCG(1, 1)); i < len(junk); i++ {
		junk[i] = byte(r.Uint32())
	}
	for _, c := range []struct{ bytes, name string }{
		{"OggS\x00\x02" + strings.Repeat("\x00", 20) + "\x01\x13OpusHead", "Ogg Opus"},
		{"OggS\x00\x02" + strings.Repeat("\x00", 20) + "\x01\x1e\x01vorbis", "Ogg Vorbis"},
		{"OggS\x00\x02", "Ogg"},
		{"\x00\x00\x00\x20ftypM4A \x00\x00\x00\x00", "MP4 audio (m4a)"},
		{"\x00\x00\x00\x20ftypisom\x00\x00\x00\x00", "MP4"},
		{"\x00\x00\x00\x14ftypqt  ", "QuickTime"},
		{"\x1aE\xdf\xa3\x9fB\x86\x81\x01B\xf7\x81\x01B\xf2\x81\x04B\xf3\x81\x08B\x82\x84webm", "WebM"},
		{"\x1aE\xdf\xa3\x9fB\x86\x81\x01B\xf7\x81\x01B\xf2\x81\x04B\xf3\x81\x08B\x82\x88matroska", "Matroska"},
		{"#!AMR\n", "AMR"},
		{"\x30\x26\xb2\x75\x8e\x66\xcf\x11\xa6\xd9", "ASF"},
		{"\xff\xf1\x50\x80\x02\x1f\xfc\x00", "AAC (ADTS)"},
		{"RIFF\x00\x00\x00\x00AVI LIST", "AVI"},
		{"caff\x00\x01", "CAF"},
		{".snd\x00\x00\x00\x18", "Sun audio"},
		{"<!DOCTYPE html>", "a web page"},
		{"lmgg", "a model"},
		{"#EXTM3U\n", "a playlist"},
		{"Dear Sir or Madam", ""},
		{string(junk), ""},
		{"\x00", ""},
	} {
		_, err := NewStream(strings.NewReader(c.bytes))
		if !errors.Is(err, ErrUnknownFormat) || !strings.Contains(err.Error(), "--convert") || !strings.Contains(err.Error(), "looks like "+c.name) == (c.name != "") {
			t.Errorf("%.12q: %v, want %q named", c.bytes, err, c.name)
		}
	}
	if _, err := NewStream(strings.NewReader("")); !errors.Is(err, ErrEmpty) || err.Error() != "no audio in it" {
		t.Errorf("nothing: %v", err)
	}
}

// A hundred times the size must not take more memory: the file is made as it is read.
func TestFlatMemory(t *testing.T) {
	block := []byte(strings.Repeat("\x01\x02\x03\x04", 4096))
	head := bs("RIFF\xff\xff\xff\xffWAVE", wavFmt(1, 2, 4, 16), "data\xff\xff\xff\xff")
	s, err := NewStream(io.MultiReader(bytes.NewReader(head), io.LimitReader(&repeat{block: block}, 20<<20)))
	if err != nil {
		t.Fatal(err)
	}
	buf, n := make([]float32, 4096), 0
	if allocs := testing.AllocsPerRun(1, func() {
		for err == nil {
			var k int
			k, err = s.Read(buf)
			n += k
		}
	}); err != io.EOF || n != 20<<20/4 || allocs > 10 {
		t.Errorf("%d samples, %g allocations, %v", n, allocs, err)
	}
}

type repeat struct{ block []byte }

func (r *repeat) Read(p []byte) (int, error) { return copy(p, r.block), nil }

// small keeps what a fuzzer makes from costing minutes.
const small = 1 << 16

// check reads a Stream of b to its end and holds it to the contract, twice: from memory and through a pipe.
func check(t *testing.T, b []byte) {
	if len(b) > small {
		return
	}
	a, _, err := drain(t, bytes.NewReader(b))
	c, _, err2 := drain(t, iotest.HalfReader(struct{ io.Reader }{bytes.NewReader(b)}))
	if (err == nil) != (err2 == nil) || len(a) != len(c) {
		t.Fatalf("from memory %d samples, %v; through a pipe %d, %v", len(a), err, len(c), err2)
	}
	for i := range a {
		if a[i] != c[i] {
			t.Fatalf("sample %d: from memory %g, through a pipe %g", i, a[i], c[i])
		}
	}
}

func drain(t *testing.T, r io.Reader) (all []float32, warning string, err error) {
	s, err := NewStream(r)
	if err != nil {
		return nil, "", err
	}
	defer s.Close()
	if f := s.Format(); f.check() != nil || f.Codec == "" || f.Container == "" || f.Duration < 0 {
		t.Fatalf("format %+v", f)
	}
	buf := make([]float32, 1000)
	for len(all) < 1<<20 {
		n, err := s.Read(buf)
		if n < 0 || n > len(buf) || (n == 0) == (err == nil) {
			t.Fatalf("Read: %d, %v", n, err)
		}
		for _, v := range buf[:n] {
			if math.IsNaN(float64(v)) {
				t.Fatal("NaN")
			}
		}
		all = append(all, buf[:n]...)
		if err == io.EOF {
			break
		}
		if err != nil {
			return all, "", err
		}
	}
	return all, s.Warning(), nil
}

func FuzzWAV(f *testing.F) {
	f.Add([]byte(wavFmt(1, 2, 4, 16)), []byte("\x00\x40\x00\xc0\x00\x20\x01\x02"))
	f.Add([]byte(wavFmt(17, 2, 16, 4, "\x02\x00\x09\x00")), []byte("\x64\x00\x00\x00\x9c\xff\x60\x00\x94\x07\x00\x00\x94\x07\x00\x00"))
	f.Add([]byte(wavFmt(3, 1, 8, 64)), []byte("\x00\x00\x00\x00\x00\x00\xe0\xbf"))
	f.Add([]byte(wavFmt(0xfffe, 1, 4, 32, "\x16\x00\x20\x00\x04\x00\x00\x00", "\x03\x00", guid)+"LIST\x03\x00\x00\x00abc"), []byte("abcdefgh"))
	f.Add([]byte("ds64\x1c\x00\x00\x00\x50\x00\x00\x00\x00\x00\x00\x00\x04\x00\x00\x00\x00\x00\x00\x00"), []byte{})
	f.Fuzz(func(t *testing.T, head, data []byte) {
		for _, kind := range []string{"RIFF", "RIFX", "RF64"} {
			for _, size := range []string{"\x00\x00\x00\x00", "\xff\xff\xff\xff", le32(len(data))} {
				check(t, bs(kind, "\xff\xff\xff\xffWAVE", string(head), "data", size, string(data)))
			}
		}
	})
}

func FuzzAIFF(f *testing.F) {
	f.Add([]byte(comm(2, 2, 16, "")), []byte("\x40\x00\x20\x00\xc0\x00\x40\x00"))
	f.Add([]byte(comm(1, 2, 64, "fl64")), []byte("\xbf\xe0\x00\x00\x00\x00\x00\x00"))
	f.Add([]byte(comm(1, 1, 16, "ima4")), []byte("\x00\x80"+strings.Repeat("\x94", 32)))
	f.Fuzz(func(t *testing.T, head, data []byte) {
		for _, kind := range []string{"AIFF", "AIFC"} {
			check(t, aiff(kind, string(head), ssnd(string(data))))
			check(t, bs("FORM\x00\x00\x00\x00", kind, string(head), "SSND\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00", string(data)))
		}
	})
}

// FuzzStream: any bytes.
func FuzzStream(f *testing.F) {
	for _, name := range []string{"chirp-44100.mp3", "chirp-22050.mp3", "chirp-8000.flac"} {
		b := testdata(f, name)
		f.Add(b[:min(len(b), 2500)])
		f.Add(b[:700])
	}
	f.Add(wavFile(wavFmt(0x55, 2, 1, 0), string(testdata(f, "chirp-22050.mp3")[:1000])))
	f.Add(bs("ID3\x03\x00\x00\x00\x00\x00\x02xx", string(wavFile(wavFmt(1, 1, 2, 16), "abcd"))))
	f.Fuzz(func(t *testing.T, b []byte) { check(t, b) })
}
