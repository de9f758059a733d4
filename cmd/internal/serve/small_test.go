package serve

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/whisperfile/whisperfile/ggml"
)

// smallModel writes a model that is Whisper's but for its size: one layer, one head, random weights and a context so short that a
// window ends after a dozen tokens.
func smallModel(t *testing.T) string {
	t.Helper()
	const n, textCtx = 64, 32
	h := ggml.Header{
		Vocab: 51864, AudioCtx: 1500, AudioState: n, AudioHeads: 1, AudioLayers: 1,
		TextCtx: textCtx, TextState: n, TextHeads: 1, TextLayers: 1, Mels: 80, FType: int(ggml.F32.FType()),
	}
	path := filepath.Join(t.TempDir(), "ggml-small.bin")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	words := make([][]byte, 50257)
	for i := range words {
		words[i] = fmt.Appendf(nil, " %d", i)
	}
	out := ggml.NewWriter(f, h, ggml.MelFilters{Bands: 80, Bins: 201, Coef: make([]float32, 80*201)}, words)
	rng := rand.New(rand.NewPCG(1, 2))
	add := func(name string, dims ...int) {
		t.Helper()
		x := ggml.Tensor{Name: name, Dims: dims, Type: ggml.F32}
		if len(dims) == 3 {
			x.Type = ggml.F16
		}
		x.Data = make([]byte, x.Type.Bytes(x.Len()))
		if x.Type == ggml.F32 {
			for i := 2; i < len(x.Data); i += 4 {
				x.Data[i], x.Data[i+1] = byte(rng.Uint32()), 0x3d|byte(rng.Uint32()&0x80)
			}
		}
		if err := out.WriteTensor(x); err != nil {
			t.Fatal(err)
		}
	}
	both := func(name string, in, outs int) {
		add(name+".weight", in, outs)
		add(name+".bias", outs)
	}
	norm := func(name string) {
		add(name+".weight", n)
		add(name+".bias", n)
	}
	add("encoder.positional_embedding", n, h.AudioCtx)
	for i, channels := range []int{h.Mels, n} {
		add(fmt.Sprintf("encoder.conv%d.weight", i+1), 3, channels, n)
		add(fmt.Sprintf("encoder.conv%d.bias", i+1), 1, n)
	}
	norm("encoder.ln_post")
	add("decoder.positional_embedding", n, textCtx)
	add("decoder.token_embedding.weight", n, h.Vocab)
	norm("decoder.ln")
	for block, attentions := range map[string][]string{"encoder.blocks.0.": {"attn"}, "decoder.blocks.0.": {"attn", "cross_attn"}} {
		for _, a := range attentions {
			both(block+a+".query", n, n)
			add(block+a+".key.weight", n, n)
			both(block+a+".value", n, n)
			both(block+a+".out", n, n)
			norm(block + a + "_ln")
		}
		both(block+"mlp.0", n, 4*n)
		both(block+"mlp.2", 4*n, n)
		norm(block + "mlp_ln")
	}
	if err := out.Flush(); err != nil {
		t.Fatal(err)
	}
	return path
}
