package audio

import (
	"bytes"
	"fmt"
)

// newDecoder tells the format by the first bytes.
func newDecoder(in *input) (Format, decoder, error) {
	if len(in.peek(1)) == 0 {
		return Format{}, nil, &FormatError{Offset: -1, Err: ErrEmpty}
	}
	in.skipID3()
	b := in.peek(16)
	switch magic := string(b[:min(4, len(b))]); {
	case (magic == "RIFF" || magic == "RIFX" || magic == "RF64" || magic == "BW64") && len(b) >= 12 && string(b[8:12]) == "WAVE":
		return newWAV(in)
	case magic == "FORM" && len(b) >= 12 && (string(b[8:12]) == "AIFF" || string(b[8:12]) == "AIFC"):
		return newAIFF(in)
	case magic == "fLaC":
		return newFLAC(in)
	}
	name := looksLike(in.peek(inputBuffer))
	if name == "" {
		f, d, err := newMP3(in)
		if err != errNoMP3 {
			return f, d, err
		}
		return f, nil, &FormatError{Offset: -1, Err: fmt.Errorf("%w; if it is audio, %s", ErrUnknownFormat, hintConvert)}
	}
	return Format{}, nil, &FormatError{Offset: -1, Err: fmt.Errorf("%w (looks like %s); if there is sound in it, %s", ErrUnknownFormat, name, hintConvert)}
}

// signatures name what is not decoded here, for the error.
var signatures = []struct {
	at    int
	magic string
	name  string
}{
	{0, "\x1aE\xdf\xa3", "Matroska"},
	{4, "ftypM4A", "MP4 audio (m4a)"},
	{4, "ftypM4B", "MP4 audio (m4b)"},
	{4, "ftypqt", "QuickTime"},
	{4, "ftyp3g", "3GP"},
	{4, "ftyp", "MP4"},
	{4, "moov", "QuickTime"},
	{4, "mdat", "QuickTime"},
	{0, "#!AMR", "AMR"},
	{0, "\x30\x26\xb2\x75\x8e\x66\xcf\x11", "ASF (wma, wmv)"},
	{0, "caff", "CAF"},
	{0, ".snd", "Sun audio (au)"},
	{0, "FLV", "Flash video"},
	{8, "AVI ", "AVI"},
	{0, "wvpk", "WavPack"},
	{0, "MAC ", "Monkey's Audio"},
	{0, "TTA", "True Audio"},
	{0, "MPCK", "Musepack"},
	{0, "MP+", "Musepack"},
	{0, "DSD ", "DSD"},
	{0, "FRM8", "DSDIFF"},
	{0, ".RMF", "RealMedia"},
	{0, "ADIF", "AAC"},
	{0, "\x0b\x77", "AC-3"},
	{0, "\x7f\xfe\x80\x01", "DTS"},
	{0, "\x00\x00\x01\xba", "MPEG video"},
	{0, "\x00\x00\x01\xb3", "MPEG video"},
	{0, "MThd", "MIDI"},
	{0, "riff\x2e\x91\xcf\x11", "Wave64"},
	{0, "GIF8", "a GIF picture"},
	{0, "\x89PNG", "a PNG picture"},
	{0, "\xff\xd8\xff", "a JPEG picture"},
	{0, "%PDF", "a PDF document"},
	{0, "PK\x03\x04", "a zip file"},
	{0, "\x1f\x8b", "a gzip file"},
	{0, "\x7fELF", "a program"},
	{0, "lmgg", "a model"},
	{0, "GGUF", "a model"},
	{0, "#EXTM3U", "a playlist"},
	{0, "<", "a web page or XML"},
}

// looksLike names the format of b if it is a known one, else "".
func looksLike(b []byte) string {
	has := func(at int, s string) bool { return len(b) >= at && bytes.HasPrefix(b[at:], []byte(s)) }
	if has(0, "OggS") {
		head := b[:min(len(b), 300)]
		for _, c := range []struct{ magic, name string }{
			{"OpusHead", "Ogg Opus"}, {"\x01vorbis", "Ogg Vorbis"}, {"\x7fFLAC", "Ogg FLAC"}, {"Speex   ", "Ogg Speex"},
		} {
			if bytes.Contains(head, []byte(c.magic)) {
				return c.name
			}
		}
		return "Ogg"
	}
	for _, s := range signatures {
		if has(s.at, s.magic) {
			if s.name == "Matroska" && bytes.Contains(b[:min(len(b), 100)], []byte("webm")) {
				return "WebM"
			}
			return s.name
		}
	}
	// ADTS: twelve bits of sync, layer 0; MPEG transport: a sync byte every 188.
	if len(b) > 7 && b[0] == 0xff && b[1]&0xf6 == 0xf0 && b[2]>>2&15 < 13 {
		return "AAC (ADTS)"
	}
	if len(b) > 376 && b[0] == 0x47 && b[188] == 0x47 && b[376] == 0x47 {
		return "an MPEG transport stream"
	}
	return ""
}
