package model

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/whisperfile/whisperfile/ggml"
	"github.com/whisperfile/whisperfile/model/internal/synth"
)

// BenchmarkSmall runs the passes of random models that are a layer deep. scripts/instructions.sh counts the instructions of
// one run, which is why there is one encoder only: emulators multiply and add a number at a time.
func BenchmarkSmall(b *testing.B) {
	for _, typ := range []ggml.Type{ggml.F16, ggml.Q8_0, ggml.Q5_0, ggml.Q4_0} {
		width := ggml.HeadSize
		if typ.Quantized() {
			width *= 2
		}
		var file bytes.Buffer
		h := synth.Shrink(synth.Header("base"), width, 1, 1)
		if err := synth.Write(&file, synth.Options{Header: h, Type: typ, Seed: 1}); err != nil {
			b.Fatal(err)
		}
		m, _ := openOn(b, file.Bytes(), 0, "")
		bench, err := m.NewBench()
		if err != nil {
			b.Fatal(err)
		}
		run := func(pass string, f func() error) {
			b.Run(fmt.Sprintf("type=%v/pass=%s", typ, pass), func(b *testing.B) {
				for b.Loop() {
					if err := f(); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
		if typ == ggml.F16 {
			run("encode", func() error { return bench.Encode(b.Context()) })
		} else {
			silence(m, bench.s.slot)
		}
		run("step/rows=1", func() error { return bench.Step(b.Context(), 1, 100) })
		run("step/rows=5", func() error { return bench.Step(b.Context(), 5, 100) })
		run("prompt/rows=100", func() error { return bench.Prompt(b.Context(), 100) })
		if err := bench.Close(); err != nil {
			b.Fatal(err)
		}
	}
}

// silence puts zeros where an encoder puts the keys and values of a slot.
func silence(m *Model, slot int32) {
	slots := make([]int32, m.header.AudioCtx)
	for i := range slots {
		slots[i] = slot
	}
	m.b.WriteInts(m.slots, 0, slots)
	k, v, _ := m.qkv()
	m.b.Store(ggml.Store{Cache: m.cross, K: k, V: v, Slots: m.slots, Cells: m.ids})
}
