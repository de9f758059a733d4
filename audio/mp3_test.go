package audio

import (
	"bytes"
	"encoding/binary"
	"errors"
	"strings"
	"testing"
	"time"
)

func TestMP3(t *testing.T) {
	for _, c := range []struct {
		name   string
		format Format
		least  float64
	}{
		{"chirp-44100.mp3", Format{"mp3", "mp3", 44100, 2, time.Second}, 65},
		{"chirp-22050.mp3", Format{"mp3", "mp3", 22050, 1, time.Second}, 65},
	} {
		b := testdata(t, c.name)
		whole, s, err := decode(b)
		if err != nil {
			t.Fatal(c.name, err)
		}
		// As many samples as went into the encoder, at the same place: its delay and padding are gone.
		if s.Format() != c.format || len(whole) != SampleRate || s.Warning() != "" {
			t.Errorf("%s: %+v, %d samples, warning %q", c.name, s.Format(), len(whole), s.Warning())
		}
		if db, gain := snr(whole, testChirp(len(whole)), 800, len(whole)-800); db < c.least || gain < 0.94 || gain > 1.01 {
			t.Errorf("%s: %.1f dB, gain %g", c.name, db, gain) // the encoder scales by 0.95
		}
		tag := make([]byte, 128)
		copy(tag, "TAG")
		id3 := bs("ID3\x04\x00\x00\x00\x03\x00\x00", strings.Repeat("\xff\xfb\x90\x00", 3*128*128/4)) // a picture full of syncs
		ape := bs("APETAGEX\xd0\x07\x00\x00", "\x20\x00\x00\x00", strings.Repeat("\x00", 16), strings.Repeat("x", 32))
		for name, b := range map[string][]byte{
			"ID3v1": append(bytes.Clone(b), tag...), "ID3v2": append(id3, b...), "APE": append(bytes.Clone(b), ape...),
			"zeros in front": append(make([]byte, 3000), b...), "two ID3v2": append(append(bytes.Clone(id3), id3...), b...),
		} {
			got, s, err := decode(b)
			if err != nil || s.Warning() != "" {
				t.Errorf("%s, %s: warning %q, %v", c.name, name, s.Warning(), err)
				continue
			}
			equal(t, got, whole)
		}
	}
}

// frames returns where the frames of b begin.
func mp3Frames(b []byte) (starts []int) {
	at, _ := findMP3(b)
	for {
		h, ok := parseMP3Header(b[min(at, len(b)):])
		if !ok {
			return starts
		}
		starts = append(starts, at)
		at += h.size
	}
}

func TestMP3Damage(t *testing.T) {
	for _, name := range []string{"chirp-44100.mp3", "chirp-22050.mp3"} {
		b := testdata(t, name)
		starts := mp3Frames(b)
		whole, s, err := decode(b)
		if err != nil {
			t.Fatal(err)
		}
		h, _ := parseMP3Header(b[starts[0]:])
		frame := h.samples * SampleRate / h.rate
		rate := s.Format().Rate
		quiet := func(n int) int { return n*1152*SampleRate/rate - 1105*SampleRate/rate }

		// Without its first frames the rest begins with silence until all that it needs is there.
		got, s, err := decode(b[starts[8]:])
		if err != nil || s.Warning() != "" {
			t.Fatalf("%s from the middle: warning %q, %v", name, s.Warning(), err)
		}
		late := len(whole) - len(got) // the tag is gone too: the padding is heard
		if late > 8*frame {
			t.Errorf("%s from the middle: %d samples of %d", name, len(got), len(whole))
		}

		hit := bytes.Clone(b)
		for i := starts[10] + 1; i < starts[11]+40; i++ {
			hit[i] = 0xa5
		}
		got, s, err = decode(hit)
		if err != nil || !strings.HasPrefix(s.Warning(), "the file is cut short") {
			t.Fatalf("%s damaged: warning %q, %v", name, s.Warning(), err)
		}
		if n := quiet(8); rate == 44100 {
			equal(t, got[:n], whole[:n])
		}

		got, s, err = decode(b[:starts[len(starts)/2]+20])
		if err != nil || !strings.HasPrefix(s.Warning(), "the file is cut short") || len(got) < len(whole)/2-3*frame {
			t.Errorf("%s cut: %d of %d samples, warning %q, %v", name, len(got), len(whole), s.Warning(), err)
		}
	}
}

