package bench

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/whisperfile/whisperfile/ggml"
)

// writeModel writes the smallest model that is Whisper's: one layer each, one head, and zeros for weights, which take as
// long to multiply as any other numbers.
func writeModel(w io.Writer) error {
	h := ggml.Header{
		Vocab: 51864, AudioCtx: 1500, AudioState: 64, AudioHeads: 1, AudioLayers: 1,
		TextCtx: 448, TextState: 64, TextHeads: 1, TextLayers: 1, Mels: 80, FType: int(ggml.F16.FType()),
	}
	const n = 64
	out := ggml.NewWriter(w, h, ggml.MelFilters{Bands: 80, Bins: 201, Coef: make([]float32, 80*201)}, make([][]byte, 50257))
	var err error
	add := func(name string, dims ...int) {
		t := ggml.Tensor{Name: name, Dims: dims, Type: ggml.F32}
		if t.Matrix() || len(dims) == 3 {
			t.Type = ggml.F16
		}
		t.Data = make([]byte, t.Type.Bytes(t.Len()))
		if err == nil {
			err = out.WriteTensor(t)
		}
	}
	layer := func(name string, in, outs int, bias bool) {
		add(name+".weight", in, outs)
		if bias {
			add(name+".bias", outs)
		}
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
	add("decoder.positional_embedding", n, h.TextCtx)
	add("decoder.token_embedding.weight", n, h.Vocab)
	norm("decoder.ln")
	for _, block := range []struct {
		name       string
		attentions []string
	}{{"encoder.blocks.0.", []string{"attn"}}, {"decoder.blocks.0.", []string{"attn", "cross_attn"}}} {
		for _, a := range block.attentions {
			layer(block.name+a+".query", n, n, true)
			layer(block.name+a+".key", n, n, false)
			layer(block.name+a+".value", n, n, true)
			layer(block.name+a+".out", n, n, true)
			norm(block.name + a + "_ln")
		}
		layer(block.name+"mlp.0", n, 4*n, true)
		layer(block.name+"mlp.2", 4*n, n, true)
		norm(block.name + "mlp_ln")
	}
	if err != nil {
		return err
	}
	return out.Flush()
}

// testModel returns the path of that model.
func testModel(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "small.bin")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := writeModel(f); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}
