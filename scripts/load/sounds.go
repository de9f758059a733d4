package main

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/whisperfile/whisperfile/audio"
)

// clip is a sound in a file.
type clip struct {
	path   string
	data   []byte
	length time.Duration
}

// sounds are the clips that are sent, in a directory of their own for the command line to read.
type sounds struct {
	dir   string
	short []clip // up to 7 s each
	half  clip   // 30 s
	long  clip   // 10 minutes
}

// shorts is how many short clips are cut from a file.
const shorts, shortLength = 5, 6 * audio.SampleRate

// newSounds makes clips of a file, or of those of testdata where there is none.
func newSounds(file string) (s *sounds, err error) {
	var pieces [][]float32
	if file != "" {
		all, err := read(file)
		if err != nil {
			return nil, err
		}
		for i := range shorts {
			pieces = append(pieces, stretch(all[i*shortLength%len(all):], shortLength))
		}
		// What is longer begins at the beginning, and a file that is too short begins again.
		return writeSounds(pieces, all)
	}
	names, err := filepath.Glob("testdata/*.wav")
	if err != nil || len(names) == 0 {
		return nil, errors.Join(errors.New("there is no testdata here; load runs in a checkout"), err)
	}
	var all []float32
	for _, name := range names {
		p, err := read(name)
		if err != nil {
			return nil, err
		}
		pieces = append(pieces, p)
		all = append(all, p...)
	}
	return writeSounds(pieces, all)
}

func writeSounds(pieces [][]float32, all []float32) (s *sounds, err error) {
	s = &sounds{}
	if s.dir, err = os.MkdirTemp("", "load"); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.close())
		}
	}()
	for i, p := range pieces {
		c, err := s.write(fmt.Sprintf("short-%d.wav", i), p)
		if err != nil {
			return nil, err
		}
		s.short = append(s.short, c)
	}
	if s.half, err = s.write("half.wav", stretch(all, 30*audio.SampleRate)); err != nil {
		return nil, err
	}
	s.long, err = s.write("long.wav", stretch(all, 600*audio.SampleRate))
	return s, err
}

func (s *sounds) close() error { return os.RemoveAll(s.dir) }

// stretch repeats or cuts samples to n of them.
func stretch(samples []float32, n int) []float32 {
	var out []float32
	for len(out) < n {
		out = append(out, samples[:min(len(samples), n-len(out))]...)
	}
	return out
}

func read(name string) ([]float32, error) {
	st, err := audio.Open(name)
	if err != nil {
		return nil, err
	}
	defer st.Close()
	var all []float32
	for p := make([]float32, 1<<16); ; {
		n, err := st.Read(p)
		all = append(all, p[:n]...)
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, err
		}
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("%s: there is no sound in it", name)
	}
	return all, nil
}

// write makes a WAV file of 16-bit samples.
func (s *sounds) write(name string, samples []float32) (clip, error) {
	var b bytes.Buffer
	size := uint32(2 * len(samples))
	b.WriteString("RIFF")
	b.Write(binary.LittleEndian.AppendUint32(nil, 36+size))
	b.WriteString("WAVEfmt \x10\x00\x00\x00\x01\x00\x01\x00")
	b.Write(binary.LittleEndian.AppendUint32(nil, audio.SampleRate))
	b.Write(binary.LittleEndian.AppendUint32(nil, 2*audio.SampleRate))
	b.WriteString("\x02\x00\x10\x00data")
	b.Write(binary.LittleEndian.AppendUint32(nil, size))
	for _, x := range samples {
		b.Write(binary.LittleEndian.AppendUint16(nil, uint16(int16(max(-32768, min(32767, x*32768))))))
	}
	c := clip{path: filepath.Join(s.dir, name), data: b.Bytes(), length: time.Duration(len(samples)) * time.Second / audio.SampleRate}
	return c, os.WriteFile(c.path, c.data, 0o600)
}
