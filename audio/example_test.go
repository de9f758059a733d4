package audio_test

import (
	"fmt"
	"io"
	"log"

	"github.com/whisperfile/whisperfile/audio"
)

func ExampleOpen() {
	s, err := audio.Open("testdata/chirp-44100.mp3")
	if err != nil {
		log.Fatal(err)
	}
	defer s.Close()

	samples, buf := 0, make([]float32, audio.SampleRate)
	for {
		n, err := s.Read(buf)
		samples += n
		if err == io.EOF {
			break
		}
		if err != nil {
			log.Fatal(err)
		}
	}
	f := s.Format()
	fmt.Printf("%s, %d Hz, %d channels: %d samples at %d Hz\n", f.Codec, f.Rate, f.Channels, samples, audio.SampleRate)
	// Output: mp3, 44100 Hz, 2 channels: 16000 samples at 16000 Hz
}
