package convert

import (
	"encoding/binary"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/whisperfile/whisperfile/ggml"
)

// builder makes the tensors of a ggml file out of CTranslate2's variables, in the order of OpenAI's converter. It remembers
// the first thing that is wrong.
type builder struct {
	weights map[string]variable
	out     []ggml.Tensor
	err     error
}

func (b *builder) fail(v variable, name string, err error) {
	if b.err == nil {
		b.err = &ggml.FormatError{Offset: int64(v.offset), Field: name, Err: err}
	}
}

// get returns the variable of that name, whose numbers are float16 or float32 and which has the given shape (slowest
// dimension first; -1 stands for any size).
func (b *builder) get(name string, dims ...int) variable {
	v, ok := b.weights[name]
	if !ok {
		b.fail(v, name, fmt.Errorf("the variable is missing: %w", ggml.ErrFormat))
		return variable{}
	}
	if v.elem != float16s && v.elem != float32s {
		b.fail(v, name, fmt.Errorf("weights in %s, while float16 and float32 are read; convert the original model with --quantization float16: %w",
			elements[v.elem].name, ggml.ErrUnsupported))
		return variable{}
	}
	if !slices.EqualFunc(v.dims, dims, func(have, want int) bool { return have == want || want < 0 && have > 0 }) {
		b.fail(v, name, fmt.Errorf("shape %v where %v is expected: %w", v.dims, dims, ggml.ErrFormat))
		return variable{}
	}
	return v
}

// header reads the size of the model off the shapes of its weights.
func (b *builder) header() ggml.Header {
	h := ggml.Header{FType: int(ggml.F16.FType()), AudioLayers: b.layers("encoder"), TextLayers: b.layers("decoder")}
	emb := b.get("decoder/embeddings/weight", -1, -1)
	conv := b.get("encoder/conv1/weight", -1, -1, 3)
	audio := b.get("encoder/position_encodings/encodings", -1, -1)
	text := b.get("decoder/position_encodings/encodings", -1, -1)
	if b.err != nil {
		return ggml.Header{}
	}
	h.Vocab, h.TextState, h.AudioState = emb.dims[0], emb.dims[1], emb.dims[1]
	h.Mels, h.AudioCtx, h.TextCtx = conv.dims[1], audio.dims[0], text.dims[0]
	h.AudioHeads = b.number("encoder/num_heads")
	if h.AudioHeads == 0 {
		h.AudioHeads = h.AudioState / ggml.HeadSize
	}
	h.TextHeads = h.AudioHeads
	if field, err := h.Check(); err != nil {
		b.fail(variable{}, field, err)
	}
	if h.Vocab < textTokens {
		b.fail(emb, "decoder/embeddings/weight", fmt.Errorf("%d tokens, while Whisper has more than %d: %w", h.Vocab, textTokens, ggml.ErrFormat))
	}
	return h
}

// layers returns how many layers the encoder or decoder has: one more than the highest number.
func (b *builder) layers(of string) int {
	n := 0
	for name := range b.weights {
		s, ok := strings.CutPrefix(name, of+"/layer_")
		if !ok {
			continue
		}
		s, _, _ = strings.Cut(s, "/")
		if i, err := strconv.ParseUint(s, 10, 16); err == nil {
			n = max(n, int(i)+1)
		}
	}
	return n
}

// number returns the first element of an integer variable, or 0 where there is none.
func (b *builder) number(name string) int {
	v := b.weights[name]
	switch {
	case len(v.data) >= 1 && v.elem == int8s:
		return int(int8(v.data[0]))
	case len(v.data) >= 2 && v.elem == int16s:
		return int(int16(binary.LittleEndian.Uint16(v.data)))
	case len(v.data) >= 4 && v.elem == int32s:
		return int(int32(binary.LittleEndian.Uint32(v.data)))
	}
	return 0
}

// put appends v as a tensor, in half precision or in single.
func (b *builder) put(name string, v variable, t ggml.Type) {
	if b.err != nil {
		return
	}
	x := ggml.Tensor{Name: name, Type: t, Dims: slices.Clone(v.dims), Data: v.data}
	slices.Reverse(x.Dims)
	switch {
	case t == ggml.F16 && v.elem == float32s:
		x.Data = narrow(v.data)
	case t == ggml.F32 && v.elem == float16s:
		x.Data = wide(v.data)
	}
	b.out = append(b.out, x)
}

// rows returns part i of n parts of equal size along v's slowest dimension.
func (b *builder) rows(v variable, i, n int) variable {
	if b.err != nil {
		return variable{}
	}
	size := len(v.data) / n
	v.data = v.data[i*size : (i+1)*size : (i+1)*size]
	v.dims = slices.Clone(v.dims)
	v.dims[0] /= n
	return v
}

