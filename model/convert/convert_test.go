package convert

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/whisperfile/whisperfile/ggml"
)

// ct2 writes a model.bin.
type ct2 struct {
	bytes.Buffer
	version int
}

func (w *ct2) ints(size int, values ...int) {
	for _, v := range values {
		w.Write(binary.LittleEndian.AppendUint64(nil, uint64(v))[:size])
	}
}

func (w *ct2) text(s string) {
	w.ints(2, len(s)+1)
	w.WriteString(s + "\x00")
}

func (w *ct2) variable(name string, e element, data []byte, dims ...int) {
	w.text(name)
	w.ints(1, len(dims))
	w.ints(4, dims...)
	if w.version >= 4 {
		w.ints(1, int(e))
		w.ints(4, len(data))
	} else {
		w.ints(1, elements[e].size)
		w.ints(4, len(data)/elements[e].size)
	}
	w.Write(data)
}

// array is a variable of a test's model.
type array struct {
	name string
	dims []int
}

// arrays lists the variables of a model with one layer on each side.
func arrays(vocab, state, mels, audioCtx, textCtx int) []array {
	list := []array{
		{"decoder/embeddings/weight", []int{vocab, state}},
		{"decoder/position_encodings/encodings", []int{textCtx, state}},
		{"encoder/position_encodings/encodings", []int{audioCtx, state}},
		{"encoder/conv1/weight", []int{state, mels, 3}}, {"encoder/conv1/bias", []int{state}},
		{"encoder/conv2/weight", []int{state, state, 3}}, {"encoder/conv2/bias", []int{state}},
	}
	linear := func(name string, in, out int) {
		list = append(list, array{name + "/weight", []int{out, in}}, array{name + "/bias", []int{out}})
	}
	norm := func(name string) {
		list = append(list, array{name + "/gamma", []int{state}}, array{name + "/beta", []int{state}})
	}
	for _, side := range []string{"encoder", "decoder"} {
		layer := side + "/layer_0"
		linear(layer+"/self_attention/linear_0", state, 3*state)
		linear(layer+"/self_attention/linear_1", state, state)
		norm(layer + "/self_attention/layer_norm")
		linear(layer+"/ffn/linear_0", state, 4*state)
		linear(layer+"/ffn/linear_1", 4*state, state)
		norm(layer + "/ffn/layer_norm")
		norm(side + "/layer_norm")
	}
	cross := "decoder/layer_0/attention"
	linear(cross+"/linear_0", state, state)
	linear(cross+"/linear_1", state, 2*state)
	linear(cross+"/linear_2", state, state)
	norm(cross + "/layer_norm")
	return list
}

const (
	testState = 64
	testVocab = 51865
)

// numbers returns random weights for a variable; the biases of keys are zeros, of either sign.
func numbers(a array) []float32 {
	n := 1
	for _, d := range a.dims {
		n *= d
	}
	r := rand.New(rand.NewPCG(uint64(n), uint64(len(a.name))))
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(r.Float64() - 0.5)
	}
	zero := func(from, to int) {
		for i := from; i < to; i++ {
			x[i] = float32(math.Copysign(0, float64(i%2)-0.5))
		}
	}
	switch {
	case strings.HasSuffix(a.name, "self_attention/linear_0/bias"):
		zero(n/3, 2*n/3)
	case strings.HasSuffix(a.name, "/attention/linear_1/bias"):
		zero(0, n/2)
	}
	return x
}

// modelBin writes a model in the given version and type of element. An edited one, and one of int8, is all zeros.
func modelBin(version int, e element, edit func(*array)) []byte {
	w := &ct2{version: version}
	w.ints(4, version)
	if version >= 2 {
		w.text("WhisperSpec")
		w.ints(4, 3)
	}
	list := arrays(testVocab, testState, 80, 5, 4)
	w.ints(4, len(list)+1)
	heads := []byte{1, 0}
	w.variable("encoder/num_heads", map[bool]element{true: int16s, false: float16s}[version >= 4], heads)
	for _, a := range list {
		if edit != nil {
			edit(&a)
		}
		n := elements[e].size
		for _, d := range a.dims {
			n *= d
		}
		data := make([]byte, n)
		if edit == nil && e != int8s {
			ggml.Quantize(map[element]ggml.Type{float32s: ggml.F32, float16s: ggml.F16}[e], data, numbers(a))
		}
		w.variable(a.name, e, data, a.dims...)
	}
	if version >= 3 {
		w.ints(4, 1)
		w.text("decoder/projection/weight")
		w.text("decoder/embeddings/weight")
	}
	return w.Bytes()
}

