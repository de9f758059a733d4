package synth

import (
	"encoding/binary"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"

	"github.com/whisperfile/whisperfile/ggml"
)

// Transformers lists the models of which Hugging Face's transformers computed logits and tokens:
// model/testdata/transformers/NAME.json each.
var Transformers = []struct {
	Name    string
	Options Options
	Prompt  []int32
}{
	{"tiny.en", Options{Header: Shrink(Header("tiny.en"), 64, 2, 2), Type: ggml.F16, Seed: 31}, []int32{50257, 50363, 679, 373}},
	{"base", Options{Header: Shrink(Header("base"), 128, 2, 2), Type: ggml.F32, Seed: 22}, []int32{50258, 50259, 50359, 50364, 400}},
	{"large-v3-turbo", Options{Header: Shrink(Header("large-v3-turbo"), 192, 2, 2), Type: ggml.F32, Seed: 23}, []int32{50258, 50261, 50360, 50364}},
}

// Mel makes a window of log-mel, [2·audio context][mels], that goes with a model.
func Mel(o Options) []float32 {
	x := make([]float32, 2*o.Header.AudioCtx*o.Header.Mels)
	newSource(o.Seed, "mel").fill(x, 0, 0.5)
	return x
}

// WriteTransformers writes the model into a directory as transformers reads it, config.json and model.safetensors, and the
// window that Mel makes as mel.safetensors, [2·audio context][mels]. Weights are float32 of the values that Write stores.
func WriteTransformers(dir string, o Options) error {
	h := o.Header
	config := map[string]any{
		"architectures": []string{"WhisperForConditionalGeneration"}, "model_type": "whisper", "dtype": "float32",
		"vocab_size": h.Vocab, "num_mel_bins": h.Mels, "d_model": h.AudioState,
		"max_source_positions": h.AudioCtx, "encoder_layers": h.AudioLayers, "encoder_attention_heads": h.AudioHeads, "encoder_ffn_dim": 4 * h.AudioState,
		"max_target_positions": h.TextCtx, "decoder_layers": h.TextLayers, "decoder_attention_heads": h.TextHeads, "decoder_ffn_dim": 4 * h.TextState,
		"activation_function": "gelu", "scale_embedding": false, "tie_word_embeddings": true,
		"pad_token_id": 50256, "bos_token_id": 50256, "eos_token_id": 50256, "decoder_start_token_id": 50257,
	}
	c, err := json.MarshalIndent(config, "", "  ")
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, "config.json"), c, 0o666); err != nil {
		return err
	}
	var model safetensors
	for _, p := range parts(h) {
		typ, x := o.storage(p), make([]float32, ggml.Tensor{Dims: p.dims}.Len())
		newSource(o.Seed, p.name).fill(x, float32(p.mean), float32(p.std))
		stored := make([]byte, typ.Bytes(len(x)))
		ggml.Quantize(typ, stored, x)
		ggml.Dequantize(typ, x, stored)
		var shape []int // slowest first, and one dimension for a bias
		for i := len(p.dims) - 1; i >= 0; i-- {
			if p.dims[i] > 1 || i > 0 {
				shape = append(shape, p.dims[i])
			}
		}
		model.add(transformersName.Replace("model."+p.name), shape, x)
	}
	if err := model.write(filepath.Join(dir, "model.safetensors")); err != nil {
		return err
	}
	var mel safetensors
	mel.add("mel", []int{2 * h.AudioCtx, h.Mels}, Mel(o))
	return mel.write(filepath.Join(dir, "mel.safetensors"))
}

var transformersName = strings.NewReplacer(
	"positional_embedding", "embed_positions.weight", "token_embedding", "embed_tokens", "ln_post", "layer_norm", "decoder.ln.", "decoder.layer_norm.",
	".blocks.", ".layers.", ".attn.", ".self_attn.", "cross_attn.", "encoder_attn.", ".attn_ln", ".self_attn_layer_norm",
	"cross_attn_ln", "encoder_attn_layer_norm", "mlp_ln", "final_layer_norm", "mlp.0", "fc1", "mlp.2", "fc2",
	"query", "q_proj", "key", "k_proj", "value", "v_proj", "out.weight", "out_proj.weight", "out.bias", "out_proj.bias",
)

// safetensors is a file of float32 tensors: the length of a JSON header in eight bytes, the header, the numbers.
type safetensors struct {
	header map[string]safetensor
	data   []byte
}

type safetensor struct {
	Type    string `json:"dtype"`
	Shape   []int  `json:"shape"`
	Offsets [2]int `json:"data_offsets"`
}

func (s *safetensors) add(name string, shape []int, x []float32) {
	if s.header == nil {
		s.header = make(map[string]safetensor)
	}
	from := len(s.data)
	s.data = append(s.data, make([]byte, 4*len(x))...)
	ggml.Quantize(ggml.F32, s.data[from:], x)
	s.header[name] = safetensor{"F32", shape, [2]int{from, len(s.data)}}
}

func (s *safetensors) write(path string) error {
	header, err := json.Marshal(s.header)
	if err != nil {
		return err
	}
	file := binary.LittleEndian.AppendUint64(nil, uint64(len(header)))
	return os.WriteFile(path, append(append(file, header...), s.data...), 0o666)
}
