package model

import (
	"math/rand/v2"
	"testing"
)

func TestStatsCount(t *testing.T) {
	var s Stats
	for _, rows := range []int{1, 1, 2, 3, 4, 5, 8, 9, 16, 17, 32, 33, 64, 65, 1000} {
		s.count(rows)
	}
	want := Stats{Steps: 15, Rows: 1260, Sizes: [8]uint64{2, 1, 2, 2, 2, 2, 2, 2}}
	if s != want {
		t.Errorf("%+v, want %+v", s, want)
	}
}

// Every step that a session takes is counted, and only that.
func TestStats(t *testing.T) {
	m := smallModel(t)
	if s := m.Stats(); s != (Stats{}) {
		t.Errorf("before anything was heard: %+v", s)
	}
	s, err := m.NewSession()
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	rng := rand.New(rand.NewPCG(1, 2))
	mono := make([]float32, 16000)
	for i := range mono {
		mono[i] = rng.Float32() - 0.5
	}
	_, err = s.Transcribe(t.Context(), &samples{mono, len(mono)}, Options{Language: "en", NoFallback: true}, func(Segment) error { return nil })
	if err != nil {
		t.Fatal(err)
	}
	got := m.Stats()
	sum := uint64(0)
	for _, n := range got.Sizes {
		sum += n
	}
	if got.Steps == 0 || got.Rows < got.Steps || sum != got.Steps {
		t.Errorf("%+v", got)
	}
}