// texts returns a vocabulary as the tokenizers spell it.
func texts() []string {
	toUnicode := make(map[byte]rune)
	for r, b := range unicodeToByte {
		toUnicode[b] = r
	}
	var list []string
	for i := range textTokens {
		var s []rune
		for _, b := range token(i) {
			s = append(s, toUnicode[b])
		}
		list = append(list, string(s))
	}
	return list
}

// token returns the bytes of token i: every byte alone, then pairs and triples; the last one is empty.
func token(i int) []byte {
	switch {
	case i == textTokens-1:
		return nil
	case i < 256:
		return []byte{byte(i)}
	}
	return []byte(fmt.Sprintf("%c%d", byte(i), i))
}

// directory writes a model with the vocabulary in one of the three files.
func directory(t *testing.T, model []byte, vocabulary string) string {
	t.Helper()
	dir := t.TempDir()
	var data []byte
	switch vocabulary {
	case "tokenizer.json":
		ids := make(map[string]int)
		for i, s := range texts() {
			ids[s] = i
		}
		ids["<|endoftext|>"] = textTokens
		data, _ = json.Marshal(map[string]any{"version": "1.0", "model": map[string]any{"type": "BPE", "vocab": ids, "merges": []string{"a b"}}})
	case "vocabulary.json":
		data, _ = json.Marshal(append(texts(), "<|endoftext|>"))
	case "vocabulary.txt":
		data = []byte(strings.Join(append(texts(), "<|endoftext|>", "<|30.00|>"), "\n") + "\n")
	}
	for name, data := range map[string][]byte{"model.bin": model, vocabulary: data} {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestOpen(t *testing.T) {
	var first []byte
	for _, test := range []struct {
		version    int
		elem       element
		vocabulary string
	}{
		{6, float16s, "tokenizer.json"},
		{4, float32s, "vocabulary.json"},
		{2, float16s, "vocabulary.txt"},
		{1, float32s, "tokenizer.json"},
	} {
		m, err := Open(directory(t, modelBin(test.version, test.elem, nil), test.vocabulary))
		if err != nil {
			t.Fatalf("%+v: %v", test, err)
		}
		want := ggml.Header{Vocab: testVocab, AudioCtx: 5, AudioState: 64, AudioHeads: 1, AudioLayers: 1, TextCtx: 4, TextState: 64, TextHeads: 1,
			TextLayers: 1, Mels: 80, FType: 1}
		if m.Header != want {
			t.Fatalf("%+v: header %+v, want %+v", test, m.Header, want)
		}
		for i, text := range m.Vocab {
			if !bytes.Equal(text, token(i)) {
				t.Fatalf("%+v: token %d is %q, want %q", test, i, text, token(i))
			}
		}
		var b bytes.Buffer
		if err := m.Write(&b); err != nil {
			t.Fatalf("%+v: %v", test, err)
		}
		for range 2 {
			if err := m.Close(); err != nil {
				t.Error(err)
			}
		}
		if _, err := ggml.Parse(b.Bytes()); err != nil {
			t.Fatalf("%+v: what was written: %v", test, err)
		}
		// Vectors of a float32 model are more exact; all else is the same whatever the source.
		if test.elem == float32s {
			continue
		}
		if first == nil {
			first = b.Bytes()
		} else if !bytes.Equal(first, b.Bytes()) {
			t.Errorf("%+v: another file", test)
		}
	}
}

func TestTensors(t *testing.T) {
	m := &Model{}
	if err := m.load(modelBin(6, float32s, nil)); err != nil {
		t.Fatal(err)
	}
	source := make(map[string][]float32)
	for _, a := range arrays(testVocab, testState, 80, 5, 4) {
		source[a.name] = numbers(a)
	}
	const n = testState
	for _, test := range []struct {
		name string
		dims []int
		typ  ggml.Type
		want []float32
	}{
		{"encoder.positional_embedding", []int{n, 5}, ggml.F32, source["encoder/position_encodings/encodings"]},
		{"encoder.conv1.weight", []int{3, 80, n}, ggml.F16, source["encoder/conv1/weight"]},
		{"encoder.conv2.bias", []int{1, n}, ggml.F32, source["encoder/conv2/bias"]},
		{"encoder.blocks.0.attn.query.weight", []int{n, n}, ggml.F16, source["encoder/layer_0/self_attention/linear_0/weight"][:n*n]},
		{"encoder.blocks.0.attn.key.weight", []int{n, n}, ggml.F16, source["encoder/layer_0/self_attention/linear_0/weight"][n*n : 2*n*n]},
		{"encoder.blocks.0.attn.value.bias", []int{n}, ggml.F32, source["encoder/layer_0/self_attention/linear_0/bias"][2*n:]},
		{"encoder.blocks.0.mlp.2.weight", []int{4 * n, n}, ggml.F16, source["encoder/layer_0/ffn/linear_1/weight"]},
		{"encoder.ln_post.weight", []int{n}, ggml.F32, source["encoder/layer_norm/gamma"]},
		{"decoder.token_embedding.weight", []int{n, testVocab}, ggml.F16, source["decoder/embeddings/weight"]},
		{"decoder.blocks.0.cross_attn.value.weight", []int{n, n}, ggml.F16, source["decoder/layer_0/attention/linear_1/weight"][n*n:]},
		{"decoder.blocks.0.cross_attn.out.bias", []int{n}, ggml.F32, source["decoder/layer_0/attention/linear_2/bias"]},
		{"decoder.ln.bias", []int{n}, ggml.F32, source["decoder/layer_norm/beta"]},
	} {
		got, ok := m.Tensor(test.name)
		want := make([]byte, test.typ.Bytes(len(test.want)))
		ggml.Quantize(test.typ, want, test.want)
		if !ok || got.Type != test.typ || fmt.Sprint(got.Dims) != fmt.Sprint(test.dims) || !bytes.Equal(got.Data, want) {
			t.Errorf("%s: %v of %v in %d bytes", test.name, got.Type, got.Dims, len(got.Data))
		}
	}
	if got, want := len(m.Tensors), m.Header.Tensors(); got != want {
		t.Errorf("%d tensors, want %d", got, want)
	}
	if first, last := m.Tensors[0].Name, m.Tensors[len(m.Tensors)-1].Name; first != "encoder.positional_embedding" || last != "decoder.ln.bias" {
		t.Errorf("the tensors go from %s to %s", first, last)
	}
}

func TestRefused(t *testing.T) {
	rename := func(from, to string) []byte {
		return modelBin(6, float16s, func(a *array) {
			if a.name == from {
				a.name = to
			}
		})
	}
	reshape := func(name string, dims ...int) []byte {
		return modelBin(6, float16s, func(a *array) {
			if a.name == name {
				a.dims = dims
			}
		})
	}
	for _, test := range []struct {
		what string
		data []byte
		want error
		says string
	}{
		{"int8", modelBin(6, int8s, nil), ggml.ErrUnsupported, "int8"},
		{"version", binary.LittleEndian.AppendUint32(nil, 7), ggml.ErrUnsupported, "version"},
		{"no version", nil, ggml.ErrTruncated, "version"},
		{"another bias in its place", rename("decoder/layer_0/attention/linear_0/bias", "encoder/layer_0/self_attention/linear_0/bias"), ggml.ErrFormat, "linear_0/bias"},
		{"no cross attention", rename("decoder/layer_0/attention/linear_2/weight", "x"), ggml.ErrFormat, "decoder/layer_0/attention/linear_2/weight"},
		{"a layer more", rename("decoder/layer_norm/beta", "decoder/layer_100/x"), ggml.ErrFormat, "decoder/layer_1/"},
		{"far too many layers", rename("decoder/layer_norm/beta", "decoder/layer_65535/x"), ggml.ErrFormat, "n_text_layer"},
		{"mels", reshape("encoder/conv1/weight", testState, 81, 3), ggml.ErrFormat, "n_mels"},
		{"shape", reshape("encoder/conv2/weight", testState, 3, testState), ggml.ErrFormat, "encoder/conv2/weight"},
		{"few tokens", reshape("decoder/embeddings/weight", 50000, testState), ggml.ErrFormat, "decoder/embeddings/weight"},
	} {
		m := &Model{}
		err := m.load(test.data)
		var format *ggml.FormatError
		if !errors.Is(err, test.want) || !errors.As(err, &format) || !strings.Contains(err.Error(), test.says) {
			t.Errorf("%s: %v", test.what, err)
		}
	}

	biased := modelBin(6, float16s, func(*array) {})
	at := bytes.Index(biased, []byte("encoder/layer_0/self_attention/linear_0/bias\x00")) + len("encoder/layer_0/self_attention/linear_0/bias\x00") + 1 + 4 + 1 + 4
	biased[at+2*testState+1] = 0x3c
	m := &Model{}
	if err := m.load(biased); !errors.Is(err, ggml.ErrUnsupported) || !strings.Contains(err.Error(), "keys with a bias") {
		t.Errorf("a bias of keys: %v", err)
	}
}

func TestCut(t *testing.T) {
	data := modelBin(6, float16s, func(*array) {})
	for n := 0; n < len(data); n += 1 + n/50 {
		if _, err := parseWeights(data[:n]); !errors.Is(err, ggml.ErrTruncated) {
			t.Fatalf("%d of %d bytes: %v", n, len(data), err)
		}
	}
	if _, err := parseWeights(data[:len(data)-1]); !errors.Is(err, ggml.ErrTruncated) {
		t.Errorf("all but a byte: %v", err)
	}
	if _, err := parseWeights(append(data, 0)); !errors.Is(err, ggml.ErrFormat) {
		t.Errorf("a byte more: %v", err)
	}
}

func TestOpenNothing(t *testing.T) {
	dir := t.TempDir()
	if _, err := Open(dir); !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), "model.bin") {
		t.Errorf("an empty directory: %v", err)
	}
	if err := os.WriteFile(filepath.Join(dir, "model.bin"), []byte{6}, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(dir); !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), "tokenizer.json") {
		t.Errorf("no vocabulary: %v", err)
	}
	if err := os.WriteFile(filepath.Join(dir, "vocabulary.txt"), []byte("a\nb\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(dir); !errors.Is(err, ggml.ErrFormat) || !strings.Contains(err.Error(), "vocabulary.txt") {
		t.Errorf("a short vocabulary: %v", err)
	}
}