func TestMP3Errors(t *testing.T) {
	frames := func(head string, size int) []byte {
		return []byte(strings.Repeat(head+strings.Repeat("\x00", size-len(head)), 4))
	}
	for _, c := range []struct {
		name string
		file []byte
		want error
		text string
	}{
		{"layer II", frames("\xff\xfd\x90\x00", 522), ErrUnsupported, "MPEG-1 layer 2"},
		{"layer I", frames("\xff\xff\x10\x00", 32), ErrUnsupported, "MPEG-1 layer 1"},
		{"MPEG-2.5", frames("\xff\xe3\x80\x00", 417), ErrUnsupported, "MPEG-2.5 layer 3 (11025 Hz); --convert"},
		{"22.05 kHz at 160 kbit/s", frames("\xff\xf3\xe0\x00", 522), ErrUnsupported, "22050 Hz, 160 kbit/s"},
		{"one header", []byte("\xff\xfb\x90\x00"), ErrFormat, "no frame"},
		{"sync without end", bytes.Repeat([]byte("\xff"), 100000), ErrUnknownFormat, "--convert"},
		{"mp3 in wav, without mp3", wavFile(wavFmt(0x55, 1, 1, 0), "abcdefgh"), ErrFormat, "no MPEG audio frame"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, _, err := decode(c.file)
			if !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.text) {
				t.Fatalf("%d samples, %v, want %v with %q", len(got), err, c.want, c.text)
			}
		})
	}
}

func TestMP3InWAV(t *testing.T) {
	b := testdata(t, "chirp-44100.mp3")
	want, _, _ := decode(b)
	got, s, err := decode(wavFile(wavFmt(0x55, 2, 1, 0), string(b)))
	if err != nil {
		t.Fatal(err)
	}
	equal(t, got, want)
	if f := s.Format(); f.Container != "wav" || f.Codec != "mp3" || f.Rate != 44100 {
		t.Errorf("%+v", f)
	}
}

func TestMP3Header(t *testing.T) {
	for _, c := range []struct {
		head uint32
		want mp3Header
		ok   bool
	}{
		{0xfffb9000, mp3Header{1, 3, 44100, 2, 128000, 417, 1152, false}, true},
		{0xfffb92c0, mp3Header{1, 3, 44100, 1, 128000, 418, 1152, false}, true},
		{0xfffae400, mp3Header{1, 3, 48000, 2, 320000, 960, 1152, true}, true},
		{0xfff340c0, mp3Header{2, 3, 22050, 1, 32000, 104, 576, false}, true},
		{0xffe318c0, mp3Header{25, 3, 8000, 1, 8000, 72, 576, false}, true},
		{0xfffd9000, mp3Header{1, 2, 44100, 2, 160000, 522, 1152, false}, true},
		{0xffff1000, mp3Header{1, 1, 44100, 2, 32000, 32, 384, false}, true},
		{0xfffb0000, mp3Header{}, false}, // free format
		{0xfffbf000, mp3Header{}, false}, // bit rate
		{0xfffb9c00, mp3Header{}, false}, // rate
		{0xffeb9000, mp3Header{}, false}, // version
		{0xfff99000, mp3Header{}, false}, // layer
		{0xfffb9002, mp3Header{}, false}, // emphasis
		{0x7ffb9000, mp3Header{}, false}, // sync
	} {
		got, ok := parseMP3Header(binary.BigEndian.AppendUint32(nil, c.head))
		if ok != c.ok || ok && got != c.want {
			t.Errorf("%08x: %+v %v, want %+v %v", c.head, got, ok, c.want, c.ok)
		}
	}
}