func (b *builder) norm(name, from string, n int) {
	b.put(name+".weight", b.get(from+"/gamma", n), ggml.F32)
	b.put(name+".bias", b.get(from+"/beta", n), ggml.F32)
}

func (b *builder) linear(name, from string, in, out int) {
	b.put(name+".weight", b.get(from+"/weight", out, in), ggml.F16)
	b.put(name+".bias", b.get(from+"/bias", out), ggml.F32)
}

func (b *builder) conv(name, from string, in, out int) {
	b.put(name+".weight", b.get(from+"/weight", out, in, 3), ggml.F16)
	bias := b.get(from+"/bias", out)
	bias.dims = []int{out, 1}
	b.put(name+".bias", bias, ggml.F32)
}

// selfAttention takes apart queries, keys and values, which CTranslate2 keeps in one matrix.
func (b *builder) selfAttention(name, from string, n int) {
	w, bias := b.get(from+"/linear_0/weight", 3*n, n), b.get(from+"/linear_0/bias", 3*n)
	b.put(name+".query.weight", b.rows(w, 0, 3), ggml.F16)
	b.put(name+".query.bias", b.rows(bias, 0, 3), ggml.F32)
	b.put(name+".key.weight", b.rows(w, 1, 3), ggml.F16)
	b.keyBias(from+"/linear_0/bias", b.rows(bias, 1, 3))
	b.put(name+".value.weight", b.rows(w, 2, 3), ggml.F16)
	b.put(name+".value.bias", b.rows(bias, 2, 3), ggml.F32)
	b.linear(name+".out", from+"/linear_1", n, n)
}

func (b *builder) crossAttention(name, from string, n int) {
	b.linear(name+".query", from+"/linear_0", n, n)
	w, bias := b.get(from+"/linear_1/weight", 2*n, n), b.get(from+"/linear_1/bias", 2*n)
	b.put(name+".key.weight", b.rows(w, 0, 2), ggml.F16)
	b.keyBias(from+"/linear_1/bias", b.rows(bias, 0, 2))
	b.put(name+".value.weight", b.rows(w, 1, 2), ggml.F16)
	b.put(name+".value.bias", b.rows(bias, 1, 2), ggml.F32)
	b.linear(name+".out", from+"/linear_2", n, n)
}

// keyBias demands that the bias of the keys is zero, as it is in Whisper: the ggml file has no place for one.
func (b *builder) keyBias(name string, v variable) {
	size := elements[v.elem].size
	for i, c := range v.data {
		// Of the last, highest byte of a number the sign does not count.
		if i%size == size-1 {
			c &= 0x7f
		}
		if c != 0 {
			b.fail(v, name, fmt.Errorf("keys with a bias: %w", ggml.ErrUnsupported))
			return
		}
	}
}

func (b *builder) mlp(name, from string, n int) {
	b.linear(name+".mlp.0", from+"/linear_0", n, 4*n)
	b.linear(name+".mlp.2", from+"/linear_1", 4*n, n)
	b.norm(name+".mlp_ln", from+"/layer_norm", n)
}

func (b *builder) tensors(h ggml.Header) {
	n := h.AudioState
	b.put("encoder.positional_embedding", b.get("encoder/position_encodings/encodings", h.AudioCtx, n), ggml.F32)
	b.conv("encoder.conv1", "encoder/conv1", h.Mels, n)
	b.conv("encoder.conv2", "encoder/conv2", n, n)
	for i := range h.AudioLayers {
		name, from := fmt.Sprintf("encoder.blocks.%d", i), fmt.Sprintf("encoder/layer_%d", i)
		b.selfAttention(name+".attn", from+"/self_attention", n)
		b.norm(name+".attn_ln", from+"/self_attention/layer_norm", n)
		b.mlp(name, from+"/ffn", n)
	}
	b.norm("encoder.ln_post", "encoder/layer_norm", n)

	b.put("decoder.positional_embedding", b.get("decoder/position_encodings/encodings", h.TextCtx, n), ggml.F32)
	b.put("decoder.token_embedding.weight", b.get("decoder/embeddings/weight", h.Vocab, n), ggml.F16)
	for i := range h.TextLayers {
		name, from := fmt.Sprintf("decoder.blocks.%d", i), fmt.Sprintf("decoder/layer_%d", i)
		b.selfAttention(name+".attn", from+"/self_attention", n)
		b.norm(name+".attn_ln", from+"/self_attention/layer_norm", n)
		b.crossAttention(name+".cross_attn", from+"/attention", n)
		b.norm(name+".cross_attn_ln", from+"/attention/layer_norm", n)
		b.mlp(name, from+"/ffn", n)
	}
	b.norm("decoder.ln", "decoder/layer_norm", n)
}