// The sums are those of the arrays in OpenAI's file.
func TestMelFilters(t *testing.T) {
	for bands, want := range map[int]struct {
		sum     string
		nonzero int
	}{
		80:  {"4f2701b1d287d74a0dc9871026e9519d98cb76426615f2539b0d151a0ae4ec2e", 391},
		128: {"2a5f9822897750e047c85dea37cc268d3be0ecfd23c28a5f10da129d99d05afe", 394},
	} {
		f, err := MelFilters(bands)
		if err != nil {
			t.Fatal(err)
		}
		nonzero := 0
		b := make([]byte, 4*len(f.Coef))
		ggml.Quantize(ggml.F32, b, f.Coef)
		for _, c := range f.Coef {
			if c != 0 {
				nonzero++
			}
		}
		if got := fmt.Sprintf("%x", sha256.Sum256(b)); f.Bands != bands || f.Bins != 201 || len(f.Coef) != bands*201 || nonzero != want.nonzero || got != want.sum {
			t.Errorf("%d bands: %d×%d, %d above zero, SHA-256 %s", bands, f.Bands, f.Bins, nonzero, got)
		}
	}
	if _, err := MelFilters(64); !errors.Is(err, ggml.ErrUnsupported) {
		t.Errorf("64 bands: %v", err)
	}
}
