package audio

import (
	"errors"
	"fmt"
	"io"
	"os"
)

// decoder yields the audio of one file, interleaved.
type decoder interface {
	// next returns the next samples: at least one frame if err is nil, none otherwise. They are valid until the following
	// call. io.EOF is the end, any other error damage behind which nothing can be decoded.
	next() ([]float32, error)
}

// Stream is a Source over a file of any format that the package knows. Its methods are for one goroutine at a time.
//
// Damage in the middle of a file ends the Stream like its end would: what was decoded is delivered, and Warning tells.
type Stream struct {
	out   Source
	mix   mixer
	close func() error
	err   error
}

// Open opens a file. The format is told by the content; the name does not matter.
func Open(path string) (*Stream, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	if st, err := f.Stat(); err == nil && st.IsDir() {
		f.Close()
		return nil, &os.PathError{Op: "open", Path: path, Err: errors.New("is a directory")}
	}
	s, err := NewStream(f)
	if err != nil {
		f.Close()
		return nil, inFile(path, err)
	}
	s.mix.path = path
	s.close = f.Close
	return s, nil
}

// inFile puts the path into a FormatError.
func inFile(path string, err error) error {
	if e, ok := errors.AsType[*FormatError](err); ok && path != "" {
		e.Path = path
	}
	return err
}

// NewStream decodes what r delivers, from r's position on. Seek is used, where r has it, to learn how long the file is.
// Closing the Stream does not close r.
func NewStream(r io.Reader) (*Stream, error) {
	in := newInput(r)
	f, d, err := newDecoder(in)
	if err != nil {
		if in.err != nil {
			return nil, in.err
		}
		return nil, err
	}
	s := &Stream{mix: mixer{dec: d, in: in, format: f}}
	s.out = &s.mix
	if f.Rate != SampleRate {
		s.out = newResampler(&s.mix, f.Rate)
	}
	return s, nil
}

// Read is Source's. It never returns samples along with an error.
func (s *Stream) Read(dst []float32) (int, error) {
	if len(dst) == 0 || s.err != nil {
		return 0, s.err
	}
	n, err := s.out.Read(dst)
	if err != nil {
		s.err = err
		if n > 0 {
			return n, nil
		}
	}
	return n, err
}

// Format returns what the file's header says.
func (s *Stream) Format() Format { return s.mix.format }

// Warning returns "" or one line about what is wrong with the file although it could be decoded, such as that it is cut
// short. It is complete once Read has returned io.EOF.
func (s *Stream) Warning() string { return s.mix.warning }

// Close releases what the Stream holds. Read fails afterwards.
func (s *Stream) Close() error {
	if s.err == nil {
		s.err = os.ErrClosed
	}
	if s.close == nil {
		return nil
	}
	err := s.close()
	s.close = nil
	return err
}

// mixer is a Source of the average of a decoder's channels, at the file's rate. It decides what an error means.
type mixer struct {
	dec     decoder
	in      *input
	format  Format
	path    string
	block   []float32 // interleaved, not yet delivered
	heard   bool
	count   int64 // samples delivered
	limit   int64 // of them; 0: none
	warning string
	err     error
}

func (m *mixer) Read(dst []float32) (int, error) {
	for len(m.block) == 0 && m.err == nil {
		m.block, m.err = m.decode()
		if m.err != nil {
			m.block, m.err = nil, m.judge(m.err)
		}
		m.block = m.block[:len(m.block)-len(m.block)%m.format.Channels]
		m.heard = m.heard || len(m.block) > 0
	}
	if len(m.block) == 0 {
		return 0, m.err
	}
	ch := m.format.Channels
	n := min(len(dst), len(m.block)/ch)
	if m.limit > 0 && m.count+int64(n) > m.limit {
		m.err = io.EOF
		m.warning = fmt.Sprintf("only the first %v are converted", m.format.duration(m.limit))
		n = int(m.limit - m.count)
		if m.block = m.block[:n*ch]; n == 0 {
			return 0, io.EOF
		}
	}
	dst = dst[:n]
	if ch == 1 {
		copy(dst, m.block)
	} else {
		scale := 1 / float32(ch)
		for i := range dst {
			var sum float32
			for _, v := range m.block[i*ch : (i+1)*ch] {
				sum += v
			}
			dst[i] = sum * scale
		}
	}
	m.block = m.block[n*ch:]
	m.count += int64(n)
	for i, v := range dst {
		if v-v != 0 { // NaN or infinite
			dst[i] = 0
		}
	}
	return n, nil
}

// decode calls the decoder and turns a panic of it into an error: libraries meet damaged files too.
func (m *mixer) decode() (block []float32, err error) {
	defer func() {
		if p := recover(); p != nil {
			block, err = nil, fmt.Errorf("the decoder stopped: %v", p)
		}
	}()
	return m.dec.next()
}

// judge turns the decoder's last error into the Stream's.
func (m *mixer) judge(err error) error {
	switch {
	case m.in.err != nil:
		if e, ok := errors.AsType[*convertExit](m.in.err); ok && m.heard {
			m.warning = e.Error()
			return io.EOF
		}
		return m.in.err
	case !m.heard && err == io.EOF:
		return inFile(m.path, &FormatError{Offset: -1, Field: m.format.Container, Err: ErrEmpty})
	case !m.heard:
		return inFile(m.path, &FormatError{Offset: m.in.off, Field: m.format.Container, Err: fmt.Errorf("%w: %w", ErrFormat, err)})
	case err != io.EOF:
		m.warning = err.Error()
	}
	return io.EOF
}
