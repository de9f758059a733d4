//go:build !noasm

package model_test

import (
	"context"
	"fmt"
	"log"

	"github.com/whisperfile/whisperfile/audio"
	"github.com/whisperfile/whisperfile/ggml"
	"github.com/whisperfile/whisperfile/model"
	"github.com/whisperfile/whisperfile/model/tinyen"
)

// Transcribe a file with the model that is embedded in package tinyen. For a model on disk, model.Open takes its path.
func Example() {
	pool := ggml.NewPool(0) // as many threads as physical cores
	defer pool.Close()
	cpu, err := ggml.NewCPU(pool, ggml.CPUOptions{})
	if err != nil {
		log.Fatal(err)
	}
	defer cpu.Close()

	m, err := model.OpenData(tinyen.Name, tinyen.Data(), cpu)
	if err != nil {
		log.Fatal(err)
	}
	defer m.Close()
	s, err := m.NewSession()
	if err != nil {
		log.Fatal(err)
	}
	defer s.Close()

	f, err := audio.Open("../testdata/austen-0930.wav")
	if err != nil {
		log.Fatal(err)
	}
	defer f.Close()
	_, err = s.Transcribe(context.Background(), f, model.Options{}, func(seg model.Segment) error {
		fmt.Printf("%s\n", seg.Text)
		return nil
	})
	if err != nil {
		log.Fatal(err)
	}
	// Output: He might even have been made amiable himself.
}
