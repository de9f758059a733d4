// Package synth makes Whisper models with random weights, for tests: every header that was published, at full or at
// reduced size, in every type. Their weights are scaled so that activations behave like those of a trained model,
// attention is neither flat nor one-hot, and logits spread over a few units.
package synth

import (
	"fmt"
	"math"

	"github.com/whisperfile/whisperfile/ggml"
)

// Options say what model to make.
type Options struct {
	// Header is the model's size; its FType is ignored. See Header and Shrink.
	Header ggml.Header

	// Type is what the matrices are stored as. Convolutions are F32 in an F32 model and F16 in all others.
	Type ggml.Type

	// Seed picks one of many models. A model depends on Header, Type and Seed alone, to the byte, on every machine.
	Seed uint64
}

// Names lists the published models that Header knows, small ones first.
var Names = []string{
	"tiny.en", "tiny", "base.en", "base", "small.en", "small", "medium.en", "medium", "large-v2", "large-v3", "large-v3-turbo",
	"distil-small.en", "distil-medium.en", "distil-large-v2", "distil-large-v3",
}

// Header returns the header of a published model. It panics where there is none of that name.
func Header(name string) ggml.Header {
	type size struct{ vocab, state, encoder, decoder, mels int }
	s, ok := map[string]size{
		"tiny.en":          {51864, 384, 4, 4, 80},
		"tiny":             {51865, 384, 4, 4, 80},
		"base.en":          {51864, 512, 6, 6, 80},
		"base":             {51865, 512, 6, 6, 80},
		"small.en":         {51864, 768, 12, 12, 80},
		"small":            {51865, 768, 12, 12, 80},
		"medium.en":        {51864, 1024, 24, 24, 80},
		"medium":           {51865, 1024, 24, 24, 80},
		"large-v2":         {51865, 1280, 32, 32, 80},
		"large-v3":         {51866, 1280, 32, 32, 128},
		"large-v3-turbo":   {51866, 1280, 32, 4, 128},
		"distil-small.en":  {51864, 768, 12, 4, 80},
		"distil-medium.en": {51864, 1024, 24, 2, 80},
		"distil-large-v2":  {51865, 1280, 32, 2, 80},
		"distil-large-v3":  {51866, 1280, 32, 2, 128},
	}[name]
	if !ok {
		panic("synth: no published model is called " + name)
	}
	return ggml.Header{
		Vocab: s.vocab, Mels: s.mels,
		AudioCtx: 1500, AudioState: s.state, AudioHeads: s.state / ggml.HeadSize, AudioLayers: s.encoder,
		TextCtx: 448, TextState: s.state, TextHeads: s.state / ggml.HeadSize, TextLayers: s.decoder,
	}
}

// Shrink returns h with a width of state, a multiple of ggml.HeadSize, and at most that many layers in the encoder and in
// the decoder. 0 leaves what there is. What is told from the number of layers (the model's family) may change with it.
func Shrink(h ggml.Header, state, encoder, decoder int) ggml.Header {
	if state > 0 {
		h.AudioState, h.TextState = state, state
		h.AudioHeads, h.TextHeads = state/ggml.HeadSize, state/ggml.HeadSize
	}
	if encoder > 0 {
		h.AudioLayers = min(h.AudioLayers, encoder)
	}
	if decoder > 0 {
		h.TextLayers = min(h.TextLayers, decoder)
	}
	return h
}

// part is a tensor before it has numbers: normally distributed ones around mean.
type part struct {
	name      string
	dims      []int // ggml's order, fastest first
	mean, std float64
}

// parts lists the tensors of a model in the order of the published files.
func parts(h ggml.Header) []part {
	n := h.AudioState
	// Products of normalised rows: a standard deviation of gain/√columns keeps the variance at gain² whatever the width.
	gain := func(g float64, columns int) float64 { return g / math.Sqrt(float64(columns)) }
	var all []part
	add := func(name string, mean, std float64, dims ...int) { all = append(all, part{name, dims, mean, std}) }
	norm := func(name string) {
		add(name+".weight", 1, 0.1, n)
		add(name+".bias", 0, 0.1, n)
	}
	linear := func(name string, in, out int, g float64) {
		add(name+".weight", 0, gain(g, in), in, out)
		add(name+".bias", 0, 0.05, out)
	}
	attention := func(name string) {
		linear(name+".query", n, n, 1.4)
		add(name+".key.weight", 0, gain(1.4, n), n, n) // scores: a standard deviation of about 2
		linear(name+".value", n, n, 0.7)
		linear(name+".out", n, n, 0.7)
		norm(name + "_ln")
	}
	block := func(name string, cross bool) {
		attention(name + "attn")
		if cross {
			attention(name + "cross_attn")
		}
		linear(name+"mlp.0", n, 4*n, 0.7)
		linear(name+"mlp.2", 4*n, n, 0.7)
		norm(name + "mlp_ln")
	}

	add("encoder.positional_embedding", 0, 0.3, n, h.AudioCtx)
	add("encoder.conv1.weight", 0, gain(1, 3*h.Mels), 3, h.Mels, n)
	add("encoder.conv1.bias", 0, 0.05, 1, n)
	add("encoder.conv2.weight", 0, gain(1.5, 3*n), 3, n, n)
	add("encoder.conv2.bias", 0, 0.05, 1, n)
	for i := range h.AudioLayers {
		block(fmt.Sprintf("encoder.blocks.%d.", i), false)
	}
	norm("encoder.ln_post")
	add("decoder.positional_embedding", 0, 0.1, n, h.TextCtx)
	add("decoder.token_embedding.weight", 0, gain(3, n), n, h.Vocab) // logits: a standard deviation of about 3
	for i := range h.TextLayers {
		block(fmt.Sprintf("decoder.blocks.%d.", i), true)
	}
	norm("decoder.ln")
	return all
}

// filters weighs the spectrum with one triangle of four bins a band, evenly spaced: sums of eighths, exact in float32.
func filters(bands int) ggml.MelFilters {
	const bins = 201
	m := ggml.MelFilters{Bands: bands, Bins: bins, Coef: make([]float32, bands*bins)}
	for b := range bands {
		centre := 16 + (bins-5)*8*b/(bands-1) // in eighths of a bin
		for i := range bins {
			if d := max(8*i-centre, centre-8*i); d < 16 {
				m.Coef[b*bins+i] = float32(16-d) / 256
			}
		}
	}
	return m
}

// vocab is a vocabulary that is laid out like GPT-2's: each byte is a token, in its order, and all others are made up.
func vocab(h ggml.Header) [][]byte {
	stored := make([][]byte, 0, 50257)
	printable := func(b int) bool { return b > ' ' && b < 0x7f || b >= 0xa1 && b != 0xad }
	for _, want := range []bool{true, false} {
		for b := range 256 {
			if printable(b) == want {
				stored = append(stored, []byte{byte(b)})
			}
		}
	}
	for i := 0; len(stored) < 50256; i++ {
		stored = append(stored, fmt.Appendf(nil, " w%d", i))
	}
	last := ""
	if h.Vocab == 51864 {
		last = "<|endoftext|>"
	}
	stored = append(stored, []byte(last))
	return stored[:min(len(stored), h.Vocab)]
}
